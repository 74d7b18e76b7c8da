//! No `mod.rs`, and no module whose name says nothing of what is in it.

use std::path::Path;

use anyhow::Result;

use super::{Findings, source};

/// Names under which anything could be put.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "common", "helpers", "helper", "misc"];

/// Files and inline modules with such a name.
pub(super) fn findings() -> Result<Findings> {
    let mut findings = Findings::new();
    for file in source::all()? {
        let path = Path::new(&file.path);
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            findings.push(format!("{}: name the file after its module instead of mod.rs", file.path));
        }
        if path.iter().any(|part| says_nothing(&part.to_string_lossy())) {
            findings.push(format!("{}: the name says nothing of its content", file.path));
        }
        for (line, code) in file.code_lines() {
            let words: Vec<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            if words.windows(2).any(|pair| pair[0] == "mod" && says_nothing(pair[1])) {
                findings.push(format!("{}:{line}: the module's name says nothing of its content", file.path));
            }
        }
    }
    Ok(findings)
}

fn says_nothing(name: &str) -> bool {
    EMPTY_NAMES.contains(&name.strip_suffix(".rs").unwrap_or(name))
}
