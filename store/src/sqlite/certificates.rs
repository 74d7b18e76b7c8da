//! Certificates, and what became of them.

use std::sync::Arc;

use async_trait::async_trait;
use certgate_enrollment::{
    Along, CertificateQuery, CertificateRecord, CertificateRecorded, CertificateState, CertificateStatus, Certificates, Cursor,
    Event, LedgerError, Page, Protocol, Standing, StatusName,
};
use certgate_pki::{Serial, Timestamp, Validity};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};

use super::audit_chain::number;
use super::page::{page, rows};
use super::status::{StatusColumns, second};
use super::statuses::Watchers;
use super::writer::WriteError;
use super::{SqliteLedger, damaged, enrollments, ledger_error, proofs, statuses};

const SELECT: &str =
    "SELECT id, serial, authority, profile, protocol, endpoint, principal, not_before, not_after, shard, no_rev_avail,
                      issued_at, status, reason, changed_at, invalid_since, asked_subject, der,
                      id <= coalesce((SELECT up_to FROM ended_principal WHERE name = principal), 0)
                      FROM certificate";
const INSERT: &str =
    "INSERT INTO certificate (serial, authority, profile, protocol, endpoint, principal, not_before, not_after,
                      shard, no_rev_avail, issued_at, status, reason, changed_at, invalid_since, asked_subject, der)
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

#[async_trait]
impl Certificates for SqliteLedger {
    async fn record(
        &self,
        certificate: CertificateRecord,
        along: Along,
        event: Event,
    ) -> Result<CertificateRecorded, LedgerError> {
        let (credentials, watchers) = (Arc::clone(&self.credentials), self.watchers.clone());
        let change = move |transaction: &mut super::Transaction<'_>| {
            let connection = transaction.connection;
            // What may say no is asked first: a change that is refused has written nothing. Whether it was issued already comes before the
            // use that this has spent.
            if let Some(id) = &along.fulfils
                && !enrollments::is_approved(connection, id)?
            {
                return Ok(CertificateRecorded::NotAwaited);
            }
            if let Some(new) = &along.concludes
                && !enrollments::is_next(connection, new)?
            {
                return Ok(CertificateRecorded::NotAwaited);
            }
            let CertificateRecord { principal, endpoint, authority, .. } = &certificate;
            if let Some(proof) = &along.proof {
                match proofs::standing(connection, proof, (principal, endpoint, authority))? {
                    Standing::Good => {}
                    Standing::UsedUp => return Ok(CertificateRecorded::CredentialUsedUp),
                    Standing::Ended => return Ok(CertificateRecorded::ProofEnded),
                }
            }
            insert(transaction, &certificate, &watchers)?;
            if let Some(proof) = &along.proof
                && proofs::spend(connection, proof, principal, endpoint)?
            {
                let principal = principal.clone();
                transaction.after_commit(move || credentials.forget(&principal));
            }
            if let Some(new) = &along.concludes {
                enrollments::insert(connection, &new.record)?;
            }
            if let Some(id) = along.fulfils.as_ref().or(along.concludes.as_ref().map(|new| &new.record.id)) {
                enrollments::fulfil(connection, id, &certificate)?;
            }
            transaction.append(&event)?;
            Ok(CertificateRecorded::Recorded)
        };
        self.write("record certificate", change).await
    }

    async fn find(&self, serial: &Serial) -> Result<Option<CertificateRecord>, LedgerError> {
        let found = self.readers.read(|connection| {
            let mut select = connection.prepare_cached(&format!("{SELECT} WHERE serial = ? ORDER BY id LIMIT 1"))?;
            select.query_row([serial.as_octets()], Stored::read).optional()
        })?;
        found.map(Stored::record).transpose()
    }

    async fn find_issued(&self, authority: &str, serial: &Serial) -> Result<Option<CertificateRecord>, LedgerError> {
        let found = self.readers.read(|connection| {
            let mut select = connection.prepare_cached(&format!("{SELECT} WHERE serial = ? AND authority = ?"))?;
            select.query_row(params![serial.as_octets(), authority], Stored::read).optional()
        })?;
        found.map(Stored::record).transpose()
    }

    async fn change_status(
        &self,
        certificate: &CertificateRecord,
        next: CertificateStatus,
        event: Event,
    ) -> Result<bool, LedgerError> {
        // All that is needed of it but the certificate itself.
        let record = CertificateRecord { der: Vec::new(), ..certificate.clone() };
        let watchers = self.watchers.clone();
        let change = move |transaction: &mut super::Transaction<'_>| {
            let CertificateRecord { authority, serial, status, .. } = &record;
            if !update_status(transaction.connection, (authority, serial), *status, next)? {
                return Ok(false);
            }
            let state = CertificateState { status: next, ..record.state() };
            statuses::append(transaction, authority, state, &watchers)?;
            transaction.append(&event)?;
            Ok(true)
        };
        self.write("change certificate status", change).await
    }

    async fn list(&self, query: CertificateQuery) -> Result<Page<CertificateRecord>, LedgerError> {
        let (conditions, mut values) = conditions(&query)?;
        let (limit, walk) = (query.limit, i64::try_from(query.walk).unwrap_or(i64::MAX));
        let behind =
            query.cursor.as_ref().map(|cursor| cursor.0.parse::<i64>()).transpose().map_err(|_| LedgerError::BadCursor)?;
        let items = self.read_at_length(move |connection| {
            let read = |error: rusqlite::Error| ledger_error(&error);
            let newest = || connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM certificate", [], |row| row.get(0));
            // Ids have no gaps to speak of, so a stretch of them bounds what is looked at. Nothing is deleted.
            let last = behind.map_or_else(newest, Ok).map_err(read)?.saturating_sub(walk).max(1);
            values.extend([Value::Integer(last), Value::Integer(rows(limit))]);
            let mut select = connection
                .prepare(&format!("{SELECT} WHERE {conditions} AND id >= ? ORDER BY id DESC LIMIT ?"))
                .map_err(read)?;
            let found = select.query_map(params_from_iter(values), Stored::read).map_err(read)?;
            found
                .map(|row| row.map_err(read).and_then(|stored| Ok((stored.id, stored.record()?))))
                .collect::<Result<Vec<_>, _>>()
                .map(|items| (items, last))
        });
        let (items, last) = items.await?;
        let page = page(items, limit, |(id, _)| id.to_string());
        let next = page.next.or_else(|| (last > 1).then(|| Cursor(last.to_string())));
        Ok(Page { items: page.items.into_iter().map(|(_, record)| record).collect(), next })
    }
}

