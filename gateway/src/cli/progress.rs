//! How far a long command has come, on the terminal.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::telemetry::Stopwatch;

/// How often it is said at the most.
const PERIOD: Duration = Duration::from_millis(200);

/// A line on stderr that counts, while that is a terminal; nothing otherwise.
pub(super) struct Progress {
    what: &'static str,
    /// 0 where it is not known.
    total: u64,
    /// Since it was said last.
    said: Option<Stopwatch>,
    is_shown: bool,
}

impl Progress {
    /// Of so many of these; 0 where nobody knows how many there are.
    pub(super) fn new(what: &'static str, total: u64) -> Self {
        Self { what, total, said: None, is_shown: std::io::stderr().is_terminal() }
    }

    /// So many are done.
    pub(super) fn set(&mut self, done: u64) {
        let is_due = self.said.as_ref().is_none_or(|said| said.elapsed() >= PERIOD) || done == self.total;
        if self.is_shown && is_due {
            self.said = Some(Stopwatch::start());
            // Progress that cannot be shown is none.
            let _ = write!(std::io::stderr(), "\r{}", line(self.what, done, self.total));
        }
    }

    /// Nothing is left to be said.
    pub(super) fn finish(self) {
        drop(self);
    }
}

/// What is said next, be it an error, has a line of its own.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.said.is_some() {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn line(what: &str, done: u64, total: u64) -> String {
    if total == 0 {
        return format!("{what}: {done}");
    }
    let percent = u128::from(done) * 100 / u128::from(total);
    format!("{what}: {done} of {total} ({percent} %)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_with_and_without_a_total() {
        assert_eq!(line("files", 7, 0), "files: 7");
        assert_eq!(line("files", 1, 3), "files: 1 of 3 (33 %)");
        assert_eq!(line("files", u64::MAX, u64::MAX), format!("files: {0} of {0} (100 %)", u64::MAX));
    }
}
