//! Failures of SCEP: a signed CertRep with a failInfo (RFC 8894 §3.2.1.4) for all that a client could do something about. What it could
//! not, and what is over soon, is an HTTP status: a client that is told FAILURE gives up.

use certgate_ca_backend_api::BackendError;
use certgate_enrollment::{Blame, EnrollError};
use certgate_pki::CryptoError;
use certgate_scep::FailInfo;
use hyper::StatusCode;

use super::{INTERNAL, later};
use crate::auth::ChallengeDenied;
use crate::serve::answer::{self, Answer};
use crate::serve::body::BodyFailure;
use crate::serve::conclusion::Failure;
use crate::work_pool::Busy;

/// Why a message has no other answer than this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScepFailure {
    /// No usable body.
    #[error(transparent)]
    Body(#[from] BodyFailure),
    /// Too many messages wait.
    #[error(transparent)]
    Busy(Busy),
    /// A digest or signature algorithm that is not taken.
    #[error("the message is signed by an algorithm that is not taken: RSA with SHA-256, SHA-384 or SHA-512")]
    SignatureAlgorithm,
    /// A signature that is wrong.
    #[error("the signature of the message does not verify")]
    Signature,
    /// Nothing can be encrypted to the signer.
    #[error("answers are encrypted to the key that has signed the request, which has to be RSA; EST takes other keys")]
    NoKeyTransport,
    /// An encryption that is not taken.
    #[error("the message is encrypted by an algorithm that is not taken: AES-128-CBC or AES-256-CBC, with RSA key transport")]
    Encryption,
    /// Nothing, or no request of the signer, could be found in the envelope.
    #[error(
        "the pkcsPKIEnvelope is not encrypted to this RA, or what is in it is no certification request for the key that has signed the \
         message (RFC 8894 §2.3, §3.3.1)"
    )]
    Envelope,
    /// A request without subject.
    #[error("the certification request has no subject (RFC 8894 §3.3.1)")]
    NoSubject,
    /// A message type that is not served.
    #[error("only PKCSReq and CertPoll are served here")]
    NotOffered,
    /// Nobody was authenticated.
    #[error(transparent)]
    Denied(#[from] ChallengeDenied),
    /// No certificate.
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    /// A message could not be made.
    #[error(transparent)]
    Crypto(CryptoError),
    /// The task that enrolled has panicked, which it has told the log itself.
    #[error("the enrollment ended early")]
    EndedEarly,
}

impl Failure for ScepFailure {
    fn blame(&self) -> Blame {
        match self {
            Self::Body(_)
            | Self::Busy(_)
            | Self::SignatureAlgorithm
            | Self::Signature
            | Self::NoKeyTransport
            | Self::Encryption
            | Self::Envelope
            | Self::NoSubject
            | Self::NotOffered
            | Self::Denied(ChallengeDenied::Missing | ChallengeDenied::Wrong | ChallengeDenied::OtherSubject) => Blame::Client,
            Self::Denied(ChallengeDenied::Ledger(_)) => Blame::Store,
            Self::Enroll(error) => error.blame(),
            Self::Crypto(_) | Self::EndedEarly => Blame::Bug,
        }
    }

    fn is_unauthenticated(&self) -> bool {
        matches!(self, Self::Denied(ChallengeDenied::Missing | ChallengeDenied::Wrong | ChallengeDenied::OtherSubject))
    }
}

impl ScepFailure {
    /// RFC 8894 §3.2.1.4; `None` where the answer is an HTTP status.
    pub(crate) const fn fail_info(&self) -> Option<FailInfo> {
        match self {
            Self::SignatureAlgorithm | Self::NoKeyTransport | Self::Encryption => Some(FailInfo::BadAlg),
            Self::Signature => Some(FailInfo::BadMessageCheck),
            Self::Envelope
            | Self::NoSubject
            | Self::NotOffered
            | Self::Denied(ChallengeDenied::Missing | ChallengeDenied::Wrong | ChallengeDenied::OtherSubject) => {
                Some(FailInfo::BadRequest)
            }
            Self::Enroll(error) => Self::fail_info_of(error),
            Self::Body(_) | Self::Busy(_) | Self::Denied(ChallengeDenied::Ledger(_)) | Self::Crypto(_) | Self::EndedEarly => {
                None
            }
        }
    }

