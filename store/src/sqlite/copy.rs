//! A copy of a ledger as it is at one moment, from a file that a gateway may be writing to.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::connection::{OpenError, open_for_reading};

/// Pages between two reports of progress: 4 MiB.
const PAGES: i32 = 1024;

/// Copies the ledger in `from` to `to`, which is made or overwritten. `progress` is told how many pages of how many are there.
///
/// All of it is of one moment: it is read within one transaction. Nobody who writes waits for it; the journal grows meanwhile.
///
/// # Errors
/// When one of the two cannot be read or written.
pub fn copy_ledger(from: &Path, to: &Path, mut progress: impl FnMut(u64, u64)) -> Result<(), OpenError> {
    let source = open_for_reading(from)?;
    // The transaction is begun by the first read. Within it, whoever writes in between does not make the copy begin anew.
    source.execute_batch("BEGIN")?;
    source.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    let mut target = Connection::open(to)?;
    // Whoever copies syncs what comes of it.
    target.execute_batch("PRAGMA synchronous = OFF")?;
    {
        let backup = Backup::new(&source, &mut target)?;
        loop {
            let step = backup.step(PAGES)?;
            let (all, remaining) = (pages(backup.progress().pagecount), pages(backup.progress().remaining));
            progress(all.saturating_sub(remaining), all);
            match step {
                StepResult::Done => break,
                StepResult::Busy | StepResult::Locked => std::thread::sleep(super::connection::RETRY),
                _ => {}
            }
        }
    }
    // One file: the copy is not to have a journal beside it.
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    target.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn pages(count: i32) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
