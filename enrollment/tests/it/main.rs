//! The core as its callers see it: what is issued, what is refused and who is to blame, what comes back from a CA that lies.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod approval;
mod blame;
mod chain;
mod change_subject_name;
mod client_certificates;
mod deciding;
mod fixture;
mod issuing;
mod orders;
mod preview;
mod proofs;
mod publication;
mod refusing;
mod remote;
mod renewal;
mod renewed_names;
mod revocation;
mod smuggling;
mod states;
mod transactions;
