//! [`certgate_enrollment::AuditTrail`].

use std::collections::HashSet;
use std::sync::Arc;

use certgate_enrollment::{Along, AuditHead, EventKind, Ledger};

use super::records::{certificate, event, user};

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    the_chain_grows_by_one_with_every_change(&*make().await).await;
    the_chain_is_the_same_for_the_same_events(&*make().await, &*make().await).await;
}

async fn the_chain_grows_by_one_with_every_change(ledger: &dyn Ledger) {
    let empty = AuditHead { events: 0, hash: [0; 32] };
    assert_eq!(ledger.head().await, Ok(empty));
    assert_eq!(ledger.verify(None).await.unwrap().head, empty);
    let mut heads = vec![empty];
    for change in 0..5 {
        match change {
            0 => drop(ledger.record(certificate(1), Along::default(), event(EventKind::CertificateIssued)).await.unwrap()),
            1 => drop(ledger.add(user("a", "default"), event(EventKind::EstUserAdded)).await.unwrap()),
            2 => assert!(ledger.use_base_url("default", "http://a", event(EventKind::BaseUrlChanged)).await.unwrap()),
            3 => assert_eq!(ledger.remove("a", event(EventKind::EstUserRemoved)).await.unwrap().credentials, 1),
            _ => ledger.append(event(EventKind::AuditCheckpoint)).await.unwrap(),
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
    let report = ledger.verify(None).await.unwrap();
    assert_eq!((report.head, report.broken_at, report.expected_head_found), (newest, None, None));
    for head in heads {
        let report = ledger.verify(Some(head.hash)).await.unwrap();
        assert_eq!((report.head, report.expected_head_found), (newest, Some(true)), "the head of {} events", head.events);
    }
    assert_eq!(ledger.verify(Some([0xee; 32])).await.unwrap().expected_head_found, Some(false));
}

/// A chain says what happened and nothing else: an event twice is two links, and any part of an event counts.
async fn the_chain_is_the_same_for_the_same_events(one: &dyn Ledger, other: &dyn Ledger) {
    let checkpoint = event(EventKind::AuditCheckpoint);
    for ledger in [one, other] {
        ledger.append(checkpoint.clone()).await.unwrap();
    }
    assert_eq!(one.head().await, other.head().await);
    one.append(checkpoint.clone()).await.unwrap();
    other.append(certgate_enrollment::Event { actor: "somebody else".into(), ..checkpoint }).await.unwrap();
    assert_ne!(one.head().await.unwrap().hash, other.head().await.unwrap().hash);
}
