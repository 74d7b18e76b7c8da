//! From when to when.

use std::time::Duration;

use certgate_pki::{Timestamp, Validity};
use certgate_policy::{IssuerExpired, Profile, window};
use certgate_testkit::{NOW, profile};
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// An hour's backdating, a day's validity.
fn day() -> Profile {
    Profile { validity: 24 * HOUR, backdate: HOUR, ..profile() }
}

fn issuer() -> Validity {
    Validity { not_before: NOW, not_after: NOW.after(1000 * HOUR) }
}

#[test]
fn backdated_and_as_long_as_the_profile_says() {
    let now = NOW.after(10 * HOUR);
    let expected = Validity { not_before: NOW.after(9 * HOUR), not_after: now.after(24 * HOUR).before(SECOND) };
    assert_eq!(window(&day(), issuer(), now), Ok(expected));
    assert_eq!(window(&day(), issuer(), now.after(999 * MILLI)), Ok(expected), "whole seconds");
}

#[test]
fn never_outside_of_the_issuers_own() {
    let early = window(&day(), issuer(), NOW.after(MILLI)).unwrap();
    assert_eq!(early.not_before, NOW);
    let end = issuer().not_after;
    let late = window(&day(), issuer(), end.before(HOUR)).unwrap();
    assert_eq!(late, Validity { not_before: end.before(2 * HOUR), not_after: end });
    let last = window(&day(), issuer(), end.after(999 * MILLI)).unwrap();
    assert_eq!(last, Validity { not_before: end.before(HOUR), not_after: end }, "the last second is included");
}

#[test]
fn nothing_under_an_issuer_that_is_over_or_not_yet_good() {
    for now in [NOW.before(MILLI), issuer().not_after.after(SECOND), Timestamp::from_millis(0), Timestamp::NO_EXPIRATION] {
        assert_eq!(window(&day(), issuer(), now), Err(IssuerExpired), "{now}");
    }
}

proptest! {
    #[test]
    fn a_window_is_in_order_within_the_issuer_and_around_now(
        start in 0..2_000_000_000_u64, length in 0..2_000_000_000_u64, now in 0..4_000_000_000_000_u64,
        backdate in 0..10_000_000_u64, validity in 1..10_000_000_000_u64,
    ) {
        let issuer = Validity { not_before: Timestamp::from_seconds(start), not_after: Timestamp::from_seconds(start + length) };
        let profile = Profile { backdate: Duration::from_secs(backdate), validity: Duration::from_secs(validity), ..profile() };
        let now = Timestamp::from_millis(now);
        match window(&profile, issuer, now) {
            Ok(Validity { not_before, not_after }) => {
                prop_assert!(issuer.not_before <= not_before && not_before <= not_after && not_after <= issuer.not_after);
                prop_assert!(not_before <= now && now.floor_to_second() <= not_after);
                prop_assert_eq!((not_before.millis() % 1000, not_after.millis() % 1000), (0, 0));
                prop_assert!(not_after.seconds() - now.seconds() < validity, "never longer than the profile says");
            }
            Err(IssuerExpired) => prop_assert!(now < issuer.not_before || now.floor_to_second() > issuer.not_after),
        }
    }
}
