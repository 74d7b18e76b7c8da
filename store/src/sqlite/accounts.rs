//! Accounts of ACME.

use async_trait::async_trait;
use certgate_enrollment::{Account, AccountAdded, Accounts, Event, LedgerError};
use certgate_pki::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::audit_chain::number;
use super::writer::WriteError;
use super::{SqliteLedger, damaged};

const COLUMNS: &str = "id, endpoint, thumbprint, public_key, contact, created_at, is_valid";

#[async_trait]
impl Accounts for SqliteLedger {
    async fn add_account(&self, account: Account, event: Event) -> Result<AccountAdded, LedgerError> {
        let change = move |transaction: &mut super::Transaction<'_>| {
            let connection = transaction.connection;
            let of_key: [&dyn ToSql; 2] = [&account.thumbprint, &account.endpoint];
            if let Some(found) = select(connection, "thumbprint = ? AND endpoint = ?", &of_key)? {
                let found = found.account().map_err(WriteError::Refused)?;
                return Ok(AccountAdded::Exists(Box::new(found)));
            }
            let insert = format!("INSERT INTO account ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)");
            let values = params![
                number(account.id),
                account.endpoint,
                account.thumbprint,
                account.public_key,
                serde_json::Value::from(account.contact.clone()).to_string(),
                number(account.created_at.millis()),
                account.is_valid,
            ];
            connection.execute(&insert, values)?;
            transaction.append(&event)?;
            Ok(AccountAdded::Added)
        };
        self.write("add account", change).await
    }

    async fn find_account(&self, endpoint: &str, id: u64) -> Result<Option<Account>, LedgerError> {
        // Nothing changes an account yet; what will has to forget it, after its commit.
        let began = match self.accounts.get(&id, endpoint) {
            Ok(account) => return Ok(Some(account)),
            Err(began) => began,
        };
        let of_id: [&dyn ToSql; 2] = [&number(id), &endpoint];
        let found = self.readers.read(|connection| select(connection, "id = ? AND endpoint = ?", &of_id))?;
        let account = found.map(Stored::account).transpose()?;
        if let Some(account) = &account {
            self.accounts.remember(began, id, account);
        }
        Ok(account)
    }

    async fn find_account_by_key(&self, endpoint: &str, thumbprint: &str) -> Result<Option<Account>, LedgerError> {
        let of_key: [&dyn ToSql; 2] = [&thumbprint, &endpoint];
        let found = self.readers.read(|connection| select(connection, "thumbprint = ? AND endpoint = ?", &of_key))?;
        found.map(Stored::account).transpose()
    }
}

fn select(connection: &Connection, condition: &str, values: &[&dyn ToSql]) -> rusqlite::Result<Option<Stored>> {
    let select = format!("SELECT {COLUMNS} FROM account WHERE {condition}");
    connection.prepare_cached(&select)?.query_row(values, Stored::read).optional()
}

/// A row, before what is in it is judged.
struct Stored {
    id: i64,
    endpoint: String,
    thumbprint: String,
    public_key: Vec<u8>,
    contact: String,
    created_at: i64,
    is_valid: bool,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            endpoint: row.get(1)?,
            thumbprint: row.get(2)?,
            public_key: row.get(3)?,
            contact: row.get(4)?,
            created_at: row.get(5)?,
            is_valid: row.get(6)?,
        })
    }

    fn account(self) -> Result<Account, LedgerError> {
        Ok(Account {
            id: self.id.cast_unsigned(),
            endpoint: self.endpoint,
            thumbprint: self.thumbprint,
            public_key: self.public_key,
            contact: serde_json::from_str(&self.contact).map_err(|_| damaged("the contact of an account"))?,
            created_at: Timestamp::from_millis(self.created_at.cast_unsigned()),
            is_valid: self.is_valid,
        })
    }
}
