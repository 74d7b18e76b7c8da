//! Failures of ACME: problem documents (RFC 8555 §6.7).

use certgate_acme::{ErrorType, IdentifierObject, InvalidPath, PROBLEM_JSON, Problem, RequestError, Subproblem, to_json};
use certgate_ca_backend_api::BackendError;
use certgate_enrollment::{Blame, EnrollError, LedgerError, OrderError};
use certgate_pki::{CryptoError, CsrError};
use hyper::StatusCode;
use hyper::header::{ALLOW, HeaderValue};

use super::{INTERNAL, retried};
use crate::auth::{AccountDenied, SignerError};
use crate::serve::answer::{self, Answer};
use crate::serve::body::BodyFailure;
use crate::serve::conclusion::Failure;

/// Why a request has no other answer than this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AcmeFailure {
    /// Not a path of ACME.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// No endpoint of this name.
    #[error("there is no ACME endpoint of this name")]
    NoEndpoint,
    /// Nothing of this name that belongs to the account.
    #[error("the account has nothing of this name")]
    NotFound,
    /// The account of another.
    #[error("this is another account than the one that has signed the request")]
    OtherAccount,
    /// Not a host by which this server is known.
    #[error("this server goes by other names than the Host of the request: set public_url at the endpoint, or additional_sans")]
    Misdirected,
    /// Another method; holds those that are served.
    #[error("allowed here: {0} (RFC 8555 §6.3)")]
    Method(&'static str),
    /// Another media type.
    #[error("requests are application/jose+json (RFC 8555 §6.2)")]
    ContentType,
    /// No usable body.
    #[error(transparent)]
    Body(#[from] BodyFailure),
    /// Not what the protocol has there.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A nonce that is not ours, or was used.
    #[error("the nonce was not made by this server, or was used, or is too old; take the one of this answer")]
    Nonce,
    /// The signed URL is not the one that was asked for.
    #[error("`url` in the protected header is not the URL of this request, which is {0}")]
    Url(String),
    /// Nobody was authenticated.
    #[error(transparent)]
    Denied(#[from] AccountDenied),
    /// A wish that is not served; says what.
    #[error("{0} is not served here yet")]
    NotServed(&'static str),
    /// Names that are not certified at this endpoint.
    #[error("{reason}")]
    Rejected {
        /// Which.
        identifiers: Vec<IdentifierObject>,
        /// Why.
        reason: &'static str,
    },
    /// The account has too many authorizations open.
    #[error("the account has too many open authorizations: finish its orders first")]
    TooManyOrders,
    /// It cannot be finalized; says how it stands.
    #[error("the order is {0}: only one that is ready is finalized (RFC 8555 §7.4)")]
    NotReady(&'static str),
    /// The CSR is none.
    #[error(transparent)]
    Csr(#[from] CsrError),
    /// The CSR is not of the order; says how.
    #[error("{0} (RFC 8555 §7.4)")]
    OtherCsr(&'static str),
    /// Too many validations are under way.
    #[error("too many validations are under way")]
    Busy,
    /// No certificate.
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    /// Something could not be looked up or recorded.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No randomness.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// What is recorded does not fit together; says what.
    #[error("the ledger is not as it should be: {0}")]
    Inconsistent(&'static str),
    /// The task that enrolled has panicked, which it has told the log itself.
    #[error("the enrollment ended early")]
    EndedEarly,
}

impl From<SignerError> for AcmeFailure {
    fn from(error: SignerError) -> Self {
        match error {
            SignerError::Denied(denied) => Self::Denied(denied),
            SignerError::Request(error) => Self::Request(error),
            SignerError::Ledger(error) => Self::Ledger(error),
        }
    }
}

impl From<OrderError> for AcmeFailure {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::TooMany => Self::TooManyOrders,
            OrderError::Ledger(error) => Self::Ledger(error),
            OrderError::Crypto(error) => Self::Crypto(error),
        }
    }
}

impl Failure for AcmeFailure {
    fn blame(&self) -> Blame {
        match self {
            Self::Path(_)
            | Self::NoEndpoint
            | Self::NotFound
            | Self::OtherAccount
            | Self::Misdirected
            | Self::Method(_)
            | Self::ContentType
            | Self::Body(_)
            | Self::Request(_)
            | Self::Nonce
            | Self::Url(_)
            | Self::Denied(_)
            | Self::NotServed(_)
            | Self::NotReady(_)
            | Self::Csr(_)
            | Self::OtherCsr(_)
            | Self::Busy => Blame::Client,
            Self::Rejected { .. } | Self::TooManyOrders => Blame::Policy,
            Self::Enroll(error) => error.blame(),
            Self::Ledger(_) | Self::Inconsistent(_) => Blame::Store,
            Self::Crypto(_) | Self::EndedEarly => Blame::Bug,
        }
    }
}

impl AcmeFailure {
    /// RFC 8555 §6.7.
    fn kind(&self) -> ErrorType {
        match self {
            Self::Path(_)
            | Self::NoEndpoint
            | Self::NotFound
            | Self::Misdirected
            | Self::Method(_)
            | Self::ContentType
            | Self::Body(BodyFailure::TooLarge { .. } | BodyFailure::TimedOut | BodyFailure::Displaced | BodyFailure::Broken)
            | Self::NotServed(_)
            | Self::Denied(AccountDenied::WantsKey | AccountDenied::WantsAccount) => ErrorType::Malformed,
            Self::Request(error) => error.kind(),
            Self::Nonce => ErrorType::BadNonce,
            Self::OtherAccount | Self::Url(_) | Self::Denied(AccountDenied::Ended) => ErrorType::Unauthorized,
            Self::Denied(AccountDenied::Unknown) => ErrorType::AccountDoesNotExist,
            Self::Rejected { .. } => ErrorType::RejectedIdentifier,
            Self::NotReady(_) => ErrorType::OrderNotReady,
            Self::Csr(_) | Self::OtherCsr(_) => ErrorType::BadCsr,
            Self::Body(BodyFailure::NoRoom) | Self::Busy | Self::TooManyOrders => ErrorType::RateLimited,
            Self::Enroll(error) => Self::kind_of(error),
            Self::Ledger(_) | Self::Crypto(_) | Self::Inconsistent(_) | Self::EndedEarly => ErrorType::ServerInternal,
        }
    }

    /// Of what comes of finalizing an order: its requester has shown by then that it may have the names, so whatever policy refuses is
    /// in the CSR.
    const fn kind_of(error: &EnrollError) -> ErrorType {
        match error {
            EnrollError::Csr(_) | EnrollError::Refused(_) | EnrollError::Backend(BackendError::Rejected(_)) => {
                ErrorType::BadCsr
            }
            EnrollError::NotAwaited
            | EnrollError::UnknownTransaction
            | EnrollError::CredentialExpired
            | EnrollError::Denied(_)
            | EnrollError::Failed(_)
            | EnrollError::CertificateOver => ErrorType::OrderNotReady,
            EnrollError::CredentialUsedUp | EnrollError::ProofEnded | EnrollError::NotRenewable(_) => ErrorType::Unauthorized,
            EnrollError::TooManyPending => ErrorType::RateLimited,
            EnrollError::Backend(BackendError::Retryable(_) | BackendError::Misconfigured(_))
            | EnrollError::Ledger(_)
            | EnrollError::IssuerExpired(_)
            | EnrollError::NotAsOrdered(_)
            | EnrollError::Lint(_)
            | EnrollError::Crypto(_)
            | EnrollError::WrongAuthority { .. } => ErrorType::ServerInternal,
        }
    }

    /// That of the problem's type, but where the RFC or HTTP has another one for the case.
    fn status(&self, kind: ErrorType) -> StatusCode {
        match self {
            Self::Path(_) | Self::NoEndpoint | Self::NotFound => StatusCode::NOT_FOUND,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Body(failure) => failure.status(),
            // RFC 8555 §7.3.6: "with status code 401 (Unauthorized)".
            Self::Denied(AccountDenied::Ended) => StatusCode::UNAUTHORIZED,
            Self::Request(RequestError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy
            | Self::Ledger(_)
            | Self::Enroll(EnrollError::Ledger(_) | EnrollError::Backend(BackendError::Retryable(_))) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::BAD_REQUEST),
        }
    }

    /// The problem: what the client did wrong is said to it, what we did wrong only that it was.
    fn problem(&self, kind: ErrorType) -> Problem {
        match self {
            Self::Request(error) => error.clone().into(),
            Self::Rejected { identifiers, reason } => {
                let subproblem = |identifier: &IdentifierObject| Subproblem {
                    kind,
                    detail: (*reason).to_owned(),
                    identifier: Some(identifier.clone()),
                };
                Problem { subproblems: identifiers.iter().map(subproblem).collect(), ..Problem::new(kind, *reason) }
            }
            _ => match self.blame() {
                Blame::Client | Blame::Policy => Problem::new(kind, self.to_string()),
                _ if kind == ErrorType::BadCsr => Problem::new(kind, "the CA refuses to sign this"),
                Blame::Backend | Blame::Store | Blame::Bug => Problem::new(kind, INTERNAL),
            },
        }
    }

    /// The answer.
    pub(crate) fn answer(&self) -> Answer {
        let kind = self.kind();
        let mut answer = answer::ok(PROBLEM_JSON, to_json(&self.problem(kind)));
        let status = self.status(kind);
        *answer.status_mut() = status;
        if let Self::Method(allowed) = self {
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        }
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) { retried(answer) } else { answer }
    }
}

#[cfg(test)]
mod tests {
    use certgate_policy::Refusal;
    use hyper::header::{CONTENT_TYPE, RETRY_AFTER};

    use super::*;

    /// One of each variant, so that every arm is walked.
    fn all() -> Vec<AcmeFailure> {
        let refusal = Refusal { rule: "names", citation: "RFC 8555 §7.4", reason: "no".into() };
        let secret = || "secret of the ledger".to_owned();
        vec![
            InvalidPath.into(),
            AcmeFailure::NoEndpoint,
            AcmeFailure::NotFound,
            AcmeFailure::OtherAccount,
            AcmeFailure::Misdirected,
            AcmeFailure::Method("POST"),
            AcmeFailure::ContentType,
            BodyFailure::TooLarge { limit: 1 }.into(),
            BodyFailure::NoRoom.into(),
            BodyFailure::Displaced.into(),
            RequestError::TooLarge.into(),
            RequestError::BadCsr.into(),
            AcmeFailure::Nonce,
            AcmeFailure::Url("https://ca.example/acme/default/new-order".into()),
            AccountDenied::WantsKey.into(),
            AccountDenied::WantsAccount.into(),
            AccountDenied::Unknown.into(),
            AccountDenied::Ended.into(),
            SignerError::Request(RequestError::BadSignature).into(),
            SignerError::Ledger(LedgerError::Damaged(secret())).into(),
            AcmeFailure::NotServed("this"),
            AcmeFailure::Rejected { identifiers: Vec::new(), reason: "no" },
            OrderError::TooMany.into(),
            OrderError::Ledger(LedgerError::Unavailable(secret())).into(),
            OrderError::Crypto(CryptoError::Failed("secret")).into(),
            AcmeFailure::NotReady("pending"),
            CsrError::TooLarge.into(),
            AcmeFailure::OtherCsr("no"),
            AcmeFailure::Busy,
            EnrollError::Csr(CsrError::BadSignature).into(),
            EnrollError::Refused(refusal).into(),
            EnrollError::Backend(BackendError::Rejected(secret())).into(),
            EnrollError::Backend(BackendError::Retryable(secret())).into(),
            EnrollError::Backend(BackendError::Misconfigured(secret())).into(),
            EnrollError::Ledger(LedgerError::Unavailable(secret())).into(),
            EnrollError::TooManyPending.into(),
            EnrollError::NotAwaited.into(),
            EnrollError::ProofEnded.into(),
            LedgerError::Damaged(secret()).into(),
            CryptoError::Failed("secret").into(),
            AcmeFailure::Inconsistent("secret"),
            AcmeFailure::EndedEarly,
        ]
    }

    #[test]
    fn a_client_hears_of_its_own_faults_and_never_of_ours() {
        for failure in all() {
            let answer = failure.answer();
            let (status, text) = (answer.status(), format!("{:?}", answer.body()));
            assert!(!text.contains("secret"), "{failure:?}: {text}");
            assert_eq!(answer.headers()[CONTENT_TYPE], PROBLEM_JSON, "{failure:?}");
            let comes_back = answer.headers().contains_key(RETRY_AFTER);
            match failure.blame() {
                Blame::Client | Blame::Policy => assert!(status.is_client_error() || comes_back, "{failure:?}"),
                Blame::Backend if failure.kind() == ErrorType::BadCsr => assert!(status.is_client_error(), "{failure:?}"),
                Blame::Store | Blame::Backend | Blame::Bug => assert!(status.is_server_error(), "{failure:?}"),
            }
        }
    }

    #[test]
    fn a_method_names_those_that_are_served() {
        assert_eq!(AcmeFailure::Method("POST").answer().headers()[ALLOW], "POST");
    }
}
