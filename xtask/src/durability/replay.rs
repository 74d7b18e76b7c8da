//! A replay of nothing but what was synced: a gateway is watched by strace while clients ask it for things, and then the power goes at each
//! moment that matters. What is on the disk is what was synced by then, and of the rest whatever happens to be; the next start has to find
//! all that somebody had been told of.

use std::process::{Command, ExitCode};

use anyhow::Result;

use super::{
    revocations::WIRE,
    steps::{ACME, ACME_MODULES, GATEWAY, SCEP},
};
use crate::{
    cargo,
    process::{self, PYTHON},
    report::{Outcome, Report},
};

/// What takes part: `log.py` reads what strace writes, `disk.py` is what it tells of a disk, `cut.py` what may be left of that, `notes.py`
/// what somebody was told, `play.py` who asks, `judge.py` what has to hold.
const SCRIPTS: [(&str, &str); 10] = [
    ("gateway.py", GATEWAY),
    ("acme_steps.py", ACME),
    ("scep_steps.py", SCEP),
    ("wire.py", WIRE),
    ("log.py", include_str!("replay/log.py")),
    ("disk.py", include_str!("replay/disk.py")),
    ("cut.py", include_str!("replay/cut.py")),
    ("notes.py", include_str!("replay/notes.py")),
    ("play.py", include_str!("replay/play.py")),
    ("judge.py", include_str!("replay/judge.py")),
];
/// What plays and judges.
const REPLAY: &str = include_str!("replay/replay.py");
/// How many states are judged, and how many when it is to be quick: those of whatever was told come first, then chance has its turn.
const STATES: [u32; 2] = [900, 300];
/// Chance, the same each time.
const SEED: u32 = 1;
/// How long the gateway may be watched, in seconds, and each state take, in hundredths.
const SECONDS: u32 = 300;
const STATE_HUNDREDTHS: u32 = 50;

/// How many states are judged, and which.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many states of the disk are judged
    #[arg(long, default_value_t = 20_000)]
    states: u32,
    /// What chance begins with
    #[arg(long, default_value_t = SEED)]
    seed: u32,
}

/// `cargo xtask replay`: as long as one likes, on the release build that is there.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut report = Report::default();
    let name = format!("{} disks after a power cut, with seed {}", options.states, options.seed);
    report.check(&name, || replay(options.states, options.seed));
    Ok(report.finish())
}

pub(super) fn all(report: &mut Report, quick: bool) {
    let states = STATES[usize::from(quick)];
    let name = format!("{states} disks after a power cut that have what was synced: nothing that was told is lost");
    report.check(&name, || replay(states, SEED));
}

fn replay(states: u32, seed: u32) -> Result<Outcome> {
    if let Some(missing) = ["strace", "pki", "openssl"].iter().find(|program| !process::found(program)) {
        return Ok(Outcome::Skipped(format!("{missing} is not installed")));
    }
    if !process::succeeds(Command::new("strace").args(["-f", "--seccomp-bpf", "-o", "/dev/null", "true"])) {
        return Ok(Outcome::Skipped("tracing is forbidden here".to_owned()));
    }
    if !process::succeeds(Command::new(PYTHON).arg("-c").arg(format!("import sqlite3, {ACME_MODULES}"))) {
        return Ok(Outcome::Skipped(format!("{PYTHON} cannot import {ACME_MODULES}")));
    }
    let work = tempfile::tempdir()?;
    for (name, script) in SCRIPTS.into_iter().chain([("replay.py", REPLAY)]) {
        std::fs::write(work.path().join(name), script)?;
    }
    let mut command = process::limited(SECONDS + states * STATE_HUNDREDTHS / 100, PYTHON);
    command.arg(work.path().join("replay.py")).env("WORK", work.path().canonicalize()?);
    command.env("STATES", states.to_string()).env("SEED", seed.to_string());
    command.env("CERTGATE", cargo::release_binary("certgate")?);
    for line in process::stdout(&mut command)?.lines() {
        println!("        {line}");
    }
    Ok(Outcome::Passed)
}
