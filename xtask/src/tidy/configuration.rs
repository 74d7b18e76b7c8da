//! The configuration reference says what the gateway reads: it is made from `certgate config schema`.

mod render;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::{cargo, generated::Page, process, tree};

/// The page, and which part of it the tables are.
const PAGE: &str = "docs/configuration.md";
const TABLES: &str = "configuration";

/// The page, if it is out of date.
pub(super) fn findings() -> Result<Findings> {
    Ok(page()?.finding().into_iter().collect())
}

/// Writes the page anew. Returns it if it has changed.
pub(super) fn regenerate() -> Result<Option<PathBuf>> {
    page()?.write()
}

fn page() -> Result<Page> {
    let mut page = Page::read(&tree::root().join(PAGE))?;
    page.put(TABLES, &render::tables(&schema()?))?;
    Ok(page)
}

fn schema() -> Result<Value> {
    let mut command = Command::new(cargo::workspace_binary("certgate")?);
    serde_json::from_str(&process::stdout(command.args(["config", "schema"]))?).context("certgate config schema is no JSON")
}
