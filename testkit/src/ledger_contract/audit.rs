//! [`certgate_enrollment::AuditTrail`].

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use certgate_enrollment::{Along, AuditHead, AuditReport, EventKind, ExpectedHeads, Ledger};

use super::records::{certificate, event, user};

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    the_chain_grows_by_one_with_every_change(&*make().await).await;
    the_chain_is_the_same_for_the_same_events(&*make().await, &*make().await).await;
}

async fn the_chain_grows_by_one_with_every_change(ledger: &dyn Ledger) {
    let empty = AuditHead::NOTHING;
    assert_eq!(ledger.head().await, Ok(empty));
    assert_eq!(verify(ledger, ExpectedHeads::default()).await.head, empty);
    let mut heads = vec![empty];
    for change in 0..5 {
        match change {
            0 => drop(ledger.record(certificate(1), Along::default(), event(EventKind::CertificateIssued)).await.unwrap()),
            1 => drop(ledger.add(user("a", "default"), event(EventKind::EstUserAdded)).await.unwrap()),
            2 => assert!(ledger.use_base_url("default", "http://a", event(EventKind::BaseUrlChanged)).await.unwrap()),
            3 => assert_eq!(ledger.remove("a", event(EventKind::EstUserRemoved)).await.unwrap().credentials, 1),
            _ => ledger.append(event(EventKind::AuditKeyMade)).await.unwrap(),
        }
        let head = ledger.head().await.unwrap();
        assert_eq!(head.events, change + 1, "an event for each change");
        heads.push(head);
    }
    assert_eq!(heads.iter().map(|head| head.hash).collect::<HashSet<_>>().len(), heads.len(), "no hash comes twice");
    assert_verifies(ledger, &heads).await;
}

async fn assert_verifies(ledger: &dyn Ledger, heads: &[AuditHead]) {
    let newest = *heads.last().unwrap();
    let report = verify(ledger, ExpectedHeads::default()).await;
    assert_eq!((report.head, report.broken_at, report.expected_head_found), (newest, None, None));
    for head in heads {
        let report = verify(ledger, ExpectedHeads { hash: Some(head.hash), heads: Vec::new() }).await;
        assert_eq!((report.head, report.expected_head_found), (newest, Some(true)), "the head of {} events", head.events);
    }
    let unknown = ExpectedHeads { hash: Some([0xee; 32]), heads: Vec::new() };
    assert_eq!(verify(ledger, unknown).await.expected_head_found, Some(false));
    assert_passes_heads(ledger, heads).await;
}

/// Heads are expected in any order, also more than once, each where it stands.
async fn assert_passes_heads(ledger: &dyn Ledger, heads: &[AuditHead]) {
    let (first, newest) = (heads[1], *heads.last().unwrap());
    let backwards = heads.iter().rev().chain(heads).copied().collect::<Vec<_>>();
    let beyond = AuditHead { events: newest.events + 1, ..newest };
    let elsewhere = AuditHead { events: newest.events, ..first };
    let changed = AuditHead { hash: [0xee; 32], ..first };
    let begun = AuditHead { events: 0, ..first };
    for (heads, expected) in [
        (Vec::new(), None),
        (backwards, None),
        (vec![newest, beyond, first], Some(1)),
        (vec![elsewhere, newest], Some(0)),
        (vec![first, newest, changed, beyond], Some(2)),
        (vec![newest, newest, first, begun], Some(3)),
    ] {
        assert_eq!(ledger.first_missing(heads.clone()).await, Ok(expected), "{heads:?}");
        let report = verify(ledger, ExpectedHeads { hash: None, heads: heads.clone() }).await;
        assert_eq!((report.first_missed, report.head), (expected, newest), "{heads:?}");
    }
}

/// The report of a walk that tells how far it has come.
async fn verify(ledger: &dyn Ledger, expected: ExpectedHeads) -> AuditReport {
    let walked = Arc::<AtomicU64>::default();
    let report = ledger.verify(expected, Arc::clone(&walked)).await.unwrap();
    assert_eq!(walked.load(Ordering::Relaxed), report.head.events);
    report
}

/// A chain says what happened and nothing else: an event twice is two links, and any part of an event counts.
async fn the_chain_is_the_same_for_the_same_events(one: &dyn Ledger, other: &dyn Ledger) {
    let made = event(EventKind::AuditKeyMade);
    for ledger in [one, other] {
        ledger.append(made.clone()).await.unwrap();
    }
    assert_eq!(one.head().await, other.head().await);
    one.append(made.clone()).await.unwrap();
    other.append(certgate_enrollment::Event { actor: "somebody else".into(), ..made }).await.unwrap();
    assert_ne!(one.head().await.unwrap().hash, other.head().await.unwrap().hash);
}
