//! Compliance tables in docs say what the clauses say: the parts `compliance:SUITE`.

use std::path::PathBuf;

use anyhow::Result;

use super::Findings;
use crate::{conformance_cli, generated::Page, tree};

/// What the name of a table begins with; the suite follows.
const TABLE: &str = "compliance:";

/// Tables that are out of date.
pub(super) fn findings() -> Result<Findings> {
    Ok(pages()?.iter().filter_map(Page::finding).collect())
}

/// Writes the tables anew. Returns the documents that changed.
pub(super) fn regenerate() -> Result<Vec<PathBuf>> {
    pages()?.into_iter().filter_map(|page| page.write().transpose()).collect()
}

/// The documents that have tables.
fn pages() -> Result<Vec<Page>> {
    let mut with_tables = Vec::new();
    for path in tree::files(&tree::root().join("docs"), ".md")? {
        let mut page = Page::read(&path)?;
        let tables = page.parts(TABLE);
        for table in &tables {
            page.put(table, &conformance_cli::clauses_table(&table[TABLE.len()..])?)?;
        }
        if !tables.is_empty() {
            with_tables.push(page);
        }
    }
    Ok(with_tables)
}
