//! `cargo xtask fuzz`: each target until it has had its CPU time. The time on the wall does not count: it may run beside other work, at idle
//! priority.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::tally::{self, Run};
use super::{committed_corpus, libfuzzer, work_corpus};
use crate::{process, report::Report, tree};

/// How often it is looked how much time a target has had.
const LOOK: Duration = Duration::from_secs(1);
/// CPU time beyond its own after which the kernel ends a target: nobody is left to tell it to stop.
const ORPHAN_SECONDS: u64 = 120;
/// How long one input may take on the wall, where other work goes first.
const INPUT_SECONDS: u32 = 600;

/// Builds all and runs these, so many at one time. What was clean is written into the tally as soon as it has ended.
pub(super) fn all(report: &mut Report, mut targets: Vec<String>, lanes: usize, cpu_seconds: u64) -> Result<()> {
    let commit = tally::commit()?;
    if commit.is_none() {
        println!("        what is fuzzed is not as committed: this goes into no tally");
    }
    let long = Long { built: libfuzzer::build()?, cpu_seconds, commit, writing: Mutex::new(()) };
    targets.reverse();
    let waiting = Mutex::new(targets);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..lanes).map(|_| scope.spawn(|| long.lane(&waiting))).collect();
        for lane in running {
            match lane.join() {
                Ok(ended) => report.absorb(ended),
                Err(_) => report.fail("fuzz", "a thread panicked"),
            }
        }
    });
    Ok(())
}

/// What the runs have in common.
struct Long {
    built: PathBuf,
    cpu_seconds: u64,
    /// Of what is fuzzed; `None` if it was changed since.
    commit: Option<String>,
    /// Held by who writes into the tally.
    writing: Mutex<()>,
}

impl Long {
    /// Runs what waits, one after the other.
    fn lane(&self, waiting: &Mutex<Vec<String>>) -> Report {
        let mut report = Report::default();
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(target) = next() {
            report.must(&format!("fuzz {target}"), || self.one(&target));
        }
        report
    }

    fn one(&self, target: &str) -> Result<()> {
        let log = tree::root().join("fuzz/target/logs").join(format!("{target}.log"));
        let (status, spent) = self.drive(self.start(target, &log)?)?;
        let said = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
        if !status.success() {
            bail!("{status}, {}", libfuzzer::finding(&said));
        }
        let executions = libfuzzer::executions(&said)?;
        println!("        {target}: {} s of CPU time, {executions} executions", spent.as_secs());
        ensure!(spent.as_secs() >= self.cpu_seconds, "it ended by itself: see {}", tree::relative(&log));
        let Some(commit) = self.commit.clone() else { return Ok(()) };
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        tally::append(&Run {
            target: target.to_owned(),
            cpu_seconds: spent.as_secs(),
            executions,
            date: tally::today()?,
            commit,
        })
    }

    /// Starts a target that would run for ever; what it says goes into `log`.
    fn start(&self, target: &str, log: &Path) -> Result<Child> {
        let work = work_corpus(target);
        std::fs::create_dir_all(&work)?;
        std::fs::create_dir_all(log.parent().context("a log has a folder")?)?;
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -t \"$0\" && exec \"$@\""]).arg((self.cpu_seconds + ORPHAN_SECONDS).to_string());
        command.arg(self.built.join(target));
        libfuzzer::arguments(&mut command, target)?;
        command.arg(format!("-timeout={INPUT_SECONDS}")).arg(format!("-report_slow_units={INPUT_SECONDS}"));
        // New inputs go into the first.
        command.arg(work).arg(committed_corpus(target));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(log)?);
        command.spawn().with_context(|| format!("cannot start `{}`", process::describe(&command)))
    }

    /// Waits for the end, and asks for it when the time is spent. Says how much it was.
    fn drive(&self, mut target: Child) -> Result<(ExitStatus, Duration)> {
        let mut spent = Duration::ZERO;
        let mut is_told = false;
        loop {
            if let Some(status) = target.try_wait()? {
                return Ok((status, spent));
            }
            // It is not waited for yet: its number is its own, even if it has ended.
            spent = process::cpu_time(target.id())?;
            if spent.as_secs() >= self.cpu_seconds && !is_told {
                // libFuzzer ends the input that it is at, and then itself, with success.
                process::signal("USR1", target.id())?;
                is_told = true;
            }
            std::thread::sleep(LOOK);
        }
    }
}
