//! Scripts of Python that drive the shipped gateway: they stand in a folder of their own, and are told by environment variables what they
//! work with. `CERTGATE` is the binary, `WORK` their folder; an exception is a failure, and what they print is shown.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::cargo;
use crate::process::{self, PYTHON};
use crate::report::Outcome;

/// A script: its name, by which others import it, and its text.
pub(crate) type Script = (&'static str, &'static str);

/// What scripts cannot do without.
#[derive(Clone, Copy)]
pub(crate) struct Needs {
    /// Programs that they start.
    pub(crate) programs: &'static [&'static str],
    /// What they import.
    pub(crate) modules: &'static str,
}

impl Needs {
    /// Why they are skipped, if anything is missing.
    pub(crate) fn missing(&self) -> Option<Outcome> {
        if let Some(missing) = self.programs.iter().find(|program| !process::found(program)) {
            return Some(Outcome::Skipped(format!("{missing} is not installed")));
        }
        let has_modules = process::succeeds(Command::new(PYTHON).arg("-c").arg(format!("import {}", self.modules)));
        (!has_modules).then(|| Outcome::Skipped(format!("{PYTHON} cannot import {}", self.modules)))
    }
}

/// A folder in which scripts stand. It goes with this value.
pub(crate) struct Stage(TempDir);

impl Stage {
    /// Writes the scripts there.
    pub(crate) fn new(scripts: impl IntoIterator<Item = Script>) -> Result<Self> {
        let work = tempfile::tempdir()?;
        for (name, text) in scripts {
            std::fs::write(work.path().join(name), text).context(name)?;
        }
        Ok(Self(work))
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// One of the scripts, which may take so many seconds.
    pub(crate) fn command(&self, seconds: u32, script: &str) -> Result<Command> {
        let mut command = process::limited(seconds, PYTHON);
        command.arg(self.path().join(script)).env("WORK", self.path().canonicalize()?);
        command.env("CERTGATE", cargo::release_binary("certgate")?);
        Ok(command)
    }
}

/// Runs a script, and shows what it prints.
pub(crate) fn play(command: &mut Command) -> Result<Outcome> {
    for line in process::stdout(command)?.lines() {
        println!("        {line}");
    }
    Ok(Outcome::Passed)
}
