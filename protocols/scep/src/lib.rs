//! Simple Certificate Enrolment Protocol, RFC 8894: queries, pkiMessages, CertReps, capabilities. Pure: bytes in, types out; keys and
//! randomness are the caller's.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod attributes;
mod capabilities;
mod cert_rep;
mod message;
mod query;

pub use attributes::{FailInfo, MessageType, PkiStatus, TransactionId};
pub use capabilities::{Capability, capabilities};
pub use cert_rep::{Answer, CertRep};
pub use message::{MAX_MESSAGE, MessageError, PkiMessage, to_der};
pub use query::{InvalidQuery, Operation, Query, decode_message};

/// Media type of pkiMessages (RFC 8894 §4.3).
pub const PKI_MESSAGE: &str = "application/x-pki-message";
/// Media type of several certificates of a CA (RFC 8894 §4.2.1.2).
pub const CA_RA_CERT: &str = "application/x-x509-ca-ra-cert";
