//! How long a file and a function may be. An excess carries its reason in the file:
//! `// tidy: allow-long — REASON`.

use anyhow::Result;

use super::{Findings, source};

/// Production lines of a file: the aim, only counted.
const FILE_AIM: usize = 300;
/// Production lines of a file: more is a finding.
const FILE_LIMIT: usize = 500;
/// Lines of a function: the aim, only counted.
const FUNCTION_AIM: usize = 30;
/// Lines of a function: more is a finding.
const FUNCTION_LIMIT: usize = 60;
/// What excuses a file.
const EXCUSE: &str = "// tidy: allow-long";

/// Files and functions over the limit.
pub(super) fn findings() -> Result<Findings> {
    let mut findings = Findings::new();
    let (mut long_files, mut long_functions) = (0, 0);
    for file in source::all()?.iter().filter(|file| !file.is_test()) {
        let lines = file.production_lines();
        let excused = excused(&file.text);
        long_files += usize::from(lines > FILE_AIM);
        if lines > FILE_LIMIT && !excused {
            findings.push(format!("{}: {lines} lines, limit {FILE_LIMIT}", file.path));
        }
        for function in file.functions() {
            long_functions += usize::from(function.lines > FUNCTION_AIM);
            if function.lines > FUNCTION_LIMIT && !excused {
                findings.push(format!(
                    "{}:{}: fn {} has {} lines, limit {FUNCTION_LIMIT}",
                    file.path, function.line, function.name, function.lines
                ));
            }
        }
    }
    println!("        over the aim: {long_files} files of {FILE_AIM} lines, {long_functions} functions of {FUNCTION_AIM}");
    Ok(findings)
}

/// True if the file gives a reason for its length.
fn excused(text: &str) -> bool {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix(EXCUSE))
        .any(|reason| reason.contains(|c: char| c.is_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::excused;

    #[test]
    fn an_excuse_needs_a_reason() {
        assert!(excused("a\n// tidy: allow-long — one table, read from top to bottom\n"));
        assert!(!excused("// tidy: allow-long —\n"));
        assert!(!excused("// long\n"));
    }
}
