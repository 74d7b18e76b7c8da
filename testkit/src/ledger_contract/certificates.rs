//! [`certgate_enrollment::Certificates`].

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Along, CertificateQuery, CertificateRecord, CertificateStatus, Cursor, EventKind, Ledger, LedgerError, Revocation,
    RevocationReason, StatusName,
};
use certgate_pki::Timestamp;

use super::events;
use super::records::{certificate, event, serial};
use crate::NOW;

const ISSUED: EventKind = EventKind::CertificateIssued;

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    what_was_recorded_is_found(&*make().await).await;
    a_serial_number_is_recorded_once_an_authority(&*make().await).await;
    lists_are_newest_first_and_pages_leave_nothing_out(&*make().await).await;
    pages_of_a_bounded_walk_leave_nothing_out(&*make().await).await;
    lists_are_narrowed_by_profile_and_principal(&*make().await).await;
    lists_are_narrowed_by_status_and_expiry(&*make().await).await;
}

async fn record(ledger: &dyn Ledger, certificate: &CertificateRecord) {
    ledger.record(certificate.clone(), Along::default(), event(ISSUED)).await.unwrap();
}

/// Everything, in pages that are long enough.
const fn all() -> CertificateQuery {
    CertificateQuery::all(NOW, 100)
}

async fn list(ledger: &dyn Ledger, query: CertificateQuery) -> Vec<CertificateRecord> {
    let page = ledger.list(query).await.unwrap();
    assert_eq!(page.next, None, "everything is on one page");
    page.items
}

async fn what_was_recorded_is_found(ledger: &dyn Ledger) {
    let plain = certificate(1);
    assert_eq!(ledger.find(&plain.serial).await, Ok(None));
    let odd = CertificateRecord {
        profile: "certgate:tls-server".into(),
        protocol: certgate_enrollment::Protocol::Internal,
        endpoint: String::new(),
        principal: "ö \"'; --".into(),
        shard: u32::MAX,
        validity: certgate_pki::Validity { not_before: Timestamp::from_seconds(0), not_after: Timestamp::NO_EXPIRATION },
        der: vec![0; 20_000],
        ..certificate(2)
    };
    let revoked = CertificateRecord { status: revoked(RevocationReason::AaCompromise), ..certificate(3) };
    let held = CertificateRecord { status: CertificateStatus::Held(NOW), ..certificate(4) };
    for certificate in [&plain, &odd, &revoked, &held] {
        record(ledger, certificate).await;
        assert_eq!(ledger.find(&certificate.serial).await.unwrap().as_ref(), Some(certificate));
    }
    assert_eq!(ledger.find(&serial(NOW)).await, Ok(None));
}

async fn a_serial_number_is_recorded_once_an_authority(ledger: &dyn Ledger) {
    let first = certificate(1);
    record(ledger, &first).await;
    let second = CertificateRecord { principal: "second-device".into(), der: vec![0x30, 0], ..first.clone() };
    let refused = ledger.record(second.clone(), Along::default(), event(ISSUED)).await;
    assert!(matches!(refused, Err(LedgerError::Conflict(_))), "{refused:?}");
    assert_eq!(events(ledger).await, 1, "what is refused leaves no event");
    assert_eq!(list(ledger, all()).await, [first]);
    record(ledger, &CertificateRecord { authority: "other".into(), ..second }).await;
    assert_eq!((list(ledger, all()).await.len(), events(ledger).await), (2, 2));
}

async fn lists_are_newest_first_and_pages_leave_nothing_out(ledger: &dyn Ledger) {
    assert_eq!(list(ledger, all()).await, []);
    let mut recorded: Vec<CertificateRecord> = (1..=5).map(certificate).collect();
    for certificate in &recorded {
        record(ledger, certificate).await;
    }
    recorded.reverse();
    assert_eq!(list(ledger, all()).await, recorded);
    // A serial number that two authorities share: neither is lost between two pages.
    record(ledger, &CertificateRecord { authority: "other".into(), ..certificate(5) }).await;
    for limit in 1..=7 {
        let paged = walk(ledger, limit).await;
        assert_eq!(paged.len(), 6, "limit {limit}");
        assert_eq!(paged[2..], recorded[1..], "limit {limit}");
        assert_ne!(paged[0].authority, paged[1].authority, "limit {limit}");
    }
    let query = CertificateQuery { cursor: Some(Cursor("no cursor".into())), ..all() };
    assert_eq!(ledger.list(query).await, Err(LedgerError::BadCursor));
}

/// All pages of this size, one after the other; none but the last is short, and none is empty.
async fn walk(ledger: &dyn Ledger, limit: usize) -> Vec<CertificateRecord> {
    let mut walked = Vec::new();
    let mut cursor = None;
    loop {
        let page = ledger.list(CertificateQuery { limit, cursor, ..all() }).await.unwrap();
        assert!((1..=limit).contains(&page.items.len()), "limit {limit}: a page of {}", page.items.len());
        assert!(page.items.len() == limit || page.next.is_none(), "limit {limit}: a short page before the last");
        walked.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return walked,
        }
    }
}

