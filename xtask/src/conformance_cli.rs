//! The conformance suite's command line, as anyone would use it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{cargo, gateway::Gateway, process, report::Report};

/// A report of the suite.
#[derive(Deserialize)]
struct SuiteReport {
    clauses: Vec<ClauseReport>,
}

/// How one clause went.
#[derive(Deserialize)]
struct ClauseReport {
    id: String,
    result: String,
    detail: String,
}

/// The clauses of a suite as the markdown table that stands in docs.
pub(crate) fn clauses_table(suite: &str) -> Result<String> {
    let package = ["run", "--quiet", "--package", "certgate-conformance", "--bin", "certgate-conformance", "--"];
    let mut command = cargo::command(&package);
    process::stdout(command.args(["clauses", "--suite", suite, "--format", "markdown"]))
}

/// Describes a running gateway: writes `target.toml` into `work` and returns its path.
pub(crate) fn describe(gateway: &Gateway, work: &Path) -> Result<PathBuf> {
    let text = process::stdout(Command::new(binary()?).arg("target").arg(gateway.data_dir()))?;
    let target = work.join("target.toml");
    std::fs::write(&target, text).context("write target.toml")?;
    Ok(target)
}

/// Runs a suite and counts each clause.
pub(crate) fn run_suite(suite: &str, target: &Path, report: &mut Report) -> Result<()> {
    let out = target.with_file_name(format!("{suite}.json"));
    let mut command = process::limited(900, binary()?);
    command.args(["run", "--suite", suite, "--format", "json", "--target"]).arg(target).arg("--out").arg(&out);
    let output = process::attempt(&mut command)?;
    let Ok(text) = std::fs::read_to_string(&out) else {
        bail!("{}", process::complaint(&command, &output));
    };
    let result: SuiteReport = serde_json::from_str(&text).with_context(|| format!("report of suite {suite}"))?;
    let failed = result.clauses.iter().filter(|clause| clause.result == "fail").count();
    for clause in result.clauses {
        let name = format!("conformance {suite} {}", clause.id);
        match clause.result.as_str() {
            "pass" => report.add_passed(1),
            "skipped" | "excepted" => report.skip(&name, &clause.detail),
            _ => report.fail(&name, &clause.detail),
        }
    }
    if failed == 0 && !output.status.success() {
        bail!("{}", process::complaint(&command, &output));
    }
    Ok(())
}

fn binary() -> Result<PathBuf> {
    cargo::release_binary("certgate-conformance")
}
