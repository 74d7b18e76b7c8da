//! `cargo xtask check`: what a change must pass before anyone looks at it.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{cargo, process, report::Report, tidy};

/// Formatting, clippy, tidy.
pub(crate) fn run() -> Result<ExitCode> {
    let mut report = Report::default();
    all(&mut report);
    Ok(report.finish())
}

/// The checks, counted into `report`.
pub(crate) fn all(report: &mut Report) {
    report.must("cargo fmt --check", formatting);
    report.must("cargo clippy -D warnings", clippy);
    tidy::all(report);
}

/// The whole workspace is formatted, the fuzz targets too.
fn formatting() -> Result<()> {
    process::output(&mut cargo::command(&["fmt", "--all", "--check"]))?;
    let fuzz = "fuzz/Cargo.toml";
    if crate::tree::root().join(fuzz).exists() {
        process::output(&mut cargo::command(&["fmt", "--manifest-path", fuzz, "--check"]))?;
    }
    Ok(())
}

/// No warning anywhere, in tests neither.
fn clippy() -> Result<()> {
    let mut command = cargo::command(&["clippy", "--quiet", "--workspace", "--all-targets"]);
    command.args(["--", "-D", "warnings"]);
    let output = process::attempt(&mut command)?;
    if !output.status.success() {
        bail!("{}", process::tail(&String::from_utf8_lossy(&output.stderr), 60));
    }
    Ok(())
}
