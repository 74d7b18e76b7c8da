//! What is on the wire: messages of openssl and certtool, messages with one fault each, and what other readers make of ours.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod certificate;
mod cms;
mod csr;
mod csr_attributes;
mod fixtures;
mod hostile;
mod names;
mod private_keys;
mod round_trip;
mod second_opinion;
