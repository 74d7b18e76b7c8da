//! A replay of nothing but what was synced: a gateway is watched by strace while clients ask it for things, and then the power goes at each
//! moment that matters. What is on the disk is what was synced by then, and of the rest whatever happens to be; the next start has to find
//! all that somebody had been told of.

use std::process::ExitCode;

use anyhow::Result;

use super::revocations::WIRE;
use super::steps::{ACME, ACME_MODULES, GATEWAY, SCEP};
use super::trace;
use crate::python::{self, Needs, Script, Stage};
use crate::report::{Outcome, Report};

/// What takes part: `log.py` reads what strace writes, `disk.py` is what it tells of a disk, `cut.py` what may be left of that, `notes.py`
/// what somebody was told, `play.py` who asks, `judge.py` what has to hold.
const SCRIPTS: [Script; 10] = [
    GATEWAY,
    ACME,
    SCEP,
    WIRE,
    ("log.py", include_str!("replay/log.py")),
    ("disk.py", include_str!("replay/disk.py")),
    ("cut.py", include_str!("replay/cut.py")),
    ("notes.py", include_str!("replay/notes.py")),
    ("play.py", include_str!("replay/play.py")),
    ("judge.py", include_str!("replay/judge.py")),
];
/// What plays and judges.
const REPLAY: Script = ("replay.py", include_str!("replay/replay.py"));
const NEEDS: [Needs; 2] =
    [Needs { programs: &["strace", "pki", "openssl"], modules: "sqlite3" }, Needs { programs: &[], modules: ACME_MODULES }];
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
    if let Some(skipped) = NEEDS.iter().find_map(Needs::missing) {
        return Ok(skipped);
    }
    if trace::is_forbidden(&["-f", "--seccomp-bpf"]) {
        return Ok(trace::forbidden());
    }
    let stage = Stage::new(SCRIPTS.into_iter().chain([REPLAY]))?;
    let mut command = stage.command(SECONDS + states * STATE_HUNDREDTHS / 100, REPLAY.0)?;
    python::play(command.env("STATES", states.to_string()).env("SEED", seed.to_string()))
}