/// Has a certificate be as `next` says if it is as expected; was it?
pub(super) fn update_status(
    connection: &rusqlite::Connection,
    (authority, serial): (&str, &Serial),
    expected: CertificateStatus,
    next: CertificateStatus,
) -> rusqlite::Result<bool> {
    let update = "UPDATE certificate SET status = ?, reason = ?, changed_at = ?, invalid_since = ?
                  WHERE serial = ? AND authority = ? AND status = ? AND changed_at IS ?";
    let (expected, columns) = (StatusColumns::from(expected), StatusColumns::from(next));
    let values = params![
        columns.status,
        columns.reason,
        columns.changed_at,
        columns.invalid_since,
        serial.as_octets(),
        authority,
        expected.status,
        expected.changed_at
    ];
    Ok(connection.prepare_cached(update)?.execute(values)? > 0)
}

/// There is another certificate where one was to be.
pub(super) const fn conflict() -> WriteError {
    WriteError::Refused(LedgerError::Conflict("a certificate of this authority with this serial number"))
}

/// One that is not good is told of as a change: CRLs and OCSP hear of it by those alone.
pub(super) fn insert(
    transaction: &mut super::Transaction<'_>,
    certificate: &CertificateRecord,
    watchers: &Watchers,
) -> Result<(), WriteError> {
    let StatusColumns { status, reason, changed_at, invalid_since } = certificate.status.into();
    let values = params![
        certificate.serial.as_octets(),
        certificate.authority,
        certificate.profile,
        certificate.protocol.name(),
        certificate.endpoint,
        certificate.principal,
        number(certificate.validity.not_before.seconds()),
        number(certificate.validity.not_after.seconds()),
        certificate.shard,
        certificate.no_rev_avail,
        number(certificate.issued_at.millis()),
        status,
        reason,
        changed_at,
        invalid_since,
        certificate.asked_subject,
        certificate.der,
    ];
    match transaction.connection.prepare_cached(INSERT)?.execute(values) {
        Ok(_) => {}
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => return Err(conflict()),
        Err(error) => return Err(WriteError::Failed(error)),
    }
    if certificate.status != CertificateStatus::Valid {
        statuses::append(transaction, &certificate.authority, certificate.state(), watchers)?;
    }
    Ok(())
}

