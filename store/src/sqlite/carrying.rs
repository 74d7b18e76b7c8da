//! A ledger that comes back from a backup: what had ended before that stays ended, and numbers go on behind those that were used.

mod authorities;
mod enrollments;

use std::collections::HashMap;
use std::path::Path;

use authorities::{Brought, offline};
use certgate_enrollment::{CertificateRecord, CrlScope, Event, LedgerError};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params};

use super::audit_chain::number;
use super::certificates::insert;
use super::divergence::open;
use super::history::{find_listed, unlist};
use super::inspection::crl_numbers;
use super::{SqliteLedger, ledger_error};

/// How much of a restored ledger was ended, as it had ended in the one that it replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Credentials and challenges that had been removed, replaced or used up.
    pub credentials: u64,
    /// Of those that go on, how many have fewer uses left.
    pub uses: u64,
    /// Principals whose certificates authenticate nobody any more.
    pub principals: u64,
    /// Accounts that were given up.
    pub accounts: u64,
    /// Requests that had been decided.
    pub enrollments: u64,
    /// Requests that came after the backup and were issued a certificate, which is theirs still.
    pub issued: u64,
}

/// What had ended in a ledger that is replaced.
struct Past {
    users: HashMap<(String, String), (i64, Option<i64>)>,
    challenges: HashMap<i64, i64>,
    /// Principals that were ended, and the last certificate of each that this holds for.
    principals: Vec<(String, Vec<u8>)>,
    accounts: Vec<i64>,
    decided: HashMap<String, Decided>,
    brought: Brought,
    crl_numbers: Vec<(CrlScope, u64)>,
}

/// state, changed_at, reason, serial
type Decided = (String, i64, String, Option<Vec<u8>>);

impl SqliteLedger {
    /// Records a certificate that the ledger which this one replaces has, with an event that is told of it as it is recorded. What a CRL had
    /// named here goes into it, as in an import: who was on hold then and is good there is on hold again.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when there is one of that authority and serial number; else [`LedgerError`].
    pub async fn carry_over(
        &self,
        mut certificate: CertificateRecord,
        event: impl FnOnce(&CertificateRecord) -> Event + Send + 'static,
    ) -> Result<(), LedgerError> {
        let watchers = self.watchers.clone();
        let change = move |transaction: &mut super::Transaction<'_>| {
            let CertificateRecord { authority, serial, .. } = &certificate;
            if let Some(listed) = find_listed(transaction.connection, authority, serial)? {
                unlist(transaction.connection, authority, serial)?;
                if certificate.status.gives_way_to(listed.status) {
                    certificate.status = listed.status;
                }
            }
            insert(transaction, &certificate, &watchers)?;
            transaction.append(&event(&certificate))
        };
        self.write("carry a certificate over", change).await
    }

    /// Ends what has ended in the ledger that this one replaces, and has the CRLs of all scopes made anew, with numbers behind those that
    /// both have used, and `unknown_crls` more; with an event. Without such a ledger, CRLs alone. Certificates are for the caller to carry
    /// over, before this.
    ///
    /// # Errors
    /// [`LedgerError`] when one of the two cannot be read, or this one not written.
    pub async fn take_the_place_of(
        &self,
        replaced: Option<&Path>,
        unknown_crls: u64,
        event: Event,
    ) -> Result<Ended, LedgerError> {
        let replaced = replaced.map(open).transpose()?;
        let past = replaced.as_ref().map(Past::read).transpose().map_err(|error| ledger_error(&error))?;
        let change = move |transaction: &mut super::Transaction<'_>| {
            let connection = transaction.connection;
            let mut ended = past.as_ref().map(|past| past.end(connection)).transpose()?.unwrap_or_default();
            if let Some(replaced) = &replaced {
                ended.issued = enrollments::carry_issued(replaced, connection)?;
            }
            let numbers = past.as_ref().map_or(&[][..], |past| &past.crl_numbers);
            begin_crls_anew(connection, numbers, unknown_crls)?;
            transaction.append(&event)?;
            Ok(ended)
        };
        self.write("take the place of a ledger", change).await
    }
}

