//! Logs: readable messages with queryable fields, on stderr. docs/operations.md lists them.
//!
//! Lines are written by a thread of their own from a bounded queue: a reader of stderr that stands still costs lines, which are counted,
//! and never holds up who is served.

use std::io::{BufWriter, Write};
use std::time::Duration;

use certgate_enrollment::StatusChange;
use certgate_pki::Serial;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::{LogConfig, LogFormat, LogLevel};

/// The target of signed heads of the audit trail. They are written whatever the level is: a log that is kept elsewhere proves by them what
/// the trail was.
pub const CHECKPOINT: &str = "certgate::checkpoint";

/// Lines that wait to be written.
const QUEUE: usize = 16 * 1024;

/// How late a line may be: as long as lines come, their thread is woken once for all of so much time, where waking it for each takes a
/// twentieth of an enrollment.
const PACE: Duration = Duration::from_millis(2);

/// A line for each certificate, however many were changed together: what a lost ledger knew alone is looked for in the log
/// (docs/operations.md, "Restore").
pub(crate) fn log_status_change(serial: &Serial, change: StatusChange) {
    tracing::info!(%serial, ?change, "the status of a certificate was changed");
}

/// Logging that was started; what waits is written when it is dropped.
pub struct Logs {
    dropped: ErrorCounter,
    level: LevelSwitch,
    _writer: WorkerGuard,
}

impl Logs {
    /// How many lines were not written, since nobody read those before them.
    #[must_use]
    pub fn counter(&self) -> ErrorCounter {
        self.dropped.clone()
    }

    /// What changes the level.
    #[must_use]
    pub fn level(&self) -> LevelSwitch {
        self.level.clone()
    }
}

/// Changes the level while lines are written.
#[derive(Clone)]
pub struct LevelSwitch(reload::Handle<Targets, Registry>);

impl LevelSwitch {
    /// From now on, lines up to this level.
    pub fn set(&self, level: LogLevel) {
        // There is nothing to change where another logger was started before this one.
        let _ = self.0.reload(ours(filter_of(level)));
    }
}

const fn filter_of(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// Starts logging.
#[must_use]
pub fn start_logs(config: &LogConfig) -> Logs {
    let (filter, handle) = reload::Layer::new(ours(filter_of(config.level)));
    let queue = NonBlockingBuilder::default().buffered_lines_limit(QUEUE).lossy(true).thread_name("log");
    let (writer, guard) = queue.finish(Paced(BufWriter::new(std::io::stderr())));
    let dropped = writer.error_counter();
    let lines = fmt::layer().with_writer(writer).with_target(false);
    let lines = match config.format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // A second start in one process, as tests do, keeps the first.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
    Logs { dropped, level: LevelSwitch(handle), _writer: guard }
}

/// What lines are written to. It is flushed whenever no line waits, and rests then, so that some do.
struct Paced<W>(W);

impl<W: Write> Write for Paced<W> {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let flushed = self.0.flush();
        std::thread::sleep(PACE);
        flushed
    }
}

/// Our own lines up to a level, and nobody else's: a library of HTTP/2 warns of each frame that it did not expect, and a stranger sends as
/// many as it likes.
fn ours(level: LevelFilter) -> Targets {
    Targets::new().with_target("certgate", level).with_target(CHECKPOINT, level.max(LevelFilter::INFO))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn lines_of_others_are_left_out() {
        let filter = ours(LevelFilter::TRACE);
        for ours in ["certgate", "certgate::serve::est::enroll", "certgate_store::sqlite::writer"] {
            assert!(filter.would_enable(ours, &Level::TRACE), "{ours}");
        }
        for others in ["h2::codec::framed_read", "rustls::server", "hyper::proto"] {
            assert!(!filter.would_enable(others, &Level::ERROR), "{others}");
        }
        assert!(!ours(LevelFilter::ERROR).would_enable("certgate", &Level::WARN));
    }

    #[test]
    fn signed_heads_are_written_at_every_level() {
        for level in [LevelFilter::ERROR, LevelFilter::INFO, LevelFilter::TRACE] {
            assert!(ours(level).would_enable(CHECKPOINT, &Level::INFO), "{level}");
        }
        assert!(!ours(LevelFilter::ERROR).would_enable("certgate::audit::checkpoints", &Level::INFO));
    }
}
