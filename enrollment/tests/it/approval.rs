//! Requests that wait for a person, as their requester sees them.

use std::time::Duration;

use certgate_enrollment::{
    CertificateStatus, EnrollError, EnrollRequest, EnrollmentQuery, EnrollmentState, Enrollments, EstUser, EventKind, Issued,
    LedgerError, Outcome, Pending, Proof, Recorded, RevocationReason, StatusChange, StatusChanged, change_status,
};
use certgate_pki::CsrError;
use certgate_policy::Profile;
use certgate_testkit::{CaFixture, Fault, NOW, profile, rsa_device_key};

use crate::fixture::{
    DAY, builder, credential, enrollment, issue, issued, manual, record_of, renewal, request, rule, set_credential, waiting,
};

const MILLI: Duration = Duration::from_millis(1);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

async fn enroll(ca: &CaFixture, request: EnrollRequest) -> Result<Recorded<Outcome>, EnrollError> {
    ca.authority.enroll(&manual(), request).await
}

/// The request that all of these tests make.
async fn ask(ca: &CaFixture) -> Result<Recorded<Outcome>, EnrollError> {
    enroll(ca, request(builder().csr())).await
}

async fn approve(ca: &CaFixture, pending: &Pending) -> Issued {
    (*ca.authority.approve(&manual(), enrollment(ca, pending).await, "operator").await.unwrap()).clone()
}

async fn all_enrollments(ca: &CaFixture) -> usize {
    ca.ledger.list_enrollments(EnrollmentQuery { state: None, limit: 1000, cursor: None }).await.unwrap().items.len()
}

#[tokio::test]
async fn the_same_request_waits_as_one_however_often_it_comes() {
    let ca = CaFixture::founded().await;
    let first = waiting(ask(&ca).await);
    assert_eq!(first.waited, Duration::ZERO);
    ca.clock.advance(Duration::from_millis(90_500));
    let again = waiting(ask(&ca).await);
    assert_eq!((again.id, again.waited), (first.id.clone(), Duration::from_millis(90_500)));
    for challenge in ["one TLS session", "another TLS session"] {
        let bound = builder().challenge_password(challenge).csr();
        assert_eq!(waiting(enroll(&ca, request(bound)).await).id, first.id, "{challenge}");
    }
    let stored = enrollment(&ca, &first).await;
    assert_eq!((stored.state, stored.created_at, stored.changed_at), (EnrollmentState::Pending, NOW, NOW));
    assert_eq!((all_enrollments(&ca).await, ca.ledger.certificates().len()), (1, 1), "nothing but the root was issued");
}

#[tokio::test]
async fn what_was_asked_is_kept_as_it_came() {
    let ca = CaFixture::founded().await;
    let old = issue(&ca, builder().csr()).await;
    let csr = builder().challenge_password("of a TLS session").csr();
    let mut asked = renewal(&old, csr.clone());
    asked.renews.as_mut().unwrap().may_omit_names = true;
    let grants = asked.principal.grants.clone();
    let stored = enrollment(&ca, &waiting(enroll(&ca, asked).await)).await;
    assert_eq!((stored.csr.as_slice(), stored.grants), (csr.as_der(), grants));
    assert_eq!((stored.profile.as_str(), stored.authority.as_str()), ("default", "default"));
    assert_eq!((stored.renews, stored.may_omit_names), (Some(old.serial.clone()), true));
    assert_eq!(stored.proof, Proof::Certificate(old.serial));
    assert_eq!((stored.reason.as_str(), stored.serial), ("", None));
}

#[tokio::test]
async fn approved_it_is_issued_once_and_served_again() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ask(&ca).await);
    ca.clock.advance(DAY);
    let made = approve(&ca, &pending).await;
    assert_eq!(issued(ask(&ca).await), made);
    let bound = builder().challenge_password("another TLS session").csr();
    assert_eq!(issued(enroll(&ca, request(bound)).await), made);
    assert_eq!((all_enrollments(&ca).await, ca.ledger.certificates().len()), (1, 2));
    let stored = enrollment(&ca, &pending).await;
    assert_eq!((stored.state, stored.serial), (EnrollmentState::Issued, Some(made.serial.clone())));
    let certificate = made.certificate().unwrap();
    assert_eq!(certificate.subject().to_string(), "CN=device-1");
    assert_eq!(certificate.validity().not_before, NOW.after(DAY).before(Duration::from_secs(3600)), "from its approval on");
    let record = record_of(&ca, &made.serial).await;
    assert_eq!((record.principal.as_str(), record.endpoint.as_str()), ("first-device", "default"));
}

