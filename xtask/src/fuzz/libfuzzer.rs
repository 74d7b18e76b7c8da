//! The targets as programs of libFuzzer: how they are built and called, and what they say.
//!
//! Coverage comes from the compiler's own pass, so the stable toolchain will do.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{cargo, process, tree};

/// Compiler flags: coverage for libFuzzer, and `cfg(fuzzing)`.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";

/// The names of the targets: one file each.
pub(super) fn targets() -> Result<Vec<String>> {
    let files = tree::files(&tree::root().join("fuzz/fuzz_targets"), ".rs")?;
    Ok(files.iter().filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect())
}

/// How many targets there is a processor for.
pub(super) fn lanes() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Builds the fuzz workspace; returns the folder of the binaries. `--target` keeps the flags away
/// from build scripts.
pub(super) fn build() -> Result<PathBuf> {
    let version = process::stdout(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
    let mut command = cargo::command(&["build", "--quiet", "--release", "--bins", "--manifest-path", "fuzz/Cargo.toml"]);
    let folder = tree::root().join("fuzz/target");
    process::output(command.args(["--target", host]).arg("--target-dir").arg(&folder).env("RUSTFLAGS", FLAGS))?;
    Ok(folder.join(host).join("release"))
}

/// Adds what every run of a target needs. What breaks it is kept.
pub(super) fn arguments(command: &mut Command, target: &str) -> Result<()> {
    let artifacts = tree::root().join("fuzz/artifacts").join(target);
    std::fs::create_dir_all(&artifacts)?;
    command
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-rss_limit_mb=2048", "-print_final_stats=1"])
        // The frames would leave no room for the assertion that failed.
        .env("RUST_BACKTRACE", "0");
    Ok(())
}

/// How many inputs were tried, by the statistics at the end.
pub(super) fn executions(said: &str) -> Result<u64> {
    let statistics = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    statistics.context("libFuzzer printed no statistics")?.trim().parse().context("stat::number_of_executed_units")
}

/// What was found, of a run that failed.
pub(super) fn finding(said: &str) -> String {
    let reproducer = said.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path);
    let named = reproducer.map_or("none was written".to_owned(), |path| tree::relative(Path::new(path)));
    format!("reproducer: {named}\n{}", process::tail(said, 30))
}
