//! Connections for reads that take microseconds.

use std::path::Path;
use std::sync::{Mutex, PoisonError, TryLockError};

use certgate_enrollment::LedgerError;
use rusqlite::Connection;

use super::connection::{OpenError, open_for_reading};
use super::ledger_error;

/// A few connections; a read takes the first that is free.
pub(super) struct Readers {
    first: Mutex<Connection>,
    others: Vec<Mutex<Connection>>,
}

impl Readers {
    /// Opens `count` connections, one at the least.
    pub(super) fn open(path: &Path, count: usize) -> Result<Self, OpenError> {
        let open = || open_for_reading(path).map(Mutex::new);
        Ok(Self { first: open()?, others: (1..count).map(|_| open()).collect::<Result<_, _>>()? })
    }

    /// Runs a short read.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        for candidate in std::iter::once(&self.first).chain(&self.others) {
            match candidate.try_lock() {
                Ok(connection) => return read(&connection).map_err(|error| ledger_error(&error)),
                // A read that panicked has left its connection as it was: nothing in it is half changed.
                Err(TryLockError::Poisoned(poisoned)) => {
                    return read(&poisoned.into_inner()).map_err(|error| ledger_error(&error));
                }
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let connection = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        read(&connection).map_err(|error| ledger_error(&error))
    }
}
