//! Online Certificate Status Protocol, RFC 6960, with its lightweight profile (RFC 9919, which replaces RFC 5019) and nonces as RFC 9654
//! bounds them: requests, the path of a GET, responses. Pure: bytes in, types out; keys and time are the caller's.
//!
//! Reading a request allocates nothing: what is read borrows from its octets. A responder that answers from a cache looks at
//! [`OcspRequest::sole_cert_id`], a slice of the request, before anything else.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod cert_id;
mod error_status;
mod extensions;
mod get;
mod oid;
mod preferred;
mod request;
mod response;
mod status;

pub use cert_id::{CertId, HashAlgorithm, IssuerHashes};
pub use error_status::ErrorStatus;
pub use extensions::{MAX_EXTENSIONS, MAX_NONCE, Nonce};
pub use get::{DecodedGet, GetError, Lenience, decode_get};
pub use preferred::{MAX_PREFERENCES, PreferredSignatureAlgorithm, PreferredSignatureAlgorithms};
pub use request::{MAX_CERT_IDS, MAX_CERTIFICATES, MAX_REQUEST, MalformedRequest, OcspRequest, Request};
pub use response::{BasicResponse, Draft, ResponderId, SingleResponse};
pub use status::CertStatus;

/// Media type of requests (RFC 6960 §A.1).
pub const OCSP_REQUEST: &str = "application/ocsp-request";
/// Media type of responses (RFC 6960 §A.2).
pub const OCSP_RESPONSE: &str = "application/ocsp-response";
