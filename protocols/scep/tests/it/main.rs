//! What is on the wire: a message of strongSwan, and answers as a client reads them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod client;
mod messages;
