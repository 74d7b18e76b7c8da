//! Problem documents (RFC 8555 §6.7, RFC 7807).

use serde::{Serialize, Serializer};

use crate::algorithm::Algorithm;
use crate::identifier::IdentifierObject;

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The namespace of error types.
const URN: &str = "urn:ietf:params:acme:error:";

/// The error types that RFC 8555 §6.7 registers. "Servers MUST NOT use the ACME URN namespace for errors not listed in the appropriate IANA
/// registry".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// The request specified an account that does not exist.
    AccountDoesNotExist,
    /// The certificate has been revoked already.
    AlreadyRevoked,
    /// The CSR is unacceptable.
    BadCsr,
    /// An unacceptable anti-replay nonce.
    BadNonce,
    /// Signed by a public key that the server does not support.
    BadPublicKey,
    /// A revocation reason that the server does not allow.
    BadRevocationReason,
    /// Signed with an algorithm that the server does not support.
    BadSignatureAlgorithm,
    /// CAA records forbid the CA from issuing.
    Caa,
    /// Specific errors are in the subproblems.
    Compound,
    /// The server could not connect to the validation target.
    Connection,
    /// A problem with a DNS query during validation.
    Dns,
    /// The request must include a value for externalAccountBinding.
    ExternalAccountRequired,
    /// The response did not match the challenge's requirements.
    IncorrectResponse,
    /// A contact URL was invalid.
    InvalidContact,
    /// The request message was malformed.
    Malformed,
    /// The order is not ready to be finalized.
    OrderNotReady,
    /// The request exceeds a rate limit.
    RateLimited,
    /// The server will not issue certificates for the identifier.
    RejectedIdentifier,
    /// The server experienced an internal error.
    ServerInternal,
    /// A TLS error during validation.
    Tls,
    /// The client lacks sufficient authorization.
    Unauthorized,
    /// A contact URL used an unsupported scheme.
    UnsupportedContact,
    /// An identifier is of an unsupported type.
    UnsupportedIdentifier,
    /// A person has to visit the `instance` URL.
    UserActionRequired,
}

impl ErrorType {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::AccountDoesNotExist,
        Self::AlreadyRevoked,
        Self::BadCsr,
        Self::BadNonce,
        Self::BadPublicKey,
        Self::BadRevocationReason,
        Self::BadSignatureAlgorithm,
        Self::Caa,
        Self::Compound,
        Self::Connection,
        Self::Dns,
        Self::ExternalAccountRequired,
        Self::IncorrectResponse,
        Self::InvalidContact,
        Self::Malformed,
        Self::OrderNotReady,
        Self::RateLimited,
        Self::RejectedIdentifier,
        Self::ServerInternal,
        Self::Tls,
        Self::Unauthorized,
        Self::UnsupportedContact,
        Self::UnsupportedIdentifier,
        Self::UserActionRequired,
    ];

    /// Its token, which ends its URN.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::AccountDoesNotExist => "accountDoesNotExist",
            Self::AlreadyRevoked => "alreadyRevoked",
            Self::BadCsr => "badCSR",
            Self::BadNonce => "badNonce",
            Self::BadPublicKey => "badPublicKey",
            Self::BadRevocationReason => "badRevocationReason",
            Self::BadSignatureAlgorithm => "badSignatureAlgorithm",
            Self::Caa => "caa",
            Self::Compound => "compound",
            Self::Connection => "connection",
            Self::Dns => "dns",
            Self::ExternalAccountRequired => "externalAccountRequired",
            Self::IncorrectResponse => "incorrectResponse",
            Self::InvalidContact => "invalidContact",
            Self::Malformed => "malformed",
            Self::OrderNotReady => "orderNotReady",
            Self::RateLimited => "rateLimited",
            Self::RejectedIdentifier => "rejectedIdentifier",
            Self::ServerInternal => "serverInternal",
            Self::Tls => "tls",
            Self::Unauthorized => "unauthorized",
            Self::UnsupportedContact => "unsupportedContact",
            Self::UnsupportedIdentifier => "unsupportedIdentifier",
            Self::UserActionRequired => "userActionRequired",
        }
    }

    /// The HTTP status that goes with it, where the RFC has no other for the case: 405 for a method (RFC 8555 §6.3), 415 for a media type
    /// (§6.2), 401 for a deactivated account (§7.3.6).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Caa | Self::ExternalAccountRequired | Self::OrderNotReady | Self::Unauthorized | Self::UserActionRequired => {
                403
            }
            Self::RateLimited => 429,
            Self::ServerInternal => 500,
            _ => 400,
        }
    }
}

/// Its URN.
impl Serialize for ErrorType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{URN}{}", self.token()))
    }
}

/// A problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: ErrorType,
    /// What happened, for people: "Clients SHOULD display the "detail" field of all errors."
    pub detail: String,
    /// What happened to each identifier (RFC 8555 §6.7.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subproblems: Vec<Subproblem>,
    /// Which algorithms are supported, with [`ErrorType::BadSignatureAlgorithm`] (RFC 8555 §6.2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<Algorithm>,
    /// The URL that a person has to visit, with [`ErrorType::UserActionRequired`] (RFC 8555 §7.3.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

impl Problem {
    /// A problem that its type and its text tell.
    #[must_use]
    pub fn new(kind: ErrorType, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), subproblems: Vec::new(), algorithms: Vec::new(), instance: None }
    }
}

/// One of several problems (RFC 8555 §6.7.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subproblem {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: ErrorType,
    /// What happened, for people.
    pub detail: String,
    /// What it happened to. "It can only be present in subproblems."
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<IdentifierObject>,
}
