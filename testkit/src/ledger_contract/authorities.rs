//! [`certgate_enrollment::Authorities`].

use std::sync::Arc;

use certgate_enrollment::{EventKind, Ledger};

use super::events;
use super::records::event;

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    base_urls_are_kept_oldest_first(&*make().await).await;
    the_last_certificate_that_was_imported_counts(&*make().await).await;
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
