//! What a person is shown of an enrollment.

use certgate_enrollment::{Certificates, EnrollmentRecord};
use certgate_pki::{Certificate, Csr, GeneralName, Name, Serial};
use serde::{Deserialize, Serialize};

use crate::admin::{Admin, AdminFailure, Code};

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
    /// The authority that has signed, or would.
    pub authority: String,
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

impl Admin {
    pub(super) async fn item(&self, enrollment: &EnrollmentRecord) -> Result<EnrollmentItem, AdminFailure> {
        let damaged = |error| AdminFailure::new(Code::Failed, format!("enrollment {} cannot be read: {error}", enrollment.id));
        let csr = Csr::from_der(&enrollment.csr).map_err(damaged)?;
        let Names { authority, subject, sans, would_fail } = self.names(enrollment, &csr).await?;
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
            authority,
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
            return Ok(Names::of(&enrollment.authority, certificate.subject(), &sans));
        }
        let asked = Names::asked(&enrollment.authority, csr);
        if !enrollment.state.may_be_issued() {
            return Ok(asked);
        }
        let (profile, authority) = match self.issuer_of(enrollment) {
            Ok(issuer) => issuer,
            Err(failure) => return Ok(Names { would_fail: Some(failure.message), ..asked }),
        };
        match authority.preview(profile, enrollment).await {
            Ok(template) => {
                let sans = template.subject_alt_names().unwrap_or_default();
                Ok(Names::of(&profile.authority, &template.subject, &sans))
            }
            Err(error) => Ok(Names { authority: profile.authority.clone(), would_fail: Some(error.to_string()), ..asked }),
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

/// Whom a certificate is for, and who signs it.
struct Names {
    authority: String,
    subject: String,
    sans: Vec<String>,
    would_fail: Option<String>,
}

impl Names {
    fn of(authority: &str, subject: &Name, sans: &[GeneralName]) -> Self {
        Self { authority: authority.to_owned(), subject: subject.to_string(), sans: texts(sans), would_fail: None }
    }

    /// What a CSR asks for, by ChangeSubjectName too.
    fn asked(authority: &str, csr: &Csr) -> Self {
        let change = csr.change_subject_name();
        let subject = change.and_then(|change| change.subject.as_ref()).unwrap_or_else(|| csr.subject());
        let sans = change.and_then(|change| change.subject_alt_names.as_ref());
        Self::of(authority, subject, sans.unwrap_or(&csr.requested().subject_alt_names))
    }
}

/// Names as they are printed.
fn texts(names: &[GeneralName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
