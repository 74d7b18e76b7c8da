//! The audit trail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use certgate_enrollment::{AuditHead, AuditReport, AuditTrail, AuditWalk, Event, ExpectedHeads, LedgerError};
use certgate_pki::Digest;
use rusqlite::{Connection, OptionalExtension, Row};

use super::audit_chain::{Entry, number};
use super::{SqliteLedger, ledger_error};

/// The head as the file states it.
pub(super) fn read_head(connection: &Connection) -> rusqlite::Result<AuditHead> {
    let mut last = connection.prepare_cached("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")?;
    let head = last.query_row([], |row| Ok(AuditHead { events: unsigned(row, 0)?, hash: row.get(1)? })).optional()?;
    Ok(head.unwrap_or(AuditHead::NOTHING))
}

#[async_trait]
impl AuditTrail for SqliteLedger {
    async fn head(&self) -> Result<AuditHead, LedgerError> {
        self.readers.read(read_head)
    }

    async fn append(&self, event: Event) -> Result<(), LedgerError> {
        self.write("append audit event", move |transaction| transaction.append(&event)).await
    }

    async fn first_missing(&self, heads: Vec<AuditHead>) -> Result<Option<usize>, LedgerError> {
        self.read_at_length(move |connection| look_up(connection, &heads).map_err(|error| ledger_error(&error))).await
    }

    async fn verify(&self, expected: ExpectedHeads, walked: Arc<AtomicU64>) -> Result<AuditReport, LedgerError> {
        let digest = self.digest.clone();
        let read =
            move |connection: &Connection| walk(connection, &*digest, expected, &walked).map_err(|error| ledger_error(&error));
        self.read_at_length(read).await
    }
}

/// The first of these heads that is not in the file as it stands there.
fn look_up(connection: &Connection, heads: &[AuditHead]) -> rusqlite::Result<Option<usize>> {
    let mut of_number = connection.prepare("SELECT hash FROM audit WHERE number = ?")?;
    for (place, head) in heads.iter().enumerate().filter(|(_, head)| **head != AuditHead::NOTHING) {
        let stated: Option<Vec<u8>> = of_number.query_row([number(head.events)], |row| row.get(0)).optional()?;
        if stated.as_deref() != Some(head.hash.as_slice()) {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// Hashes every event again, from the first.
pub(super) fn walk(
    connection: &Connection,
    digest: &dyn Digest,
    expected: ExpectedHeads,
    walked: &AtomicU64,
) -> rusqlite::Result<AuditReport> {
    let mut all = connection.prepare("SELECT number, at, kind, actor, details, hash FROM audit ORDER BY number")?;
    let mut rows = all.query([])?;
    let mut walk = AuditWalk::new(expected);
    while let Some(row) = rows.next()? {
        let (kind, actor, details): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let stated: Vec<u8> = row.get(5)?;
        let entry = Entry { number: unsigned(row, 0)?, at: unsigned(row, 1)?, kind: &kind, actor: &actor, details: &details };
        let hash = entry.hash(digest, walk.head().hash);
        if entry.number != walk.head().events + 1 || stated != hash {
            walk.break_here();
            break;
        }
        walk.pass(AuditHead { events: entry.number, hash });
        walked.store(entry.number, Ordering::Relaxed);
    }
    Ok(walk.end())
}

/// A count or a time: never negative in a ledger that certgate wrote; what is negative hashes differently and shows as broken.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}
