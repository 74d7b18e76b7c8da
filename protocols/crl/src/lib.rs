//! Certificate revocation lists, RFC 5280 §5: built and read. Pure: bytes in, types out; the key and the time are the caller's.
//!
//! A list is a concatenation. [`Entry::encode_into`] makes the octets of an entry once, when its certificate is revoked; whoever keeps them
//! hands them over in pieces, as many as there are, for each list that is made: [`CrlFields::prepare`] copies every piece once, into the
//! octets that will be served, [`Draft::to_be_signed`] is a slice of them, and [`Draft::assemble`] puts the signature after it. A
//! million entries are so never a million objects.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod crl;
mod distribution_point;
mod draft;
mod entries;
mod entry;
mod entry_set;
mod fields;
mod number;
mod oid;

pub use crl::{Crl, CrlError, MAX_CRL};
pub use distribution_point::{IssuingDistributionPoint, Scope};
pub use draft::Draft;
pub use entries::{Entries, Listed};
pub use entry::{Entry, Removal};
pub use entry_set::EntrySet;
pub use fields::{CrlFields, InvalidFields, Kind};
pub use number::CrlNumber;

/// Media type of one CRL in DER (RFC 2585 §4.2).
pub const PKIX_CRL: &str = "application/pkix-crl";