#[tokio::test]
async fn a_certificate_is_served_for_a_week_and_then_it_is_a_new_enrollment() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ask(&ca).await);
    // However long it has waited: the week begins with its certificate.
    ca.clock.advance(30 * DAY);
    assert_eq!(waiting(ask(&ca).await).id, pending.id);
    let made = approve(&ca, &pending).await;
    ca.clock.advance(WEEK);
    assert_eq!(issued(ask(&ca).await), made, "the last moment counts");
    ca.clock.advance(MILLI);
    let anew = waiting(ask(&ca).await);
    assert_ne!(anew.id, pending.id);
    assert_ne!(approve(&ca, &anew).await.serial, made.serial);
}

#[tokio::test]
async fn denied_it_is_told_why_for_a_week() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ask(&ca).await);
    ca.authority.deny(&enrollment(&ca, &pending).await, "not one of ours", "operator").await.unwrap();
    let stored = enrollment(&ca, &pending).await;
    assert_eq!((stored.state, stored.reason.as_str()), (EnrollmentState::Denied, "not one of ours"));
    for step in [Duration::ZERO, WEEK] {
        ca.clock.advance(step);
        assert_eq!(ask(&ca).await.map(drop), Err(EnrollError::Denied("not one of ours".into())));
    }
    ca.clock.advance(MILLI);
    assert_ne!(waiting(ask(&ca).await).id, pending.id);
    assert_eq!(ca.ledger.certificates().len(), 1);
}

#[tokio::test]
async fn what_policy_refuses_waits_for_nobody() {
    let ca = CaFixture::founded().await;
    let ungranted = CaFixture::request(builder().csr(), &["cn:device-*"]);
    assert_eq!(rule(enroll(&ca, ungranted).await), "names");
    assert_eq!(rule(enroll(&ca, request(builder().ca().csr())).await), "forbidden-extensions");
    let unproven = enroll(&ca, request(builder().fault(Fault::BadSignature).csr())).await;
    assert_eq!(unproven.map(drop), Err(EnrollError::Csr(CsrError::BadSignature)));
    let other = Profile { authority: "other".into(), ..manual() };
    let elsewhere = ca.authority.enroll(&other, request(builder().csr())).await;
    assert!(matches!(elsewhere, Err(EnrollError::WrongAuthority { .. })));
    assert_eq!((all_enrollments(&ca).await, ca.ledger.events().len()), (0, 2));
}

#[tokio::test]
async fn proof_of_possession_is_asked_for_again_and_again() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ask(&ca).await);
    let unproven = || request(builder().fault(Fault::BadSignature).csr());
    assert_eq!(enroll(&ca, unproven()).await.map(drop), Err(EnrollError::Csr(CsrError::BadSignature)), "while it waits");
    approve(&ca, &pending).await;
    assert_eq!(enroll(&ca, unproven()).await.map(drop), Err(EnrollError::Csr(CsrError::BadSignature)), "when it is issued");
}

#[tokio::test]
async fn what_the_ledger_does_not_take_does_not_wait() {
    let ca = CaFixture::founded().await;
    ca.ledger.fail_writes(true);
    assert!(matches!(ask(&ca).await, Err(EnrollError::Ledger(LedgerError::Unavailable(_)))));
    ca.ledger.fail_writes(false);
    assert_eq!(all_enrollments(&ca).await, 0);
}

#[tokio::test]
async fn without_a_person_a_request_that_comes_again_is_a_new_one() {
    let ca = CaFixture::founded().await;
    let ask = async || issued(ca.authority.enroll(&profile(), request(builder().csr())).await);
    assert_ne!(ask().await.serial, ask().await.serial);
    assert_eq!((all_enrollments(&ca).await, ca.ledger.certificates().len()), (0, 3));
}

#[tokio::test]
async fn only_the_same_requester_at_the_same_place_for_the_same_thing_finds_it() {
    let ca = CaFixture::founded().await;
    let old = issue(&ca, builder().csr()).await;
    let pending = waiting(ask(&ca).await);
    approve(&ca, &pending).await;
    let mut of_another = request(builder().csr());
    of_another.principal.name = "second-device".into();
    let mut elsewhere = request(builder().csr());
    elsewhere.endpoint = "lab".into();
    set_credential(&ca, credential("second-device")).await;
    set_credential(&ca, EstUser { endpoint: "lab".into(), ..credential("first-device") }).await;
    let other_csr = request(builder().dns("b.fleet.example").csr());
    let other_key = certgate_testkit::CsrBuilder::new(&rsa_device_key()).common_name("device-1").dns("a.fleet.example");
    let mut seen = vec![pending.id];
    for other in [of_another, elsewhere, other_csr, request(other_key.csr()), renewal(&old, builder().csr())] {
        let waits = waiting(enroll(&ca, other).await);
        assert!(!seen.contains(&waits.id));
        seen.push(waits.id);
    }
    assert_eq!(all_enrollments(&ca).await, seen.len());
}

