//! `/v1/certificates`: what was issued.

use certgate_enrollment::{
    CertificateQuery, CertificateRecord, CertificateStatus, Certificates, Protocol, Revocation, RevocationReason, StatusChange,
    StatusChanged, StatusName, change_status, change_status_of_any,
};
use certgate_pki::{Certificate, DigestAlgorithm, Timestamp, pem};
use serde::{Deserialize, Serialize};

use super::query::{Query, read_time};
use super::{Admin, AdminFailure, CertificateName, Code, Items, OPERATOR};
use crate::telemetry::log_status_change;

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
    /// Since when it was wrong, as its revocation says; RFC 3339.
    pub invalidity_date: Option<String>,
    /// Whether it says of itself that relying parties are told nothing of this (noRevAvail, RFC 9608).
    pub no_rev_avail: bool,
    /// How it was asked for.
    pub protocol: String,
    /// Who asked.
    pub principal: String,
    /// SHA-256 of its DER, lowercase hex.
    pub sha256: String,
    /// The certificate.
    pub pem: String,
    /// What is still to be done, where something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// What is asked of `POST /v1/certificates/SERIAL/revoke`, or `AUTHORITY/SERIAL`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Why, spelled as in RFC 5280; `unspecified` if absent.
    pub reason: Option<String>,
    /// Since when it was wrong (invalidityDate, RFC 5280 §5.3.2); RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalidity_date: Option<String>,
}

impl Revoke {
    /// As the core takes it.
    ///
    /// # Errors
    /// [`Code::Usage`] for what is no reason, or no time that is past.
    pub(super) fn change(&self, now: Timestamp) -> Result<StatusChange, AdminFailure> {
        let reason = self.reason.as_deref().map_or(Ok(RevocationReason::Unspecified), read_reason)?;
        let since = self.invalidity_date.as_deref().map(|text| read_time("the invalidity date", text)).transpose()?;
        if since.is_some_and(|since| since > now) {
            return Err(AdminFailure::usage(
                "the invalidity date is still to come: it says since when a certificate was wrong",
            ));
        }
        Ok(StatusChange::Revoke(reason, since))
    }
}

/// A reason to revoke a certificate, spelled as in RFC 5280.
///
/// # Errors
/// [`Code::Usage`] for what is none.
pub(crate) fn read_reason(name: &str) -> Result<RevocationReason, AdminFailure> {
    let found = RevocationReason::ALL.into_iter().find(|reason| reason.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let known = RevocationReason::ALL.map(RevocationReason::name).join(", ");
        let hold = if name.eq_ignore_ascii_case("certificateHold") { "certgate cert hold SERIAL" } else { "" };
        AdminFailure::usage(format!("{name} is no reason to revoke a certificate (known here: {known})")).hint(hold)
    })
}

/// How many certificates one question looks at: whoever asks for what is rare gets a page that is not full, and asks for the next one.
const MOST_WALKED: usize = 50_000;

/// How many certificates are named at once.
const MOST_NAMED: usize = 1000;

impl Admin {
    pub(super) async fn list_certificates(&self, query: &str) -> Result<Items<CertificateItem>, AdminFailure> {
        let now = self.base.clock.now();
        let query = read_query(query, now)?;
        let page = self.base.ledger.list(query).await?;
        let items = page.items.iter().map(|record| self.certificate_item(record, now)).collect::<Result<_, _>>()?;
        Ok(Items { items, next: page.next.map(|cursor| cursor.0) })
    }

    pub(super) async fn show_certificate(&self, name: &CertificateName) -> Result<CertificateItem, AdminFailure> {
        self.certificate_item(&self.named(name).await?, self.base.clock.now())
    }

    /// Changes what became of a certificate; repeating it is no failure.
    pub(super) async fn change_certificate(
        &self,
        name: &CertificateName,
        change: StatusChange,
    ) -> Result<CertificateItem, AdminFailure> {
        let (serial, record) = (&name.serial, self.named(name).await?);
        let now = self.base.clock.now();
        let offline_since = self.offline_since(&record);
        let changed = match change {
            // What a root signs elsewhere is revoked elsewhere too, sooner or later: OCSP tells of it from now on.
            StatusChange::Revoke(..) if offline_since.is_some() => {
                change_status_of_any(&self.base.ledger, &record, change, (now, now), OPERATOR).await?
            }
            _ => change_status(&self.base.ledger, &record, change, now, OPERATOR).await?,
        };
        match changed {
            StatusChanged::Changed => log_status_change(serial, change),
            StatusChanged::AlreadySo => {}
            StatusChanged::IsRevoked => {
                let message = format!("certificate {serial} is revoked, and a revocation is for good (RFC 5280 §5.3.1)");
                return Err(AdminFailure::new(Code::Refused, message));
            }
            StatusChanged::IsAuthority => {
                let message =
                    format!("{serial} is the certificate of an authority of this gateway, which it does not revoke itself");
                return Err(AdminFailure::new(Code::Refused, message));
            }
            StatusChanged::Raced => {
                let message = format!("certificate {serial} was changed by somebody else at the same time");
                return Err(AdminFailure::new(Code::Refused, message).hint(format!("certgate cert show {name}")));
            }
        }
        let record = self.named(&CertificateName { authority: Some(record.authority), serial: serial.clone() }).await?;
        let advice = offline_since.map(|since| {
            let Some(code) = told(record.status).reason else {
                return format!("the key of {} is offline since {since}: bring it back for a CRL without this certificate", record.authority);
            };
            format!(
                "OCSP says so from now on; the key of {} is offline since {since}: sign its next CRL by `certgate crl sign --revoke \
                 {serial}:{code}`, and bring it by `certgate crl import`",
                record.authority
            )
        });
        Ok(CertificateItem { advice, ..self.certificate_item(&record, self.base.clock.now())? })
    }

