//! What tests of several crates share: a clock that is moved by hand, seeded randomness, fixed keys, a CA that signs what it is told, a
//! builder of requests good and bad, a ledger in memory, the contract that every ledger passes, and a machine that plays operations against the
//! core and knows what must be true.
//!
//! For dev-dependencies only. Nothing here is secret, and whatever goes wrong panics.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "code of tests: what goes wrong ends the test")]

mod backend;
mod ca;
mod certificate;
mod clock;
mod csr;
pub mod enrollment_states;
mod keys;
mod ledger;
pub mod ledger_contract;
mod random;

pub use backend::{FailingBackend, KeyBackend};
pub use ca::{CREDENTIAL, CaFixture, profile};
pub use certificate::CertificateShape;
pub use clock::{MockClock, NOW};
pub use csr::{CsrBuilder, Fault};
pub use keys::{
    DEVICE_KEY, RSA_DEVICE_KEY, ca_key, device_key, load_key, rsa_close_primes_key, rsa_device_key, rsa_exponent_3_key,
    rsa_public_key, rsa3072_device_key, rsa4096_device_key,
};
pub use ledger::MemoryLedger;
pub use random::{SeededRandom, provider};
