//! What authorities have brought along, made public or had taken away, as the ledger that is replaced has it.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::{all, values};

/// A row of `listed_certificate`: authority, serial, shard, `not_after`, `no_rev_avail`, status, reason, `changed_at`, `invalid_since`
type Listed = Vec<Value>;

/// What there was of authorities in a ledger that is replaced.
pub(super) struct Brought {
    listed: Vec<Listed>,
    imported_crls: Vec<Vec<Value>>,
    /// Authorities whose key was elsewhere, and since when.
    offline: Vec<(String, i64)>,
    /// Complete CRLs of those, in the order of their numbers, and whether each has all that had become of certificates.
    crls: Vec<(Vec<Value>, bool)>,
    certificates: Vec<Vec<Value>>,
    base_urls: Vec<Vec<Value>>,
}

const LISTED: &str = "SELECT authority, serial, shard, not_after, no_rev_avail, status, reason, changed_at, invalid_since
                      FROM listed_certificate";
const OFFLINE: &str = "SELECT authority, at FROM authority_key AS newest WHERE is_offline = 1
                       AND id = (SELECT max(id) FROM authority_key WHERE authority = newest.authority)";
const COMPLETE: &str = "SELECT authority, shard, number, this_update, next_update, entries, sha256, is_withdrawn,
                        sequence >= coalesce((SELECT max(change.sequence) FROM status_change AS change
                                              WHERE change.authority = crl.authority), 0)
                        FROM crl WHERE base IS NULL ORDER BY number";

impl Brought {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            listed: all(connection, LISTED, values::<9>)?,
            imported_crls: all(connection, "SELECT authority, number, imported_at FROM imported_crl", values::<3>)?,
            offline: offline(connection)?,
            crls: all(connection, COMPLETE, |row| Ok((values::<8>(row)?, row.get(8)?)))?,
            certificates: all(
                connection,
                "SELECT authority, imported_at, der FROM authority_certificate ORDER BY id",
                values::<3>,
            )?,
            base_urls: all(connection, "SELECT authority, url, since FROM base_url ORDER BY id", values::<3>)?,
        })
    }

    /// Has it all in this ledger too; what it knows better of itself stays.
    pub(super) fn carry(&self, connection: &Connection) -> rusqlite::Result<()> {
        self.carry_listed(connection)?;
        insert_new(
            connection,
            "INSERT OR IGNORE INTO imported_crl (authority, number, imported_at) VALUES (?, ?, ?)",
            &self.imported_crls,
        )?;
        // In the order in which they came: the newest row of an authority counts.
        let certificate = "INSERT INTO authority_certificate (authority, imported_at, der) SELECT ?1, ?2, ?3 WHERE NOT EXISTS
                           (SELECT 1 FROM authority_certificate WHERE authority = ?1 AND imported_at = ?2 AND der = ?3)";
        insert_new(connection, certificate, &self.certificates)?;
        let base_url = "INSERT INTO base_url (authority, url, since) SELECT ?1, ?2, ?3 WHERE NOT EXISTS
                        (SELECT 1 FROM base_url WHERE authority = ?1 AND url = ?2 AND since = ?3)";
        insert_new(connection, base_url, &self.base_urls)?;
        let known = offline(connection)?;
        for (authority, since) in self.offline.iter().filter(|one| !known.iter().any(|(known, _)| *known == one.0)) {
            let insert = "INSERT INTO authority_key (authority, at, is_offline) VALUES (?, ?, 1)";
            connection.prepare_cached(insert)?.execute(params![authority, since])?;
        }
        self.carry_crls(connection)
    }

    /// What CRLs alone have named. The sequence tells of each that is new or worse: whoever publishes reads it from its beginning.
    fn carry_listed(&self, connection: &Connection) -> rusqlite::Result<()> {
        let insert = "INSERT INTO listed_certificate SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
                      WHERE NOT EXISTS (SELECT 1 FROM certificate WHERE serial = ?2 AND authority = ?1)
                      ON CONFLICT DO UPDATE SET status = excluded.status, reason = excluded.reason, changed_at = excluded.changed_at,
                      invalid_since = excluded.invalid_since WHERE excluded.status > status";
        let append = "INSERT INTO status_change (authority, serial, shard, not_after, no_rev_avail, status, reason, changed_at,
                      invalid_since) SELECT authority, serial, shard, not_after, no_rev_avail, status, reason, changed_at,
                      invalid_since FROM listed_certificate WHERE authority = ?1 AND serial = ?2";
        for row in &self.listed {
            if connection.prepare_cached(insert)?.execute(params_from_iter(row))? > 0 {
                connection.prepare_cached(append)?.execute(params_from_iter(row.iter().take(2)))?;
            }
        }
        let known = "DELETE FROM listed_certificate WHERE EXISTS (SELECT 1 FROM certificate
                     WHERE certificate.serial = listed_certificate.serial AND certificate.authority = listed_certificate.authority)";
        connection.execute(known, []).map(drop)
    }

    /// Lists of authorities whose key is elsewhere: nobody here could make them anew. A place in the sequence is of the ledger that had
    /// it: one that had all of it has all of this one, and any other is taken for one that has nothing.
    fn carry_crls(&self, connection: &Connection) -> rusqlite::Result<()> {
        let offline = offline(connection)?;
        let insert = "INSERT INTO crl (authority, shard, number, this_update, next_update, entries, sha256, is_withdrawn, sequence)
                      SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
                             iif(?9, (SELECT coalesce(max(sequence), 0) FROM status_change), 0)
                      WHERE ?3 > coalesce((SELECT max(number) FROM crl WHERE authority = ?1 AND shard = ?2 AND base IS NULL), 0)";
        for (row, has_all) in &self.crls {
            let is_offline = row.first().is_some_and(
                |authority| matches!(authority, Value::Text(name) if offline.iter().any(|(known, _)| known == name)),
            );
            if is_offline {
                let values = row.iter().cloned().chain([Value::from(*has_all)]);
                connection.prepare_cached(insert)?.execute(params_from_iter(values))?;
            }
        }
        Ok(())
    }
}

/// Authorities whose key is elsewhere, and since when.
pub(super) fn offline(connection: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    all(connection, OFFLINE, |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?)))
}

fn insert_new(connection: &Connection, insert: &str, rows: &[Vec<Value>]) -> rusqlite::Result<()> {
    for row in rows {
        connection.prepare_cached(insert)?.execute(params_from_iter(row))?;
    }
    Ok(())
}