    /// Since when the key that signs CRLs about this certificate is elsewhere.
    fn offline_since(&self, record: &CertificateRecord) -> Option<Timestamp> {
        self.authorities.get(&record.authority).ok()?.offline_since()
    }

    /// The certificates of a principal that are good, or on hold, newest first; a thousand at the most.
    pub(super) async fn good_certificates_of(&self, principal: &str) -> Result<Vec<CertificateRecord>, AdminFailure> {
        let mut good = Vec::new();
        for status in [StatusName::Valid, StatusName::Held] {
            let query = CertificateQuery {
                status: Some(status),
                principal: Some(principal.to_owned()),
                ..CertificateQuery::all(self.base.clock.now(), MOST_NAMED)
            };
            good.extend(self.base.ledger.list(query).await?.items);
        }
        good.truncate(MOST_NAMED);
        Ok(good)
    }

    /// Revokes all of those; says how many they were.
    pub(super) async fn revoke_all_of(&self, principal: &str) -> Result<u64, AdminFailure> {
        let revoke = StatusChange::Revoke(RevocationReason::CessationOfOperation, None);
        let mut revoked = 0;
        loop {
            let good = self.good_certificates_of(principal).await?;
            let before = revoked;
            for record in &good {
                let changed = change_status(&self.base.ledger, record, revoke, self.base.clock.now(), OPERATOR).await?;
                if changed == StatusChanged::Changed {
                    log_status_change(&record.serial, revoke);
                    revoked += 1;
                }
            }
            if good.is_empty() || revoked == before {
                return Ok(revoked);
            }
        }
    }

    fn certificate_item(&self, record: &CertificateRecord, now: Timestamp) -> Result<CertificateItem, AdminFailure> {
        let damaged = |error: &dyn std::fmt::Display| {
            AdminFailure::new(Code::Failed, format!("certificate {} cannot be read: {error}", record.serial))
        };
        let certificate = Certificate::from_der(&record.der).map_err(|error| damaged(&error))?;
        let names = match certificate.extensions().subject_alt_names() {
            Ok(names) => names,
            // Whatever its CA has put there before it was taken over.
            Err(_) if record.protocol == Protocol::Imported => Vec::new(),
            Err(error) => return Err(damaged(&error)),
        };
        let Told { reason, since: revoked_at, invalid_since } = told(record.status);
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
            invalidity_date: invalid_since.map(|time| time.to_string()),
            no_rev_avail: record.no_rev_avail,
            protocol: record.protocol.to_string(),
            principal: record.principal.clone(),
            sha256: base16ct::lower::encode_string(&sha256),
            pem: pem::encode(pem::CERTIFICATE, &record.der),
            advice: None,
        })
    }
}

/// The reason of a certificate on hold (RFC 5280 §5.3.1).
pub(super) const HOLD: &str = "certificateHold";

/// What a status says besides its name.
pub(super) struct Told {
    pub(super) reason: Option<&'static str>,
    pub(super) since: Option<Timestamp>,
    invalid_since: Option<Timestamp>,
}

pub(super) const fn told(status: CertificateStatus) -> Told {
    match status {
        CertificateStatus::Valid => Told { reason: None, since: None, invalid_since: None },
        CertificateStatus::Held(since) => Told { reason: Some(HOLD), since: Some(since), invalid_since: None },
        CertificateStatus::Revoked(Revocation { at, reason, invalid_since }) => {
            Told { reason: Some(reason.name()), since: Some(at), invalid_since }
        }
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
        authority: query.take("authority"),
        profile: query.take("profile"),
        principal: query.take("principal"),
        expires_before: query.take_time("expires_before")?,
        walk: MOST_WALKED,
        cursor,
        ..CertificateQuery::all(now, limit)
    };
    query.finish()?;
    Ok(read)
}
