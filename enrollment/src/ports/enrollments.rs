//! Enrollments that wait for something, and what came of them.

use std::fmt;

use async_trait::async_trait;
use certgate_pki::{Serial, Timestamp};
use certgate_policy::NamePattern;

use super::audit::Event;
use super::certificates::Standing;
use super::{Cursor, LedgerError, Page};
use crate::request::{Operation, Proof, Protocol};

/// Names an enrollment: 48 bits of milliseconds and 80 random bits, as lowercase hex.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnrollmentId(String);

impl EnrollmentId {
    /// Octets of an id.
    const OCTETS: usize = 16;

    /// A new one. Ids sort as they were made.
    pub(crate) fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let [_, _, time @ ..] = now.millis().to_be_bytes();
        Self(base16ct::lower::encode_string(&[&time[..], &random[..]].concat()))
    }

    /// Reads one as it is printed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (text.len() == 2 * Self::OCTETS && is_hex).then(|| Self(text.to_owned()))
    }

    /// As it is printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnrollmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EnrollmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrollmentId({self})")
    }
}

/// Where an enrollment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnrollmentState {
    /// Waits for a person.
    Pending,
    /// A person has said yes; it is being signed, or will be when the CA can be reached.
    Approved,
    /// There is a certificate.
    Issued,
    /// A person has said no.
    Denied,
    /// It was approved, and then something else said no.
    Failed,
}

impl EnrollmentState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Approved, Self::Issued, Self::Denied, Self::Failed];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Issued => "issued",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Is it over? What is over is found again by its key for a while only.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Issued | Self::Denied | Self::Failed)
    }

    /// May a person still have it issued? What has failed can be approved again.
    #[must_use]
    pub const fn may_be_issued(self) -> bool {
        matches!(self, Self::Pending | Self::Approved | Self::Failed)
    }
}

/// What makes two requests the same one, from whatever connection they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollmentKey {
    /// How it came.
    pub protocol: Protocol,
    /// Where to.
    pub endpoint: String,
    /// What for.
    pub operation: Operation,
    /// Who asks.
    pub principal: String,
    /// SHA-256 of the certificationRequestInfo without its challengePassword ([`certgate_pki::Csr::info_without_challenge`]).
    pub info_sha256: [u8; 32],
    /// By what its sender asks what became of it. Whoever can say this may know: it has to hold something that nobody else has, such as
    /// the hash of the sender's key.
    pub transaction: Option<String>,
}

/// An enrollment in the ledger. `Debug` leaves the CSR out, which may hold a challengePassword.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrollmentRecord {
    /// Its name.
    pub id: EnrollmentId,
    /// What it is found by.
    pub key: EnrollmentKey,
    /// By which profile.
    pub profile: String,
    /// The authority that was to sign by that profile; once it is issued, the one that has signed.
    pub authority: String,
    /// The names that the principal might have when it asked.
    pub grants: Vec<NamePattern>,
    /// What has authenticated it: if that is not good any more, it is not issued.
    pub proof: Proof,
    /// The certificate that is to be renewed.
    pub renews: Option<Serial>,
    /// A CSR without subjectAltName keeps the names of that certificate.
    pub may_omit_names: bool,
    /// The CSR as it first came, DER.
    pub csr: Vec<u8>,
    /// SHA-256 of that.
    pub csr_sha256: [u8; 32],
    /// Since when.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: EnrollmentState,
    /// Since when it stands there.
    pub changed_at: Timestamp,
    /// Why it was denied or has failed; may be empty.
    pub reason: String,
    /// The certificate that was issued.
    pub serial: Option<Serial>,
}

impl fmt::Debug for EnrollmentRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("EnrollmentRecord");
        shown.field("id", &self.id).field("key", &self.key).field("state", &self.state).field("reason", &self.reason);
        shown.field("serial", &self.serial).finish_non_exhaustive()
    }
}

/// What came of submitting one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It waits.
    Created,
    /// The same request came a moment earlier.
    Exists(Box<EnrollmentRecord>),
    /// Its transaction has begun something else since.
    Overtaken,
    /// The principal has as many waiting as it may.
    TooMany,
    /// The credential has no use left.
    CredentialUsedUp,
    /// What has authenticated the principal is not good any more.
    ProofEnded,
}

/// An enrollment to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEnrollment {
    /// All of it.
    pub record: EnrollmentRecord,
    /// The newest enrollment of its transaction, if it is of one and there is one: nothing is recorded when that has changed.
    pub after: Option<EnrollmentId>,
}

impl From<EnrollmentRecord> for NewEnrollment {
    /// Of no transaction, or the first of its.
    fn from(record: EnrollmentRecord) -> Self {
        Self { record, after: None }
    }
}

/// Which enrollments to list; newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollmentQuery {
    /// In this state only.
    pub state: Option<EnrollmentState>,
    /// At most so many.
    pub limit: usize,
    /// After that one.
    pub cursor: Option<Cursor>,
}

/// The port.
#[async_trait]
pub trait Enrollments: Send + Sync {
    /// Records an enrollment that waits, unless one of its key is waiting, or approved, already. A principal may have `most` of those by each
    /// certificate that authenticates it, and so many by other proofs.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn submit(&self, enrollment: NewEnrollment, most: u64, event: Event) -> Result<Submitted, LedgerError>;

    /// The newest enrollment of this key that is not over, or was not before `since`.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_by_key(&self, key: &EnrollmentKey, since: Timestamp) -> Result<Option<EnrollmentRecord>, LedgerError>;

    /// The newest enrollment of a transaction at an endpoint, however old.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_by_transaction(
        &self,
        protocol: Protocol,
        endpoint: &str,
        transaction: &str,
    ) -> Result<Option<EnrollmentRecord>, LedgerError>;

    /// The enrollment of this name.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_by_id(&self, id: &EnrollmentId) -> Result<Option<EnrollmentRecord>, LedgerError>;

    /// Enrollments whose CSR, as it first came, has this SHA-256, the newest first: those that may still be issued, or else the others; `most`
    /// at the most. Nothing keeps one requester from sending the CSR of another.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_by_csr(&self, csr_sha256: &[u8; 32], most: usize) -> Result<Vec<EnrollmentRecord>, LedgerError>;

    /// How what an enrollment was asked with stands, where `authority` would sign for it.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn standing(&self, enrollment: &EnrollmentRecord, authority: &str) -> Result<Standing, LedgerError>;

    /// Moves an enrollment from the state that its record says to `next`; false when it was not there any more, and nothing was
    /// changed. [`EnrollmentState::Issued`] is reached by [`super::certificates::Certificates::record`] alone.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn advance(
        &self,
        enrollment: &EnrollmentRecord,
        next: EnrollmentState,
        reason: &str,
        event: Event,
    ) -> Result<bool, LedgerError>;

    /// A page of enrollments.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn list_enrollments(&self, query: EnrollmentQuery) -> Result<Page<EnrollmentRecord>, LedgerError>;
}
