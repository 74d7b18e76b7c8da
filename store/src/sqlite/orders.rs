//! Orders of ACME, and their authorizations.

use async_trait::async_trait;
use certgate_enrollment::{
    AuthorizationRecord, AuthorizationState, Event, LedgerError, OrderAdded, OrderRecord, Orders, ValidationError,
};
use certgate_pki::{DnsName, GeneralName, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::audit_chain::number;
use super::{SqliteLedger, damaged};

const COLUMNS: &str = "id, order_id, endpoint, account, name, token, expires_at, state, changed_at, error_kind, error";

#[async_trait]
impl Orders for SqliteLedger {
    async fn add_order(
        &self,
        order: OrderRecord,
        authorizations: Vec<AuthorizationRecord>,
        most: u64,
        event: Event,
    ) -> Result<OrderAdded, LedgerError> {
        let change = move |transaction: &mut super::Transaction<'_>| {
            let connection = transaction.connection;
            // What has expired counts for nothing. From the index alone, and no further than it matters: this is the one writer.
            let count = "SELECT count(*) FROM (SELECT 1 FROM authorization
                         WHERE account = ? AND state IN ('pending', 'processing') AND expires_at > ? LIMIT ?)";
            let open = params![number(order.account), number(event.at.millis()), number(most)];
            let open: i64 = connection.prepare_cached(count)?.query_row(open, |row| row.get(0))?;
            if open.cast_unsigned() + authorizations.len() as u64 > most {
                return Ok(OrderAdded::TooMany);
            }
            let insert = "INSERT INTO acme_order (id, endpoint, account, created_at, expires_at) VALUES (?, ?, ?, ?, ?)";
            let times = (number(order.created_at.millis()), number(order.expires_at.millis()));
            let values = params![order.id, order.endpoint, number(order.account), times.0, times.1];
            connection.prepare_cached(insert)?.execute(values)?;
            for authorization in &authorizations {
                insert_authorization(connection, authorization)?;
            }
            transaction.append(&event)?;
            Ok(OrderAdded::Added)
        };
        self.write("add order", change).await
    }

    async fn find_order(
        &self,
        endpoint: &str,
        id: &str,
    ) -> Result<Option<(OrderRecord, Vec<AuthorizationRecord>)>, LedgerError> {
        let found = self.readers.read(|connection| {
            let select = "SELECT id, endpoint, account, created_at, expires_at FROM acme_order WHERE id = ? AND endpoint = ?";
            let order = connection.prepare_cached(select)?.query_row([id, endpoint], read_order).optional()?;
            Ok((order, select_authorizations(connection, "order_id = ? ORDER BY number", &[&id])?))
        })?;
        let (Some(order), stored) = found else { return Ok(None) };
        Ok(Some((order, stored.into_iter().map(Stored::record).collect::<Result<_, _>>()?)))
    }

    async fn find_authorization(&self, endpoint: &str, id: &str) -> Result<Option<AuthorizationRecord>, LedgerError> {
        let values: [&dyn ToSql; 2] = [&id, &endpoint];
        let found = self.readers.read(|connection| select_authorizations(connection, "id = ? AND endpoint = ?", &values))?;
        found.into_iter().next().map(Stored::record).transpose()
    }

    async fn advance_authorization(
        &self,
        authorization: &AuthorizationRecord,
        next: AuthorizationState,
        error: Option<ValidationError>,
        event: Event,
    ) -> Result<bool, LedgerError> {
        let (id, expected) = (authorization.id.clone(), authorization.state);
        let change = move |transaction: &mut super::Transaction<'_>| {
            let update = "UPDATE authorization SET state = ?, changed_at = ?, error_kind = ?, error = ?
                          WHERE id = ? AND state = ?";
            let (kind, detail) = error.as_ref().map(|error| (&error.kind, &error.detail)).unzip();
            let values = params![next.name(), number(event.at.millis()), kind, detail, id, expected.name()];
            if transaction.connection.prepare_cached(update)?.execute(values)? == 0 {
                return Ok(false);
            }
            transaction.append(&event)?;
            Ok(true)
        };
        self.write("advance authorization", change).await
    }

    async fn processing_authorizations(&self, endpoint: &str, most: usize) -> Result<Vec<AuthorizationRecord>, LedgerError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let values: [&dyn ToSql; 2] = [&endpoint, &most];
        let found = self.readers.read(|connection| {
            // As the index over those that are open has it.
            let condition =
                "state IN ('pending', 'processing') AND state = 'processing' AND endpoint = ? ORDER BY number LIMIT ?";
            select_authorizations(connection, condition, &values)
        })?;
        found.into_iter().map(Stored::record).collect()
    }
}

