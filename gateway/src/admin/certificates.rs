//! `/v1/certificates`: what was issued.

use certgate_enrollment::{CertificateQuery, CertificateRecord, CertificateStatus, Certificates, StatusName};
use certgate_pki::{Certificate, DigestAlgorithm, Serial, Timestamp, pem};
use serde::{Deserialize, Serialize};

use super::query::Query;
use super::{Admin, AdminFailure, Code, Items};

/// A certificate.
#[derive(Debug, Deserialize, Serialize)]
pub struct CertificateItem {
    /// Lowercase hex without a prefix.
    pub serial: String,
    /// Who signed it.
    pub authority: String,
    /// What it was issued as.
    pub profile: String,
    /// RFC 4514.
    pub subject: String,
    /// `dns:a.example`, `ip:192.0.2.1`.
    pub sans: Vec<String>,
    /// RFC 3339.
    pub not_before: String,
    /// RFC 3339.
    pub not_after: String,
    /// `valid`, `held`, `revoked` or `expired`.
    pub status: String,
    /// Why it was revoked, as in RFC 5280.
    pub reason: Option<String>,
    /// When it was revoked or put on hold; RFC 3339.
    pub revoked_at: Option<String>,
    /// How it was asked for.
    pub protocol: String,
    /// Who asked.
    pub principal: String,
    /// SHA-256 of its DER, lowercase hex.
    pub sha256: String,
    /// The certificate.
    pub pem: String,
}

impl Admin {
    pub(super) async fn list_certificates(&self, query: &str) -> Result<Items<CertificateItem>, AdminFailure> {
        let now = self.base.clock.now();
        let query = read_query(query, now)?;
        let page = self.base.ledger.list(query).await?;
        let items = page.items.iter().map(|record| self.certificate_item(record, now)).collect::<Result<_, _>>()?;
        Ok(Items { items, next: page.next.map(|cursor| cursor.0) })
    }

    pub(super) async fn show_certificate(&self, serial: &str) -> Result<CertificateItem, AdminFailure> {
        let form = || AdminFailure::usage(format!("not a serial number in hex: {serial}"));
        let serial = Serial::from_hex(serial).ok_or_else(form)?;
        match self.base.ledger.find(&serial).await? {
            Some(record) => self.certificate_item(&record, self.base.clock.now()),
            None => Err(AdminFailure::not_found(format!("there is no certificate {serial}")).hint("certgate cert list")),
        }
    }

    fn certificate_item(&self, record: &CertificateRecord, now: Timestamp) -> Result<CertificateItem, AdminFailure> {
        let damaged = |error: &dyn std::fmt::Display| {
            AdminFailure::new(Code::Failed, format!("certificate {} cannot be read: {error}", record.serial))
        };
        let certificate = Certificate::from_der(&record.der).map_err(|error| damaged(&error))?;
        let names = certificate.extensions().subject_alt_names().map_err(|error| damaged(&error))?;
        let (reason, revoked_at) = match record.status {
            CertificateStatus::Valid => (None, None),
            CertificateStatus::Held(since) => (Some("certificateHold"), Some(since)),
            CertificateStatus::Revoked(since, reason) => (Some(reason.name()), Some(since)),
        };
        let sha256 = self.base.provider.digest.digest(DigestAlgorithm::Sha256, &record.der);
        Ok(CertificateItem {
            serial: record.serial.to_string(),
            authority: record.authority.clone(),
            profile: record.profile.clone(),
            subject: certificate.subject().to_string(),
            sans: names.iter().map(ToString::to_string).collect(),
            not_before: record.validity.not_before.to_string(),
            not_after: record.validity.not_after.to_string(),
            status: record.status_name(now).name().to_owned(),
            reason: reason.map(str::to_owned),
            revoked_at: revoked_at.map(|time| time.to_string()),
            protocol: record.protocol.to_string(),
            principal: record.principal.clone(),
            sha256: base16ct::lower::encode_string(&sha256),
            pem: pem::encode(pem::CERTIFICATE, &record.der),
        })
    }
}

fn read_query(query: &str, now: Timestamp) -> Result<CertificateQuery, AdminFailure> {
    let mut query = Query::new(query);
    let (limit, cursor) = query.paging()?.resolve();
    let status = query.take("status");
    let unknown = |name: &String| {
        let known = StatusName::ALL.map(StatusName::name).join(", ");
        AdminFailure::usage(format!("there is no status {name}")).hint(format!("one of: {known}"))
    };
    let read = CertificateQuery {
        status: status.map(|name| StatusName::from_name(&name).ok_or_else(|| unknown(&name))).transpose()?,
        profile: query.take("profile"),
        principal: query.take("principal"),
        expires_before: query.take_time("expires_before")?,
        cursor,
        ..CertificateQuery::all(now, limit)
    };
    query.finish()?;
    Ok(read)
}
