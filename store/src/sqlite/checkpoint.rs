//! Folding the journal back into the file, off the writer's path.
//!
//! A passive checkpoint disturbs nobody, but under writing without pause it never catches the journal's end, so the journal never
//! starts anew. When it has grown past a bound in spite of passive checkpoints, the writer is asked to fold back the little that is
//! left between two of its transactions. The same thread has the writer find out whether it can write again after a failure.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rusqlite::Connection;

use super::connection::{OpenError, open_for_checkpoints};
use super::writer::Writer;

/// How often the journal's length is looked at.
const PERIOD: Duration = Duration::from_secs(1);
/// How often it is made to start anew while a long read keeps it from that.
const PATIENT_PERIOD: Duration = Duration::from_secs(10);
/// Octets of journal that are worth folding back.
const WORTHWHILE: u64 = 4 * 1024 * 1024;
/// Octets of journal at which it is made to start anew.
const TOO_LONG: u64 = 64 * 1024 * 1024;

/// The thread's handle; the thread ends when it is dropped.
pub(super) struct Checkpointer {
    _end: Sender<()>,
}

impl Checkpointer {
    /// Starts the thread.
    pub(super) fn start(path: &Path, writer: &Arc<Writer>) -> Result<Self, OpenError> {
        let (end, ended) = channel();
        let connection = open_for_checkpoints(path)?;
        let mut journal = path.as_os_str().to_owned();
        journal.push("-wal");
        let writer = Arc::downgrade(writer);
        let work = move || run(&connection, &PathBuf::from(journal), &writer, &ended);
        std::thread::Builder::new().name("ledger-journal".into()).spawn(work).map_err(OpenError::Thread)?;
        Ok(Self { _end: end })
    }
}

fn run(connection: &Connection, journal: &Path, writer: &Weak<Writer>, ended: &Receiver<()>) {
    let mut period = PERIOD;
    while ended.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
        period = PERIOD;
        let Some(writer) = writer.upgrade() else { return };
        if writer.is_failing() {
            writer.probe();
        }
        let length = std::fs::metadata(journal).map_or(0, |metadata| metadata.len());
        if length < WORTHWHILE {
            continue;
        }
        let folded = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(0));
        if let Err(error) = folded {
            tracing::warn!(%error, "the ledger's journal could not be folded back; trying again");
        }
        if length >= TOO_LONG {
            writer.restart_journal();
            period = PATIENT_PERIOD;
        }
    }
}
