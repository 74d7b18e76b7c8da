//! The one writer: a thread that drains its queue into one transaction and syncs once for all of it.
//!
//! Each change is told its outcome only after the commit that holds it. A change that is refused (a conflict) has written nothing and
//! does not disturb the others; when the file itself fails, everything in the transaction is undone and every change of it is told so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use certgate_enrollment::{AuditHead, Event, LedgerError};
use certgate_pki::Digest;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::connection::BUSY_TIMEOUT;
use super::{audit, audit_chain, ledger_error};

/// Most changes in one transaction: bounds how long the first of them waits for the last.
const MAX_BATCH: usize = 512;

/// Why a change was not made.
pub(super) enum WriteError {
    /// It contradicts what is recorded, and has written nothing.
    Refused(LedgerError),
    /// The file failed: nothing of this transaction is to be trusted.
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

/// The transaction that a change is part of.
pub(super) struct Transaction<'w> {
    /// For the aggregate's own statements.
    pub(super) connection: &'w Connection,
    digest: &'w dyn Digest,
    head: AuditHead,
    before_commit: Vec<Box<dyn FnOnce() + Send>>,
    after_commit: Vec<Box<dyn FnOnce() + Send>>,
}

impl Transaction<'_> {
    /// Has `first` done when all changes are made, and nobody can see them yet. What is to follow on it comes by
    /// [`Self::after_commit`].
    pub(super) fn before_commit(&mut self, first: impl FnOnce() + Send + 'static) {
        self.before_commit.push(Box::new(first));
    }

    /// Has `then` done after the commit, before anyone hears of it, and whether or not anyone still waits: also when the commit has failed.
    pub(super) fn after_commit(&mut self, then: impl FnOnce() + Send + 'static) {
        self.after_commit.push(Box::new(then));
    }

    /// Appends an event to the audit trail. Comes last in a change: what is refused before it has left nothing.
    pub(super) fn append(&mut self, event: &Event) -> Result<(), WriteError> {
        self.head = audit_chain::append(self.connection, self.digest, self.head, event)?;
        Ok(())
    }
}

/// Tells a change its outcome, once the transaction has ended.
type Acknowledge = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

/// Applies a change. An error is the file's; a refusal is kept for the acknowledgement.
type Apply = Box<dyn FnOnce(&mut Transaction<'_>) -> Result<Acknowledge, rusqlite::Error> + Send>;

/// A change, named for the log.
struct Change {
    name: &'static str,
    apply: Apply,
}

/// What the queue holds.
enum Job {
    /// A change for the next transaction.
    Change(Change),
    /// Between two transactions: fold the whole journal back and start it anew.
    RestartJournal,
    /// After a commit that failed: find out whether the file can be written again.
    Probe,
    /// Commit what came before, fold the journal back and end.
    Close,
}

/// What the thread tells about itself.
#[derive(Default)]
struct State {
    /// The last commit failed, or the thread has ended.
    is_failing: AtomicBool,
    /// A restart of the journal is asked for and not done yet.
    is_restart_due: AtomicBool,
}

/// The writer's handle.
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    state: Arc<State>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        head: AuditHead,
        queue: usize,
        digest: Arc<dyn Digest>,
    ) -> Result<Self, std::io::Error> {
        let (sender, receiver) = mpsc::channel(queue.max(1));
        let state = Arc::new(State::default());
        let work = Work { connection, digest, head, state: Arc::clone(&state) };
        let thread = std::thread::Builder::new().name("ledger".into()).spawn(move || work.run(receiver))?;
        Ok(Self { queue: sender, state, thread: Mutex::new(Some(thread)) })
    }

    /// How many jobs wait.
    pub(super) fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Makes a change; returns when it is committed and synced, or not made.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        name: &'static str,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<T, WriteError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (reply, outcome) = oneshot::channel::<Result<T, LedgerError>>();
        let apply: Apply = Box::new(move |transaction: &mut Transaction<'_>| {
            let made = match change(transaction) {
                Ok(made) => Ok(made),
                Err(WriteError::Refused(refusal)) => Err(refusal),
                Err(WriteError::Failed(error)) => {
                    // Whoever waits hears it; if nobody does any more, there is nobody to tell.
                    let _ = reply.send(Err(ledger_error(&error)));
                    return Err(error);
                }
            };
            let acknowledge: Acknowledge = Box::new(move |committed| {
                let _ = reply.send(committed.and(made));
            });
            Ok(acknowledge)
        });
        self.queue.try_send(Job::Change(Change { name, apply })).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => LedgerError::Unavailable("too many writes wait already".into()),
            mpsc::error::TrySendError::Closed(_) => LedgerError::Unavailable("it is closed".into()),
        })?;
        outcome.await.unwrap_or_else(|_| Err(LedgerError::Unavailable("its writer has ended".into())))
    }

    /// Did the last commit fail, or has the thread ended?
    pub(super) fn is_failing(&self) -> bool {
        self.state.is_failing.load(Ordering::Relaxed) || self.queue.is_closed()
    }

    /// Asks for the journal to be started anew, unless that is asked for already. If the queue is full it is asked for again later.
    pub(super) fn restart_journal(&self) {
        if !self.state.is_restart_due.swap(true, Ordering::Relaxed) && self.queue.try_send(Job::RestartJournal).is_err() {
            self.state.is_restart_due.store(false, Ordering::Relaxed);
        }
    }

    /// Finds out whether the file can be written again. A full queue finds out by itself.
    pub(super) fn probe(&self) {
        let _ = self.queue.try_send(Job::Probe);
    }

    /// Commits what is queued, and ends the thread. Blocks.
    pub(super) fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = self.queue.blocking_send(Job::Close);
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Not `close`: that blocks, and this may run on an async thread. If the queue is full the thread ends when it has
            // drained it, since the last sender goes with this value.
            let _ = self.queue.try_send(Job::Close);
            drop(thread);
        }
    }
}

