//! Enrollments that are asked about again: those that wait for a person, transactions of SCEP, orders of ACME.

use async_trait::async_trait;
use certgate_enrollment::{
    CertificateRecord, EnrollmentId, EnrollmentKey, EnrollmentQuery, EnrollmentRecord, EnrollmentState, Enrollments, Event,
    LedgerError, NewEnrollment, Operation, Page, Proof, Protocol, Standing, Submitted,
};
use certgate_pki::{Serial, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::audit_chain::number;
use super::page::{page, rows};
use super::patterns::{read_patterns, write_patterns};
use super::writer::WriteError;
use super::{SqliteLedger, damaged, ledger_error, proofs};

const COLUMNS: &str =
    "id, protocol, endpoint, operation, principal, info_sha256, profile, authority, grants, credential, voucher, renews,
                       may_omit, csr, csr_sha256, created_at, state, changed_at, reason, serial, transaction_name, challenge, account";
/// By what makes two requests the same one.
pub(super) const OF_KEY: &str =
    "info_sha256 = ? AND principal = ? AND protocol = ? AND endpoint = ? AND operation = ? AND transaction_name = ?";
pub(super) const OF_TRANSACTION: &str = "transaction_name = ? AND endpoint = ? AND protocol = ? AND transaction_name <> ''";
const IS_WAITING: &str = "state IN ('pending', 'approved')";
const MAY_BE_ISSUED: &str = "state IN ('pending', 'approved', 'failed')";

#[async_trait]
impl Enrollments for SqliteLedger {
    async fn submit(&self, new: NewEnrollment, most: u64, event: Event) -> Result<Submitted, LedgerError> {
        let change = move |transaction: &mut super::Transaction<'_>| {
            let (connection, enrollment) = (transaction.connection, &new.record);
            let select = format!("SELECT number, {COLUMNS} FROM enrollment WHERE {OF_KEY} AND {IS_WAITING}");
            let found = connection.prepare_cached(&select)?.query_row(key_values(&enrollment.key), Stored::read).optional()?;
            if let Some(found) = found {
                return found.record().map(|record| Submitted::Exists(Box::new(record))).map_err(WriteError::Refused);
            }
            if !is_next(connection, &new)? {
                return Ok(Submitted::Overtaken);
            }
            let count = format!("SELECT count(*) FROM enrollment WHERE principal = ? AND voucher IS ? AND {IS_WAITING}");
            let of = params![enrollment.key.principal, enrollment.proof.certificate().map(Serial::as_octets)];
            let waiting: i64 = connection.prepare_cached(&count)?.query_row(of, |row| row.get(0))?;
            if waiting.cast_unsigned() >= most {
                return Ok(Submitted::TooMany);
            }
            let key = &enrollment.key;
            let at = (key.principal.as_str(), key.endpoint.as_str(), enrollment.authority.as_str());
            match proofs::standing(connection, &enrollment.proof, at)? {
                Standing::Good => {}
                Standing::UsedUp => return Ok(Submitted::CredentialUsedUp),
                Standing::Ended => return Ok(Submitted::ProofEnded),
            }
            insert(connection, enrollment)?;
            transaction.append(&event)?;
            Ok(Submitted::Created)
        };
        self.write("submit enrollment", change).await
    }

    async fn find_by_key(&self, key: &EnrollmentKey, since: Timestamp) -> Result<Option<EnrollmentRecord>, LedgerError> {
        let found = self.readers.read(|connection| {
            let select = format!(
                "SELECT number, {COLUMNS} FROM enrollment WHERE {OF_KEY} AND ({IS_WAITING} OR changed_at >= ?)
                 ORDER BY number DESC LIMIT 1"
            );
            let mut values = key_values(key).to_vec();
            values.push(Value::Integer(number(since.millis())));
            connection.prepare_cached(&select)?.query_row(params_from_iter(values), Stored::read).optional()
        })?;
        found.map(Stored::record).transpose()
    }

    async fn find_by_transaction(
        &self,
        protocol: Protocol,
        endpoint: &str,
        transaction: &str,
    ) -> Result<Option<EnrollmentRecord>, LedgerError> {
        let found = self.readers.read(|connection| {
            let select =
                format!("SELECT number, {COLUMNS} FROM enrollment WHERE {OF_TRANSACTION} ORDER BY number DESC LIMIT 1");
            let values = [transaction, endpoint, protocol.name()];
            connection.prepare_cached(&select)?.query_row(values, Stored::read).optional()
        })?;
        found.map(Stored::record).transpose()
    }

    async fn find_by_id(&self, id: &EnrollmentId) -> Result<Option<EnrollmentRecord>, LedgerError> {
        self.find_one("id = ?", Value::Text(id.to_string()))
    }

    async fn find_by_csr(&self, csr_sha256: &[u8; 32], most: usize) -> Result<Vec<EnrollmentRecord>, LedgerError> {
        let found: Vec<Stored> = self.readers.read(|connection| {
            let select = format!(
                "SELECT number, {COLUMNS} FROM enrollment WHERE csr_sha256 = ?
                 ORDER BY {MAY_BE_ISSUED} DESC, number DESC LIMIT ?"
            );
            let mut select = connection.prepare_cached(&select)?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            select.query_map(params![csr_sha256.as_slice(), most], Stored::read)?.collect()
        })?;
        let found = found.into_iter().map(Stored::record).collect::<Result<Vec<_>, _>>()?;
        let are_open = found.first().is_some_and(|first| first.state.may_be_issued());
        Ok(found.into_iter().filter(|one| one.state.may_be_issued() == are_open).collect())
    }

    async fn standing(&self, enrollment: &EnrollmentRecord, authority: &str) -> Result<Standing, LedgerError> {
        let key = &enrollment.key;
        let at = (key.principal.as_str(), key.endpoint.as_str(), authority);
        self.readers.read(|connection| proofs::standing(connection, &enrollment.proof, at))
    }

    async fn advance(
        &self,
        enrollment: &EnrollmentRecord,
        next: EnrollmentState,
        reason: &str,
        event: Event,
    ) -> Result<bool, LedgerError> {
        if next == EnrollmentState::Issued {
            return Err(LedgerError::Conflict("an enrollment is issued with its certificate only"));
        }
        let (id, expected, reason) = (enrollment.id.to_string(), enrollment.state, reason.to_owned());
        let change = move |transaction: &mut super::Transaction<'_>| {
            let update = "UPDATE enrollment SET state = ?, changed_at = ?, reason = ? WHERE id = ? AND state = ?";
            let values = params![next.name(), number(event.at.millis()), reason, id, expected.name()];
            if transaction.connection.execute(update, values)? == 0 {
                return Ok(false);
            }
            transaction.append(&event)?;
            Ok(true)
        };
        self.write("advance enrollment", change).await
    }

    async fn list_enrollments(&self, query: EnrollmentQuery) -> Result<Page<EnrollmentRecord>, LedgerError> {
        let mut conditions = vec!["TRUE"];
        let mut values = Vec::new();
        if let Some(state) = query.state {
            conditions.push("state = ?");
            values.push(Value::Text(state.name().to_owned()));
        }
        if let Some(cursor) = &query.cursor {
            conditions.push("number < ?");
            values.push(Value::Integer(cursor.0.parse().map_err(|_| LedgerError::BadCursor)?));
        }
        values.push(Value::Integer(rows(query.limit)));
        let conditions = conditions.join(" AND ");
        let items = self.read_at_length(move |connection| {
            let read = |error: rusqlite::Error| ledger_error(&error);
            let select = format!("SELECT number, {COLUMNS} FROM enrollment WHERE {conditions} ORDER BY number DESC LIMIT ?");
            let mut select = connection.prepare(&select).map_err(read)?;
            let found = select.query_map(params_from_iter(values), Stored::read).map_err(read)?;
            found
                .map(|row| row.map_err(read).and_then(|stored| Ok((stored.number, stored.record()?))))
                .collect::<Result<Vec<_>, _>>()
        });
        let page = page(items.await?, query.limit, |(number, _)| number.to_string());
        Ok(Page { items: page.items.into_iter().map(|(_, record)| record).collect(), next: page.next })
    }
}

