//! Two ledgers of one gateway: where their trails part, and what only one of them knows.

use std::collections::BTreeMap;
use std::path::Path;

use certgate_enrollment::LedgerError;
use certgate_pki::{Serial, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::audit_chain::number;
use super::connection::open_for_reading;
use super::{damaged, ledger_error};

/// What of a ledger another one does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// How many events the two have in common. Without any they are of different gateways.
    pub common: u64,
    /// Events that come after those, by their names.
    pub events: BTreeMap<String, u64>,
    /// When the first of them happened.
    pub since: Option<Timestamp>,
}

/// What events the ledger in `of` has that the one in `from` has not.
///
/// # Errors
/// [`LedgerError`] when one of the two cannot be read.
pub fn divergence(of: &Path, from: &Path) -> Result<Divergence, LedgerError> {
    let (of, from) = (open(of)?, open(from)?);
    read_divergence(&of, &from).map_err(|error| ledger_error(&error))
}

fn read_divergence(of: &Connection, from: &Connection) -> rusqlite::Result<Divergence> {
    // Each hash covers those before it, so whatever comes before an equal one is equal.
    let (mut common, mut beyond) = (0, last(of)?.min(last(from)?) + 1);
    while beyond - common > 1 {
        let middle = common + (beyond - common) / 2;
        if hash(of, middle)? == hash(from, middle)? {
            common = middle;
        } else {
            beyond = middle;
        }
    }
    let mut select = of.prepare("SELECT kind, count(*), min(at) FROM audit WHERE number > ? GROUP BY kind")?;
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned(), row.get::<_, i64>(2)?.cast_unsigned()));
    let kinds: Vec<(String, u64, u64)> = select.query_map([number(common)], row)?.collect::<rusqlite::Result<_>>()?;
    Ok(Divergence {
        common,
        since: kinds.iter().map(|(_, _, at)| Timestamp::from_millis(*at)).min(),
        events: kinds.into_iter().map(|(kind, count, _)| (kind, count)).collect(),
    })
}

fn last(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT coalesce(max(number), 0) FROM audit", [], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}

fn hash(connection: &Connection, event: u64) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut select = connection.prepare_cached("SELECT hash FROM audit WHERE number = ?")?;
    select.query_row([number(event)], |row| row.get(0)).optional()
}

/// A certificate, by who has issued it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Who has signed it.
    pub authority: String,
    /// Its serial number.
    pub serial: Serial,
}

/// Certificates about which a ledger says something else than another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unlike {
    /// Those that the other does not know, in the order in which they were issued.
    pub unknown: Vec<Issued>,
    /// Those that are revoked or on hold, and are good in the other, or on hold and not revoked.
    pub better: Vec<Issued>,
}

/// What the ledger in `of` says of certificates that the one in `from` does not. Both are of the present schema.
///
/// # Errors
/// [`LedgerError`] when one of the two cannot be read.
pub fn unlike(of: &Path, from: &Path) -> Result<Unlike, LedgerError> {
    let connection = open(of)?;
    let path = from.to_str().ok_or_else(|| LedgerError::Unavailable(format!("{} is no text", from.display())))?;
    let sql = |error: rusqlite::Error| ledger_error(&error);
    connection.execute("ATTACH ? AS other", [path]).map_err(sql)?;
    let unknown = "SELECT authority, serial FROM main.certificate AS own WHERE NOT EXISTS (
                       SELECT 1 FROM other.certificate AS had WHERE had.serial = own.serial AND had.authority = own.authority)
                   ORDER BY id";
    // A revocation is for good, whenever it was made.
    let better = "SELECT own.authority, own.serial FROM main.certificate AS own JOIN other.certificate AS had
                  ON had.serial = own.serial AND had.authority = own.authority
                  WHERE own.status > had.status ORDER BY own.id";
    let list = |select: &str| {
        let mut select = connection.prepare(select).map_err(sql)?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).map_err(sql)?;
        rows.map(|row| {
            let (authority, serial) = row.map_err(sql)?;
            Ok(Issued { authority, serial: Serial::from_octets(&serial).ok_or_else(|| damaged("a serial number"))? })
        })
        .collect::<Result<Vec<_>, LedgerError>>()
    };
    Ok(Unlike { unknown: list(unknown)?, better: list(better)? })
}

pub(super) fn open(path: &Path) -> Result<Connection, LedgerError> {
    open_for_reading(path).map_err(|error| ledger_error(&error))
}
