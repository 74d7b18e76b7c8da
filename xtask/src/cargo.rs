//! The cargo that runs this task, and what it builds.

use std::{
    path::PathBuf,
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{process, tree};

/// A cargo command in the repository's root.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(tree::root());
    command
}

/// `cargo metadata` of the workspace. With `dependencies` it has the resolved graph too.
pub(crate) fn metadata(dependencies: bool) -> Result<Value> {
    let mut command = command(&["metadata", "--format-version", "1", "--offline"]);
    if !dependencies {
        command.arg("--no-deps");
    }
    let text = process::stdout(&mut command).or_else(|_| {
        let mut online = self::command(&["metadata", "--format-version", "1"]);
        if !dependencies {
            online.arg("--no-deps");
        }
        process::stdout(&mut online)
    })?;
    serde_json::from_str(&text).context("cargo metadata is no JSON")
}

/// Where cargo puts what it builds. It is asked once: paths of what it has built are needed hundreds of times in a run.
pub(crate) fn target_directory() -> Result<PathBuf> {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return Ok(found.clone());
    }
    let metadata = metadata(false)?;
    let found = metadata["target_directory"].as_str().map(PathBuf::from).context("cargo metadata names no target directory")?;
    Ok(FOUND.get_or_init(|| found).clone())
}

/// A release binary as it is shipped.
pub(crate) fn release_binary(name: &str) -> Result<PathBuf> {
    Ok(target_directory()?.join("release").join(name))
}

/// A binary as the tests of the workspace use it, built with them: for anything less, dependencies have other features and are built once more.
pub(crate) fn workspace_binary(name: &str) -> Result<PathBuf> {
    static BUILT: OnceLock<()> = OnceLock::new();
    if BUILT.get().is_none() {
        process::output(&mut command(&["test", "--quiet", "--workspace", "--no-run"]))?;
        BUILT.get_or_init(|| ());
    }
    Ok(target_directory()?.join("debug").join(name))
}

/// Whether tools are those of release, since they are measured themselves, or stand beside what is.
static IN_RELEASE: AtomicBool = AtomicBool::new(false);

/// A binary of `certgate-conformance`, which judges certgate from outside: as the tests of the workspace have it, since building its dependencies
/// once more for release takes minutes; or, after [`build_release_tools`], of release.
pub(crate) fn tool(name: &str) -> Result<PathBuf> {
    if IN_RELEASE.load(Ordering::Relaxed) { release_binary(name) } else { workspace_binary(name) }
}

/// Builds them in release, and has those used from here on.
pub(crate) fn build_release_tools() -> Result<()> {
    build_release("certgate-conformance")?;
    IN_RELEASE.store(true, Ordering::Relaxed);
    Ok(())
}

/// Builds one package alone in release: a build of the whole workspace would unite features that the
/// shipped binary does not have.
pub(crate) fn build_release(package: &str) -> Result<()> {
    process::pass_through(&mut command(&["build", "--quiet", "--release", "--package", package]))
}
