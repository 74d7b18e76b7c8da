//! What is on the wire: requests of openssl and of cryptography, requests with one fault each, and responses octet by octet.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod hostile;
mod issuers;
mod requests;
mod responses;
