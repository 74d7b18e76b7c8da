//! Words that must not be in the tree: code that is not there yet does not pretend to be.

use anyhow::Result;

use super::{Findings, source};

/// Macros of unfinished code.
const UNFINISHED: [&str; 2] = ["todo!", "unimplemented!"];

/// Where they stand, tests included.
pub(super) fn findings() -> Result<Findings> {
    let mut findings = Findings::new();
    for file in source::all()? {
        for (index, line) in file.code.lines().enumerate() {
            for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
                findings.push(format!("{}:{}: {word}", file.path, index + 1));
            }
        }
    }
    Ok(findings)
}