/// Lets others that are about to write join the batch: a sync costs more than all else in a commit, and serves all of it. Waits no
/// longer than it takes the threads that can run to have run, and ends when that brought nothing.
///
/// Who writes alone, after one who did, is not kept waiting: nobody else is about to, and a thread that hashes passwords would be given
/// the processor for milliseconds.
fn wait_for_company(batch: &mut Vec<Job>, queue: &mut mpsc::Receiver<Job>, last: usize) {
    if batch.len().max(last) < 2 {
        return;
    }
    let mut before = 0;
    while batch.len() > before && batch.len() < MAX_BATCH {
        before = batch.len();
        std::thread::yield_now();
        while batch.len() < MAX_BATCH
            && let Ok(job) = queue.try_recv()
        {
            batch.push(job);
        }
    }
}

/// The thread's own state.
struct Work {
    connection: Connection,
    digest: Arc<dyn Digest>,
    head: AuditHead,
    state: Arc<State>,
}

impl Work {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        let mut last = 0;
        'work: while queue.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
            wait_for_company(&mut batch, &mut queue, last);
            last = batch.len();
            let mut changes = Vec::with_capacity(batch.len());
            for job in batch.drain(..) {
                match job {
                    Job::Change(change) => changes.push(change),
                    Job::RestartJournal => {
                        self.commit(std::mem::take(&mut changes));
                        self.fold_journal();
                        self.state.is_restart_due.store(false, Ordering::Relaxed);
                    }
                    Job::Probe => {
                        self.commit(std::mem::take(&mut changes));
                        self.probe();
                    }
                    Job::Close => {
                        self.commit(changes);
                        break 'work;
                    }
                }
            }
            self.commit(changes);
        }
        self.fold_journal();
    }

    /// One transaction. Whatever happens, every change is told.
    fn commit(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut done: Vec<Acknowledge> = Vec::with_capacity(changes.len());
        match self.try_commit(changes, &mut done) {
            Ok(head) => {
                self.head = head;
                self.state.is_failing.store(false, Ordering::Relaxed);
                done.into_iter().for_each(|acknowledge| acknowledge(Ok(())));
            }
            Err((name, error)) => {
                self.state.is_failing.store(true, Ordering::Relaxed);
                // Whatever failed, the file says where the trail ends.
                self.head = audit::read_head(&self.connection).unwrap_or(self.head);
                tracing::error!(change = name, %error, "the ledger could not commit; its clients are told to try again");
                let told = ledger_error(&error);
                done.into_iter().for_each(|acknowledge| acknowledge(Err(told.clone())));
            }
        }
    }

    /// Applies and commits. On an error the transaction is rolled back as it is dropped, and changes that were not reached are
    /// dropped with their reply, which tells them that the ledger is not available.
    fn try_commit(
        &mut self,
        changes: Vec<Change>,
        done: &mut Vec<Acknowledge>,
    ) -> Result<AuditHead, (&'static str, rusqlite::Error)> {
        let begun = rusqlite::Transaction::new(&mut self.connection, rusqlite::TransactionBehavior::Immediate);
        let begun = begun.map_err(|error| ("begin", error))?;
        let (before_commit, after_commit) = (Vec::new(), Vec::new());
        let mut transaction =
            Transaction { connection: &begun, digest: &*self.digest, head: self.head, before_commit, after_commit };
        for Change { name, apply } in changes {
            done.push(apply(&mut transaction).map_err(|error| (name, error))?);
        }
        let Transaction { head, before_commit, after_commit, .. } = transaction;
        before_commit.into_iter().for_each(|first| first());
        let committed = begun.commit();
        after_commit.into_iter().for_each(|then| then());
        committed.map(|()| head).map_err(|error| ("commit", error))
    }

    /// Writes a page that says what it said before.
    fn probe(&mut self) {
        let written = self.connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).and_then(|version| {
            self.connection.execute_batch(&format!("BEGIN IMMEDIATE; PRAGMA user_version = {version}; COMMIT"))
        });
        if written.is_err() && !self.connection.is_autocommit() {
            // The transaction is still open; what cannot be rolled back is when the connection begins the next one.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        if written.is_ok() && self.state.is_failing.swap(false, Ordering::Relaxed) {
            tracing::info!("the ledger can be written again");
        }
    }

    /// Folds the journal back without waiting: a reader that holds an old snapshot must not hold up everyone who writes.
    fn fold_journal(&self) {
        let is_busy = self
            .connection
            .busy_timeout(Duration::ZERO)
            .and_then(|()| self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0)));
        let patient = self.connection.busy_timeout(BUSY_TIMEOUT);
        match is_busy.and_then(|is_busy| patient.map(|()| is_busy)) {
            Ok(false) => {}
            Ok(true) => tracing::warn!("a long read keeps the ledger's journal from being folded back; trying again"),
            Err(error) => tracing::warn!(%error, "the ledger's journal could not be folded back; trying again"),
        }
    }
}
