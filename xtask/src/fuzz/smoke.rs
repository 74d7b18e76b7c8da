//! `cargo xtask fuzz-smoke`: every fuzz target for a moment over a copy of its committed corpus.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::{committed_corpus, libfuzzer};
use crate::{
    process,
    report::{Outcome, Report},
    tree,
};

/// Runs the targets alone.
pub(crate) fn run(seconds: u32) -> Result<ExitCode> {
    let mut report = Report::default();
    report.step("fuzz smoke", |report| all(report, seconds));
    Ok(report.finish())
}

/// Builds and runs every target, each counted into `report`.
pub(crate) fn all(report: &mut Report, seconds: u32) -> Result<()> {
    let targets = libfuzzer::targets()?;
    let built = libfuzzer::build()?;
    for together in targets.chunks(libfuzzer::lanes()) {
        std::thread::scope(|scope| {
            let runs: Vec<_> = together.iter().map(|target| (target, scope.spawn(|| smoke(&built, target, seconds)))).collect();
            for (target, run) in runs {
                report.check(&format!("fuzz {target}"), || run.join().unwrap_or_else(|_| bail!("its thread panicked")));
            }
        });
    }
    Ok(())
}

/// Runs one target. New inputs go into a copy of the corpus: the committed one stays as it is.
fn smoke(built: &Path, target: &str, seconds: u32) -> Result<Outcome> {
    let corpus = tempfile::tempdir()?;
    for seed in tree::files(&committed_corpus(target), "")? {
        std::fs::copy(&seed, corpus.path().join(seed.file_name().unwrap_or_default()))?;
    }
    let mut command = process::limited(seconds + 120, built.join(target));
    libfuzzer::arguments(&mut command, target)?;
    command.arg(format!("-max_total_time={seconds}")).arg("-timeout=10").arg(corpus.path());
    let output = process::attempt(&mut command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{}", libfuzzer::finding(&said));
    }
    println!("        {target}: {} executions", libfuzzer::executions(&said)?);
    Ok(Outcome::Passed)
}
