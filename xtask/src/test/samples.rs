//! Every configuration that docs show is one that the gateway takes.

use std::process::Command;

use anyhow::Result;

use crate::{cargo, process, report::Report, tree};

/// `config check` of each file in `docs/samples`.
pub(super) fn all(report: &mut Report) -> Result<()> {
    let samples = tree::files(&tree::root().join("docs/samples"), ".toml")?;
    let binary = cargo::release_binary("certgate")?;
    if samples.is_empty() {
        report.skip("samples", "docs/samples has none yet");
    }
    for sample in samples {
        report.must(&format!("config check {}", tree::relative(&sample)), || {
            let work = tempfile::tempdir()?;
            let mut command = Command::new(&binary);
            command.arg("--data-dir").arg(work.path()).arg("--config").arg(&sample).args(["config", "check", "--no-files"]);
            process::output(command.current_dir(work.path())).map(drop)
        });
    }
    Ok(())
}
