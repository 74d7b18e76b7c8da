//! The gateway under callgrind, which counts when it is told to.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::profile::Profile;
use crate::{bench::SERVER_CORE, cargo, gateway::Gateway, process, tree};

/// Longest that a command to callgrind may take.
const CONTROL_SECONDS: u32 = 60;

/// A gateway whose instructions are counted.
pub(super) struct Counted {
    /// The gateway.
    pub(super) gateway: Gateway,
    /// Where dumps are written, but for their numbers.
    dumps: PathBuf,
    /// How many there are.
    dumped: u32,
}

impl Counted {
    /// Starts the gateway on this data directory, which has seen a start before: making keys takes long here.
    pub(super) fn start(data_dir: &Path, config: &Path) -> Result<Self> {
        let dumps = data_dir.with_extension("callgrind");
        let mut wrapper = SERVER_CORE.map(str::to_owned).to_vec();
        wrapper.extend(["valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"].map(str::to_owned));
        wrapper.push(format!("--callgrind-out-file={}", dumps.display()));
        let counted = Self { gateway: Gateway::start_configured(data_dir, &wrapper, Some(config))?, dumps, dumped: 0 };
        counted.tell(&["instrumentation", "on"])?;
        Ok(counted)
    }

    /// What some work took.
    pub(super) fn count(&mut self, work: impl FnOnce(&Gateway) -> Result<()>) -> Result<Profile> {
        self.tell(&["zero"])?;
        work(&self.gateway)?;
        self.tell(&["dump"])?;
        self.dumped += 1;
        let path = PathBuf::from(format!("{}.{}", self.dumps.display(), self.dumped));
        let program = cargo::release_binary("certgate")?;
        let (program, root) = (program.to_string_lossy(), tree::root().to_string_lossy());
        Profile::parse(&tree::read(&path)?, &program, &root).with_context(|| path.display().to_string())
    }

    fn tell(&self, words: &[&str]) -> Result<()> {
        let mut command: Command = process::limited(CONTROL_SECONDS, "vgdb");
        process::output(command.arg(format!("--pid={}", self.gateway.run().pid)).args(words)).map(drop)
    }
}
