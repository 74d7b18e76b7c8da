//! The audit trail.

use async_trait::async_trait;
use certgate_enrollment::{AuditHead, AuditReport, AuditTrail, Event, LedgerError};
use certgate_pki::Digest;
use rusqlite::{Connection, OptionalExtension, Row};

use super::audit_chain::Entry;
use super::{SqliteLedger, ledger_error};

/// Before the first event.
pub(super) const NOTHING: AuditHead = AuditHead { events: 0, hash: [0; 32] };

/// The head as the file states it.
pub(super) fn read_head(connection: &Connection) -> rusqlite::Result<AuditHead> {
    let mut last = connection.prepare_cached("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")?;
    let head = last.query_row([], |row| Ok(AuditHead { events: unsigned(row, 0)?, hash: row.get(1)? })).optional()?;
    Ok(head.unwrap_or(NOTHING))
}

#[async_trait]
impl AuditTrail for SqliteLedger {
    async fn head(&self) -> Result<AuditHead, LedgerError> {
        self.readers.read(read_head)
    }

    async fn append(&self, event: Event) -> Result<(), LedgerError> {
        self.write("append audit event", move |transaction| transaction.append(&event)).await
    }

    async fn verify(&self, expect_head: Option<[u8; 32]>) -> Result<AuditReport, LedgerError> {
        let digest = self.digest.clone();
        self.read_at_length(move |connection| walk(connection, &*digest, expect_head).map_err(|error| ledger_error(&error)))
            .await
    }
}

/// Hashes every event again, from the first.
pub(super) fn walk(
    connection: &Connection,
    digest: &dyn Digest,
    expect_head: Option<[u8; 32]>,
) -> rusqlite::Result<AuditReport> {
    let mut all = connection.prepare("SELECT number, at, kind, actor, details, hash FROM audit ORDER BY number")?;
    let mut rows = all.query([])?;
    let mut report =
        AuditReport { head: NOTHING, broken_at: None, expected_head_found: expect_head.map(|hash| hash == NOTHING.hash) };
    while let Some(row) = rows.next()? {
        let (kind, actor, details): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let stated: Vec<u8> = row.get(5)?;
        let entry = Entry { number: unsigned(row, 0)?, at: unsigned(row, 1)?, kind: &kind, actor: &actor, details: &details };
        let hash = entry.hash(digest, report.head.hash);
        if entry.number != report.head.events + 1 || stated != hash {
            report.broken_at = Some(report.head.events + 1);
            break;
        }
        report.head = AuditHead { events: entry.number, hash };
        if expect_head == Some(hash) {
            report.expected_head_found = Some(true);
        }
    }
    Ok(report)
}

/// A count or a time: never negative in a ledger that certgate wrote; what is negative hashes differently and shows as broken.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}
