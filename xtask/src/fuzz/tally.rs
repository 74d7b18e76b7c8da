//! For how long each target has run without a finding: `fuzz/tally.toml`, and the table of it in docs.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::libfuzzer;
use crate::{generated::Page, process, tree};

/// Every run that ended well, the oldest first.
const TALLY: &str = "fuzz/tally.toml";
/// The page, and which part of it the table is.
const PAGE: &str = "docs/reliability.md";
const TABLE: &str = "fuzzing";
/// What a target is made of, and what of it does not change what is fuzzed.
const FUZZED: [&str; 9] =
    ["Cargo.toml", "ca-backend", "enrollment", "fuzz", "policy", "protocols", ":!fuzz/tally.toml", ":!fuzz/corpus", ":!*.md"];

/// The file.
#[derive(Default, Deserialize)]
struct Tally {
    #[serde(default)]
    run: Vec<Run>,
}

/// One run of a target, without a finding.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) target: String,
    pub(super) cpu_seconds: u64,
    /// Inputs that were tried.
    pub(super) executions: u64,
    /// The day it ended on, in UTC.
    pub(super) date: String,
    /// What was fuzzed.
    pub(super) commit: String,
}

/// The commit of what is fuzzed; `None` if there are changes beside it.
pub(super) fn commit() -> Result<Option<String>> {
    let git = |arguments: &[&str]| process::stdout(Command::new("git").current_dir(tree::root()).args(arguments));
    let status: Vec<&str> = ["status", "--porcelain", "--"].into_iter().chain(FUZZED).collect();
    let is_committed = git(&status)?.is_empty();
    let head = git(&["rev-parse", "--short=10", "HEAD"])?;
    Ok(is_committed.then(|| head.trim().to_owned()))
}

/// The day, in UTC.
pub(super) fn today() -> Result<String> {
    Ok(process::stdout(Command::new("date").args(["-u", "+%F"]))?.trim().to_owned())
}

/// Adds a run to the tally.
pub(super) fn append(run: &Run) -> Result<()> {
    let Run { target, cpu_seconds, executions, date, commit } = run;
    let text = format!(
        "\n[[run]]\ntarget = \"{target}\"\ncpu_seconds = {cpu_seconds}\nexecutions = {executions}\ndate = \"{date}\"\ncommit = \"{commit}\"\n"
    );
    let mut file = OpenOptions::new().append(true).open(tree::root().join(TALLY)).context(TALLY)?;
    file.write_all(text.as_bytes()).context(TALLY)
}

/// Runs of what is no target, and a table that is out of date.
pub(crate) fn findings() -> Result<Vec<String>> {
    let (targets, tally) = (libfuzzer::targets()?, tally()?);
    let strangers = tally.run.iter().filter(|run| !targets.contains(&run.target));
    let mut findings: Vec<String> = strangers.map(|run| format!("{TALLY}: there is no target {}", run.target)).collect();
    findings.extend(page(&targets, &tally)?.finding());
    Ok(findings)
}

/// Writes the table anew. Returns the page if it has changed.
pub(crate) fn regenerate() -> Result<Option<PathBuf>> {
    page(&libfuzzer::targets()?, &tally()?)?.write()
}

fn tally() -> Result<Tally> {
    toml::from_str(&tree::read(&tree::root().join(TALLY))?).context(TALLY)
}

fn page(targets: &[String], tally: &Tally) -> Result<Page> {
    let mut page = Page::read(&tree::root().join(PAGE))?;
    page.put(TABLE, &table(targets, tally)?)?;
    Ok(page)
}

/// A row for each target: all of its runs together, and the last of them.
fn table(targets: &[String], tally: &Tally) -> Result<String> {
    let mut table = String::from("| target | CPU time | executions | last run |\n|---|---|---|---|\n");
    for target in targets {
        let runs: Vec<&Run> = tally.run.iter().filter(|run| run.target == *target).collect();
        let Some(last) = runs.last() else {
            writeln!(table, "| `{target}` | none yet | | |")?;
            continue;
        };
        let minutes = runs.iter().map(|run| run.cpu_seconds).sum::<u64>() / 60;
        let executions = grouped(runs.iter().map(|run| run.executions).sum());
        writeln!(table, "| `{target}` | {minutes} min | {executions} | {}, commit {} |", last.date, last.commit)?;
    }
    Ok(table)
}

/// A number with a comma before each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::{Run, Tally, grouped, table};

    #[test]
    fn every_target_has_a_row_and_its_runs_are_summed() {
        let run = |date: &str, commit: &str| Run {
            target: "csr".to_owned(),
            cpu_seconds: 601,
            executions: 1_234_567,
            date: date.to_owned(),
            commit: commit.to_owned(),
        };
        let tally = Tally { run: vec![run("2026-01-02", "aa"), run("2026-01-03", "bb")] };
        let table = table(&["crl".to_owned(), "csr".to_owned()], &tally).unwrap();
        assert!(
            table.ends_with("| `crl` | none yet | | |\n| `csr` | 20 min | 2,469,134 | 2026-01-03, commit bb |\n"),
            "{table}"
        );
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!([0, 12, 123, 1234, 1_234_567].map(grouped), ["0", "12", "123", "1,234", "1,234,567"]);
    }
}