impl SqliteLedger {
    /// The newest enrollment that fulfils a condition of one value.
    fn find_one(&self, condition: &str, value: Value) -> Result<Option<EnrollmentRecord>, LedgerError> {
        let found = self.readers.read(|connection| {
            let select = format!("SELECT number, {COLUMNS} FROM enrollment WHERE {condition} ORDER BY number DESC LIMIT 1");
            connection.prepare_cached(&select)?.query_row([value], Stored::read).optional()
        })?;
        found.map(Stored::record).transpose()
    }
}

/// Is the newest enrollment of its transaction the one that it says, or is there none?
pub(super) fn is_next(connection: &Connection, new: &NewEnrollment) -> rusqlite::Result<bool> {
    let key = &new.record.key;
    let Some(transaction) = &key.transaction else { return Ok(true) };
    let select = format!("SELECT id FROM enrollment WHERE {OF_TRANSACTION} ORDER BY number DESC LIMIT 1");
    let values = [transaction, &key.endpoint, key.protocol.name()];
    let newest: Option<String> = connection.prepare_cached(&select)?.query_row(values, |row| row.get(0)).optional()?;
    Ok(newest.as_deref() == new.after.as_ref().map(EnrollmentId::as_str))
}

/// Was it approved, and not issued yet?
pub(super) fn is_approved(connection: &Connection, id: &EnrollmentId) -> rusqlite::Result<bool> {
    let select = "SELECT EXISTS (SELECT 1 FROM enrollment WHERE id = ? AND state = 'approved')";
    connection.prepare_cached(select)?.query_row([id.as_str()], |row| row.get(0))
}

