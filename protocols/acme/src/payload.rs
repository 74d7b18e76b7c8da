//! Payloads of requests. Members that are not known are ignored (RFC 8555 §7.3 and others); `null` is read as absent where a member is
//! optional; whatever else is of the wrong type makes a request malformed.

mod account;
mod order;

pub use account::{AccountUpdate, MAX_CONTACTS, NewAccount};
pub use order::{Finalize, MAX_DATE, MAX_IDENTIFIERS, NewOrder};

use crate::error::RequestError;
use crate::json::Members;

/// Reads the object that a payload is.
fn object(payload: &[u8]) -> Result<Members, RequestError> {
    Members::parse(payload, "the payload is not one JSON object without duplicate members")
}

/// The payload of a POST-as-GET request (RFC 8555 §6.3): none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostAsGet;

impl PostAsGet {
    /// "The payload of the JWS is a zero-length octet string." Not even `{}` will do.
    ///
    /// # Errors
    /// [`RequestError::Malformed`].
    pub const fn parse(payload: &[u8]) -> Result<Self, RequestError> {
        if payload.is_empty() {
            Ok(Self)
        } else {
            Err(RequestError::Malformed("the payload of a POST-as-GET request must be empty (RFC 8555 §6.3)"))
        }
    }
}

/// The client is ready for a challenge to be validated (RFC 8555 §7.5.1). No challenge of RFC 8555, RFC 8737 and RFC 8738 has response
/// fields, and "the server MUST ignore any fields in the response object that are not specified as response fields".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengeResponse;

impl ChallengeResponse {
    /// Any object.
    ///
    /// # Errors
    /// [`RequestError::Malformed`].
    pub fn parse(payload: &[u8]) -> Result<Self, RequestError> {
        object(payload).map(|_| Self)
    }
}
