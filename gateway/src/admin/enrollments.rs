//! `/v1/enrollments`: requests that wait for a person, and what came of them.

use std::sync::Arc;

use certgate_enrollment::{
    Authority, Certificates, EnrollError, EnrollmentId, EnrollmentQuery, EnrollmentRecord, EnrollmentState, Enrollments,
};
use certgate_pki::{Certificate, Csr, GeneralName, Serial};
use certgate_policy::Profile;
use serde::{Deserialize, Serialize};

use super::query::Query;
use super::{Admin, AdminFailure, Code, Items, OPERATOR};

/// What an enrollment is named by beside its id: the SHA-256 of its CSR's DER as it first came.
const BY_CSR: &str = "csr:";
/// Longest reason, in octets.
const MAX_REASON: usize = 256;
/// How many requests with the same CSR are named.
const MOST_NAMED: usize = 10;

/// An enrollment.
#[derive(Debug, Deserialize, Serialize)]
pub struct EnrollmentItem {
    /// Its name.
    pub id: String,
    /// `pending`, `approved`, `issued`, `denied` or `failed`.
    pub state: String,
    /// How it came.
    pub protocol: String,
    /// `enroll` or `renew`.
    pub operation: String,
    /// Where to.
    pub endpoint: String,
    /// By which profile.
    pub profile: String,
    /// Who asks.
    pub principal: String,
    /// The subject that is issued, or would be if a person said yes now; RFC 4514. Where nothing would be, what the CSR asks for.
    pub subject: String,
    /// The same of alternative names: `dns:a.example`, `ip:192.0.2.1`.
    pub sans: Vec<String>,
    /// Why nothing would be issued now.
    pub would_fail: Option<String>,
    /// The names of the certificate that it renews, where others are asked for.
    pub changes: Option<Changes>,
    /// The kind of key: `p256`, `rsa2048`, ….
    pub key: String,
    /// SHA-256 of the CSR's DER as it first came, lowercase hex.
    pub csr_sha256: String,
    /// Since when; RFC 3339.
    pub created_at: String,
    /// Since when it is in this state; RFC 3339.
    pub changed_at: String,
    /// Why it was denied or has failed.
    pub reason: Option<String>,
    /// The certificate that it renews.
    pub renews: Option<String>,
    /// The certificate that was issued.
    pub serial: Option<String>,
}

/// Names that a renewal leaves behind (RFC 6402 §2.8).
#[derive(Debug, Deserialize, Serialize)]
pub struct Changes {
    /// The subject that the certificate has; RFC 4514.
    pub from_subject: String,
    /// Its alternative names.
    pub from_sans: Vec<String>,
}

/// What is asked of `POST /v1/enrollments/ID/deny`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Deny {
    /// Why; its requester is told.
    pub reason: Option<String>,
}

impl Admin {
    pub(super) async fn list_enrollments(&self, query: &str) -> Result<Items<EnrollmentItem>, AdminFailure> {
        let mut query = Query::new(query);
        let state = query.take("state").map(|name| {
            let known = EnrollmentState::ALL.map(EnrollmentState::name).join(", ");
            EnrollmentState::from_name(&name)
                .ok_or_else(|| AdminFailure::usage(format!("{name} is no state of an enrollment (there are: {known})")))
        });
        let (state, paging) = (state.transpose()?, query.paging()?);
        query.finish()?;
        let (limit, cursor) = paging.resolve();
        let page = self.base.ledger.list_enrollments(EnrollmentQuery { state, limit, cursor }).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for enrollment in &page.items {
            items.push(self.item(enrollment).await?);
        }
        Ok(Items { items, next: page.next.map(|cursor| cursor.0) })
    }

    pub(super) async fn show_enrollment(&self, name: &str) -> Result<EnrollmentItem, AdminFailure> {
        self.item(&self.find_enrollment(name).await?).await
    }

