//! Errors to outcomes, one exhaustive match a protocol.

mod acme;
mod scep;

use certgate_ca_backend_api::BackendError;
use certgate_enrollment::{Blame, EnrollError, LedgerError};
use certgate_est::{BindingError, BodyError, InvalidPath, Operation, RequestError};
use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};

use super::answer::{self, Answer};
use super::body::BodyFailure;
use super::conclusion::Failure;
use crate::auth::PasswordsBusy;

pub(crate) use acme::AcmeFailure;
pub(crate) use scep::ScepFailure;

/// Seconds until a client may try again when the CA or the ledger is away.
const RETRY_AFTER_SECONDS: u16 = 30;

/// What a client is told when the fault is ours: the log has the rest.
const INTERNAL: &str = "the server could not do this; its operator finds the reason in its log";

/// Why an EST request has no other answer than this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EstFailure {
    /// Not a path of EST.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// No endpoint of this label.
    #[error("there is no EST endpoint of this name")]
    NoEndpoint,
    /// An operation that is not offered.
    #[error("this endpoint does not offer /{}", .0.segment())]
    NotOffered(Operation),
    /// No usable body.
    #[error(transparent)]
    Body(#[from] BodyFailure),
    /// No enrollment request.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// No certificate.
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    /// The request is not bound to its TLS session as it should be.
    #[error(transparent)]
    Binding(#[from] BindingError),
    /// Too many passwords wait to be verified.
    #[error(transparent)]
    Busy(PasswordsBusy),
    /// The requester's credential could not be looked up.
    #[error(transparent)]
    Lookup(LedgerError),
    /// The task that enrolled has panicked, which it has told the log itself.
    #[error("the enrollment ended early")]
    EndedEarly,
}

impl Failure for EstFailure {
    fn blame(&self) -> Blame {
        match self {
            Self::Path(_)
            | Self::NoEndpoint
            | Self::NotOffered(_)
            | Self::Body(_)
            | Self::Request(_)
            | Self::Binding(_)
            | Self::Busy(_) => Blame::Client,
            Self::Enroll(error) => error.blame(),
            Self::Lookup(_) => Blame::Store,
            Self::EndedEarly => Blame::Bug,
        }
    }
}

impl EstFailure {
    /// RFC 7030 §4.2.3: "the server MUST … an appropriate HTTP status"; RFC 8951 §5.1: text for people, as text/plain.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Path(_) | Self::NoEndpoint | Self::NotOffered(_) => StatusCode::NOT_FOUND,
            Self::Body(failure) => failure.status(),
            Self::Binding(_) => StatusCode::BAD_REQUEST,
            Self::Request(RequestError::ContentType) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Request(RequestError::Body(BodyError::Empty | BodyError::NotBase64) | RequestError::Csr(_)) => {
                StatusCode::BAD_REQUEST
            }
            Self::Enroll(error) => Self::status_of(error),
            Self::Lookup(_) | Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::EndedEarly => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn status_of(error: &EnrollError) -> StatusCode {
        match error {
            EnrollError::Csr(_) => StatusCode::BAD_REQUEST,
            EnrollError::Refused(_)
            | EnrollError::CredentialUsedUp
            | EnrollError::CredentialExpired
            | EnrollError::ProofEnded
            | EnrollError::CertificateOver
            | EnrollError::Denied(_)
            | EnrollError::Failed(_)
            | EnrollError::NotRenewable(_)
            | EnrollError::Backend(BackendError::Rejected(_)) => StatusCode::FORBIDDEN,
            EnrollError::TooManyPending => StatusCode::TOO_MANY_REQUESTS,
            EnrollError::UnknownTransaction => StatusCode::NOT_FOUND,
            EnrollError::NotAwaited => StatusCode::CONFLICT,
            EnrollError::Backend(BackendError::Retryable(_)) | EnrollError::Ledger(_) => StatusCode::SERVICE_UNAVAILABLE,
            EnrollError::IssuerExpired(_)
            | EnrollError::Backend(BackendError::Misconfigured(_))
            | EnrollError::NotAsOrdered(_)
            | EnrollError::Lint(_)
            | EnrollError::Crypto(_)
            | EnrollError::WrongAuthority { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer: what the client did wrong is said to it, what we did wrong only that it was.
    pub(crate) fn answer(&self) -> Answer {
        let status = self.status();
        match self.blame() {
            _ if status == StatusCode::SERVICE_UNAVAILABLE => later(status),
            // RFC 6585 §4: a 429 "MAY include a Retry-After header".
            Blame::Policy if status == StatusCode::TOO_MANY_REQUESTS => retried(answer::text(status, &self.to_string())),
            Blame::Client | Blame::Policy => answer::text(status, &self.to_string()),
            _ if status == StatusCode::FORBIDDEN => answer::text(status, "the CA refuses to sign this"),
            _ => answer::text(status, INTERNAL),
        }
    }
}

/// This status, and when to come back.
fn later(status: StatusCode) -> Answer {
    retried(answer::text(status, &format!("not available now; try again in {RETRY_AFTER_SECONDS} seconds")))
}

/// With when to come back.
fn retried(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    answer
}

#[cfg(test)]
mod tests {
    use certgate_pki::CsrError;
    use certgate_policy::Refusal;

    use super::*;

    /// One of each variant, so that every arm is walked.
    fn all() -> Vec<EstFailure> {
        let refusal = Refusal { rule: "names", citation: "RFC 7030 §3.7", reason: "no".into() };
        vec![
            InvalidPath.into(),
            EstFailure::NoEndpoint,
            EstFailure::NotOffered(Operation::FullCmc),
            BodyFailure::TooLarge { limit: 1 }.into(),
            BodyFailure::TimedOut.into(),
            BodyFailure::NoRoom.into(),
            BodyFailure::Displaced.into(),
            BodyFailure::Broken.into(),
            RequestError::ContentType.into(),
            RequestError::Body(BodyError::Empty).into(),
            RequestError::Body(BodyError::NotBase64).into(),
            RequestError::Csr(CsrError::TooLarge).into(),
            EnrollError::Csr(CsrError::BadSignature).into(),
            EnrollError::Refused(refusal).into(),
            EnrollError::Backend(BackendError::Rejected("secret of the CA".into())).into(),
            EnrollError::Backend(BackendError::Retryable("secret of the CA".into())).into(),
            EnrollError::Backend(BackendError::Misconfigured("secret of the CA".into())).into(),
            EnrollError::NotAsOrdered("secret of the CA").into(),
            EnrollError::Ledger(LedgerError::Unavailable("secret of the ledger".into())).into(),
            EnrollError::WrongAuthority { authorized: "secret".into(), brought: "b".into() }.into(),
            EstFailure::Lookup(LedgerError::Damaged("secret of the ledger".into())),
            EstFailure::EndedEarly,
            BindingError::Missing.into(),
            BindingError::Wrong.into(),
            EstFailure::Busy(PasswordsBusy),
            EnrollError::CredentialUsedUp.into(),
            EnrollError::ProofEnded.into(),
            EnrollError::Denied("not this one".into()).into(),
            EnrollError::Failed(String::new()).into(),
            EnrollError::NotRenewable("revoked").into(),
            EnrollError::TooManyPending.into(),
            EnrollError::NotAwaited.into(),
            EnrollError::CredentialExpired.into(),
            EnrollError::CertificateOver.into(),
            EnrollError::UnknownTransaction.into(),
        ]
    }

    #[test]
    fn a_client_hears_of_its_own_faults_and_never_of_ours() {
        for failure in all() {
            let answer = failure.answer();
            let text = format!("{:?}", answer.body());
            assert!(!text.contains("secret"), "{failure:?}: {text}");
            assert_eq!(answer.headers()[hyper::header::CONTENT_TYPE], "text/plain; charset=utf-8", "{failure:?}");
            match failure.blame() {
                Blame::Client if answer.status() == StatusCode::SERVICE_UNAVAILABLE => {
                    assert_eq!(answer.headers()[RETRY_AFTER], "30", "{failure:?}");
                }
                Blame::Client | Blame::Policy => assert!(answer.status().is_client_error(), "{failure:?}"),
                Blame::Store => assert_eq!(answer.headers()[RETRY_AFTER], "30", "{failure:?}"),
                Blame::Backend | Blame::Bug => assert!(!answer.status().is_success(), "{failure:?}"),
            }
        }
    }
}
