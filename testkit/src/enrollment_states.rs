//! The states of enrollment as a machine: a sequence of operations is played against the real [`Authority`] over a ledger in memory, and
//! after each of them a model says what must be true.
//!
//! Operations come from octets ([`Op::from_octets`]), each from as many as any other, so that whoever shortens a sequence that fails, a
//! fuzzer or a test with properties, can leave out any of them. What must be true:
//!
//! - a certificate is for what was granted: names, key, profile, principal, validity;
//! - it is asked for with something that is good when it is recorded: no credential that was replaced, removed or used up, no challenge
//!   once more, no certificate that is revoked, on hold or ended, no order whose names are not all authorized or whose time is over;
//! - where a person decides, one enrollment that was approved is one certificate, and one that was denied is none, ever;
//! - the same request again is the same enrollment, and the same certificate while that is good;
//! - what was answered is in the ledger, a certificate with one event, and nothing is recorded twice or without its event;
//! - no serial number comes twice; what is revoked stays so, and what is recorded stays as it is;
//! - when the ledger and the CA work, who may have a certificate gets it, or waits for a person.
//!
//! [`Authority`]: certgate_enrollment::Authority

mod asked;
mod ca;
mod expected;
mod ledger_diff;
mod model;
mod op;
mod snapshot;
mod statuses;
mod steps;
mod world;

use std::fmt::Write;

use certgate_pki::Provider;

pub use op::{At, Mood, Op, View};
use world::World;

/// What was wrong, in words.
type Fault = String;

/// Plays these operations with this cryptography, and tells what came of each.
///
/// # Errors
/// The first thing that is not as it must be, with the operations up to there and what came of each.
pub fn play(ops: &[Op], provider: Provider) -> Result<String, String> {
    let mut world = World::new(provider);
    let mut told = String::new();
    for (place, op) in ops.iter().enumerate() {
        let done = world.step(*op);
        let said = done.as_ref().map_or("—", String::as_str);
        writeln!(told, "{:>4}. {op}: {said}", place + 1).expect("a String takes it");
        done.map_err(|fault| format!("{fault}\nafter\n{told}"))?;
    }
    match world.end() {
        Ok(()) => Ok(told),
        Err(fault) => Err(format!("at the end: {fault}\nafter\n{told}")),
    }
}

/// `fault` unless it is so.
fn ensure(is_so: bool, fault: impl FnOnce() -> Fault) -> Result<(), Fault> {
    if is_so { Ok(()) } else { Err(fault()) }
}
