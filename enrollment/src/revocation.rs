//! What becomes of a certificate after it was issued: revoked, held, released.

use certgate_pki::Timestamp;

use crate::internal::ROOT_CA;
use crate::ports::LedgerError;
use crate::ports::audit::{Event, EventKind};
use crate::ports::certificates::{CertificateRecord, CertificateStatus, Certificates, Revocation, RevocationReason};

/// What is to become of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusChange {
    /// It is revoked, for good; since when it was wrong, if that is known ([`Revocation::invalid_since`]).
    Revoke(RevocationReason, Option<Timestamp>),
    /// It is put on hold (certificateHold), to be released or revoked.
    Hold,
    /// It is good again.
    Release,
}

/// What came of a [`StatusChange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusChanged {
    /// It is done.
    Changed,
    /// It was so already: nothing was changed, and who repeats a command need not mind.
    AlreadySo,
    /// A revocation is for good (RFC 5280 §5.3.1 knows a way back from certificateHold only).
    IsRevoked,
    /// Somebody else changed it at the same time.
    Raced,
    /// It is the certificate of an authority of this gateway, whose end is told to relying parties by other ways.
    IsAuthority,
}

/// Changes what became of a certificate; returns when that is committed, and seen by whoever asks.
///
/// # Errors
/// [`LedgerError`].
pub async fn change_status(
    certificates: &dyn Certificates,
    record: &CertificateRecord,
    change: StatusChange,
    at: Timestamp,
    operator: &str,
) -> Result<StatusChanged, LedgerError> {
    if record.is_authority() {
        return Ok(StatusChanged::IsAuthority);
    }
    apply(certificates, record, change, (at, at), operator).await
}

/// The same of any certificate but a root's own: that of an issuing CA is revoked by people who mean it, whose root signs its CRLs elsewhere.
/// It counts as revoked or on hold since `since`, which is when they did so.
///
/// # Errors
/// [`LedgerError`].
pub async fn change_status_of_any(
    certificates: &dyn Certificates,
    record: &CertificateRecord,
    change: StatusChange,
    (at, since): (Timestamp, Timestamp),
    operator: &str,
) -> Result<StatusChanged, LedgerError> {
    if record.profile == ROOT_CA {
        return Ok(StatusChanged::IsAuthority);
    }
    apply(certificates, record, change, (at, since), operator).await
}

async fn apply(
    certificates: &dyn Certificates,
    record: &CertificateRecord,
    change: StatusChange,
    (at, since): (Timestamp, Timestamp),
    operator: &str,
) -> Result<StatusChanged, LedgerError> {
    let (next, kind) = match (record.status, change) {
        (CertificateStatus::Revoked(_), StatusChange::Revoke(..))
        | (CertificateStatus::Held(_), StatusChange::Hold)
        | (CertificateStatus::Valid, StatusChange::Release) => return Ok(StatusChanged::AlreadySo),
        (CertificateStatus::Revoked(_), StatusChange::Hold | StatusChange::Release) => return Ok(StatusChanged::IsRevoked),
        (_, StatusChange::Revoke(reason, invalid_since)) => {
            let invalid_since = invalid_since.map(Timestamp::floor_to_second);
            (CertificateStatus::Revoked(Revocation { at: since, reason, invalid_since }), EventKind::CertificateRevoked)
        }
        (_, StatusChange::Hold) => (CertificateStatus::Held(since), EventKind::CertificateHeld),
        (_, StatusChange::Release) => (CertificateStatus::Valid, EventKind::CertificateReleased),
    };
    let mut details = vec![("serial", record.serial.to_string()), ("authority", record.authority.clone())];
    if let CertificateStatus::Revoked(revocation) = next {
        details.push(("reason", revocation.reason.name().to_owned()));
        details.extend((since != at).then(|| ("revoked_at", since.to_string())));
        details.extend(revocation.invalid_since.map(|since| ("invalidity_date", since.to_string())));
    }
    let event = Event { at, kind, actor: operator.to_owned(), details };
    let is_changed = certificates.change_status(record, next, event).await?;
    Ok(if is_changed { StatusChanged::Changed } else { StatusChanged::Raced })
}
