//! What relying parties are told of certificates, and the sequence of what became of them.

use std::sync::Arc;

use async_trait::async_trait;
use certgate_enrollment::{CertificateState, CommittedChange, LedgerError, StatusWatcher, Statuses};
use certgate_pki::{Serial, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use super::audit_chain::number;
use super::status::{StatusColumns, second};
use super::{SqliteLedger, Transaction, damaged};

/// What a [`CertificateState`] is read from, in all tables.
const STATE: &str = "serial, shard, not_after, no_rev_avail, status, reason, changed_at, invalid_since";
/// The same of one certificate.
const STATE_OF: &str = "SELECT serial, shard, not_after, no_rev_avail, status, reason, changed_at, invalid_since
                        FROM certificate WHERE serial = ? AND authority = ?";
/// The same of one that only a CRL has named.
const STATE_OF_LISTED: &str = "SELECT serial, shard, not_after, no_rev_avail, status, reason, changed_at, invalid_since
                               FROM listed_certificate WHERE serial = ? AND authority = ?";
/// Longest list that is read where it is asked for.
const SHORT: usize = 64;

#[async_trait]
impl Statuses for SqliteLedger {
    async fn state_of(&self, authority: &str, serial: &Serial) -> Result<Option<CertificateState>, LedgerError> {
        let found = self.readers.read(|connection| {
            let found = find(connection, STATE_OF, (authority, serial))?;
            if found.is_some() { Ok(found) } else { find(connection, STATE_OF_LISTED, (authority, serial)) }
        })?;
        found.map(Stored::state).transpose()
    }

    async fn changes_after(&self, authority: &str, sequence: u64, limit: usize) -> Result<Vec<CommittedChange>, LedgerError> {
        let name = authority.to_owned();
        let read = move |connection: &rusqlite::Connection| {
            let select = format!(
                "SELECT sequence, {STATE} FROM status_change WHERE authority = ? AND sequence > ? ORDER BY sequence LIMIT ?"
            );
            let mut select = connection.prepare_cached(&select)?;
            let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, Stored::read(row, 1)?));
            select.query_map(params![name, number(sequence), most(limit)], row)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        let found = self.read_list(limit, read).await?;
        let change = |(sequence, stored): (i64, Stored)| {
            Ok(CommittedChange { sequence: sequence.cast_unsigned(), authority: authority.to_owned(), state: stored.state()? })
        };
        found.into_iter().map(change).collect()
    }

    async fn last_change(&self) -> Result<u64, LedgerError> {
        let select = "SELECT coalesce(max(sequence), 0) FROM status_change";
        let last: i64 = self.readers.read(|connection| connection.prepare_cached(select)?.query_row([], |row| row.get(0)))?;
        Ok(last.cast_unsigned())
    }

    async fn not_good(
        &self,
        authority: &str,
        not_after: Timestamp,
        after: Option<&Serial>,
        limit: usize,
    ) -> Result<Vec<CertificateState>, LedgerError> {
        let (authority, after) = (authority.to_owned(), after.map_or_else(Vec::new, |serial| serial.as_octets().to_vec()));
        let read = move |connection: &rusqlite::Connection| {
            let select = format!(
                "SELECT {STATE} FROM certificate INDEXED BY certificate_not_good
                 WHERE authority = ?1 AND serial > ?2 AND not_after >= ?3 AND status <> 0
                 UNION ALL
                 SELECT {STATE} FROM listed_certificate WHERE authority = ?1 AND serial > ?2 AND not_after >= ?3
                 ORDER BY serial LIMIT ?4"
            );
            let mut select = connection.prepare_cached(&select)?;
            let values = params![authority, after, number(not_after.seconds()), most(limit)];
            select.query_map(values, |row| Stored::read(row, 0))?.collect::<rusqlite::Result<Vec<_>>>()
        };
        self.read_list(limit, read).await?.into_iter().map(Stored::state).collect()
    }

    fn watch(&self, watcher: Arc<dyn StatusWatcher>) {
        self.watchers.add(watcher);
    }
}

