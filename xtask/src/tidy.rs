//! `cargo xtask tidy`: the rules of this repository that no compiler checks. One file a rule; none
//! needs the network.

mod budgets;
mod compliance;
mod configuration;
mod dependencies;
mod log_lines;
mod masking;
mod milestones;
mod names;
mod paths;
mod purity;
mod source;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{fuzz, report::Report};

/// What breaks a rule: where, and what to do about it.
type Findings = Vec<String>;

/// Runs every rule alone.
pub(crate) fn run() -> Result<ExitCode> {
    let mut report = Report::default();
    all(&mut report);
    Ok(report.finish())
}

/// Runs every rule, counted into `report`.
pub(crate) fn all(report: &mut Report) {
    report.must("tidy: dependencies between crates", || judge(&dependencies::findings()?));
    report.must("tidy: budgets", || judge(&budgets::findings()?));
    report.must("tidy: names of files", || judge(&names::findings()?));
    report.must("tidy: paths in docs", || judge(&paths::findings()?));
    report.must("tidy: words", || judge(&words::findings()?));
    report.must("tidy: pure crates", || judge(&purity::findings()?));
    report.must("tidy: milestones", || judge(&milestones::findings()?));
    report.must("tidy: compliance tables", || judge(&compliance::findings()?));
    report.must("tidy: configuration reference", || judge(&configuration::findings()?));
    report.must("tidy: lines of the log", || judge(&log_lines::findings()?));
    report.must("tidy: tally of fuzzing", || judge(&fuzz::tally_findings()?));
}

/// Writes what is generated in docs anew. Returns the documents that changed.
pub(crate) fn regenerate() -> Result<Vec<PathBuf>> {
    let mut changed = compliance::regenerate()?;
    changed.extend(configuration::regenerate()?);
    changed.extend(fuzz::regenerate_tally()?);
    Ok(changed)
}

/// A rule holds if it has nothing to say.
fn judge(findings: &[String]) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{} findings\n        {}", findings.len(), findings.join("\n        "))
}