    /// Says yes. When the certificate cannot be signed now the enrollment stays approved, and this says so.
    pub(super) async fn approve_enrollment(&self, name: &str) -> Result<EnrollmentItem, AdminFailure> {
        let enrollment = self.find_enrollment(name).await?;
        let id = enrollment.id.clone();
        let (profile, authority) = self.issuer_of(&enrollment)?;
        match authority.approve(profile, enrollment, OPERATOR).await {
            Ok(issued) => tracing::info!(enrollment = %id, serial = %issued.serial, "an enrollment was approved and issued"),
            Err(EnrollError::NotAwaited) => return Err(self.decided(&id).await?),
            Err(error) => return Err(not_issued(&id, &error)),
        }
        self.show_enrollment(id.as_str()).await
    }

    /// Says no.
    pub(super) async fn deny_enrollment(&self, name: &str, asked: Deny) -> Result<EnrollmentItem, AdminFailure> {
        let reason = asked.reason.unwrap_or_default();
        if reason.len() > MAX_REASON || reason.chars().any(char::is_control) {
            let message = format!("a reason has {MAX_REASON} octets at the most and no control characters");
            return Err(AdminFailure::usage(message));
        }
        let enrollment = self.find_enrollment(name).await?;
        let id = enrollment.id.clone();
        let (_, authority) = self.issuer_of(&enrollment)?;
        match authority.deny(&enrollment, &reason, OPERATOR).await {
            Ok(()) => tracing::info!(enrollment = %id, "an enrollment was denied"),
            Err(EnrollError::NotAwaited) => return Err(self.decided(&id).await?),
            Err(error) => return Err(AdminFailure::new(Code::Failed, error.to_string())),
        }
        self.show_enrollment(id.as_str()).await
    }

    async fn find_enrollment(&self, name: &str) -> Result<EnrollmentRecord, AdminFailure> {
        let form = || {
            let message = format!("{name} is neither the id of an enrollment, 32 hexadecimal digits, nor csr:SHA256");
            AdminFailure::usage(message).hint("certgate enrollment list")
        };
        let missing = || AdminFailure::not_found(format!("there is no enrollment {name}")).hint("certgate enrollment list");
        let Some(hex) = name.strip_prefix(BY_CSR) else {
            let id = EnrollmentId::parse(name).ok_or_else(form)?;
            return self.base.ledger.find_by_id(&id).await?.ok_or_else(missing);
        };
        let mut sha256 = [0; 32];
        if base16ct::mixed::decode(hex, &mut sha256).map(<[u8]>::len) != Ok(sha256.len()) {
            return Err(form());
        }
        let mut found = self.base.ledger.find_by_csr(&sha256, MOST_NAMED).await?;
        // Anybody can send the CSR of somebody else: whose request is meant is then for a person to say.
        if found.iter().filter(|one| !one.state.is_over()).count() > 1 {
            let name = |one: &EnrollmentRecord| format!("{} of {} at {}", one.id, one.key.principal, one.key.endpoint);
            let message =
                format!("several requests with this CSR wait: {}", found.iter().map(name).collect::<Vec<_>>().join(", "));
            return Err(AdminFailure::new(Code::Refused, message).hint("say which one by its id"));
        }
        if found.is_empty() { Err(missing()) } else { Ok(found.swap_remove(0)) }
    }

    /// The profile of an enrollment as it is now, and the authority that signs for it.
    fn issuer_of(&self, enrollment: &EnrollmentRecord) -> Result<(&Profile, Arc<Authority>), AdminFailure> {
        let profile = self.profiles.iter().find(|profile| profile.name == enrollment.profile);
        let authority = profile.and_then(|profile| self.authorities.get(&profile.authority).ok());
        profile.zip(authority).ok_or_else(|| {
            let message = format!("enrollment {} is of profile {}, which is gone", enrollment.id, enrollment.profile);
            AdminFailure::new(Code::Refused, message).hint("configure the profile again, or let the device ask anew")
        })
    }
}

impl Admin {
    /// Why an enrollment was not decided by this command: it is by another.
    async fn decided(&self, id: &EnrollmentId) -> Result<AdminFailure, AdminFailure> {
        let state = self.base.ledger.find_by_id(id).await?.map_or("gone", |found| found.state.name());
        let message = format!("enrollment {id} does not wait: it is {state}");
        Ok(AdminFailure::new(Code::Refused, message).hint(format!("certgate enrollment show {id}")))
    }

