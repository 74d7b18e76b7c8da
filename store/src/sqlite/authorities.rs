//! Base URLs that authorities have written into certificates; certificates of authorities that were signed outside; keys that are kept
//! elsewhere.

use async_trait::async_trait;
use certgate_enrollment::{Authorities, Event, LedgerError};
use certgate_pki::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteLedger;
use super::audit_chain::number;

#[async_trait]
impl Authorities for SqliteLedger {
    async fn use_base_url(&self, authority: &str, url: &str, event: Event) -> Result<bool, LedgerError> {
        let (authority, url) = (authority.to_owned(), url.to_owned());
        let change = move |transaction: &mut super::Transaction<'_>| {
            let newest = "SELECT url FROM base_url WHERE authority = ? ORDER BY id DESC LIMIT 1";
            let newest: Option<String> = transaction.connection.query_row(newest, [&authority], |row| row.get(0)).optional()?;
            if newest.as_ref() == Some(&url) {
                return Ok(false);
            }
            let insert = "INSERT INTO base_url (authority, url, since) VALUES (?, ?, ?)";
            transaction.connection.execute(insert, params![authority, url, number(event.at.millis())])?;
            transaction.append(&event)?;
            Ok(true)
        };
        self.write("use base URL", change).await
    }

    async fn base_urls(&self, authority: &str) -> Result<Vec<String>, LedgerError> {
        self.readers.read(|connection| {
            let mut all =
                connection.prepare_cached("SELECT url FROM base_url WHERE authority = ? GROUP BY url ORDER BY min(id)")?;
            all.query_map([authority], |row| row.get(0))?.collect()
        })
    }

    async fn import_certificate(&self, authority: &str, der: &[u8], event: Event) -> Result<(), LedgerError> {
        let (authority, der) = (authority.to_owned(), der.to_owned());
        let change = move |transaction: &mut super::Transaction<'_>| {
            let insert = "INSERT INTO authority_certificate (authority, imported_at, der) VALUES (?, ?, ?)";
            transaction.connection.execute(insert, params![authority, number(event.at.millis()), der])?;
            transaction.append(&event)
        };
        self.write("import certificate", change).await
    }

    async fn imported_certificate(&self, authority: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        self.readers.read(|connection| {
            let select = "SELECT der FROM authority_certificate WHERE authority = ? ORDER BY id DESC LIMIT 1";
            connection.prepare_cached(select)?.query_row([authority], |row| row.get(0)).optional()
        })
    }

    async fn take_offline(&self, authority: &str, event: Event) -> Result<bool, LedgerError> {
        self.move_key(authority, true, event).await
    }

    async fn bring_back(&self, authority: &str, event: Event) -> Result<bool, LedgerError> {
        self.move_key(authority, false, event).await
    }

    async fn offline_since(&self, authority: &str) -> Result<Option<Timestamp>, LedgerError> {
        let since = self.readers.read(|connection| offline_since(connection, authority))?;
        Ok(since.map(|at| Timestamp::from_millis(at.cast_unsigned())))
    }
}

impl SqliteLedger {
    async fn move_key(&self, authority: &str, is_offline: bool, event: Event) -> Result<bool, LedgerError> {
        let authority = authority.to_owned();
        let change = move |transaction: &mut super::Transaction<'_>| {
            if offline_since(transaction.connection, &authority)?.is_some() == is_offline {
                return Ok(false);
            }
            let insert = "INSERT INTO authority_key (authority, at, is_offline) VALUES (?, ?, ?)";
            transaction.connection.execute(insert, params![authority, number(event.at.millis()), is_offline])?;
            transaction.append(&event)?;
            Ok(true)
        };
        self.write("move the key of an authority", change).await
    }
}

fn offline_since(connection: &Connection, authority: &str) -> rusqlite::Result<Option<i64>> {
    let select = "SELECT at, is_offline FROM authority_key WHERE authority = ? ORDER BY id DESC LIMIT 1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?));
    let newest = connection.prepare_cached(select)?.query_row([authority], row).optional()?;
    Ok(newest.filter(|(_, is_offline)| *is_offline).map(|(at, _)| at))
}
