//! What becomes of certificates ([`certgate_enrollment::Certificates::change_status`]), and whose they are.

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Along, CertificateQuery, CertificateRecord, CertificateStatus, EventKind, Ledger, Revocation, RevocationReason, StatusName,
};

use super::records::{certificate, event, serial};
use super::{both, events};
use crate::NOW;

const HELD: EventKind = EventKind::CertificateHeld;
const RELEASED: EventKind = EventKind::CertificateReleased;
const REVOKED: EventKind = EventKind::CertificateRevoked;

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    a_certificate_is_found_by_its_authority_and_serial_number(&*make().await).await;
    a_change_is_seen_at_once_and_leaves_one_event(&*make().await).await;
    every_reason_is_kept(&*make().await).await;
    a_change_from_what_was_not_so_changes_nothing(&*make().await).await;
    a_change_is_of_one_authority_alone(&*make().await).await;
    of_two_changes_at_the_same_time_one_is_made(make).await;
}

async fn record(ledger: &dyn Ledger, certificate: &CertificateRecord) {
    ledger.record(certificate.clone(), Along::default(), event(EventKind::CertificateIssued)).await.unwrap();
}

async fn find(ledger: &dyn Ledger, certificate: &CertificateRecord) -> CertificateRecord {
    ledger.find_issued(&certificate.authority, &certificate.serial).await.unwrap().unwrap()
}

fn held(second: u64) -> CertificateStatus {
    CertificateStatus::Held(NOW.after(Duration::from_secs(second)))
}

fn revoked(second: u64) -> CertificateStatus {
    CertificateStatus::Revoked(Revocation::new(
        NOW.after(Duration::from_millis(1000 * second + 1)),
        RevocationReason::KeyCompromise,
    ))
}

async fn a_certificate_is_found_by_its_authority_and_serial_number(ledger: &dyn Ledger) {
    let ours = certificate(1);
    let theirs = CertificateRecord { authority: "other".into(), der: vec![0x30, 0], ..certificate(1) };
    let elsewhere = CertificateRecord { authority: "other".into(), ..certificate(2) };
    for certificate in [&ours, &theirs, &elsewhere] {
        record(ledger, certificate).await;
    }
    assert_eq!(find(ledger, &ours).await, ours);
    assert_eq!(find(ledger, &theirs).await, theirs);
    for (authority, serial) in
        [("default", &elsewhere.serial), ("default", &serial(NOW)), ("Default", &ours.serial), ("", &ours.serial)]
    {
        assert_eq!(ledger.find_issued(authority, serial).await, Ok(None), "{serial} of {authority:?}");
    }
}

async fn a_change_is_seen_at_once_and_leaves_one_event(ledger: &dyn Ledger) {
    let valid = certificate(1);
    record(ledger, &valid).await;
    let steps = [(held(10), HELD), (CertificateStatus::Valid, RELEASED), (held(20), HELD), (revoked(30), REVOKED)];
    let mut current = valid;
    for (number, (next, kind)) in (2..).zip(steps) {
        assert_eq!(ledger.change_status(&current, next, event(kind)).await, Ok(true), "{next:?}");
        current.status = next;
        assert_eq!(find(ledger, &current).await, current, "nothing but its status has changed");
        assert_eq!(ledger.find(&current.serial).await.unwrap().as_ref(), Some(&current));
        assert_eq!(events(ledger).await, number, "{next:?}");
        let query = CertificateQuery { status: Some(current.status_name(NOW)), ..CertificateQuery::all(NOW, 10) };
        assert_eq!(ledger.list(query).await.unwrap().items, [current.clone()], "{next:?}");
    }
    let query = CertificateQuery { status: Some(StatusName::Valid), ..CertificateQuery::all(NOW, 10) };
    assert_eq!(ledger.list(query).await.unwrap().items, []);
}

async fn every_reason_is_kept(ledger: &dyn Ledger) {
    for (second, reason) in (1..).zip(RevocationReason::ALL) {
        let certificate = certificate(second);
        record(ledger, &certificate).await;
        let next = CertificateStatus::Revoked(Revocation::new(NOW, reason));
        assert_eq!(ledger.change_status(&certificate, next, event(REVOKED)).await, Ok(true));
        assert_eq!(find(ledger, &certificate).await.status, next);
    }
    let certificate = certificate(100);
    record(ledger, &certificate).await;
    let invalid_since = Some(NOW.before(Duration::from_secs(86_400)));
    let wrong = Revocation { invalid_since, ..Revocation::new(NOW, RevocationReason::KeyCompromise) };
    let next = CertificateStatus::Revoked(wrong);
    assert_eq!(ledger.change_status(&certificate, next, event(REVOKED)).await, Ok(true));
    assert_eq!(find(ledger, &certificate).await.status, next);
}

async fn a_change_from_what_was_not_so_changes_nothing(ledger: &dyn Ledger) {
    let valid = certificate(1);
    assert_eq!(ledger.change_status(&valid, held(10), event(HELD)).await, Ok(false), "it is not in the ledger");
    assert_eq!(events(ledger).await, 0);
    record(ledger, &valid).await;
    assert_eq!(ledger.change_status(&valid, held(10), event(HELD)).await, Ok(true));
    for stale in [CertificateStatus::Valid, held(11), revoked(10)] {
        let record = CertificateRecord { status: stale, ..valid.clone() };
        assert_eq!(ledger.change_status(&record, revoked(20), event(REVOKED)).await, Ok(false), "{stale:?}");
    }
    assert_eq!((find(ledger, &valid).await.status, events(ledger).await), (held(10), 2));
}

async fn a_change_is_of_one_authority_alone(ledger: &dyn Ledger) {
    let ours = certificate(1);
    let theirs = CertificateRecord { authority: "other".into(), ..certificate(1) };
    for certificate in [&ours, &theirs] {
        record(ledger, certificate).await;
    }
    assert_eq!(ledger.change_status(&theirs, revoked(1), event(REVOKED)).await, Ok(true));
    assert_eq!((find(ledger, &ours).await.status, find(ledger, &theirs).await.status), (CertificateStatus::Valid, revoked(1)));
}

async fn of_two_changes_at_the_same_time_one_is_made(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    let ledger = &*make().await;
    for second in 1..=20 {
        let valid = certificate(second);
        record(ledger, &valid).await;
        let before = events(ledger).await;
        let hold = ledger.change_status(&valid, held(1), event(HELD));
        let revoke = ledger.change_status(&valid, revoked(1), event(REVOKED));
        let status = match both(hold, revoke).await {
            [Ok(true), Ok(false)] => held(1),
            [Ok(false), Ok(true)] => revoked(1),
            other => panic!("{other:?}"),
        };
        assert_eq!((find(ledger, &valid).await.status, events(ledger).await), (status, before + 1));
    }
}