    const fn fail_info_of(error: &EnrollError) -> Option<FailInfo> {
        match error {
            EnrollError::UnknownTransaction => Some(FailInfo::BadCertId),
            EnrollError::Csr(_)
            | EnrollError::Refused(_)
            | EnrollError::CredentialUsedUp
            | EnrollError::CredentialExpired
            | EnrollError::ProofEnded
            | EnrollError::CertificateOver
            | EnrollError::Denied(_)
            | EnrollError::Failed(_)
            | EnrollError::NotRenewable(_)
            | EnrollError::NotAwaited
            | EnrollError::Backend(BackendError::Rejected(_)) => Some(FailInfo::BadRequest),
            EnrollError::TooManyPending
            | EnrollError::Backend(BackendError::Retryable(_) | BackendError::Misconfigured(_))
            | EnrollError::Ledger(_)
            | EnrollError::IssuerExpired(_)
            | EnrollError::NotAsOrdered(_)
            | EnrollError::Lint(_)
            | EnrollError::Crypto(_)
            | EnrollError::WrongAuthority { .. } => None,
        }
    }

    /// What a CertRep says of it for people.
    pub(crate) fn told(&self) -> String {
        match self.blame() {
            Blame::Client | Blame::Policy => self.to_string(),
            Blame::Backend | Blame::Store | Blame::Bug => "the CA refuses to sign this".to_owned(),
        }
    }

    /// The answer where there is no CertRep.
    pub(crate) fn http_answer(&self) -> Answer {
        let status = match self {
            Self::Body(failure) => failure.status(),
            Self::Busy(_)
            | Self::Denied(ChallengeDenied::Ledger(_))
            | Self::Enroll(EnrollError::Ledger(_) | EnrollError::Backend(BackendError::Retryable(_))) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Enroll(EnrollError::TooManyPending) => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => later(status),
            StatusCode::INTERNAL_SERVER_ERROR => answer::text(status, INTERNAL),
            _ => answer::text(status, &self.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use certgate_enrollment::LedgerError;
    use certgate_policy::Refusal;
    use hyper::header::RETRY_AFTER;

    use super::*;

    /// One of each variant, so that every arm is walked.
    fn all() -> Vec<ScepFailure> {
        let refusal = Refusal { rule: "names", citation: "RFC 5280 §4.2.1.6", reason: "no".into() };
        let secret = || "secret of the ledger".to_owned();
        vec![
            BodyFailure::TooLarge { limit: 1 }.into(),
            ScepFailure::Busy(Busy),
            ScepFailure::SignatureAlgorithm,
            ScepFailure::Signature,
            ScepFailure::NoKeyTransport,
            ScepFailure::Encryption,
            ScepFailure::Envelope,
            ScepFailure::NoSubject,
            ScepFailure::NotOffered,
            ChallengeDenied::Missing.into(),
            ChallengeDenied::Wrong.into(),
            ChallengeDenied::OtherSubject.into(),
            ChallengeDenied::Ledger(LedgerError::Damaged(secret())).into(),
            EnrollError::Refused(refusal).into(),
            EnrollError::Backend(BackendError::Rejected(secret())).into(),
            EnrollError::Backend(BackendError::Retryable(secret())).into(),
            EnrollError::Backend(BackendError::Misconfigured(secret())).into(),
            EnrollError::Ledger(LedgerError::Unavailable(secret())).into(),
            EnrollError::TooManyPending.into(),
            EnrollError::UnknownTransaction.into(),
            EnrollError::NotAwaited.into(),
            ScepFailure::Crypto(CryptoError::Failed("secret")),
            ScepFailure::EndedEarly,
        ]
    }

    #[test]
    fn a_client_hears_of_its_own_faults_and_never_of_ours() {
        for failure in all() {
            assert!(!failure.told().contains("secret"), "{failure:?}");
            let answer = failure.http_answer();
            assert!(!format!("{:?}", answer.body()).contains("secret"), "{failure:?}");
            let comes_back = answer.headers().contains_key(RETRY_AFTER);
            match failure.blame() {
                // What the client did is told to it in a CertRep, unless it is to come back.
                Blame::Client | Blame::Policy => {
                    let is_body = matches!(failure, ScepFailure::Body(_));
                    assert!(failure.fail_info().is_some() || comes_back || is_body, "{failure:?}");
                }
                Blame::Store => assert!(failure.fail_info().is_none() && comes_back, "{failure:?}"),
                Blame::Backend | Blame::Bug => assert!(!answer.status().is_success(), "{failure:?}"),
            }
        }
    }
}