#[tokio::test]
async fn a_principal_has_thirty_two_requests_waiting_at_the_most() {
    let ca = CaFixture::founded().await;
    let numbered = |number: usize| request(builder().dns(&format!("n{number}.fleet.example")).csr());
    let first = waiting(enroll(&ca, numbered(0)).await);
    for number in 1..32 {
        waiting(enroll(&ca, numbered(number)).await);
    }
    let events = ca.ledger.events().len();
    assert_eq!(enroll(&ca, numbered(32)).await.map(drop), Err(EnrollError::TooManyPending));
    assert_eq!((all_enrollments(&ca).await, ca.ledger.events().len()), (32, events));
    assert_eq!(waiting(enroll(&ca, numbered(0)).await).id, first.id, "what waits goes on waiting");
    let mut of_another = numbered(32);
    of_another.principal.name = "second-device".into();
    set_credential(&ca, credential("second-device")).await;
    waiting(enroll(&ca, of_another).await);
    approve(&ca, &first).await;
    waiting(enroll(&ca, numbered(32)).await);
}

#[tokio::test]
async fn when_its_certificate_is_good_no_more_a_person_is_asked_again() {
    for change in [StatusChange::Revoke(RevocationReason::Superseded, None), StatusChange::Hold] {
        let ca = CaFixture::founded().await;
        let pending = waiting(ask(&ca).await);
        let made = approve(&ca, &pending).await;
        let record = record_of(&ca, &made.serial).await;
        let changed = change_status(&*ca.ledger, &record, change, NOW, "operator").await;
        assert_eq!(changed, Ok(StatusChanged::Changed));
        ca.clock.advance(DAY);
        let anew = waiting(ask(&ca).await);
        assert_ne!(anew.id, pending.id, "{change:?}");
        assert_eq!(waiting(ask(&ca).await).id, anew.id, "which then waits");
        let next = approve(&ca, &anew).await;
        assert_ne!(next.serial, made.serial);
        assert_eq!(issued(ask(&ca).await), next);
        assert_ne!(record_of(&ca, &made.serial).await.status, CertificateStatus::Valid);
    }
}

#[tokio::test]
async fn a_certificate_that_is_over_is_not_served() {
    let ca = CaFixture::founded().await;
    let short = Profile { validity: DAY, ..manual() };
    let ask = async || ca.authority.enroll(&short, request(builder().csr())).await;
    let pending = waiting(ask().await);
    let made = ca.authority.approve(&short, enrollment(&ca, &pending).await, "operator").await.unwrap();
    ca.clock.set(record_of(&ca, &made.serial).await.validity.not_after.after(Duration::from_millis(999)));
    assert_eq!(issued(ask().await), *made, "its last second counts");
    ca.clock.advance(MILLI);
    assert_ne!(waiting(ask().await).id, pending.id, "although the week is not");
}

#[tokio::test]
async fn every_step_leaves_an_event() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ask(&ca).await);
    waiting(ask(&ca).await);
    let made = approve(&ca, &pending).await;
    issued(ask(&ca).await);
    let events = ca.ledger.events();
    let steps: Vec<_> = events.iter().map(|event| (event.kind, event.actor.as_str())).collect();
    let expected = [
        (EventKind::CertificateIssued, "certgate"),
        (EventKind::EstUserAdded, "testkit"),
        (EventKind::EnrollmentSubmitted, "first-device"),
        (EventKind::EnrollmentApproved, "operator"),
        (EventKind::CertificateIssued, "first-device"),
    ];
    assert_eq!(steps, expected, "asking again is no event");
    let about =
        |number: usize, key: &str| events[number].details.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
    for number in 2..5 {
        assert_eq!(about(number, "enrollment"), Some(pending.id.to_string()), "event {number}");
    }
    for number in 2..4 {
        assert_eq!(about(number, "principal").as_deref(), Some("first-device"));
        assert_eq!(about(number, "endpoint").as_deref(), Some("default"));
        assert_eq!(about(number, "csr_sha256").map(|hash| hash.len()), Some(64));
    }
    assert_eq!(about(4, "serial"), Some(made.serial.to_string()));
}

#[tokio::test]
async fn one_certificate_after_the_other_is_renewed_with_the_same_request() {
    let ca = CaFixture::founded().await;
    let mut old = issue(&ca, builder().csr()).await;
    for _ in 0..2 {
        let pending = waiting(enroll(&ca, renewal(&old, builder().csr())).await);
        let renewed = approve(&ca, &pending).await;
        assert_ne!(renewed.serial, old.serial);
        assert_eq!(
            issued(enroll(&ca, renewal(&old, builder().csr())).await),
            renewed,
            "served again to the one that it renews"
        );
        old = record_of(&ca, &renewed.serial).await;
    }
}
