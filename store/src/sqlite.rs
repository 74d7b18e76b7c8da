//! The embedded ledger on SQLite.
//!
//! Writes go to one thread that drains its queue into one transaction and syncs once for all of it ([`writer`]). Point reads run where
//! they are asked, on a few connections of their own, since they take microseconds; lists and walks run on the blocking pool. The
//! journal is folded back into the file by a thread of its own ([`checkpoint`]), off the writer's path.

mod accounts;
mod audit;
mod audit_chain;
mod authorities;
mod cache;
mod carrying;
mod certificates;
mod checkpoint;
mod connection;
mod copy;
mod crls;
mod divergence;
mod enrollments;
mod est_users;
mod history;
mod inspection;
mod orders;
mod page;
mod patterns;
mod proofs;
mod readers;
mod scep_challenges;
mod status;
mod statuses;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use certgate_enrollment::{Account, EstUser, Ledger, LedgerError};
use certgate_pki::Digest;
use rusqlite::Connection;

use cache::Cache;
pub use carrying::Ended;
use checkpoint::Checkpointer;
pub use connection::OpenError;
pub use copy::copy_ledger;
pub use divergence::{Divergence, Issued, Unlike, divergence, unlike};
pub use inspection::{Inspection, inspect_ledger};
use readers::Readers;
use statuses::Watchers;
use writer::{Transaction, WriteError, Writer};

/// Connections for point reads.
const READERS: usize = 4;
/// Names whose credentials are remembered.
const CREDENTIALS: usize = 64 * 1024;
/// Accounts that are remembered: few, since any stranger may have one, with a key and contacts as long as may be.
const ACCOUNTS: usize = 4096;

/// The embedded ledger: cheap to clone, the file is closed when the last clone is gone.
#[derive(Clone)]
pub struct SqliteLedger {
    // Fields are dropped in this order: nothing is written or folded back when the readers go.
    writer: Arc<Writer>,
    _checkpointer: Arc<Checkpointer>,
    readers: Arc<Readers>,
    credentials: Arc<Cache<String, EstUser>>,
    accounts: Arc<Cache<u64, Account>>,
    watchers: Watchers,
    digest: Arc<dyn Digest>,
    path: PathBuf,
}

impl SqliteLedger {
    /// Opens the ledger in `path`, makes it (0600) if there is none, and brings its schema up to date.
    ///
    /// At most `queue` writes wait; one more is refused with [`LedgerError::Unavailable`] instead of growing without bound.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, queue: usize, digest: Arc<dyn Digest>) -> Result<Self, OpenError> {
        Self::begin(path, queue, digest).map_err(|error| error.at(path))
    }

    fn begin(path: &Path, queue: usize, digest: Arc<dyn Digest>) -> Result<Self, OpenError> {
        let connection = connection::open_for_writing(path)?;
        let head = audit::read_head(&connection).map_err(OpenError::Sqlite)?;
        let writer = Arc::new(Writer::start(connection, head, queue, Arc::clone(&digest)).map_err(OpenError::Thread)?);
        let checkpointer = Arc::new(Checkpointer::start(path, &writer)?);
        let readers = Arc::new(Readers::open(path, READERS)?);
        let (credentials, accounts) = (Arc::new(Cache::new(CREDENTIALS)), Arc::new(Cache::new(ACCOUNTS)));
        let watchers = Watchers::default();
        Ok(Self {
            writer,
            _checkpointer: checkpointer,
            readers,
            credentials,
            accounts,
            watchers,
            digest,
            path: path.to_owned(),
        })
    }

    /// How many writes wait to be committed.
    #[must_use]
    pub fn queued_writes(&self) -> usize {
        self.writer.queued()
    }

    /// Can it be written, as far as the last commit tells? After a failure this is found out anew every second.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        !self.writer.is_failing()
    }

    /// Commits what is queued, folds the journal back and stops writing. Calls after it fail with [`LedgerError::Unavailable`].
    pub async fn close(&self) {
        let writer = Arc::clone(&self.writer);
        // A panic of the writer thread was reported by itself; there is nothing to be done about it here.
        let _ = tokio::task::spawn_blocking(move || writer.close()).await;
    }

    /// Runs one named change in the writer's next transaction; returns when it is committed and synced.
    async fn write<T: Send + 'static>(
        &self,
        name: &'static str,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<T, WriteError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.writer.write(name, change).await
    }

    /// Runs a read that may be long on the blocking pool, with a connection of its own.
    async fn read_at_length<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let path = self.path.clone();
        let work = move || {
            let connection =
                connection::open_for_reading(&path).map_err(|error| LedgerError::Unavailable(error.to_string()))?;
            read(&connection)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| LedgerError::Unavailable(error.to_string()))?
    }
}

impl Ledger for SqliteLedger {}

/// What went wrong, by who has to act: a file that contradicts itself is for an operator, everything else may pass.
fn ledger_error(error: &rusqlite::Error) -> LedgerError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => LedgerError::Damaged(error.to_string()),
        _ => LedgerError::Unavailable(error.to_string()),
    }
}

/// A row that no certgate has written.
fn damaged(what: &str) -> LedgerError {
    LedgerError::Damaged(format!("{what} cannot be read"))
}
