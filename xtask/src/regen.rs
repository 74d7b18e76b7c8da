//! `cargo xtask regen`: writes what is generated in docs.

use std::process::ExitCode;

use anyhow::Result;

use crate::{tidy, tree};

/// Writes the compliance tables, the configuration reference and the tally of fuzzing, and names the documents that changed.
pub(crate) fn run() -> Result<ExitCode> {
    for path in tidy::regenerate()? {
        println!("wrote {}", tree::relative(&path));
    }
    Ok(ExitCode::SUCCESS)
}