impl SqliteLedger {
    /// Reads a list where it is asked for if it is short, else on the blocking pool.
    async fn read_list<T: Send + 'static>(
        &self,
        limit: usize,
        read: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        if limit <= SHORT {
            return self.readers.read(read);
        }
        self.read_at_length(|connection| read(connection).map_err(|error| super::ledger_error(&error))).await
    }
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn find(
    connection: &rusqlite::Connection,
    select: &str,
    (authority, serial): (&str, &Serial),
) -> rusqlite::Result<Option<Stored>> {
    let mut select = connection.prepare_cached(select)?;
    select.query_row(params![serial.as_octets(), authority], |row| Stored::read(row, 0)).optional()
}

/// What there is to be told about a certificate that is recorded.
///
/// # Errors
/// When it cannot be read; within, when it is damaged.
pub(super) fn recorded_state(
    connection: &rusqlite::Connection,
    authority: &str,
    serial: &Serial,
) -> rusqlite::Result<Option<Result<CertificateState, LedgerError>>> {
    Ok(find(connection, STATE_OF, (authority, serial))?.map(Stored::state))
}

/// Appends to the sequence what a certificate has become, and has those told who watch.
pub(super) fn append(
    transaction: &mut Transaction<'_>,
    authority: &str,
    state: CertificateState,
    watchers: &Watchers,
) -> rusqlite::Result<()> {
    let insert = "INSERT INTO status_change (authority, serial, shard, not_after, no_rev_avail, status, reason, changed_at,
                  invalid_since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let StatusColumns { status: code, reason, changed_at, invalid_since } = state.status.into();
    let values = params![
        authority,
        state.serial.as_octets(),
        state.shard,
        number(state.not_after.seconds()),
        state.no_rev_avail,
        code,
        reason,
        changed_at,
        invalid_since
    ];
    transaction.connection.prepare_cached(insert)?.execute(values)?;
    let change = CommittedChange {
        sequence: transaction.connection.last_insert_rowid().cast_unsigned(),
        authority: authority.to_owned(),
        state,
    };
    let (change, before, after) = (Arc::new(change), watchers.clone(), watchers.clone());
    let committing = Arc::clone(&change);
    transaction.before_commit(move || before.tell(|watcher| watcher.committing(&committing)));
    transaction.after_commit(move || after.tell(|watcher| watcher.settled(&change)));
    Ok(())
}

/// Those who are told of changes.
#[derive(Clone, Default)]
pub(super) struct Watchers(Arc<std::sync::RwLock<Vec<Arc<dyn StatusWatcher>>>>);

impl Watchers {
    fn add(&self, watcher: Arc<dyn StatusWatcher>) {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner).push(watcher);
    }

    fn tell(&self, what: impl Fn(&dyn StatusWatcher)) {
        let watchers = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        watchers.iter().for_each(|watcher| what(&**watcher));
    }
}

/// A row, before what is in it is judged.
struct Stored {
    serial: Vec<u8>,
    shard: u32,
    not_after: i64,
    no_rev_avail: bool,
    status: StatusColumns,
}

impl Stored {
    /// From the columns of [`STATE`], beginning there.
    fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            serial: row.get(first)?,
            shard: row.get(first + 1)?,
            not_after: row.get(first + 2)?,
            no_rev_avail: row.get(first + 3)?,
            status: StatusColumns::read(row, first + 4)?,
        })
    }

    fn state(self) -> Result<CertificateState, LedgerError> {
        Ok(CertificateState {
            serial: Serial::from_octets(&self.serial).ok_or_else(|| damaged("a serial number"))?,
            shard: self.shard,
            not_after: second(self.not_after),
            no_rev_avail: self.no_rev_avail,
            status: self.status.status()?,
        })
    }
}
