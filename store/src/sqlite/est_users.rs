//! Credentials for EST with HTTP Basic.

use std::sync::Arc;

use async_trait::async_trait;
use certgate_enrollment::{Cursor, EstUser, EstUserAdded, EstUsers, Event, LedgerError, Page, SecretHash};
use certgate_pki::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::audit_chain::number;
use super::page::{page, rows};
use super::{SqliteLedger, damaged, ledger_error};

const COLUMNS: &str = "name, endpoint, secret_kind, secret, allow, created_at, expires_at";

#[async_trait]
impl EstUsers for SqliteLedger {
    async fn add(&self, user: EstUser, event: Event) -> Result<EstUserAdded, LedgerError> {
        let allow: Vec<String> = user.allow.iter().map(ToString::to_string).collect();
        let allow = serde_json::Value::from(allow).to_string();
        let credentials = Arc::clone(&self.credentials);
        let change = move |transaction: &mut super::Transaction<'_>| {
            let SecretHash::Sha256(secret) = user.secret;
            let insert = "INSERT INTO est_user (name, endpoint, secret_kind, secret, allow, created_at, expires_at)
                          VALUES (?, ?, 'sha256', ?, ?, ?, ?) ON CONFLICT DO NOTHING";
            let (created, expires) = (number(user.created_at.millis()), user.expires_at.map(|time| number(time.millis())));
            let values = params![user.name, user.endpoint, secret, allow, created, expires];
            if transaction.connection.execute(insert, values)? == 0 {
                return Ok(EstUserAdded::Exists);
            }
            transaction.append(&event)?;
            transaction.when_committed(move || credentials.forget(&user.name));
            Ok(EstUserAdded::Added)
        };
        self.write("add EST user", change).await
    }

    async fn find_user(&self, name: &str, endpoint: &str) -> Result<Option<EstUser>, LedgerError> {
        let began = match self.credentials.get(name, endpoint) {
            Ok(user) => return Ok(Some(user)),
            Err(began) => began,
        };
        let found = self.readers.read(|connection| {
            let select = "SELECT name, endpoint, secret_kind, secret, allow, created_at, expires_at FROM est_user
                          WHERE name = ? AND endpoint = ?";
            connection.prepare_cached(select)?.query_row([name, endpoint], Stored::read).optional()
        })?;
        let user = found.map(Stored::user).transpose()?;
        if let Some(user) = &user {
            self.credentials.remember(began, user);
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
            let found = select.query_map(values, |row| Ok((Stored::read(row)?, row.get::<_, i64>(7)?))).map_err(read)?;
            found.map(|row| row.map_err(read).and_then(|(stored, count)| Ok((stored.user()?, count.cast_unsigned())))).collect()
        });
        Ok(page(items.await?, limit, |(user, _)| serde_json::json!([user.name, user.endpoint]).to_string()))
    }

    async fn remove(&self, name: &str, event: Event) -> Result<u64, LedgerError> {
        let (name, credentials) = (name.to_owned(), Arc::clone(&self.credentials));
        let change = move |transaction: &mut super::Transaction<'_>| {
            let removed = transaction.connection.execute("DELETE FROM est_user WHERE name = ?", [&name])?;
            if removed > 0 {
                transaction.append(&event)?;
                transaction.when_committed(move || credentials.forget(&name));
            }
            Ok(removed as u64)
        };
        self.write("remove EST user", change).await
    }
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
        })
    }

    fn user(self) -> Result<EstUser, LedgerError> {
        let secret = match (self.secret_kind.as_str(), <[u8; 32]>::try_from(self.secret)) {
            ("sha256", Ok(hash)) => SecretHash::Sha256(hash),
            _ => return Err(damaged("the secret of an EST user")),
        };
        let allow: Vec<String> = serde_json::from_str(&self.allow).map_err(|_| damaged("the names of an EST user"))?;
        let allow = allow.iter().map(|pattern| pattern.parse()).collect::<Result<_, _>>();
        let time = |millis: i64| Timestamp::from_millis(millis.cast_unsigned());
        Ok(EstUser {
            name: self.name,
            endpoint: self.endpoint,
            secret,
            allow: allow.map_err(|_| damaged("the names of an EST user"))?,
            created_at: time(self.created_at),
            expires_at: self.expires_at.map(time),
        })
    }
}
