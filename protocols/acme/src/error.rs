//! Why a request is refused, and by which type of problem that is told.

use crate::algorithm::Algorithm;
use crate::identifier::IdentifierObject;
use crate::jws::MAX_BODY;
use crate::problem::{ErrorType, Problem, Subproblem};

/// Why a request is not taken. All of these are the client's doing; the text of each is fit to be its `detail`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// More than [`MAX_BODY`] octets.
    #[error("the request is larger than {MAX_BODY} octets")]
    TooLarge,
    /// Not what RFC 8555 has there; says what.
    #[error("{0}")]
    Malformed(&'static str),
    /// A member of an object is missing or of the wrong type.
    #[error("`{name}` must be {shape}")]
    Member {
        /// Which.
        name: &'static str,
        /// What it has to be.
        shape: &'static str,
    },
    /// No `nonce` in the protected header (RFC 8555 §6.5).
    #[error("the protected header has no `nonce` (RFC 8555 §6.5)")]
    MissingNonce,
    /// `alg` is not supported, or not with the account's key; holds what is.
    #[error("`alg` must be {}", names(.0))]
    BadSignatureAlgorithm(Vec<Algorithm>),
    /// The key is not supported, or none; says why.
    #[error("the public key is not accepted: {0}")]
    BadPublicKey(&'static str),
    /// The signature is not the key's over this request.
    #[error("the signature does not verify")]
    BadSignature,
    /// A contact whose scheme is not `mailto` (RFC 8555 §7.3).
    #[error("only mailto: URLs are supported in `contact`")]
    UnsupportedContact,
    /// A contact that is no URL, or no good `mailto` URL; says why.
    #[error("a `contact` is not valid: {0}")]
    InvalidContact(&'static str),
    /// The `csr` of a finalize request is no base64url.
    #[error("`csr` is not base64url without padding (RFC 8555 §7.4)")]
    BadCsr,
    /// Identifiers of an order that are none; at least one.
    #[error("some of the identifiers are not accepted")]
    BadIdentifiers(Vec<IdentifierFault>),
}

/// What is wrong with one identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentifierFault {
    /// `malformed` or `unsupportedIdentifier`.
    pub kind: ErrorType,
    /// What it is, for people.
    pub detail: &'static str,
    /// The identifier as it was sent.
    pub identifier: IdentifierObject,
}

impl RequestError {
    /// By which type of problem it is told (RFC 8555 §6.7). For identifiers: their common type, or `compound`.
    #[must_use]
    pub fn kind(&self) -> ErrorType {
        match self {
            // A wrong signature is no matter of rights: the sender is not known. RFC 8555 names no type for it.
            Self::TooLarge | Self::Malformed(_) | Self::Member { .. } | Self::BadSignature => ErrorType::Malformed,
            Self::MissingNonce => ErrorType::BadNonce,
            Self::BadSignatureAlgorithm(_) => ErrorType::BadSignatureAlgorithm,
            Self::BadPublicKey(_) => ErrorType::BadPublicKey,
            Self::UnsupportedContact => ErrorType::UnsupportedContact,
            Self::InvalidContact(_) => ErrorType::InvalidContact,
            Self::BadCsr => ErrorType::BadCsr,
            Self::BadIdentifiers(faults) => {
                let first = faults.first().map_or(ErrorType::Malformed, |fault| fault.kind);
                if faults.iter().all(|fault| fault.kind == first) { first } else { ErrorType::Compound }
            }
        }
    }
}

/// With the `algorithms` that RFC 8555 §6.2 wants, and a subproblem for each identifier (§6.7.1).
impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let problem = Self::new(error.kind(), error.to_string());
        match error {
            RequestError::BadSignatureAlgorithm(algorithms) => Self { algorithms, ..problem },
            RequestError::BadIdentifiers(faults) => {
                let subproblem = |IdentifierFault { kind, detail, identifier }| Subproblem {
                    kind,
                    detail: detail.to_owned(),
                    identifier: Some(identifier),
                };
                Self { subproblems: faults.into_iter().map(subproblem).collect(), ..problem }
            }
            _ => problem,
        }
    }
}

fn names(algorithms: &[Algorithm]) -> String {
    algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ")
}
