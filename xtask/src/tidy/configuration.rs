//! The configuration reference says what the gateway reads: it is made from `certgate config schema`.

mod render;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::{cargo, process, tree};

/// The page, and where in it the tables stand.
const PAGE: &str = "docs/configuration.md";
const BEGIN: &str = "<!-- configuration:begin -->\n";
const END: &str = "<!-- configuration:end -->\n";

/// The page, if it is out of date.
pub(super) fn findings() -> Result<Findings> {
    let (_, text, fresh) = pages()?;
    Ok(if text == fresh { Findings::new() } else { vec![format!("{PAGE}: run cargo xtask regen")] })
}

/// Writes the page anew. Returns it if it has changed.
pub(super) fn regenerate() -> Result<Option<PathBuf>> {
    let (path, text, fresh) = pages()?;
    if text == fresh {
        return Ok(None);
    }
    std::fs::write(&path, fresh).with_context(|| format!("write {}", path.display()))?;
    Ok(Some(path))
}

/// Where the page is, what it says, and what it should say.
fn pages() -> Result<(PathBuf, String, String)> {
    let path = tree::root().join(PAGE);
    let text = tree::read(&path)?;
    let (before, rest) = text.split_once(BEGIN).context("the configuration reference has no begin")?;
    let (_, after) = rest.split_once(END).context("the configuration reference has no end")?;
    let tables = render::tables(&schema()?);
    let fresh = format!("{before}{BEGIN}\n{tables}\n{END}{after}");
    Ok((path, text, fresh))
}

fn schema() -> Result<Value> {
    let mut command = Command::new(cargo::workspace_binary("certgate")?);
    serde_json::from_str(&process::stdout(command.args(["config", "schema"]))?).context("certgate config schema is no JSON")
}
