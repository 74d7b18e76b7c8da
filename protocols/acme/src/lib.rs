//! Automatic Certificate Management Environment, RFC 8555 with the IP identifiers of RFC 8738: signed requests, keys, payloads, objects,
//! problems and paths. Pure: bytes in, types out.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod algorithm;
mod base64url;
mod contact;
mod curve;
mod error;
mod identifier;
mod json;
mod jwk;
mod jws;
mod key_authorization;
mod objects;
mod path;
mod payload;
mod problem;
mod punycode;
mod verify;

pub use algorithm::Algorithm;
pub use contact::{Contact, MAX_CONTACT};
pub use error::{IdentifierFault, RequestError};
pub use identifier::{Identifier, IdentifierObject};
pub use json::MAX_DEPTH;
pub use jwk::{Jwk, MAX_RSA_BITS, Thumbprint};
pub use jws::{Jws, KeyRef, MAX_BODY, MAX_URL, Protected};
pub use key_authorization::{MIN_TOKEN, Token};
pub use objects::{
    Account, AccountStatus, Authorization, AuthorizationStatus, Challenge, ChallengeStatus, ChallengeType, Directory, Meta,
    Order, OrderStatus, Orders, to_json,
};
pub use path::{AcmePath, InvalidPath, PREFIX, Resource, Segment, Urls};
pub use payload::{
    AccountUpdate, ChallengeResponse, Finalize, MAX_CONTACTS, MAX_DATE, MAX_IDENTIFIERS, NewAccount, NewOrder, PostAsGet,
};
pub use problem::{ErrorType, PROBLEM_JSON, Problem, Subproblem};
