//! Certificates, and what became of them.

use async_trait::async_trait;
use certgate_pki::{CrlReason, Serial, Timestamp, Validity};

use super::audit::Event;
use super::enrollments::{EnrollmentId, NewEnrollment};
use super::statuses::CertificateState;
use super::{Cursor, LedgerError, Page};
use crate::internal::{ISSUING_CA, ROOT_CA};
use crate::request::{Proof, Protocol};

/// Why a certificate was revoked (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevocationReason {
    /// (0)
    Unspecified,
    /// (1)
    KeyCompromise,
    /// (2)
    CaCompromise,
    /// (3)
    AffiliationChanged,
    /// (4)
    Superseded,
    /// (5)
    CessationOfOperation,
    /// (9)
    PrivilegeWithdrawn,
    /// (10)
    AaCompromise,
}

impl RevocationReason {
    /// All of them. removeFromCRL (8) is no reason for a revocation, and certificateHold (6) is [`CertificateStatus::Held`].
    pub const ALL: [Self; 8] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The CRLReason's number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// As CRLs and OCSP say it; `None` is unspecified, which is said by saying nothing (RFC 5280 §5.3.1).
    #[must_use]
    pub fn crl_reason(self) -> Option<CrlReason> {
        CrlReason::from_code(self.code())
    }

    /// The CRLReason's name, spelled as in RFC 5280.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }
}

/// What became of a certificate. That it has expired is told by its validity, not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Nothing.
    Valid,
    /// On hold since then (certificateHold), to be released or revoked.
    Held(Timestamp),
    /// Revoked.
    Revoked(Revocation),
}

/// What is known of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// When it was revoked.
    pub at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
    /// Since when its key is known or suspected to be in other hands, or it was otherwise wrong: invalidityDate (RFC 5280 §5.3.2), whole
    /// seconds.
    pub invalid_since: Option<Timestamp>,
}

impl Revocation {
    /// Of which no more is known.
    #[must_use]
    pub const fn new(at: Timestamp, reason: RevocationReason) -> Self {
        Self { at, reason, invalid_since: None }
    }
}

/// One certificate in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRecord {
    /// Its serial number, unique within the authority.
    pub serial: Serial,
    /// Who signed it.
    pub authority: String,
    /// What it was issued as: decides what it may do as a client certificate.
    pub profile: String,
    /// How it was asked for.
    pub protocol: Protocol,
    /// Where it was asked for; empty for certgate's own.
    pub endpoint: String,
    /// Who asked.
    pub principal: String,
    /// From when to when.
    pub validity: Validity,
    /// Which of the authority's CRLs lists it, besides the one for all; 0 while the authority is unsharded.
    pub shard: u32,
    /// It says of itself that nothing is told about it (RFC 9608): no CRL lists it, and OCSP has nothing to say.
    pub no_rev_avail: bool,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// What became of it.
    pub status: CertificateStatus,
    /// SHA-256 of the subject that was asked for, as a set ([`certgate_pki::Name::as_set`]): who renews may ask so again. `None` for
    /// certgate's own certificates, and for those of before this was remembered.
    pub asked_subject: Option<[u8; 32]>,
    /// Its principal was removed after it was recorded: it authenticates nobody any more. Told by the ledger; of no account when a
    /// certificate is recorded.
    pub is_ended: bool,
    /// The certificate.
    pub der: Vec<u8>,
}

/// What else changes in the transaction that records a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Along {
    /// What has authenticated the principal: if it is not good any more, nothing is recorded. `None` for certgate itself.
    pub proof: Option<Proof>,
    /// This enrollment, which was approved, is issued.
    pub fulfils: Option<EnrollmentId>,
    /// This enrollment is recorded as issued, approved by nobody but policy.
    pub concludes: Option<Box<NewEnrollment>>,
}

