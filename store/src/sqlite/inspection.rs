//! A ledger is looked at from outside: is it whole, and what is in it.

use std::path::Path;
use std::sync::atomic::AtomicU64;

use certgate_enrollment::{AuditHead, AuditReport, CrlScope, ExpectedHeads};
use certgate_pki::Digest;
use rusqlite::{Connection, ErrorCode};

use super::audit::walk;
use super::connection::{OpenError, open_for_reading, schema_of};

/// How many faults are named.
const MOST_FAULTS: usize = 20;

/// Of a trail that cannot be read.
const NOTHING: AuditReport =
    AuditReport { head: AuditHead::NOTHING, broken_at: None, expected_head_found: None, first_missed: None };

/// What there is in a ledger, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its schema: how many migrations it has seen.
    pub schema: usize,
    /// How far the trail is whole.
    pub audit: AuditReport,
    /// How many certificates it has.
    pub certificates: u64,
    /// How many of them are revoked or on hold.
    pub not_good: u64,
    /// The greatest CRL number of each scope.
    pub crl_numbers: Vec<(CrlScope, u64)>,
    /// What is wrong with the file, in SQLite's words, the first few. Figures of a file that is damaged may be wrong themselves.
    pub faults: Vec<String>,
}

impl Inspection {
    /// Is nothing wrong with it?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty() && self.audit.broken_at.is_none()
    }

    /// What is wrong, for people; empty where nothing is.
    #[must_use]
    pub fn complaint(&self) -> String {
        let broken = self.audit.broken_at.map(|event| format!("the audit trail is broken at event {event}"));
        self.faults.iter().cloned().chain(broken).collect::<Vec<_>>().join("; ")
    }
}

/// Looks at all of a ledger: the structure of the file, and every event of the trail. A gateway may be writing to it.
///
/// # Errors
/// When it cannot be opened, is no ledger, or is of a newer schema. What is damaged is no error: it is in the [`Inspection`].
pub fn inspect_ledger(path: &Path, digest: &dyn Digest) -> Result<Inspection, OpenError> {
    let connection = open_for_reading(path)?;
    let mut looking = Looking { faults: Vec::new() };
    let opened = connection.execute_batch("BEGIN").and_then(|()| connection.query_row("PRAGMA schema_version", [], |_| Ok(())));
    looking.read(opened)?;
    if !looking.faults.is_empty() {
        return Ok(looking.found_nothing());
    }
    let schema = schema_of(path, &connection)?;
    let faults = looking.read(faults(&connection))?.unwrap_or_default();
    looking.faults.extend(faults);
    let walked = walk(&connection, digest, ExpectedHeads::default(), &AtomicU64::new(0));
    let audit = looking.read(walked)?.unwrap_or(NOTHING);
    let certificates = looking.read(count(&connection, "SELECT count(*) FROM certificate"))?.unwrap_or(0);
    let not_good = looking.read(count(&connection, "SELECT count(*) FROM certificate WHERE status <> 0"))?.unwrap_or(0);
    let crl_numbers = if schema < SCHEMA_WITH_CRLS { Some(Vec::new()) } else { looking.read(crl_numbers(&connection))? };
    let crl_numbers = crl_numbers.unwrap_or_default();
    Ok(Inspection { schema, audit, certificates, not_good, crl_numbers, faults: looking.faults })
}

/// The schema that has brought CRLs.
pub(super) const SCHEMA_WITH_CRLS: usize = 7;

/// What was found to be wrong so far.
struct Looking {
    faults: Vec<String>,
}

impl Looking {
    /// What was read; `None`, and a fault, where the file is damaged there.
    fn read<T>(&mut self, read: rusqlite::Result<T>) -> Result<Option<T>, OpenError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_damage(&error) => {
                let fault = error.to_string();
                if !self.faults.contains(&fault) {
                    self.faults.push(fault);
                }
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn found_nothing(self) -> Inspection {
        Inspection { schema: 0, audit: NOTHING, certificates: 0, not_good: 0, crl_numbers: Vec::new(), faults: self.faults }
    }
}

/// Is it the file's own fault? What stands in a column and cannot be there is damage, too.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        || matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..))
}

fn faults(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare(&format!("PRAGMA quick_check({MOST_FAULTS})"))?;
    let found = check.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

fn count(connection: &Connection, select: &str) -> rusqlite::Result<u64> {
    connection.query_row(select, [], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}

/// The greatest number of each scope, of complete lists and deltas together.
pub(super) fn crl_numbers(connection: &Connection) -> rusqlite::Result<Vec<(CrlScope, u64)>> {
    let select = "SELECT authority, shard, max(number) FROM crl GROUP BY authority, shard ORDER BY authority, shard";
    let row = |row: &rusqlite::Row<'_>| {
        let scope = CrlScope { authority: row.get(0)?, shard: row.get(1)? };
        Ok((scope, row.get::<_, i64>(2)?.cast_unsigned()))
    };
    connection.prepare(select)?.query_map([], row)?.collect()
}
