//! `cargo test --workspace`, counted by its own words.

use anyhow::{Result, bail};

use crate::{cargo, process, report::Report};

/// What the lines of libtest say.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    passed: u64,
    failed: Vec<String>,
    /// Each ignored test and its reason.
    ignored: Vec<(String, String)>,
}

/// Every unit, integration and doc test of the workspace.
pub(super) fn tests(report: &mut Report) -> Result<()> {
    let mut command = cargo::command(&["test", "--workspace", "--no-fail-fast"]);
    let (succeeded, said) = process::stream(&mut command)?;
    let tally = tally(&said);
    report.add_passed(tally.passed);
    for (name, reason) in &tally.ignored {
        report.skip(&format!("cargo test {name}"), reason);
    }
    for name in &tally.failed {
        report.fail(&format!("cargo test {name}"), "see above");
    }
    if !succeeded && tally.failed.is_empty() {
        bail!("`{}` failed before or between its tests", process::describe(&command));
    }
    if tally.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

/// Sums up what every test binary printed.
fn tally(said: &str) -> Tally {
    let mut tally = Tally::default();
    for line in said.lines() {
        if let Some(counts) = line.strip_prefix("test result: ") {
            tally.passed += count_of(counts, "passed");
            continue;
        }
        let Some((name, outcome)) = line.strip_prefix("test ").and_then(|test| test.rsplit_once(" ... ")) else { continue };
        match outcome.split_once(',').unwrap_or((outcome, "no reason given")) {
            ("FAILED", _) => tally.failed.push(name.to_owned()),
            ("ignored", reason) => tally.ignored.push((name.to_owned(), reason.trim().to_owned())),
            _ => {}
        }
    }
    tally
}

/// The number before a word of `ok. 12 passed; 0 failed; …`.
fn count_of(counts: &str, word: &str) -> u64 {
    counts
        .split(['.', ';'])
        .filter_map(|part| part.trim().strip_suffix(word))
        .find_map(|number| number.trim().parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Tally, tally};

    const SAID: &str = "\
running 3 tests
test a::holds ... ok
test a::slow ... ignored, needs a database
test a::breaks ... FAILED

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

running 1 test
test src/lib.rs - f (line 3) ... ignored
test panics - should panic ... ok
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s
";

    #[test]
    fn every_binary_is_counted_and_what_did_not_pass_is_named() {
        let ignored = [("a::slow", "needs a database"), ("src/lib.rs - f (line 3)", "no reason given")];
        let expected = Tally {
            passed: 13,
            failed: vec!["a::breaks".to_owned()],
            ignored: ignored.map(|(name, reason)| (name.to_owned(), reason.to_owned())).to_vec(),
        };
        assert_eq!(tally(SAID), expected);
    }
}
