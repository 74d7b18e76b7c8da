//! The whole gateway but its sockets and its `main`, under a clock that jumps: devices that enroll and renew by EST, SCEP and ACME, an
//! operator, a CA that is away or refuses, a ledger that takes nothing more, answers that are lost, and crashes at any point.
//!
//! What counts as failure is the list in docs/reliability.md, "The simulation"; each item of it is judged in `judge`, `events` or `world`.
//! A sequence that fails is shortened and told. The sequences are always the same; `CERTGATE_SIMULATION=CASES` plays so many others.

mod acme;
mod backend;
mod devices;
mod est;
mod events;
mod judge;
mod life;
mod net;
mod op;
mod operator;
mod relying;
mod scep;
mod world;

use proptest::collection::vec;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use backend::Mood;
use life::Founded;
use op::{Fate, Op};
use world::World;

/// How many sequences are played.
const CASES: u32 = 30;
/// How many operations a sequence has at the most.
const MOST: usize = 36;

/// Sequences that are played always. Some found something once: a CRL that was not tried again after a start, a client that did not wait for its
/// validation, a question about a certificate that was over for long. In the last one a device that was removed asks for a renewal.
const ALWAYS: [&[Op]; 4] = [
    &[Op::Turn(0, Fate::Answered), Op::Ca(Mood::Away), Op::Revoke(0), Op::Crash],
    &[Op::LedgerStops, Op::Turn(0, Fate::CrashWithAnswer(0)), Op::Pass(1)],
    &[Op::Turn(0, Fate::Answered), Op::Jump(2400)],
    &[Op::Turn(0, Fate::Answered), Op::Remove(0), Op::Pass(600)],
];

/// What was wrong, in words.
type Fault = String;

/// `fault` unless it is so.
fn ensure(is_so: bool, fault: impl FnOnce() -> Fault) -> Result<(), Fault> {
    if is_so { Ok(()) } else { Err(fault()) }
}

#[test]
fn whatever_happens_the_gateway_keeps_its_promises() {
    #[expect(clippy::disallowed_methods, reason = "it is the test that is configured, not the gateway")]
    let wanted = std::env::var("CERTGATE_SIMULATION").ok();
    let (cases, rng_seed) = match wanted {
        Some(cases) => (cases.parse().unwrap(), RngSeed::Random),
        None => (CASES, RngSeed::Fixed(1)),
    };
    let config = Config { cases, rng_seed, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let founded = Founded::new();
    for ops in ALWAYS {
        play(&founded, ops).unwrap();
    }
    let sequences = vec(op::any(), 1..MOST);
    TestRunner::new(config).run(&sequences, |ops| play(&founded, &ops).map_err(TestCaseError::fail)).unwrap();
}

/// Plays a sequence; what was wrong with what came of each operation, if something was.
fn play(founded: &Founded, ops: &[Op]) -> Result<(), Fault> {
    let mut world = World::new(founded);
    let mut told = String::new();
    for (place, op) in ops.iter().enumerate() {
        let said = world.step(*op);
        told += &format!("{:>4}. {op:?}: {}\n", place + 1, said.as_deref().unwrap_or("—"));
        said.map_err(|fault| format!("{fault}\nafter\n{told}"))?;
    }
    world.end().map_err(|fault| format!("at the end: {fault}\nafter\n{told}"))
}
