//! The conformance suite's command line, as anyone would use it.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{cargo, gateway::Gateway, install::pkilint, process, report::Report};

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
    let mut command = Command::new(cargo::workspace_binary("certgate-conformance")?);
    process::stdout(command.args(["clauses", "--suite", suite, "--format", "markdown"]))
}

/// Describes a running gateway: writes `target.toml` into `work` and returns its path.
pub(crate) fn describe(gateway: &Gateway, work: &Path) -> Result<PathBuf> {
    let text = process::stdout(Command::new(binary()?).arg("target").arg(gateway.data_dir()))?;
    let target = work.join("target.toml");
    std::fs::write(&target, text).context("write target.toml")?;
    Ok(target)
}

/// One run of a suite.
#[derive(Clone, Copy)]
pub(crate) struct SuiteRun<'run> {
    /// Which suite.
    pub(crate) suite: &'run str,
    /// How the server under test reads the RFC.
    pub(crate) reading: &'run str,
    /// The kind of key that devices have.
    pub(crate) device_key: &'run str,
    /// Which clauses; all when empty.
    pub(crate) clauses: &'run [&'run str],
    /// Whether each clause must notice its mutation too.
    pub(crate) prove_mutations: bool,
}

impl SuiteRun<'_> {
    /// What its clauses are counted under.
    fn title(self) -> String {
        let proof = if self.prove_mutations { ", mutated" } else { "" };
        format!("conformance {} ({}, {}{proof})", self.suite, self.reading, self.device_key)
    }
}

/// Clauses that were skipped, with the suite and the reason: later runs do not name them again.
pub(crate) type Skipped = Mutex<BTreeSet<String>>;

/// Runs a suite and counts each clause.
pub(crate) fn run_suite(run: SuiteRun<'_>, target: &Path, skipped: &Skipped, report: &mut Report) -> Result<()> {
    let title = run.title();
    let SuiteRun { suite, reading, device_key, clauses, prove_mutations } = run;
    let out = target.with_file_name(format!("{suite}-{reading}-{device_key}-{prove_mutations}.json"));
    let mut command = process::limited(900, binary()?);
    command.args(["run", "--suite", suite, "--reading", reading, "--device-key", device_key, "--format", "json"]);
    command.args(clauses.iter().flat_map(|clause| ["--clause", clause]));
    command.args(prove_mutations.then_some("--prove-mutations")).arg("--target").arg(target).arg("--out").arg(&out);
    command.env("PATH", path_with_linters()?);
    let output = process::attempt(&mut command)?;
    let Ok(text) = std::fs::read_to_string(&out) else {
        bail!("{}", process::complaint(&command, &output));
    };
    let result: SuiteReport = serde_json::from_str(&text).with_context(|| format!("report of {title}"))?;
    let failed = result.clauses.iter().filter(|clause| clause.result == "fail").count();
    let passed = result.clauses.iter().filter(|clause| clause.result == "pass").count();
    println!("  ok    {title}: {passed} clauses");
    for clause in &result.clauses {
        let name = format!("{title} {}", clause.id);
        match clause.result.as_str() {
            "pass" => report.add_passed(1),
            "skipped" | "excepted" => {
                let mut skipped = skipped.lock().unwrap_or_else(PoisonError::into_inner);
                if skipped.insert(format!("{} {}: {}", run.suite, clause.id, clause.detail)) {
                    report.skip(&name, &clause.detail);
                }
            }
            _ => report.fail(&name, &clause.detail),
        }
    }
    if failed == 0 && !output.status.success() {
        bail!("{}", process::complaint(&command, &output));
    }
    Ok(())
}

/// The suites run the linters that are on the path.
#[expect(clippy::disallowed_methods, reason = "where programs are is told by the environment alone")]
fn path_with_linters() -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let linters = pkilint()?.parent().map(Path::to_owned);
    Ok(std::env::join_paths(linters.into_iter().chain(std::env::split_paths(&path)))?)
}

fn binary() -> Result<PathBuf> {
    cargo::tool("certgate-conformance")
}
