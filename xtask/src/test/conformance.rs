//! The conformance suites against the shipped gateway, in both readings.

use std::path::Path;

use anyhow::{Context, Result};

use crate::{
    conformance_cli::{Skipped, SuiteRun, describe, run_suite},
    gateway::Gateway,
    report::Report,
};

/// The suites whose protocols the gateway serves.
const SUITES: [&str; 2] = ["est", "x509"];

/// An endpoint that reads the RFC to the letter.
const STRICT: &str = "\
[[endpoint]]
protocol = \"est\"
name = \"default\"
profile = \"default\"
reading = \"strict\"
";

/// Every suite as the gateway comes, each clause with its mutation too, and the strict reading.
pub(super) fn all(report: &mut Report, quick: bool) -> Result<()> {
    let work = tempfile::tempdir()?;
    let compatible = |suite| SuiteRun { suite, reading: "compatible", prove_mutations: false };
    let mut runs: Vec<SuiteRun> = SUITES.map(compatible).to_vec();
    if quick {
        report.skip("conformance, mutated", "--quick");
    } else {
        runs.extend(SUITES.map(|suite| SuiteRun { prove_mutations: true, ..compatible(suite) }));
    }
    let mut skipped = Skipped::new();
    against(&work.path().join("compatible"), None, &runs, &mut skipped, report)?;
    let config = work.path().join("strict.toml");
    std::fs::write(&config, STRICT).context("write strict.toml")?;
    let strict = SuiteRun { suite: "est", reading: "strict", prove_mutations: false };
    against(&work.path().join("strict"), Some(&config), &[strict], &mut skipped, report)
}

/// Runs suites against a gateway with a data directory of its own.
fn against(folder: &Path, config: Option<&Path>, runs: &[SuiteRun], skipped: &mut Skipped, report: &mut Report) -> Result<()> {
    std::fs::create_dir(folder)?;
    let gateway = Gateway::start_configured(&folder.join("data"), &[], config)?;
    let target = describe(&gateway, folder)?;
    for &run in runs {
        if let Err(error) = run_suite(run, &target, skipped, report) {
            report.fail(&format!("conformance {}", run.suite), &format!("{error:#}"));
        }
    }
    gateway.stop()
}
