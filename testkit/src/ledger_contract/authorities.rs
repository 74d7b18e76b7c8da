//! [`certgate_enrollment::Authorities`].

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{Event, EventKind, Ledger};

use super::events;
use super::records::event;
use crate::NOW;

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    base_urls_are_kept_oldest_first(&*make().await).await;
    the_last_certificate_that_was_imported_counts(&*make().await).await;
    a_key_is_here_or_elsewhere(&*make().await).await;
}

async fn the_last_certificate_that_was_imported_counts(ledger: &dyn Ledger) {
    assert_eq!(ledger.imported_certificate("default").await, Ok(None));
    for der in [&b"first"[..], b"second"] {
        ledger.import_certificate("default", der, event(EventKind::AuthorityImported)).await.unwrap();
        assert_eq!(ledger.imported_certificate("default").await.unwrap().as_deref(), Some(der));
    }
    assert_eq!(ledger.imported_certificate("other").await, Ok(None));
    assert_eq!(events(ledger).await, 2, "an event for each");
}

async fn base_urls_are_kept_oldest_first(ledger: &dyn Ledger) {
    assert_eq!(ledger.base_urls("default").await, Ok(Vec::new()));
    let steps = [
        ("default", "http://a.example", true),
        ("default", "http://a.example", false),
        ("default", "http://b.example", true),
        ("other", "http://a.example", true),
        ("default", "http://b.example", false),
    ];
    for (step, (authority, url, recorded)) in steps.into_iter().enumerate() {
        let answer = ledger.use_base_url(authority, url, event(EventKind::BaseUrlChanged)).await;
        assert_eq!(answer, Ok(recorded), "step {step}: {authority} {url}");
    }
    assert_eq!(ledger.base_urls("default").await.unwrap(), ["http://a.example", "http://b.example"]);
    assert_eq!(ledger.base_urls("other").await.unwrap(), ["http://a.example"]);
    assert_eq!(events(ledger).await, 3, "an event for each change");
    // Going back to an older one is a change; both are still known.
    assert_eq!(ledger.use_base_url("default", "http://a.example", event(EventKind::BaseUrlChanged)).await, Ok(true));
    assert_eq!(events(ledger).await, 4);
    assert_eq!(ledger.base_urls("default").await.unwrap(), ["http://a.example", "http://b.example"]);
}

async fn a_key_is_here_or_elsewhere(ledger: &dyn Ledger) {
    let taken = |at| Event { at, ..event(EventKind::AuthorityTakenOffline) };
    assert_eq!(ledger.offline_since("root").await, Ok(None));
    assert_eq!(ledger.bring_back("root", event(EventKind::AuthorityBroughtBack)).await, Ok(false), "it was never away");
    let (first, second) = (NOW.after(Duration::from_millis(1)), NOW.after(Duration::from_secs(5)));
    assert_eq!(ledger.take_offline("root", taken(first)).await, Ok(true));
    assert_eq!(ledger.take_offline("root", taken(second)).await, Ok(false), "it is away already");
    assert_eq!((ledger.offline_since("root").await, ledger.offline_since("default").await), (Ok(Some(first)), Ok(None)));
    assert_eq!(events(ledger).await, 1);
    assert_eq!(ledger.bring_back("root", event(EventKind::AuthorityBroughtBack)).await, Ok(true));
    assert_eq!(ledger.offline_since("root").await, Ok(None));
    assert_eq!(ledger.take_offline("root", taken(second)).await, Ok(true));
    assert_eq!((ledger.offline_since("root").await, events(ledger).await), (Ok(Some(second)), 3));
}
