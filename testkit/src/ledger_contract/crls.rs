//! CRLs as they were published ([`certgate_enrollment::Crls`]).

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{CrlRecord, CrlScope, EventKind, Ledger};

use super::records::event;
use super::{both, events};
use crate::NOW;

const HOUR: Duration = Duration::from_secs(3600);

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    the_last_one_is_found_by_its_scope_and_kind(&*make().await).await;
    numbers_of_a_scope_only_grow(&*make().await).await;
    of_two_with_one_number_one_is_published(&*make().await).await;
    a_delta_is_based_on_what_clients_have(&*make().await).await;
}

fn scope(authority: &str, shard: u32) -> CrlScope {
    CrlScope { authority: authority.into(), shard }
}

/// A list that is made so many hours after [`NOW`], for ten hours; every field has a value of its own.
fn crl(scope: CrlScope, number: u64, base: Option<u64>, hour: u32) -> CrlRecord {
    CrlRecord {
        scope,
        number,
        base,
        this_update: NOW.after(HOUR * hour).floor_to_second(),
        next_update: NOW.after(HOUR * (hour + 10)).floor_to_second(),
        sequence: number * 3,
        entries: number * 2,
        sha256: [number.to_be_bytes()[7]; 32],
    }
}

async fn publish(ledger: &dyn Ledger, crls: &[&CrlRecord]) -> bool {
    let with_event = |crl: &&CrlRecord| ((*crl).clone(), event(EventKind::CrlPublished));
    ledger.record_crls(crls.iter().map(with_event).collect()).await.unwrap()
}

async fn the_last_one_is_found_by_its_scope_and_kind(ledger: &dyn Ledger) {
    let (ours, theirs) = (scope("default", 0), scope("other", 0));
    assert_eq!(ledger.last_crl(&ours, false).await, Ok(None));
    assert_eq!(ledger.crl_shards("default").await, Ok(Vec::new()));
    let complete = crl(ours.clone(), 1, None, 0);
    let sharded = crl(scope("default", 2), 7, None, 0);
    let of_others = crl(theirs.clone(), 3, None, 0);
    assert!(publish(ledger, &[&complete, &sharded]).await && publish(ledger, &[&of_others]).await);
    let delta = crl(ours.clone(), 2, Some(1), 1);
    assert!(publish(ledger, &[&delta]).await);
    assert_eq!(ledger.last_crl(&ours, false).await, Ok(Some(complete)));
    assert_eq!(ledger.last_crl(&ours, true).await, Ok(Some(delta)));
    assert_eq!(ledger.last_crl(&sharded.scope, false).await, Ok(Some(sharded.clone())));
    assert_eq!(ledger.last_crl(&sharded.scope, true).await, Ok(None));
    assert_eq!(ledger.last_crl(&theirs, false).await, Ok(Some(of_others)));
    assert_eq!(ledger.crl_shards("default").await, Ok(vec![0, 2]));
    assert_eq!(events(ledger).await, 4);
}

async fn numbers_of_a_scope_only_grow(ledger: &dyn Ledger) {
    let ours = scope("default", 0);
    // A complete list and a delta of one moment share their number.
    assert!(publish(ledger, &[&crl(ours.clone(), 5, None, 0), &crl(ours.clone(), 5, Some(4), 0)]).await);
    let before = events(ledger).await;
    for (number, base) in [(5, None), (5, Some(4)), (4, None), (1, Some(1)), (0, None)] {
        assert!(!publish(ledger, &[&crl(ours.clone(), number, base, 1)]).await, "{number} {base:?}");
    }
    // One that is late takes the others with it.
    let late = [&crl(scope("default", 1), 1, None, 1), &crl(ours.clone(), 5, None, 1)];
    assert!(!publish(ledger, &late).await);
    assert_eq!((events(ledger).await, ledger.crl_shards("default").await), (before, Ok(vec![0])));
    // A clock that was put back changes nothing about that.
    let earlier = CrlRecord { this_update: NOW.before(HOUR), next_update: NOW, ..crl(ours.clone(), 6, None, 0) };
    assert!(publish(ledger, &[&earlier]).await);
    assert_eq!(ledger.last_crl(&ours, false).await, Ok(Some(earlier)));
    assert!(!publish(ledger, &[&crl(ours.clone(), 6, Some(5), 1)]).await);
    assert!(publish(ledger, &[&crl(ours, 1 << 60, Some(6), 1)]).await);
}

async fn of_two_with_one_number_one_is_published(ledger: &dyn Ledger) {
    let ours = scope("default", 0);
    for number in 1..=20 {
        let one = CrlRecord { entries: 1000, ..crl(ours.clone(), number, None, 0) };
        let other = CrlRecord { entries: 2000, ..one.clone() };
        let expected = match both(publish(ledger, &[&one]), publish(ledger, &[&other])).await {
            [true, false] => one,
            [false, true] => other,
            both => panic!("{both:?}"),
        };
        assert_eq!(ledger.last_crl(&ours, false).await, Ok(Some(expected)));
    }
}

async fn a_delta_is_based_on_what_clients_have(ledger: &dyn Ledger) {
    let ours = scope("default", 0);
    assert_eq!(ledger.base_crl(&ours, NOW).await, Ok(None));
    let lists: Vec<CrlRecord> = [2, 4, 6].into_iter().map(|hour| crl(ours.clone(), hour.into(), None, hour)).collect();
    for list in &lists {
        assert!(publish(ledger, &[list, &crl(ours.clone(), list.number, Some(1), 0)]).await);
    }
    assert!(publish(ledger, &[&crl(scope("default", 1), 100, None, 3)]).await);
    for (hour, place) in [(0, 0), (1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 2), (100, 2)] {
        let base = ledger.base_crl(&ours, NOW.after(HOUR * hour)).await;
        assert_eq!(base, Ok(Some(lists[place].clone())), "{hour}");
    }
    let before = events(ledger).await;
    for _ in 0..2 {
        ledger.withdraw_crl(&ours, lists[1].number, event(EventKind::CrlWithdrawn)).await.unwrap();
    }
    ledger.withdraw_crl(&ours, 99, event(EventKind::CrlWithdrawn)).await.unwrap();
    assert_eq!(events(ledger).await, before + 1, "once, of one that there is");
    for (hour, place) in [(3, 0), (4, 0), (5, 0), (6, 2)] {
        let base = ledger.base_crl(&ours, NOW.after(HOUR * hour)).await;
        assert_eq!(base, Ok(Some(lists[place].clone())), "{hour}");
    }
    assert!(!publish(ledger, &[&crl(ours, lists[1].number, None, 9)]).await, "its number stays taken");
}
