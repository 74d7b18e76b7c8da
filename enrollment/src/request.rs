//! What is asked of the core.

use std::fmt;

use certgate_pki::{Certificate, Csr, CsrError, Provider, Serial, Timestamp, VerifiedCsr};
use certgate_policy::NamePattern;

/// By which protocol a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RFC 7030.
    Est,
    /// RFC 8894.
    Scep,
    /// RFC 8555.
    Acme,
    /// certgate itself, for its own certificates.
    Internal,
    /// None that is known: its authority has signed it before it came here.
    Imported,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Est, Self::Scep, Self::Acme, Self::Internal, Self::Imported];

    /// Its name in the ledger and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Est => "est",
            Self::Scep => "scep",
            Self::Acme => "acme",
            Self::Internal => "internal",
            Self::Imported => "imported",
        }
    }

    /// Does another request of the same transaction begin something new? Clients of SCEP call their transactions by their keys; an order
    /// of ACME is for one certificate.
    pub(crate) const fn reuses_transactions(self) -> bool {
        !matches!(self, Self::Acme)
    }

    /// The protocol of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A certificate for names that the principal may have.
    Enroll,
    /// A certificate in place of one that the principal has.
    Renew,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Enroll, Self::Renew];

    /// Its name in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enroll => "enroll",
            Self::Renew => "renew",
        }
    }

    /// The operation of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// What has shown who a principal is. It is looked at again in the transaction that records what the principal gets: whatever has ended it
/// since, however long a body took to arrive, counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The credential with this [`EstUser::id`](crate::EstUser::id), at the endpoint where it asks. If it is good for a number of
    /// certificates, each spends one.
    Credential(u64),
    /// The certificate of the same authority that it has shown as TLS client certificate.
    Certificate(Serial),
    /// Such a certificate, and the credential with this id, which grants names that are not in it.
    Both(Serial, u64),
    /// The challenge with this [`ScepChallenge::id`](crate::ScepChallenge::id), at the endpoint where it asks; each certificate spends one
    /// of its uses.
    Challenge(u64),
    /// The account with this [`Account::id`](crate::Account::id), at the endpoint where it asks.
    Account(u64),
}

impl Proof {
    /// The certificate in it.
    #[must_use]
    pub const fn certificate(&self) -> Option<&Serial> {
        match self {
            Self::Certificate(serial) | Self::Both(serial, _) => Some(serial),
            Self::Credential(_) | Self::Challenge(_) | Self::Account(_) => None,
        }
    }

    /// The id of the credential in it.
    #[must_use]
    pub const fn credential(&self) -> Option<u64> {
        match self {
            Self::Credential(id) | Self::Both(_, id) => Some(*id),
            Self::Certificate(_) | Self::Challenge(_) | Self::Account(_) => None,
        }
    }

    /// Whether a certificate that is recorded with it spends a use of its credential or challenge.
    #[must_use]
    pub const fn spends_a_use(&self) -> bool {
        matches!(self, Self::Credential(_) | Self::Challenge(_))
    }
}

/// Who asks, after its proof was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The bare name, as the ledger keeps it.
    pub name: String,
    /// The names that it may have: from its credential or its old certificate, never from its request.
    pub grants: Vec<NamePattern>,
    /// What has shown that it is who it says.
    pub proof: Proof,
    /// From when on that begins nothing new; what was begun before goes on. `None` where it has no end, or whoever authenticated the
    /// principal has looked at it already.
    pub ends_at: Option<Timestamp>,
}

/// A request whose sender has shown that it holds the private key.
#[derive(Clone, Debug)]
pub(crate) struct CheckedRequest {
    pub(crate) protocol: Protocol,
    pub(crate) endpoint: String,
    pub(crate) principal: Principal,
    pub(crate) csr: VerifiedCsr,
    pub(crate) renews: Option<Box<Renewal>>,
    pub(crate) transaction: Option<String>,
}

impl EnrollRequest {
    /// Checks the proof of possession.
    pub(crate) fn check(self, provider: &Provider) -> Result<CheckedRequest, CsrError> {
        let Self { protocol, endpoint, principal, csr, renews, transaction } = self;
        Ok(CheckedRequest { protocol, endpoint, principal, csr: csr.verify(provider)?, renews, transaction })
    }
}

/// The certificate that a re-enrollment renews, which has authenticated its holder ([`crate::judge`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The certificate.
    pub certificate: Certificate,
    /// [`CertificateRecord::asked_subject`](crate::CertificateRecord::asked_subject) of it.
    pub asked_subject: Option<[u8; 32]>,
    /// A CSR without subjectAltName keeps the names that the certificate has.
    pub may_omit_names: bool,
}

/// A request for a certificate.
#[derive(Clone, Debug)]
pub struct EnrollRequest {
    /// How it came.
    pub protocol: Protocol,
    /// Where it came to.
    pub endpoint: String,
    /// Who asks.
    pub principal: Principal,
    /// What for; its proof of possession is checked before anything else is done with it.
    pub csr: Csr,
    /// What it renews; `None` for a new enrollment.
    pub renews: Option<Box<Renewal>>,
    /// By what its sender asks what became of it, where the protocol has that: see [`EnrollmentKey::transaction`].
    ///
    /// [`EnrollmentKey::transaction`]: crate::EnrollmentKey::transaction
    pub transaction: Option<String>,
}
