//! Opening the file: pragmas, permissions, migrations.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// "cgat": tells a ledger from any other SQLite file.
const APPLICATION_ID: i32 = 0x6367_6174;

/// All migrations, in order; append-only.
const MIGRATIONS: [&str; 11] = [
    include_str!("../../migrations/0001-first.sql"),
    include_str!("../../migrations/0002-enrollments.sql"),
    include_str!("../../migrations/0003-transactions.sql"),
    include_str!("../../migrations/0004-orders.sql"),
    include_str!("../../migrations/0005-revocations.sql"),
    include_str!("../../migrations/0006-open-authorizations.sql"),
    include_str!("../../migrations/0007-statuses.sql"),
    include_str!("../../migrations/0008-authorities.sql"),
    include_str!("../../migrations/0009-history.sql"),
    include_str!("../../migrations/0010-offline-roots.sql"),
    include_str!("../../migrations/0011-pending-by-certificate.sql"),
];

/// How long a connection waits for a lock that another one holds for a moment.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a copy waits before it asks for a lock again.
pub(super) const RETRY: Duration = Duration::from_millis(50);

/// The ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be made or opened.
    #[error("{path}: {source}")]
    File {
        /// The ledger.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refuses it.
    #[error("the ledger: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// What is in the file contradicts itself.
    #[error(
        "{path} is damaged: {source}. `certgate ledger check` tells how far; a copy of the disk now is worth having; then \
         `certgate restore FILE --replace` with the last backup"
    )]
    Damaged {
        /// The ledger.
        path: PathBuf,
        /// In SQLite's words.
        source: rusqlite::Error,
    },
    /// Another program's file.
    #[error("{0} is an SQLite file of another program, not a ledger")]
    NotALedger(PathBuf),
    /// Written by a newer certgate.
    #[error("{path} has schema {found}; this certgate knows schemas up to {known}: run the newer certgate that wrote it")]
    Newer {
        /// The ledger.
        path: PathBuf,
        /// Its schema.
        found: usize,
        /// The newest that is known here.
        known: usize,
    },
    /// The journal mode that durability rests on is not to be had, for example on some network file systems.
    #[error(
        "{path}: the file system gives no write-ahead log (journal mode is {mode}); put the data directory on a local disk"
    )]
    NoWriteAheadLog {
        /// The ledger.
        path: PathBuf,
        /// What there is instead.
        mode: String,
    },
    /// No thread for the writer.
    #[error("cannot start the ledger's thread: {0}")]
    Thread(std::io::Error),
}

impl OpenError {
    /// Says which file it is, where the file itself is at fault.
    pub(super) fn at(self, path: &Path) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Sqlite(source) if matches!(source.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)) => {
                Self::Damaged { path: path.to_owned(), source }
            }
            other => other,
        }
    }
}

/// The connection of the writer: makes the file if there is none, and migrates it.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, OpenError> {
    create_private(path)?;
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoWriteAheadLog { path: path.to_owned(), mode });
    }
    // 6 MiB of pages: what is written most goes to the ends of tables and indexes. More gained nothing with 1,000,000 certificates, and is
    // memory that is never given back.
    // FULL: every commit syncs the write-ahead log before it returns. The log is folded back by the checkpointer.
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -6144;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    migrate(path, &mut connection)?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    Ok(connection)
}

/// A connection for folding the journal back.
pub(super) fn open_for_checkpoints(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")?;
    Ok(connection)
}

/// What all connections have in common.
fn open(path: &Path, access: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A statement is planned once, whatever it is run with. Otherwise SQLite plans it anew each time that a value might have changed the
    // plan, that of a LIMIT for one, which takes many times as long as running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Makes the file with 0600 if there is none; SQLite gives its journal the same permissions.
fn create_private(path: &Path) -> Result<(), OpenError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(OpenError::File { path: path.to_owned(), source }),
    }
}

/// How many migrations a ledger has seen: none that are not known here.
pub(super) fn schema_of(path: &Path, connection: &Connection) -> Result<usize, OpenError> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(OpenError::NotALedger(path.to_owned()));
    }
    let (found, known) = (usize::try_from(version).unwrap_or(usize::MAX), MIGRATIONS.len());
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}

/// Applies the migrations that the file does not have yet, each in a transaction of its own.
fn migrate(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let is_empty: bool = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
    let found = if is_empty { 0 } else { schema_of(path, connection)? };
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction
            .execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};", index + 1))?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;
    use rusqlite::{StatementStatus, params_from_iter};

    use super::super::enrollments::{OF_KEY, OF_TRANSACTION};
    use super::*;

    #[test]
    fn statements_are_planned_once_and_by_their_indexes_whatever_they_are_run_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let writing = open_for_writing(&path).unwrap();
        let reading = open_for_reading(&path).unwrap();
        for (condition, index) in [(OF_KEY, "enrollment_by_key"), (OF_TRANSACTION, "enrollment_by_transaction")] {
            let select = format!("SELECT id FROM enrollment WHERE {condition} LIMIT ?");
            let values = |value: &str, most: i64| {
                let texts = vec![Value::from(value.to_owned()); condition.matches('?').count()];
                params_from_iter(texts.into_iter().chain([most.into()]))
            };
            for connection in [&writing, &reading] {
                let mut statement = connection.prepare(&select).unwrap();
                for (value, most) in [("first", 1), ("second", 2), ("", 3)] {
                    assert!(!statement.exists(values(value, most)).unwrap());
                }
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{condition}");
                let plan = format!("EXPLAIN QUERY PLAN {select}");
                let plan: String = connection.query_row(&plan, values("first", 1), |row| row.get(3)).unwrap();
                assert!(plan.contains(&format!("USING INDEX {index} ")), "{plan}");
            }
        }
    }
}
