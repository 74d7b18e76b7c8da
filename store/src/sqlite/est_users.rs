//! Credentials for EST with HTTP Basic.

use std::sync::Arc;

use async_trait::async_trait;
use certgate_enrollment::{Cursor, EstUser, EstUserAdded, EstUsers, Event, LedgerError, Page, PrincipalRemoved, SecretHash};
use certgate_pki::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::audit_chain::number;
use super::page::{page, rows};
use super::patterns::{read_patterns, write_patterns};
use super::{SqliteLedger, damaged, enrollments, ledger_error, proofs};

const COLUMNS: &str = "name, endpoint, secret_kind, secret, allow, created_at, expires_at, uses, id";

#[async_trait]
impl EstUsers for SqliteLedger {
    async fn add(&self, user: EstUser, event: Event) -> Result<EstUserAdded, LedgerError> {
        let credentials = Arc::clone(&self.credentials);
        let change = move |transaction: &mut super::Transaction<'_>| {
            if exists(transaction.connection, &user)? {
                return Ok(EstUserAdded::Exists);
            }
            put(transaction.connection, &user)?;
            transaction.append(&event)?;
            transaction.after_commit(move || credentials.forget(&user.name));
            Ok(EstUserAdded::Added)
        };
        self.write("add EST user", change).await
    }

    async fn replace(&self, user: EstUser, event: Event) -> Result<bool, LedgerError> {
        let credentials = Arc::clone(&self.credentials);
        let change = move |transaction: &mut super::Transaction<'_>| {
            if !exists(transaction.connection, &user)? {
                return Ok(false);
            }
            enrollments::deny_all(transaction.connection, &user.name, Some(&user.endpoint), event.at)?;
            put(transaction.connection, &user)?;
            transaction.append(&event)?;
            transaction.after_commit(move || credentials.forget(&user.name));
            Ok(true)
        };
        self.write("replace EST user", change).await
    }

    async fn find_user(&self, name: &str, endpoint: &str) -> Result<Option<EstUser>, LedgerError> {
        let began = match self.credentials.get(name, endpoint) {
            Ok(user) => return Ok(Some(user)),
            Err(began) => began,
        };
        let found = self.readers.read(|connection| {
            let select = format!("SELECT {COLUMNS} FROM est_user WHERE name = ? AND endpoint = ?");
            connection.prepare_cached(&select)?.query_row([name, endpoint], Stored::read).optional()
        })?;
        let user = found.map(Stored::user).transpose()?;
        if let Some(user) = &user {
            self.credentials.remember(began, name.to_owned(), user);
        }
        Ok(user)
    }

    async fn list_users(&self, limit: usize, cursor: Option<Cursor>) -> Result<Page<(EstUser, u64)>, LedgerError> {
        let after: (String, String) = match cursor {
            None => (String::new(), String::new()),
            Some(cursor) => serde_json::from_str(&cursor.0).map_err(|_| LedgerError::BadCursor)?,
        };
        let items = self.read_at_length(move |connection| {
            let select = format!(
                "SELECT {COLUMNS}, (SELECT count(*) FROM certificate WHERE principal = name)
                 FROM est_user WHERE (name, endpoint) > (?, ?) ORDER BY name, endpoint LIMIT ?"
            );
            let read = |error: rusqlite::Error| ledger_error(&error);
            let mut select = connection.prepare(&select).map_err(read)?;
            let values = params![after.0, after.1, rows(limit)];
            let found = select.query_map(values, |row| Ok((Stored::read(row)?, row.get::<_, i64>(9)?))).map_err(read)?;
            found.map(|row| row.map_err(read).and_then(|(stored, count)| Ok((stored.user()?, count.cast_unsigned())))).collect()
        });
        Ok(page(items.await?, limit, |(user, _)| serde_json::json!([user.name, user.endpoint]).to_string()))
    }

    async fn remove(&self, name: &str, event: Event) -> Result<PrincipalRemoved, LedgerError> {
        let (name, credentials) = (name.to_owned(), Arc::clone(&self.credentials));
        let change = move |transaction: &mut super::Transaction<'_>| {
            let connection = transaction.connection;
            let had = "SELECT EXISTS (SELECT 1 FROM certificate WHERE principal = ?)";
            let had_certificates = connection.query_row(had, [&name], |row| row.get(0))?;
            let removed = PrincipalRemoved {
                credentials: connection.execute("DELETE FROM est_user WHERE name = ?", [&name])? as u64
                    + connection.execute("DELETE FROM scep_challenge WHERE principal = ?", [&name])? as u64,
                enrollments: enrollments::deny_all(connection, &name, None, event.at)?,
                had_certificates,
            };
            if removed == PrincipalRemoved::default() {
                return Ok(removed);
            }
            // A clock that was set back brings no certificate back.
            proofs::end_certificates(connection, &name)?;
            transaction.append(&event)?;
            transaction.after_commit(move || credentials.forget(&name));
            Ok(removed)
        };
        self.write("remove EST user", change).await
    }
}

/// Is there a credential of this name at this endpoint?
fn exists(connection: &Connection, user: &EstUser) -> rusqlite::Result<bool> {
    let select = "SELECT EXISTS (SELECT 1 FROM est_user WHERE name = ? AND endpoint = ?)";
    connection.query_row(select, [&user.name, &user.endpoint], |row| row.get(0))
}

/// Writes a credential, whether or not there is one.
fn put(connection: &Connection, user: &EstUser) -> rusqlite::Result<()> {
    let (kind, secret) = match &user.secret {
        SecretHash::Sha256(hash) => ("sha256", hash.as_slice()),
        SecretHash::Argon2id(phc) => ("argon2id", phc.as_bytes()),
    };
    let insert = format!("INSERT OR REPLACE INTO est_user ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    let (created, expires) = (number(user.created_at.millis()), user.expires_at.map(|time| number(time.millis())));
    let allow = write_patterns(&user.allow);
    let values =
        params![user.name, user.endpoint, kind, secret, allow, created, expires, user.uses.map(number), number(user.id)];
    connection.execute(&insert, values).map(drop)
}

/// A row, before what is in it is judged.
struct Stored {
    name: String,
    endpoint: String,
    secret_kind: String,
    secret: Vec<u8>,
    allow: String,
    created_at: i64,
    expires_at: Option<i64>,
    uses: Option<i64>,
    id: i64,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            endpoint: row.get(1)?,
            secret_kind: row.get(2)?,
            secret: row.get(3)?,
            allow: row.get(4)?,
            created_at: row.get(5)?,
            expires_at: row.get(6)?,
            uses: row.get(7)?,
            id: row.get(8)?,
        })
    }

    fn user(self) -> Result<EstUser, LedgerError> {
        let secret = match self.secret_kind.as_str() {
            "sha256" => <[u8; 32]>::try_from(self.secret).ok().map(SecretHash::Sha256),
            "argon2id" => String::from_utf8(self.secret).ok().map(SecretHash::Argon2id),
            _ => None,
        };
        let time = |millis: i64| Timestamp::from_millis(millis.cast_unsigned());
        Ok(EstUser {
            name: self.name,
            endpoint: self.endpoint,
            secret: secret.ok_or_else(|| damaged("the secret of an EST user"))?,
            allow: read_patterns(&self.allow).ok_or_else(|| damaged("the names of an EST user"))?,
            created_at: time(self.created_at),
            expires_at: self.expires_at.map(time),
            uses: self.uses.map(i64::cast_unsigned),
            id: self.id.cast_unsigned(),
        })
    }
}
