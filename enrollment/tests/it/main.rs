//! The core as its callers see it: what is issued, what is refused and who is to blame, what comes back from a CA that lies.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod blame;
mod issuing;
mod refusing;
mod remote;
mod smuggling;