/// What came of recording a certificate. But for the first, nothing was recorded: the certificate must never be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateRecorded {
    /// It is recorded.
    Recorded,
    /// The credential has no use left.
    CredentialUsedUp,
    /// The enrollment was not approved, or is issued already; or its transaction has begun something else since.
    NotAwaited,
    /// What has authenticated the principal is not good any more: its credential was removed or replaced, its certificate revoked, put on
    /// hold, or ended with its principal.
    ProofEnded,
}

/// How a proof stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is good.
    Good,
    /// It is a credential that has no use left.
    UsedUp,
    /// It is not good any more.
    Ended,
}

/// What a certificate is called in lists: its status, and whether its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusName {
    /// Good, and not over.
    Valid,
    /// On hold.
    Held,
    /// Revoked, over or not.
    Revoked,
    /// Over, and neither held nor revoked.
    Expired,
}

impl StatusName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Valid, Self::Held, Self::Revoked, Self::Expired];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Held => "held",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl CertificateRecord {
    /// Is it the certificate of an authority of this gateway?
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.profile == ROOT_CA || self.profile == ISSUING_CA
    }

    /// What there is to be told about it.
    #[must_use]
    pub fn state(&self) -> CertificateState {
        let Self { shard, no_rev_avail, status, .. } = *self;
        CertificateState { serial: self.serial.clone(), shard, not_after: self.validity.not_after, no_rev_avail, status }
    }

    /// What it is called `now`.
    #[must_use]
    pub fn status_name(&self, now: Timestamp) -> StatusName {
        match self.status {
            CertificateStatus::Held(_) => StatusName::Held,
            CertificateStatus::Revoked(..) => StatusName::Revoked,
            CertificateStatus::Valid if self.validity.not_after < now.floor_to_second() => StatusName::Expired,
            CertificateStatus::Valid => StatusName::Valid,
        }
    }
}

/// Which certificates to list; newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateQuery {
    /// Called so at [`Self::now`].
    pub status: Option<StatusName>,
    /// Signed by this authority only.
    pub authority: Option<String>,
    /// Of this profile only.
    pub profile: Option<String>,
    /// Of this principal only.
    pub principal: Option<String>,
    /// Not valid any more at that time.
    pub expires_before: Option<Timestamp>,
    /// Now, which tells valid from expired.
    pub now: Timestamp,
    /// At most so many.
    pub limit: usize,
    /// So many certificates are looked at, at the most. A page may have fewer than `limit` for that, even none, and there is a next one.
    pub walk: usize,
    /// After that one.
    pub cursor: Option<Cursor>,
}

impl CertificateQuery {
    /// All certificates, a page of `limit` from the newest.
    #[must_use]
    pub const fn all(now: Timestamp, limit: usize) -> Self {
        Self {
            status: None,
            authority: None,
            profile: None,
            principal: None,
            expires_before: None,
            now,
            limit,
            walk: usize::MAX,
            cursor: None,
        }
    }
}

/// The port.
#[async_trait]
pub trait Certificates: Send + Sync {
    /// Records a certificate, what changes along with it, and its event; returns when all of it is committed and synced.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when the authority has a certificate of that serial number; else [`LedgerError`].
    async fn record(
        &self,
        certificate: CertificateRecord,
        along: Along,
        event: Event,
    ) -> Result<CertificateRecorded, LedgerError>;

    /// The certificate with this serial number, of whichever authority.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find(&self, serial: &Serial) -> Result<Option<CertificateRecord>, LedgerError>;

    /// The certificate with this serial number of this authority.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_issued(&self, authority: &str, serial: &Serial) -> Result<Option<CertificateRecord>, LedgerError>;

    /// Changes what became of a certificate, from what the record says to `next`; false when it was not as expected, and nothing was changed.
    /// Whoever asks after this has returned sees the change.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn change_status(
        &self,
        certificate: &CertificateRecord,
        next: CertificateStatus,
        event: Event,
    ) -> Result<bool, LedgerError>;

    /// A page of certificates.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn list(&self, query: CertificateQuery) -> Result<Page<CertificateRecord>, LedgerError>;
}
