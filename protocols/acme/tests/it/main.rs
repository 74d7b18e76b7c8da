//! What is on the wire: requests as clients sign them, vectors of the RFCs, and objects as clients read them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod keys;
mod objects;
mod problems;
mod requests;
mod signatures;
