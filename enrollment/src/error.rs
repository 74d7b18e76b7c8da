//! Why there is no certificate, by who has to act.

use certgate_ca_backend_api::BackendError;
use certgate_pki::{CryptoError, CsrError};
use certgate_policy::{IssuerExpired, LintFailure, Refusal};

use crate::ports::LedgerError;

/// Who has to act before the same request can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// Whoever sent it: it is malformed or proves nothing.
    Client,
    /// Nobody: it was understood and is not allowed.
    Policy,
    /// Whoever runs the CA behind.
    Backend,
    /// Whoever runs the ledger.
    Store,
    /// The authors of certgate.
    Bug,
}

impl Blame {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Client, Self::Policy, Self::Backend, Self::Store, Self::Bug];

    /// Its name in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Policy => "policy",
            Self::Backend => "backend",
            Self::Store => "store",
            Self::Bug => "bug",
        }
    }
}

/// Why there is no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrollError {
    /// The CSR proves nothing.
    #[error(transparent)]
    Csr(#[from] CsrError),
    /// Policy says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The authority is over.
    #[error(transparent)]
    IssuerExpired(#[from] IssuerExpired),
    /// The back end did not sign.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The back end signed something else than was ordered.
    #[error("the CA returned another certificate than was ordered: {0}")]
    NotAsOrdered(&'static str),
    /// The outcome could not be recorded, so there is none.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What would have been signed is not right.
    #[error(transparent)]
    Lint(#[from] LintFailure),
    /// No randomness, or the like.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The credential is good for no more certificates.
    #[error("the credential is used up: it was good for a number of certificates, and they are issued")]
    CredentialUsedUp,
    /// What has authenticated the principal was over before it asked.
    #[error("the credential has expired")]
    CredentialExpired,
    /// What has authenticated the principal ended while its request was under way, or waited.
    #[error("the credential or certificate that this was asked with is not good any more")]
    ProofEnded,
    /// A person said no.
    #[error("the request was denied{}", with_reason(.0))]
    Denied(String),
    /// A person said yes, and then something else said no.
    #[error("the request was approved and then could not be fulfilled{}", with_reason(.0))]
    Failed(String),
    /// The principal has as many requests waiting as it may.
    #[error("too many requests of this principal wait for a person already")]
    TooManyPending,
    /// The enrollment was decided by somebody else meanwhile.
    #[error("the enrollment is not waiting any more")]
    NotAwaited,
    /// There is no transaction of this name, or it is another's.
    #[error("there is no such transaction")]
    UnknownTransaction,
    /// What was issued is not handed out any more.
    #[error("the certificate that was issued is revoked, on hold or over")]
    CertificateOver,
    /// The certificate that was to be renewed is not good any more.
    #[error("the certificate that was to be renewed is {0}")]
    NotRenewable(&'static str),
    /// A permission to sign was taken to another authority than gave it.
    #[error("authorized for authority {authorized}, brought to {brought}")]
    WrongAuthority {
        /// Who authorized it.
        authorized: String,
        /// Who was asked to sign.
        brought: String,
    },
}

impl EnrollError {
    /// Who has to act.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Csr(_) => Blame::Client,
            Self::Refused(_)
            | Self::CredentialUsedUp
            | Self::CredentialExpired
            | Self::UnknownTransaction
            | Self::CertificateOver
            | Self::ProofEnded
            | Self::Denied(_)
            | Self::Failed(_)
            | Self::TooManyPending
            | Self::NotAwaited
            | Self::NotRenewable(_) => Blame::Policy,
            Self::IssuerExpired(_) | Self::Backend(_) | Self::NotAsOrdered(_) => Blame::Backend,
            Self::Ledger(_) => Blame::Store,
            Self::Lint(_) | Self::Crypto(_) | Self::WrongAuthority { .. } => Blame::Bug,
        }
    }
}

/// Nothing, or what the operator had to say.
fn with_reason(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}