fn read_order(row: &Row<'_>) -> rusqlite::Result<OrderRecord> {
    let time = |millis: i64| Timestamp::from_millis(millis.cast_unsigned());
    Ok(OrderRecord {
        id: row.get(0)?,
        endpoint: row.get(1)?,
        account: row.get::<_, i64>(2)?.cast_unsigned(),
        created_at: time(row.get(3)?),
        expires_at: time(row.get(4)?),
    })
}

fn insert_authorization(connection: &Connection, authorization: &AuthorizationRecord) -> rusqlite::Result<()> {
    let insert = format!("INSERT INTO authorization ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    let error = authorization.error.as_ref();
    let values = params![
        authorization.id,
        authorization.order,
        authorization.endpoint,
        number(authorization.account),
        authorization.name.to_string(),
        authorization.token,
        number(authorization.expires_at.millis()),
        authorization.state.name(),
        number(authorization.changed_at.millis()),
        error.map(|error| &error.kind),
        error.map(|error| &error.detail),
    ];
    connection.prepare_cached(&insert)?.execute(values).map(drop)
}

fn select_authorizations(connection: &Connection, condition: &str, values: &[&dyn ToSql]) -> rusqlite::Result<Vec<Stored>> {
    let mut select = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM authorization WHERE {condition}"))?;
    select.query_map(values, Stored::read)?.collect()
}

/// A row, before what is in it is judged.
struct Stored {
    id: String,
    order: String,
    endpoint: String,
    account: i64,
    name: String,
    token: String,
    expires_at: i64,
    state: String,
    changed_at: i64,
    error: (Option<String>, Option<String>),
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            order: row.get(1)?,
            endpoint: row.get(2)?,
            account: row.get(3)?,
            name: row.get(4)?,
            token: row.get(5)?,
            expires_at: row.get(6)?,
            state: row.get(7)?,
            changed_at: row.get(8)?,
            error: (row.get(9)?, row.get(10)?),
        })
    }

    fn record(self) -> Result<AuthorizationRecord, LedgerError> {
        let time = |millis: i64| Timestamp::from_millis(millis.cast_unsigned());
        let error = match self.error {
            (Some(kind), Some(detail)) => Some(ValidationError { kind, detail }),
            _ => None,
        };
        Ok(AuthorizationRecord {
            id: self.id,
            order: self.order,
            endpoint: self.endpoint,
            account: self.account.cast_unsigned(),
            name: read_name(&self.name).ok_or_else(|| damaged("the name in an authorization"))?,
            token: self.token,
            expires_at: time(self.expires_at),
            state: AuthorizationState::from_name(&self.state).ok_or_else(|| damaged("the state of an authorization"))?,
            changed_at: time(self.changed_at),
            error,
        })
    }
}

/// Reads a name as it is displayed.
fn read_name(text: &str) -> Option<GeneralName> {
    match text.split_once(':')? {
        ("dns", name) => DnsName::parse(name).ok().map(GeneralName::Dns),
        ("ip", address) => address.parse().ok().map(GeneralName::Ip),
        _ => None,
    }
}
