//! Counts what passed, failed and was skipped; every failure and every skip keeps its name and reason.

use std::process::ExitCode;

use anyhow::Result;

use crate::stopwatch::Stopwatch;

/// How one check ended, unless it failed.
pub(crate) enum Outcome {
    /// It holds.
    Passed,
    /// It could not be asked, with the reason.
    Skipped(String),
}

/// The sum of a run.
#[derive(Default)]
pub(crate) struct Report {
    passed: u64,
    failed: Vec<Named>,
    skipped: Vec<Named>,
}

/// A name and what is to be said about it.
struct Named {
    name: String,
    reason: String,
}

impl Report {
    /// Runs one named check, counts it and prints its line. True unless it failed.
    pub(crate) fn check(&mut self, name: &str, work: impl FnOnce() -> Result<Outcome>) -> bool {
        let watch = Stopwatch::start();
        let outcome = work();
        let seconds = watch.elapsed().as_secs_f64();
        match outcome {
            Ok(Outcome::Passed) => {
                println!("  ok    {name} ({seconds:.1} s)");
                self.passed += 1;
                true
            }
            Ok(Outcome::Skipped(reason)) => {
                self.skip(name, &reason);
                true
            }
            Err(error) => {
                self.fail(name, &format!("{error:#}"));
                false
            }
        }
    }

    /// Like [`Report::check`] for work that has nothing to say but that it went well.
    pub(crate) fn must(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        self.check(name, || work().map(|()| Outcome::Passed))
    }

    /// Prints a headline, runs a part that counts for itself, and prints what it took. An error of
    /// the part itself counts as one failure under its name.
    pub(crate) fn step(&mut self, name: &str, part: impl FnOnce(&mut Self) -> Result<()>) -> bool {
        println!("\n== {name}");
        let watch = Stopwatch::start();
        let before = self.failed.len();
        if let Err(error) = part(self) {
            self.fail(name, &format!("{error:#}"));
        }
        println!("== {name}: {:.1} s", watch.elapsed().as_secs_f64());
        self.failed.len() == before
    }

    /// Counts checks that another program ran.
    pub(crate) fn add_passed(&mut self, count: u64) {
        self.passed += count;
    }

    /// Counts what another report has counted.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        self.skipped.extend(other.skipped);
    }

    /// Counts one failure.
    pub(crate) fn fail(&mut self, name: &str, reason: &str) {
        println!("  FAIL  {name}: {reason}");
        self.failed.push(Named { name: name.to_owned(), reason: reason.to_owned() });
    }

    /// Counts one skip.
    pub(crate) fn skip(&mut self, name: &str, reason: &str) {
        println!("  skip  {name}: {reason}");
        self.skipped.push(Named { name: name.to_owned(), reason: reason.to_owned() });
    }

    /// Names what failed and what was skipped, then prints the line of counts, last of all.
    pub(crate) fn finish(self) -> ExitCode {
        println!();
        for one in &self.skipped {
            println!("skipped: {}: {}", one.name, first_line(&one.reason));
        }
        for one in &self.failed {
            println!("failed: {}: {}", one.name, first_line(&one.reason));
        }
        println!("{} passed, {} failed, {} skipped", self.passed, self.failed.len(), self.skipped.len());
        ExitCode::from(u8::from(!self.failed.is_empty()))
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
