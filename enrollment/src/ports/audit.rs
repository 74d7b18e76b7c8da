//! The audit trail: a hash chain of everything that was changed.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use certgate_pki::{DigestAlgorithm, Provider, Serial, Timestamp};

use super::LedgerError;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A certificate was issued.
    CertificateIssued,
    /// A certificate that was issued elsewhere was taken over with its authority.
    CertificateImported,
    /// A certificate was revoked.
    CertificateRevoked,
    /// A certificate was put on hold.
    CertificateHeld,
    /// A certificate on hold is good again.
    CertificateReleased,
    /// A certificate that a backup did not have was taken over from the ledger that it replaces.
    CertificateCarriedOver,
    /// A ledger came back from a backup.
    LedgerRestored,
    /// A CRL was published.
    CrlPublished,
    /// A CRL of an authority was taken over with it.
    CrlImported,
    /// A CRL that was recorded was never served.
    CrlWithdrawn,
    /// A request waits for a person.
    EnrollmentSubmitted,
    /// A person said yes.
    EnrollmentApproved,
    /// A person said no.
    EnrollmentDenied,
    /// What was approved was then refused.
    EnrollmentFailed,
    /// A credential was added.
    EstUserAdded,
    /// A credential was put in the place of another.
    EstUserReplaced,
    /// A credential was removed.
    EstUserRemoved,
    /// A challenge was given out.
    ScepChallengeAdded,
    /// An account was made.
    AccountAdded,
    /// An order was opened.
    OrderAdded,
    /// The answer to a challenge is being validated.
    AuthorizationBegun,
    /// Control of a name was shown.
    AuthorizationValid,
    /// Control of a name was not shown.
    AuthorizationInvalid,
    /// An authority writes another base URL into certificates from now on.
    BaseUrlChanged,
    /// An authority has the certificate that a CA outside has signed.
    AuthorityImported,
    /// A key was made that signs heads of the chain.
    AuditKeyMade,
    /// The key of an authority is kept elsewhere from now on.
    AuthorityTakenOffline,
    /// The key of an authority is here again.
    AuthorityBroughtBack,
}

impl EventKind {
    /// Its name in the trail.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CertificateIssued => "certificate.issued",
            Self::CertificateImported => "certificate.imported",
            Self::CertificateRevoked => "certificate.revoked",
            Self::CertificateHeld => "certificate.held",
            Self::CertificateReleased => "certificate.released",
            Self::CertificateCarriedOver => "certificate.carried-over",
            Self::LedgerRestored => "ledger.restored",
            Self::CrlPublished => "crl.published",
            Self::CrlImported => "crl.imported",
            Self::CrlWithdrawn => "crl.withdrawn",
            Self::EnrollmentSubmitted => "enrollment.submitted",
            Self::EnrollmentApproved => "enrollment.approved",
            Self::EnrollmentDenied => "enrollment.denied",
            Self::EnrollmentFailed => "enrollment.failed",
            Self::EstUserAdded => "est-user.added",
            Self::EstUserReplaced => "est-user.replaced",
            Self::EstUserRemoved => "est-user.removed",
            Self::ScepChallengeAdded => "scep-challenge.added",
            Self::AccountAdded => "account.added",
            Self::OrderAdded => "order.added",
            Self::AuthorizationBegun => "authorization.begun",
            Self::AuthorizationValid => "authorization.valid",
            Self::AuthorizationInvalid => "authorization.invalid",
            Self::BaseUrlChanged => "authority.base-url-changed",
            Self::AuthorityImported => "authority.imported",
            Self::AuditKeyMade => "audit.key-made",
            Self::AuthorityTakenOffline => "authority.taken-offline",
            Self::AuthorityBroughtBack => "authority.brought-back",
        }
    }
}

/// One event: when, what, who, and to what it was done. No secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The principal or operator who did it.
    pub actor: String,
    /// What it was done to, and how.
    pub details: Vec<(&'static str, String)>,
}

impl Event {
    /// An event about a certificate: its serial number and the SHA-256 of its DER.
    pub(crate) fn certificate(
        kind: EventKind,
        at: Timestamp,
        actor: &str,
        serial: &Serial,
        provider: &Provider,
        der: &[u8],
    ) -> Self {
        let digest = provider.digest.digest(DigestAlgorithm::Sha256, der);
        let hex = base16ct::lower::encode_string(&digest);
        Self { at, kind, actor: actor.to_owned(), details: vec![("serial", serial.to_string()), ("sha256", hex)] }
    }
}

/// Where the chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// How many events there are; the first is number 1.
    pub events: u64,
    /// Hash of the last one; zeros while there is none.
    pub hash: [u8; 32],
}

impl AuditHead {
    /// Before the first event.
    pub const NOTHING: Self = Self { events: 0, hash: [0; 32] };
}

/// What a walk along the chain has to pass.
#[derive(Clone, Debug, Default)]
pub struct ExpectedHeads {
    /// A hash, wherever it stands.
    pub hash: Option<[u8; 32]>,
    /// Heads, each where it stands.
    pub heads: Vec<AuditHead>,
}

/// What a walk along the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// How far the chain is whole, and its hash there.
    pub head: AuditHead,
    /// Number of the first event that does not follow from the one before it.
    pub broken_at: Option<u64>,
    /// Was the expected hash passed on the way? `None` when none was expected.
    pub expected_head_found: Option<bool>,
    /// The first of the expected heads that was not passed: its place among them.
    pub first_missed: Option<usize>,
}

/// The port.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// The head as the ledger states it.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn head(&self) -> Result<AuditHead, LedgerError>;

    /// Appends an event that goes with no other change.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn append(&self, event: Event) -> Result<(), LedgerError>;

    /// The first of these heads that the trail does not state where it stands: its place among them. Nothing is hashed.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn first_missing(&self, heads: Vec<AuditHead>) -> Result<Option<usize>, LedgerError>;

    /// Walks the whole chain, hashing every event again. `walked` tells meanwhile how many events that were.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read; a broken chain is a report.
    async fn verify(&self, expected: ExpectedHeads, walked: Arc<AtomicU64>) -> Result<AuditReport, LedgerError>;
}
