//! Codecs, policy and core have no clock, files, environment or sockets: those are parameters.

use anyhow::Result;

use super::{Findings, source};

/// Folders of pure crates.
const PURE: [&str; 3] = ["protocols/", "policy/", "enrollment/"];
/// What their sources never name. Imports count: `use std::fs` is what one would write first.
const IMPURE: [&str; 9] = [
    "SystemTime::now",
    "Instant::now",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::net::Tcp",
    "std::net::Udp",
    "std::net::ToSocketAddrs",
];

/// Where a pure crate reaches outside.
pub(super) fn findings() -> Result<Findings> {
    let mut findings = Findings::new();
    for file in source::all()?.iter().filter(|file| is_pure(&file.path) && !file.is_test()) {
        for (line, code) in file.code_lines() {
            for word in IMPURE.iter().filter(|word| code.contains(**word)) {
                findings.push(format!("{}:{line}: {word} in a crate that is pure", file.path));
            }
        }
    }
    Ok(findings)
}

fn is_pure(path: &str) -> bool {
    PURE.iter().any(|folder| path.starts_with(folder))
}