/// The WHERE clause of a query, and its values in order.
fn conditions(query: &CertificateQuery) -> Result<(String, Vec<Value>), LedgerError> {
    let mut conditions = vec!["TRUE"];
    let mut values = Vec::new();
    let seconds = |time: Timestamp| Value::Integer(number(time.seconds()));
    if let Some(status) = query.status {
        conditions.push(match status {
            StatusName::Held => "status = 1",
            StatusName::Revoked => "status = 2",
            StatusName::Valid => "status = 0 AND not_after >= ?",
            StatusName::Expired => "status = 0 AND not_after < ?",
        });
        if matches!(status, StatusName::Valid | StatusName::Expired) {
            values.push(seconds(query.now));
        }
    }
    if let Some(authority) = &query.authority {
        conditions.push("authority = ?");
        values.push(Value::Text(authority.clone()));
    }
    if let Some(profile) = &query.profile {
        conditions.push("profile = ?");
        values.push(Value::Text(profile.clone()));
    }
    if let Some(principal) = &query.principal {
        conditions.push("principal = ?");
        values.push(Value::Text(principal.clone()));
    }
    if let Some(time) = query.expires_before {
        conditions.push("not_after < ?");
        values.push(seconds(time));
    }
    if let Some(cursor) = &query.cursor {
        conditions.push("id < ?");
        values.push(Value::Integer(cursor.0.parse().map_err(|_| LedgerError::BadCursor)?));
    }
    Ok((conditions.join(" AND "), values))
}

/// A row, before what is in it is judged.
struct Stored {
    id: i64,
    serial: Vec<u8>,
    authority: String,
    profile: String,
    protocol: String,
    endpoint: String,
    principal: String,
    validity: (i64, i64),
    shard: u32,
    no_rev_avail: bool,
    issued_at: i64,
    status: StatusColumns,
    asked_subject: Option<[u8; 32]>,
    der: Vec<u8>,
    is_ended: bool,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            serial: row.get(1)?,
            authority: row.get(2)?,
            profile: row.get(3)?,
            protocol: row.get(4)?,
            endpoint: row.get(5)?,
            principal: row.get(6)?,
            validity: (row.get(7)?, row.get(8)?),
            shard: row.get(9)?,
            no_rev_avail: row.get(10)?,
            issued_at: row.get(11)?,
            status: StatusColumns::read(row, 12)?,
            asked_subject: row.get(16)?,
            der: row.get(17)?,
            is_ended: row.get(18)?,
        })
    }

    fn record(self) -> Result<CertificateRecord, LedgerError> {
        let milli = |millis: i64| Timestamp::from_millis(millis.cast_unsigned());
        Ok(CertificateRecord {
            serial: Serial::from_octets(&self.serial).ok_or_else(|| damaged("a serial number"))?,
            authority: self.authority,
            profile: self.profile,
            protocol: Protocol::from_name(&self.protocol).ok_or_else(|| damaged("the protocol of a certificate"))?,
            endpoint: self.endpoint,
            principal: self.principal,
            validity: Validity { not_before: second(self.validity.0), not_after: second(self.validity.1) },
            shard: self.shard,
            no_rev_avail: self.no_rev_avail,
            issued_at: milli(self.issued_at),
            status: self.status.status()?,
            asked_subject: self.asked_subject,
            is_ended: self.is_ended,
            der: self.der,
        })
    }
}
