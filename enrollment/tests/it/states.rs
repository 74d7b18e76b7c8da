//! Sequences of operations, by chance: what fails is shortened, and told in words.

use std::cell::Cell;

use certgate_testkit::enrollment_states::{At, Op, View, play};
use certgate_testkit::provider;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

/// What must have come of something in some sequence, in words: a model that nothing reaches holds for nothing.
const REACHED: [&str; 14] = [
    "enrolls at policy with request 0: issued",
    "enrolls at person with request 0: waits",
    "is approved: issued",
    "denied",
    "is renewed with request 0: issued",
    "is used with request 0: issued",
    "is polled at policy: served",
    "is polled at person: waits",
    "begins: begun: true",
    "controlled: true: ended",
    "finalizes order 0: issued",
    "signed: true: issued",
    "the credential is used up",
    "the CA took longer than the certificate is good for",
];

#[test]
fn whatever_is_done_in_whatever_order_the_model_says_what_is_true() {
    let config =
        ProptestConfig { cases: 3_000, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() };
    let ops = vec(any::<[u8; Op::OCTETS]>().prop_map(Op::from_octets), 1..80);
    let reached: [Cell<usize>; REACHED.len()] = Default::default();
    let played = TestRunner::new(config).run(&(ops, 0_u64..1 << 32), |(ops, seed)| {
        let told = play(&ops, provider(seed)).map_err(TestCaseError::fail)?;
        for (words, count) in REACHED.iter().zip(&reached) {
            count.set(count.get() + usize::from(told.contains(words)));
        }
        Ok(())
    });
    if let Err(failed) = played {
        panic!("{failed}");
    }
    for (words, count) in REACHED.iter().zip(&reached) {
        assert!(count.get() > 0, "in no sequence: {words}");
    }
}

#[test]
fn an_order_that_was_read_before_its_certificate_was_revoked_gives_no_other() {
    let at = At::Policy;
    let told = play(
        &[
            Op::Order { at, names: 1 },
            Op::Begin { order: 0, name: 0 },
            Op::End { order: 0, name: 0, is_controlled: true },
            Op::Finalize { order: 0, request: 0, view: View::Now },
            Op::Revoke { certificate: 0, view: View::Now },
            Op::Finalize { order: 0, request: 0, view: View::First },
        ],
        provider(1),
    );
    let told = told.unwrap_or_else(|fault| panic!("{fault}"));
    assert!(told.lines().last().is_some_and(|last| last.contains("is revoked, on hold or over")), "{told}");
}
