//! CRLs as they were published.

use async_trait::async_trait;
use certgate_enrollment::{CrlRecord, CrlScope, Crls, Event, LedgerError};
use certgate_pki::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::SqliteLedger;
use super::audit_chain::number;
use super::status::second;

const SELECT: &str =
    "SELECT number, base, this_update, next_update, sequence, entries, sha256 FROM crl WHERE authority = ? AND shard = ?";

#[async_trait]
impl Crls for SqliteLedger {
    async fn record_crls(&self, crls: Vec<(CrlRecord, Event)>) -> Result<bool, LedgerError> {
        let change = move |transaction: &mut super::Transaction<'_>| {
            let connection = transaction.connection;
            for (crl, _) in &crls {
                if greatest_number(connection, &crl.scope)? >= crl.number {
                    return Ok(false);
                }
            }
            for (crl, _) in &crls {
                insert(connection, crl, false)?;
                drop_old(connection, crl)?;
            }
            for (_, event) in &crls {
                transaction.append(event)?;
            }
            Ok(true)
        };
        self.write("record CRLs", change).await
    }

    async fn last_crl(&self, scope: &CrlScope, is_delta: bool) -> Result<Option<CrlRecord>, LedgerError> {
        let kind = if is_delta { "base IS NOT NULL" } else { "base IS NULL" };
        self.find_crl(scope, &format!("{SELECT} AND {kind} ORDER BY number DESC LIMIT 1"), [])
    }

    async fn withdraw_crl(&self, scope: &CrlScope, crl: u64, event: Event) -> Result<(), LedgerError> {
        let CrlScope { authority, shard } = scope.clone();
        let change = move |transaction: &mut super::Transaction<'_>| {
            let update = "UPDATE crl SET is_withdrawn = 1
                          WHERE authority = ? AND shard = ? AND number = ? AND base IS NULL AND is_withdrawn = 0";
            if transaction.connection.execute(update, params![authority, shard, number(crl)])? > 0 {
                transaction.append(&event)?;
            }
            Ok(())
        };
        self.write("withdraw a CRL", change).await
    }

    async fn base_crl(&self, scope: &CrlScope, made_by: Timestamp) -> Result<Option<CrlRecord>, LedgerError> {
        let by_then =
            format!("{SELECT} AND base IS NULL AND is_withdrawn = 0 AND this_update <= ? ORDER BY number DESC LIMIT 1");
        match self.find_crl(scope, &by_then, [number(made_by.seconds())])? {
            Some(base) => Ok(Some(base)),
            None => {
                self.find_crl(scope, &format!("{SELECT} AND base IS NULL AND is_withdrawn = 0 ORDER BY number LIMIT 1"), [])
            }
        }
    }

    async fn crl_shards(&self, authority: &str) -> Result<Vec<u32>, LedgerError> {
        self.readers.read(|connection| {
            let select = "SELECT DISTINCT shard FROM crl WHERE authority = ? AND base IS NULL ORDER BY shard";
            connection.prepare_cached(select)?.query_map([authority], |row| row.get(0))?.collect()
        })
    }
}

impl SqliteLedger {
    /// The first of those, whose condition has further values.
    fn find_crl<const N: usize>(
        &self,
        scope: &CrlScope,
        select: &str,
        more: [i64; N],
    ) -> Result<Option<CrlRecord>, LedgerError> {
        self.readers.read(|connection| {
            let mut select = connection.prepare_cached(select)?;
            let values: [&dyn rusqlite::ToSql; 2] = [&scope.authority, &scope.shard];
            let more = more.iter().map(|value| -> &dyn rusqlite::ToSql { value });
            let values: Vec<&dyn rusqlite::ToSql> = values.into_iter().chain(more).collect();
            select.query_row(values.as_slice(), |row| read(row, scope)).optional()
        })
    }
}

fn read(row: &Row<'_>, scope: &CrlScope) -> rusqlite::Result<CrlRecord> {
    let unsigned = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
    Ok(CrlRecord {
        scope: scope.clone(),
        number: unsigned(0)?,
        base: row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned),
        this_update: second(row.get(2)?),
        next_update: second(row.get(3)?),
        sequence: unsigned(4)?,
        entries: unsigned(5)?,
        sha256: row.get(6)?,
    })
}

pub(super) fn greatest_number(connection: &Connection, scope: &CrlScope) -> rusqlite::Result<u64> {
    let select = "SELECT max(coalesce((SELECT max(number) FROM crl WHERE authority = ?1 AND shard = ?2 AND base IS NULL), 0),
                             coalesce((SELECT max(number) FROM crl WHERE authority = ?1 AND shard = ?2 AND base IS NOT NULL), 0))";
    let mut select = connection.prepare_cached(select)?;
    select.query_row(params![scope.authority, scope.shard], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}

pub(super) fn insert(connection: &Connection, crl: &CrlRecord, is_withdrawn: bool) -> rusqlite::Result<()> {
    let insert =
        "INSERT INTO crl (authority, shard, number, base, this_update, next_update, sequence, entries, sha256, is_withdrawn)
                  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        crl.scope.authority,
        crl.scope.shard,
        number(crl.number),
        crl.base.map(number),
        number(crl.this_update.seconds()),
        number(crl.next_update.seconds()),
        number(crl.sequence),
        number(crl.entries),
        crl.sha256,
        is_withdrawn
    ];
    connection.prepare_cached(insert)?.execute(values).map(drop)
}

/// Drops what was over when this list was made: nobody can use it, or a delta that is based on it.
fn drop_old(connection: &Connection, crl: &CrlRecord) -> rusqlite::Result<()> {
    let delete = "DELETE FROM crl WHERE authority = ? AND shard = ? AND number < ? AND next_update < ?";
    let values = params![crl.scope.authority, crl.scope.shard, number(crl.number), number(crl.this_update.seconds())];
    connection.prepare_cached(delete)?.execute(values).map(drop)
}