    async fn item(&self, enrollment: &EnrollmentRecord) -> Result<EnrollmentItem, AdminFailure> {
        let damaged = |error| AdminFailure::new(Code::Failed, format!("enrollment {} cannot be read: {error}", enrollment.id));
        let csr = Csr::from_der(&enrollment.csr).map_err(damaged)?;
        let Names { subject, sans, would_fail } = self.names(enrollment, &csr).await?;
        let changes = match &enrollment.renews {
            Some(serial) if csr.change_subject_name().is_some() => self.changes(&enrollment.authority, serial).await?,
            _ => None,
        };
        Ok(EnrollmentItem {
            id: enrollment.id.to_string(),
            state: enrollment.state.name().to_owned(),
            protocol: enrollment.key.protocol.to_string(),
            operation: enrollment.key.operation.name().to_owned(),
            endpoint: enrollment.key.endpoint.clone(),
            profile: enrollment.profile.clone(),
            principal: enrollment.key.principal.clone(),
            subject,
            sans,
            would_fail,
            changes,
            key: csr.public_key().key_type().to_string(),
            csr_sha256: base16ct::lower::encode_string(&enrollment.csr_sha256),
            created_at: enrollment.created_at.to_string(),
            changed_at: enrollment.changed_at.to_string(),
            reason: Some(enrollment.reason.clone()).filter(|reason| !reason.is_empty()),
            renews: enrollment.renews.as_ref().map(ToString::to_string),
            serial: enrollment.serial.as_ref().map(ToString::to_string),
        })
    }

    /// The names of what was issued, or of what would be; of what the CSR asks for where there is neither.
    async fn names(&self, enrollment: &EnrollmentRecord, csr: &Csr) -> Result<Names, AdminFailure> {
        if let Some(serial) = &enrollment.serial
            && let Some(certificate) = self.certificate(&enrollment.authority, serial).await?
        {
            let sans = certificate.extensions().subject_alt_names().unwrap_or_default();
            return Ok(Names { subject: certificate.subject().to_string(), sans: texts(&sans), would_fail: None });
        }
        let asked = |would_fail| {
            let sans = texts(&csr.requested().subject_alt_names);
            Names { subject: csr.subject().to_string(), sans, would_fail }
        };
        if enrollment.state.is_over() {
            return Ok(asked(None));
        }
        let (profile, authority) = match self.issuer_of(enrollment) {
            Ok(issuer) => issuer,
            Err(failure) => return Ok(asked(Some(failure.message))),
        };
        match authority.preview(profile, enrollment).await {
            Ok(template) => {
                let sans = template.subject_alt_names().unwrap_or_default();
                Ok(Names { subject: template.subject.to_string(), sans: texts(&sans), would_fail: None })
            }
            Err(error) => Ok(asked(Some(error.to_string()))),
        }
    }

    async fn changes(&self, authority: &str, serial: &Serial) -> Result<Option<Changes>, AdminFailure> {
        let certificate = self.certificate(authority, serial).await?;
        Ok(certificate.map(|old| Changes {
            from_subject: old.subject().to_string(),
            from_sans: texts(&old.extensions().subject_alt_names().unwrap_or_default()),
        }))
    }

    async fn certificate(&self, authority: &str, serial: &Serial) -> Result<Option<Certificate>, AdminFailure> {
        let record = self.base.ledger.find_issued(authority, serial).await?;
        Ok(record.and_then(|record| Certificate::from_der(&record.der).ok()))
    }
}

/// Whom a certificate is for.
struct Names {
    subject: String,
    sans: Vec<String>,
    would_fail: Option<String>,
}

/// Names as they are printed.
fn texts(names: &[GeneralName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn not_issued(id: &EnrollmentId, error: &EnrollError) -> AdminFailure {
    use certgate_enrollment::Blame;
    match error.blame() {
        Blame::Client | Blame::Policy => {
            let message = format!("enrollment {id} was approved, and has failed: {error}");
            AdminFailure::new(Code::Refused, message).hint("mend what it names, and approve it again")
        }
        Blame::Backend | Blame::Store | Blame::Bug => {
            let message = format!("enrollment {id} could not be issued: {error}");
            let hint = "it stays as it is: approve it again, or wait until its device asks again";
            AdminFailure::new(Code::Failed, message).hint(hint)
        }
    }
}
