//! `cargo xtask test`: sets up what is missing and runs everything that judges the repository.

mod conformance;
mod samples;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use crate::{bench, cargo, check, durability, foreign, fuzz, hostile, install, report::Report};

/// Seconds that each fuzz target runs.
const FUZZ_SECONDS: u32 = 10;
/// The step that makes what is shipped.
const BUILD: &str = "release build";
/// The step that runs foreign clients.
const FOREIGN: &str = "foreign clients";
/// The step that has every kind of CA key certify every kind of device key.
const KEY_MATRIX: &str = "foreign judges: key matrix";

/// How much is run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave out fuzzing and the proof of mutations, and kill the gateway only once
    #[arg(long)]
    quick: bool,
    /// Install nothing; what needs a missing program is skipped by name
    #[arg(long)]
    no_install: bool,
    /// Only the steps whose name begins with this, on the release build that is there
    #[arg(long, value_name = "STEP")]
    only: Option<String>,
}

/// How foreign clients are run.
#[derive(clap::Args)]
pub(crate) struct InteropOptions {
    /// Install nothing; what needs a missing program is skipped by name
    #[arg(long)]
    no_install: bool,
}

/// The steps of [`run`] that foreign clients need, and they.
const INTEROP: [&str; 4] = ["setup", BUILD, FOREIGN, KEY_MATRIX];

/// A part of the run, and whether it starts what `BUILD` makes.
struct Step {
    name: &'static str,
    needs_build: bool,
    part: fn(&mut Report, &Options) -> Result<()>,
}

/// The parts in their order: the cheap judgments first.
const STEPS: [Step; 12] = [
    Step { name: "setup", needs_build: false, part: |report, options| install::all(report, !options.no_install) },
    Step { name: "check", needs_build: false, part: check },
    Step { name: "cargo test", needs_build: false, part: |report, _| workspace::tests(report) },
    Step { name: BUILD, needs_build: false, part: |report, _| release_build(report) },
    Step { name: "samples", needs_build: true, part: |report, _| samples::all(report) },
    Step { name: "conformance", needs_build: true, part: |report, options| conformance::all(report, options.quick) },
    Step { name: FOREIGN, needs_build: true, part: |report, _| foreign::all(report) },
    Step { name: KEY_MATRIX, needs_build: true, part: |report, _| foreign::key_matrix::all(report) },
    Step { name: "durability", needs_build: true, part: |report, options| durability::all(report, options.quick) },
    Step { name: "hostile input", needs_build: true, part: |report, _| hostile::all(report) },
    Step { name: "instruction counts", needs_build: true, part: |report, _| bench::instructions::check(report) },
    Step { name: "fuzz smoke", needs_build: false, part: fuzz_smoke },
];

/// Runs every step; the exit code tells whether anything failed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let is_chosen = |step: &Step| options.only.as_ref().is_none_or(|only| step.name.starts_with(only.as_str()));
    run_steps(options, is_chosen)
}

/// Runs what foreign clients need, and them.
pub(crate) fn interop(options: &InteropOptions) -> Result<ExitCode> {
    let options = Options { quick: false, no_install: options.no_install, only: None };
    run_steps(&options, |step| INTEROP.contains(&step.name))
}

fn run_steps(options: &Options, is_chosen: impl Fn(&Step) -> bool) -> Result<ExitCode> {
    let mut report = Report::default();
    let mut is_built = true;
    for step in STEPS.iter().filter(|step| is_chosen(step)) {
        if step.needs_build && !is_built {
            report.skip(step.name, "there is no release build");
            continue;
        }
        let went_well = report.step(step.name, |report| (step.part)(report, options));
        is_built &= went_well || step.name != BUILD;
    }
    Ok(report.finish())
}

fn check(report: &mut Report, _: &Options) -> Result<()> {
    check::all(report);
    Ok(())
}

/// What is shipped.
fn release_build(report: &mut Report) -> Result<()> {
    report.must("cargo build --release -p certgate", || cargo::build_release("certgate"));
    Ok(())
}

fn fuzz_smoke(report: &mut Report, options: &Options) -> Result<()> {
    if options.quick {
        report.skip("fuzz smoke", "--quick");
        return Ok(());
    }
    fuzz::smoke_all(report, FUZZ_SECONDS)
}