/// Such pages may be short, or empty; together they have everything, and they come to an end.
async fn pages_of_a_bounded_walk_leave_nothing_out(ledger: &dyn Ledger) {
    let of_profile = |number| CertificateRecord { profile: format!("p{}", number % 3), ..certificate(number) };
    let recorded: Vec<_> = (1..=7).map(of_profile).collect();
    for certificate in &recorded {
        record(ledger, certificate).await;
    }
    for walk in 1..=8 {
        for profile in ["p0", "p1", "p2", "none"] {
            let expected = recorded.iter().rev().filter(|one| one.profile == profile).cloned().collect::<Vec<_>>();
            let mut query = CertificateQuery { profile: Some(profile.into()), walk, limit: 2, ..all() };
            let mut walked = Vec::new();
            for _ in 0..10 {
                let page = ledger.list(query.clone()).await.unwrap();
                walked.extend(page.items);
                query.cursor = page.next;
                if query.cursor.is_none() {
                    break;
                }
            }
            assert_eq!((walked, query.cursor), (expected, None), "walk {walk}, {profile}");
        }
    }
}

async fn lists_are_narrowed_by_profile_and_principal(ledger: &dyn Ledger) {
    let plain = certificate(1);
    let other_profile = CertificateRecord { profile: "user".into(), ..certificate(2) };
    let other_principal = CertificateRecord { principal: "second-device".into(), ..certificate(3) };
    for certificate in [&plain, &other_profile, &other_principal] {
        record(ledger, certificate).await;
    }
    let by = |profile: Option<&str>, principal: Option<&str>| CertificateQuery {
        profile: profile.map(Into::into),
        principal: principal.map(Into::into),
        ..all()
    };
    assert_eq!(list(ledger, by(Some("user"), None)).await, [other_profile]);
    assert_eq!(list(ledger, by(Some("device"), None)).await, [other_principal.clone(), plain.clone()]);
    assert_eq!(list(ledger, by(Some("device"), Some("first-device"))).await, [plain]);
    assert_eq!(list(ledger, by(None, Some("second-device"))).await, [other_principal]);
    assert_eq!(list(ledger, by(None, Some("second"))).await, [], "the whole name counts");
    // Filters hold from page to page.
    let of_nobody = ledger.list(CertificateQuery { authority: Some("nobody".into()), ..all() }).await.unwrap();
    let of_default = ledger.list(CertificateQuery { authority: Some("default".into()), ..all() }).await.unwrap();
    assert!(of_nobody.items.is_empty() && !of_default.items.is_empty());
    let query = CertificateQuery { limit: 1, ..by(Some("device"), None) };
    let first = ledger.list(query.clone()).await.unwrap();
    let second = ledger.list(CertificateQuery { cursor: first.next, ..query }).await.unwrap();
    assert_eq!((second.items[0].profile.as_str(), second.next), ("device", None));
}

async fn lists_are_narrowed_by_status_and_expiry(ledger: &dyn Ledger) {
    let lasting = certificate(10);
    let mut ending = certificate(20);
    ending.validity.not_after = NOW.after(Duration::from_secs(30));
    let held = CertificateRecord { status: CertificateStatus::Held(NOW), ..certificate(21) };
    let revoked = CertificateRecord { status: revoked(RevocationReason::KeyCompromise), ..certificate(22) };
    for certificate in [&lasting, &ending, &held, &revoked] {
        record(ledger, certificate).await;
    }
    let of = |status: StatusName, now: Timestamp| CertificateQuery { status: Some(status), now, ..all() };
    // notAfter is the last second of a certificate (RFC 5280 §4.1.2.5: both ends are included).
    let last = ending.validity.not_after;
    let after = last.after(Duration::from_secs(1));
    assert_eq!(list(ledger, of(StatusName::Valid, last)).await, [ending.clone(), lasting.clone()]);
    assert_eq!(list(ledger, of(StatusName::Expired, last)).await, []);
    assert_eq!(list(ledger, of(StatusName::Valid, after)).await, [lasting]);
    assert_eq!(list(ledger, of(StatusName::Expired, after)).await, [ending.clone()]);
    assert_eq!(list(ledger, of(StatusName::Held, last)).await, [held]);
    assert_eq!(list(ledger, of(StatusName::Revoked, last)).await, [revoked]);
    let by = |time| CertificateQuery { expires_before: Some(time), ..all() };
    assert_eq!(list(ledger, by(last)).await, []);
    assert_eq!(list(ledger, by(after)).await, [ending]);
}

fn revoked(reason: RevocationReason) -> CertificateStatus {
    CertificateStatus::Revoked(Revocation::new(NOW.after(Duration::from_millis(1)), reason))
}
