//! Compliance tables in docs say what the clauses say. They stand between
//! `<!-- compliance:SUITE:begin -->` and `<!-- compliance:SUITE:end -->`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::Findings;
use crate::{conformance_cli, tree};

/// Tables that are out of date.
pub(super) fn findings() -> Result<Findings> {
    let mut findings = Findings::new();
    for (path, text) in documents()? {
        if render(&text, &conformance_cli::clauses_table)? != text {
            findings.push(format!("{}: run cargo xtask regen", tree::relative(&path)));
        }
    }
    Ok(findings)
}

/// Writes the tables anew. Returns the documents that changed.
pub(super) fn regenerate() -> Result<Vec<PathBuf>> {
    let mut changed = Vec::new();
    for (path, text) in documents()? {
        let fresh = render(&text, &conformance_cli::clauses_table)?;
        if fresh != text {
            std::fs::write(&path, fresh).with_context(|| format!("write {}", path.display()))?;
            changed.push(path);
        }
    }
    Ok(changed)
}

/// The documents that have a table.
fn documents() -> Result<Vec<(PathBuf, String)>> {
    let mut with_table = Vec::new();
    for path in tree::files(&tree::root().join("docs"), ".md")? {
        let text = tree::read(&path)?;
        if text.lines().any(|line| suite_of(line, "begin").is_some()) {
            with_table.push((path, text));
        }
    }
    Ok(with_table)
}

/// `text` with every table made anew by `table`.
fn render(text: &str, table: &dyn Fn(&str) -> Result<String>) -> Result<String> {
    let mut fresh = String::new();
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        fresh.push_str(line);
        let Some(suite) = suite_of(line, "begin") else { continue };
        let end = lines.by_ref().find(|line| suite_of(line, "end") == Some(suite));
        let Some(end) = end else { bail!("the table of {suite} has no end") };
        fresh.push_str(table(suite)?.trim_end());
        fresh.push('\n');
        fresh.push_str(end);
    }
    Ok(fresh)
}

/// The suite of a marker line.
fn suite_of<'line>(line: &'line str, edge: &str) -> Option<&'line str> {
    let inside = line.trim().strip_prefix("<!-- compliance:")?.strip_suffix(" -->")?;
    inside.split_once(':').filter(|(_, found)| *found == edge).map(|(suite, _)| suite)
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn what_stands_between_the_markers_is_replaced() {
        let text = "a\n<!-- compliance:est:begin -->\nold\n<!-- compliance:est:end -->\nb\n";
        let fresh = render(text, &|suite| Ok(format!("| {suite} |\n"))).unwrap();
        assert_eq!(fresh, "a\n<!-- compliance:est:begin -->\n| est |\n<!-- compliance:est:end -->\nb\n");
        assert_eq!(render(&fresh, &|suite| Ok(format!("| {suite} |\n"))).unwrap(), fresh);
        assert!(render("<!-- compliance:est:begin -->\n", &|_| Ok(String::new())).is_err());
    }
}