impl Past {
    fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let user = |row: &Row<'_>| Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?)));
        let decided = |row: &Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
        let last =
            "SELECT name, (SELECT serial FROM certificate WHERE principal = name AND id <= up_to ORDER BY id DESC LIMIT 1)
                    AS last FROM ended_principal WHERE last IS NOT NULL";
        Ok(Self {
            users: all(connection, "SELECT name, endpoint, id, uses FROM est_user", user)?,
            challenges: all(connection, "SELECT id, uses FROM scep_challenge", |row| Ok((row.get(0)?, row.get(1)?)))?,
            principals: all(connection, last, |row| Ok((row.get(0)?, row.get(1)?)))?,
            accounts: all(connection, "SELECT id FROM account WHERE is_valid = 0", |row| row.get(0))?,
            decided: all(
                connection,
                "SELECT id, state, changed_at, reason, serial FROM enrollment WHERE state NOT IN ('pending', 'approved')",
                decided,
            )?,
            brought: Brought::read(connection)?,
            crl_numbers: crl_numbers(connection)?,
        })
    }

    fn end(&self, connection: &Connection) -> rusqlite::Result<Ended> {
        let mut ended = Ended::default();
        self.end_users(connection, &mut ended)?;
        self.end_challenges(connection, &mut ended)?;
        for (name, last) in &self.principals {
            let insert = "INSERT INTO ended_principal (name, up_to)
                          SELECT ?1, max(id) FROM certificate WHERE serial = ?2 HAVING max(id) IS NOT NULL
                          ON CONFLICT (name) DO UPDATE SET up_to = excluded.up_to WHERE excluded.up_to > up_to";
            ended.principals += changed(connection.prepare_cached(insert)?.execute(params![name, last])?);
        }
        for id in &self.accounts {
            let update = "UPDATE account SET is_valid = 0 WHERE id = ? AND is_valid <> 0";
            ended.accounts += changed(connection.prepare_cached(update)?.execute([id])?);
        }
        let waiting = "SELECT id FROM enrollment WHERE state IN ('pending', 'approved')";
        let waiting: Vec<String> = all(connection, waiting, |row| row.get(0))?;
        for id in waiting {
            let Some((state, changed_at, reason, serial)) = self.decided.get(&id) else { continue };
            let update = "UPDATE enrollment SET state = ?, changed_at = ?, reason = ?, serial = ? WHERE id = ?";
            connection.prepare_cached(update)?.execute(params![state, changed_at, reason, serial, id])?;
            ended.enrollments += 1;
        }
        self.brought.carry(connection)?;
        Ok(ended)
    }

    fn end_users(&self, connection: &Connection, ended: &mut Ended) -> rusqlite::Result<()> {
        let user = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let users: Vec<(String, String, i64, Option<i64>)> =
            all(connection, "SELECT name, endpoint, id, uses FROM est_user", user)?;
        for (name, endpoint, id, uses) in users {
            match self.users.get(&(name.clone(), endpoint.clone())) {
                Some((same, left)) if *same == id => {
                    if let (Some(uses), Some(left)) = (uses, left)
                        && *left < uses
                    {
                        let update = "UPDATE est_user SET uses = ? WHERE name = ? AND endpoint = ?";
                        connection.prepare_cached(update)?.execute(params![left, name, endpoint])?;
                        ended.uses += 1;
                    }
                }
                _ => {
                    let delete = "DELETE FROM est_user WHERE name = ? AND endpoint = ?";
                    ended.credentials += changed(connection.prepare_cached(delete)?.execute([name, endpoint])?);
                }
            }
        }
        Ok(())
    }

    fn end_challenges(&self, connection: &Connection, ended: &mut Ended) -> rusqlite::Result<()> {
        let challenges: Vec<(i64, i64)> =
            all(connection, "SELECT id, uses FROM scep_challenge", |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (id, uses) in challenges {
            match self.challenges.get(&id) {
                Some(left) if *left >= uses => {}
                Some(left) => {
                    let update = "UPDATE scep_challenge SET uses = ? WHERE id = ?";
                    connection.prepare_cached(update)?.execute([*left, id])?;
                    ended.uses += 1;
                }
                None => {
                    let delete = "DELETE FROM scep_challenge WHERE id = ?";
                    ended.credentials += changed(connection.prepare_cached(delete)?.execute([id])?);
                }
            }
        }
        Ok(())
    }
}

/// The first columns of a row, whatever is in them.
fn values<const N: usize>(row: &Row<'_>) -> rusqlite::Result<Vec<Value>> {
    (0..N).map(|column| row.get(column)).collect()
}

/// Takes the number behind all that were used in each scope for a list that nobody is given: what is published next is complete, has a
/// greater number (RFC 5280 §5.2.3), and no delta is based on what came before. Lists of authorities whose key is elsewhere stay as they are:
/// nobody here could make others.
fn begin_crls_anew(connection: &Connection, used: &[(CrlScope, u64)], unknown: u64) -> rusqlite::Result<()> {
    let offline = offline(connection)?;
    let is_made_here = |scope: &CrlScope| !offline.iter().any(|(authority, _)| *authority == scope.authority);
    let mut last: HashMap<CrlScope, u64> = HashMap::new();
    for (scope, number) in crl_numbers(connection)?.into_iter().chain(used.iter().cloned()) {
        let last = last.entry(scope).or_default();
        *last = number.max(*last);
    }
    for (scope, used) in last.into_iter().filter(|(scope, _)| is_made_here(scope)) {
        let CrlScope { authority, shard } = scope;
        connection.execute("UPDATE crl SET is_withdrawn = 1 WHERE authority = ? AND shard = ?", params![authority, shard])?;
        let insert =
            "INSERT INTO crl (authority, shard, number, this_update, next_update, sequence, entries, sha256, is_withdrawn)
                      VALUES (?, ?, ?, 0, 0, 0, 0, zeroblob(32), 1)";
        connection.execute(insert, params![authority, shard, number(used.saturating_add(unknown).saturating_add(1))])?;
    }
    Ok(())
}

fn all<T, C: FromIterator<T>>(
    connection: &Connection,
    select: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<C> {
    connection.prepare(select)?.query_map([], read)?.collect()
}

fn changed(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