/// It is issued: a part of recording its certificate.
pub(super) fn fulfil(connection: &Connection, id: &EnrollmentId, certificate: &CertificateRecord) -> rusqlite::Result<()> {
    let update = "UPDATE enrollment SET state = 'issued', changed_at = ?, reason = '', serial = ?, authority = ? WHERE id = ?";
    let CertificateRecord { serial, authority, issued_at, .. } = certificate;
    let values = params![number(issued_at.millis()), serial.as_octets(), authority, id.as_str()];
    connection.prepare_cached(update)?.execute(values).map(drop)
}

/// Denies whatever a principal has waiting, everywhere or at one endpoint; says how many that were.
pub(super) fn deny_all(
    connection: &Connection,
    principal: &str,
    endpoint: Option<&str>,
    at: Timestamp,
) -> rusqlite::Result<u64> {
    let reason = match endpoint {
        None => "the principal was removed",
        Some(_) => "the credential was replaced; ask again with the new one",
    };
    let update = format!(
        "UPDATE enrollment SET state = 'denied', changed_at = ?1, reason = ?2
         WHERE principal = ?3 AND {IS_WAITING} AND (?4 IS NULL OR endpoint = ?4 AND credential IS NOT NULL)"
    );
    connection.execute(&update, params![number(at.millis()), reason, principal, endpoint]).map(|denied| denied as u64)
}

fn key_values(key: &EnrollmentKey) -> [Value; 6] {
    let text = |text: &str| Value::Text(text.to_owned());
    [
        Value::Blob(key.info_sha256.to_vec()),
        text(&key.principal),
        text(key.protocol.name()),
        text(&key.endpoint),
        text(key.operation.name()),
        text(key.transaction.as_deref().unwrap_or_default()),
    ]
}

