//! What is on the wire: lists as they are built and read, lists of openssl and certtool, and lists with one fault each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod building;
mod foreign;
mod hostile;
mod lists;
mod round_trip;
