//! `cargo xtask fuzz-smoke`: every fuzz target for a moment over a copy of its committed corpus.
//!
//! Coverage comes from the compiler's own pass, so the stable toolchain will do.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};

use crate::{
    cargo, process,
    report::{Outcome, Report},
    tree,
};

/// Compiler flags: coverage for libFuzzer, and `cfg(fuzzing)`.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";

/// Runs the targets alone.
pub(crate) fn run(seconds: u32) -> Result<ExitCode> {
    let mut report = Report::default();
    report.step("fuzz smoke", |report| all(report, seconds));
    Ok(report.finish())
}

/// Builds and runs every target, each counted into `report`.
pub(crate) fn all(report: &mut Report, seconds: u32) -> Result<()> {
    let targets = targets()?;
    if targets.is_empty() {
        report.skip("fuzz", "there are no targets yet");
        return Ok(());
    }
    let built = build()?;
    let lanes = std::thread::available_parallelism().map_or(1, usize::from);
    for together in targets.chunks(lanes) {
        std::thread::scope(|scope| {
            let runs: Vec<_> = together.iter().map(|target| (target, scope.spawn(|| smoke(&built, target, seconds)))).collect();
            for (target, run) in runs {
                report.check(&format!("fuzz {target}"), || run.join().unwrap_or_else(|_| bail!("its thread panicked")));
            }
        });
    }
    Ok(())
}

/// The names of the targets: one file each.
fn targets() -> Result<Vec<String>> {
    let files = tree::files(&tree::root().join("fuzz/fuzz_targets"), ".rs")?;
    Ok(files.iter().filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect())
}

/// Builds the fuzz workspace; returns the folder of the binaries. `--target` keeps the flags away
/// from build scripts.
fn build() -> Result<PathBuf> {
    let version = process::stdout(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
    let mut command = cargo::command(&["build", "--quiet", "--release", "--bins", "--manifest-path", "fuzz/Cargo.toml"]);
    let folder = tree::root().join("fuzz/target");
    process::output(command.args(["--target", host]).arg("--target-dir").arg(&folder).env("RUSTFLAGS", FLAGS))?;
    Ok(folder.join(host).join("release"))
}

/// Runs one target. New inputs go into a copy of the corpus: the committed one stays as it is.
fn smoke(built: &Path, target: &str, seconds: u32) -> Result<Outcome> {
    let corpus = tempfile::tempdir()?;
    for seed in tree::files(&tree::root().join("fuzz/corpus").join(target), "")? {
        std::fs::copy(&seed, corpus.path().join(seed.file_name().unwrap_or_default()))?;
    }
    let artifacts = tree::root().join("fuzz/artifacts").join(target);
    std::fs::create_dir_all(&artifacts)?;
    let mut command = process::limited(seconds + 120, built.join(target));
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1"])
        .arg(corpus.path())
        // The frames would leave no room for the assertion that failed.
        .env("RUST_BACKTRACE", "0");
    let output = process::attempt(&mut command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let reproducer = said.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path);
        let named = reproducer.map_or("none was written".to_owned(), |path| tree::relative(Path::new(path)));
        bail!("reproducer: {named}\n{}", process::tail(&said, 30));
    }
    let executions = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    println!("        {target}: {} executions", executions.context("libFuzzer printed no statistics")?.trim());
    Ok(Outcome::Passed)
}
