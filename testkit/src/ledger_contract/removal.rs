//! What ends with a principal ([`certgate_enrollment::EstUsers::remove`]).

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Along, CertificateRecord, CertificateRecorded, EnrollmentRecord, EnrollmentState, EventKind, Ledger, PrincipalRemoved,
    Submitted,
};
use certgate_pki::Timestamp;

use super::events;
use super::records::{certificate, enrollment, event, event_at, user};
use crate::NOW;

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    what_waits_is_denied_and_what_is_over_stays(&*make().await).await;
    a_principal_without_a_credential_is_removed_too(&*make().await).await;
    certificates_end_with_their_principal(&*make().await).await;
    an_end_is_moved_on_and_never_back(&*make().await).await;
    what_was_under_way_is_not_recorded(&*make().await).await;
    what_was_under_way_does_not_wait(&*make().await).await;
}

async fn remove(ledger: &dyn Ledger, name: &str, at: Timestamp) -> PrincipalRemoved {
    ledger.remove(name, event_at(EventKind::EstUserRemoved, at)).await.unwrap()
}

async fn submit(ledger: &dyn Ledger, enrollment: &EnrollmentRecord) {
    let outcome = ledger.submit(enrollment.clone(), 99, event(EventKind::EnrollmentSubmitted)).await;
    assert_eq!(outcome, Ok(Submitted::Created));
}

async fn find(ledger: &dyn Ledger, enrollment: &EnrollmentRecord) -> EnrollmentRecord {
    ledger.find_by_id(&enrollment.id).await.unwrap().unwrap()
}

async fn record(ledger: &dyn Ledger, certificate: CertificateRecord) {
    ledger.record(certificate, Along::default(), event(EventKind::CertificateIssued)).await.unwrap();
}

async fn what_waits_is_denied_and_what_is_over_stays(ledger: &dyn Ledger) {
    ledger.add(user("first-device", "lab"), event(EventKind::EstUserAdded)).await.unwrap();
    let [pending, approved, failed, mut of_another] = [1, 2, 3, 4].map(enrollment);
    of_another.key.principal = "first-device2".into();
    for enrollment in [&pending, &approved, &failed, &of_another] {
        submit(ledger, enrollment).await;
    }
    for (enrollment, state) in [(&approved, EnrollmentState::Approved), (&failed, EnrollmentState::Failed)] {
        assert_eq!(ledger.advance(enrollment, state, "because", event(EventKind::EnrollmentApproved)).await, Ok(true));
    }
    let (failed, before) = (find(ledger, &failed).await, events(ledger).await);
    let at = NOW.after(Duration::from_secs(50));
    let removed = PrincipalRemoved { credentials: 1, enrollments: 2, had_certificates: false };
    assert_eq!(remove(ledger, "first-device", at).await, removed);
    for denied in [pending, approved] {
        let reason = "the principal was removed".to_owned();
        let expected = EnrollmentRecord { state: EnrollmentState::Denied, changed_at: at, reason, ..denied };
        assert_eq!(find(ledger, &expected).await, expected);
    }
    assert_eq!(find(ledger, &failed).await, failed);
    assert_eq!(find(ledger, &of_another).await, of_another, "the whole name counts");
    assert_eq!(events(ledger).await, before + 1, "one event for all of it");
}

async fn a_principal_without_a_credential_is_removed_too(ledger: &dyn Ledger) {
    submit(ledger, &enrollment(1)).await;
    let removed = PrincipalRemoved { credentials: 0, enrollments: 1, had_certificates: false };
    assert_eq!(remove(ledger, "first-device", NOW).await, removed);
    record(ledger, CertificateRecord { principal: "second-device".into(), ..certificate(1) }).await;
    let before = events(ledger).await;
    let removed = PrincipalRemoved { credentials: 0, enrollments: 0, had_certificates: true };
    assert_eq!(remove(ledger, "second-device", NOW).await, removed);
    assert_eq!((ledger.ended_at("second-device").await, events(ledger).await), (Ok(Some(NOW)), before + 1));
}

async fn certificates_end_with_their_principal(ledger: &dyn Ledger) {
    let certificate = certificate(1);
    record(ledger, certificate.clone()).await;
    assert_eq!(ledger.ended_at("first-device").await, Ok(None));
    let at = NOW.after(Duration::from_millis(1234));
    assert!(remove(ledger, "first-device", at).await.had_certificates);
    assert_eq!(ledger.ended_at("first-device").await, Ok(Some(at)), "to the millisecond");
    for other in ["first-device2", "First-device", "first", ""] {
        assert_eq!(ledger.ended_at(other).await, Ok(None), "{other}");
    }
    assert_eq!(ledger.find(&certificate.serial).await, Ok(Some(certificate)), "its status says nothing of it");
    // A credential of the same name brings nothing back.
    ledger.add(user("first-device", "lab"), event(EventKind::EstUserAdded)).await.unwrap();
    assert_eq!(ledger.ended_at("first-device").await, Ok(Some(at)));
}

/// A clock that was set back must not bring certificates back.
async fn an_end_is_moved_on_and_never_back(ledger: &dyn Ledger) {
    record(ledger, certificate(1)).await;
    let late = NOW.after(Duration::from_secs(20));
    for (at, end) in [(NOW, NOW), (late, late), (NOW, late)] {
        remove(ledger, "first-device", at).await;
        assert_eq!(ledger.ended_at("first-device").await, Ok(Some(end)));
    }
}

/// Whoever was authenticated before the end, or at that moment, gets nothing after it.
async fn what_was_under_way_is_not_recorded(ledger: &dyn Ledger) {
    ledger.add(user("first-device", "lab"), event(EventKind::EstUserAdded)).await.unwrap();
    let at = NOW.after(Duration::from_secs(50));
    remove(ledger, "first-device", at).await;
    let before = events(ledger).await;
    let record = async |second: u64, authenticated_at: Timestamp| {
        let along = Along { authenticated_at: Some(authenticated_at), ..Along::default() };
        ledger.record(certificate(second), along, event(EventKind::CertificateIssued)).await.unwrap()
    };
    for (second, early) in [(1, at.before(Duration::from_millis(1))), (2, at)] {
        assert_eq!(record(second, early).await, CertificateRecorded::PrincipalEnded);
        assert_eq!(ledger.find(&certificate(second).serial).await, Ok(None));
    }
    assert_eq!(events(ledger).await, before, "what is refused leaves no event");
    assert_eq!(record(3, at.after(Duration::from_millis(1))).await, CertificateRecorded::Recorded);
}

async fn what_was_under_way_does_not_wait(ledger: &dyn Ledger) {
    ledger.add(user("first-device", "lab"), event(EventKind::EstUserAdded)).await.unwrap();
    let before = enrollment(1);
    remove(ledger, "first-device", before.created_at).await;
    let submitted = event(EventKind::EnrollmentSubmitted);
    assert_eq!(ledger.submit(before.clone(), 99, submitted.clone()).await, Ok(Submitted::PrincipalEnded));
    assert_eq!(ledger.find_by_id(&before.id).await, Ok(None));
    let after = EnrollmentRecord { created_at: before.created_at.after(Duration::from_millis(1)), ..before };
    assert_eq!(ledger.submit(after, 99, submitted).await, Ok(Submitted::Created));
}