/// Records an enrollment.
pub(super) fn insert(connection: &Connection, enrollment: &EnrollmentRecord) -> rusqlite::Result<()> {
    let insert = format!(
        "INSERT INTO enrollment ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    );
    let key = &enrollment.key;
    let credential = enrollment.proof.credential().map(number);
    let (challenge, account) = match enrollment.proof {
        Proof::Challenge(id) => (Some(number(id)), None),
        Proof::Account(id) => (None, Some(number(id))),
        Proof::Credential(_) | Proof::Certificate(_) | Proof::Both(..) => (None, None),
    };
    let voucher = enrollment.proof.certificate().map(Serial::as_octets);
    let values = params![
        enrollment.id.as_str(),
        key.protocol.name(),
        key.endpoint,
        key.operation.name(),
        key.principal,
        key.info_sha256,
        enrollment.profile,
        enrollment.authority,
        write_patterns(&enrollment.grants),
        credential,
        voucher,
        enrollment.renews.as_ref().map(Serial::as_octets),
        enrollment.may_omit_names,
        enrollment.csr,
        enrollment.csr_sha256,
        number(enrollment.created_at.millis()),
        enrollment.state.name(),
        number(enrollment.changed_at.millis()),
        enrollment.reason,
        enrollment.serial.as_ref().map(Serial::as_octets),
        key.transaction.as_deref().unwrap_or_default(),
        challenge,
        account,
    ];
    connection.prepare_cached(&insert)?.execute(values).map(drop)
}

/// A row, before what is in it is judged.
struct Stored {
    number: i64,
    id: String,
    protocol: String,
    endpoint: String,
    operation: String,
    principal: String,
    info_sha256: [u8; 32],
    profile: String,
    authority: String,
    grants: String,
    proof: (Option<i64>, Option<Vec<u8>>, Option<i64>, Option<i64>),
    renews: Option<Vec<u8>>,
    may_omit_names: bool,
    csr: Vec<u8>,
    csr_sha256: [u8; 32],
    created_at: i64,
    state: String,
    changed_at: i64,
    reason: String,
    serial: Option<Vec<u8>>,
    transaction: String,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            protocol: row.get(2)?,
            endpoint: row.get(3)?,
            operation: row.get(4)?,
            principal: row.get(5)?,
            info_sha256: row.get(6)?,
            profile: row.get(7)?,
            authority: row.get(8)?,
            grants: row.get(9)?,
            proof: (row.get(10)?, row.get(11)?, row.get(22)?, row.get(23)?),
            renews: row.get(12)?,
            may_omit_names: row.get(13)?,
            csr: row.get(14)?,
            csr_sha256: row.get(15)?,
            created_at: row.get(16)?,
            state: row.get(17)?,
            changed_at: row.get(18)?,
            reason: row.get(19)?,
            serial: row.get(20)?,
            transaction: row.get(21)?,
        })
    }

    fn record(self) -> Result<EnrollmentRecord, LedgerError> {
        let time = |millis: i64| Timestamp::from_millis(millis.cast_unsigned());
        let serial = |octets: Option<Vec<u8>>| {
            octets.map(|octets| Serial::from_octets(&octets).ok_or_else(|| damaged("a serial number"))).transpose()
        };
        let proof = match self.proof {
            (Some(id), None, None, None) => Some(Proof::Credential(id.cast_unsigned())),
            (None, Some(octets), None, None) => Serial::from_octets(&octets).map(Proof::Certificate),
            (Some(id), Some(octets), None, None) => {
                Serial::from_octets(&octets).map(|serial| Proof::Both(serial, id.cast_unsigned()))
            }
            (None, None, Some(id), None) => Some(Proof::Challenge(id.cast_unsigned())),
            (None, None, None, Some(id)) => Some(Proof::Account(id.cast_unsigned())),
            _ => None,
        };
        let key = EnrollmentKey {
            protocol: Protocol::from_name(&self.protocol).ok_or_else(|| damaged("the protocol of an enrollment"))?,
            endpoint: self.endpoint,
            operation: Operation::from_name(&self.operation).ok_or_else(|| damaged("the operation of an enrollment"))?,
            principal: self.principal,
            info_sha256: self.info_sha256,
            transaction: Some(self.transaction).filter(|name| !name.is_empty()),
        };
        Ok(EnrollmentRecord {
            id: EnrollmentId::parse(&self.id).ok_or_else(|| damaged("the id of an enrollment"))?,
            key,
            profile: self.profile,
            authority: self.authority,
            grants: read_patterns(&self.grants).ok_or_else(|| damaged("the names of an enrollment"))?,
            proof: proof.ok_or_else(|| damaged("the proof of an enrollment"))?,
            renews: serial(self.renews)?,
            may_omit_names: self.may_omit_names,
            csr: self.csr,
            csr_sha256: self.csr_sha256,
            created_at: time(self.created_at),
            state: EnrollmentState::from_name(&self.state).ok_or_else(|| damaged("the state of an enrollment"))?,
            changed_at: time(self.changed_at),
            reason: self.reason,
            serial: serial(self.serial)?,
        })
    }
}
