//! What ends with a principal ([`certgate_enrollment::EstUsers::remove`]).

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Along, CertificateQuery, CertificateRecord, CertificateRecorded, CertificateStatus, EnrollmentRecord, EnrollmentState,
    EstUser, EventKind, Ledger, PrincipalRemoved, Proof, Submitted,
};
use certgate_pki::Timestamp;

use super::events;
use super::records::{certificate, enrollment, event, event_at, user};
use crate::NOW;

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    what_waits_is_denied_and_what_is_over_stays(&*make().await).await;
    a_principal_without_a_credential_is_removed_too(&*make().await).await;
    certificates_end_with_their_principal(&*make().await).await;
    what_is_recorded_after_an_end_has_not_ended(&*make().await).await;
    each_end_is_of_all_that_is_recorded_by_then(&*make().await).await;
    an_end_is_told_by_the_ledger_alone(&*make().await).await;
    a_status_changes_after_the_end_too(&*make().await).await;
}

async fn remove(ledger: &dyn Ledger, name: &str, at: Timestamp) -> PrincipalRemoved {
    ledger.remove(name, event_at(EventKind::EstUserRemoved, at)).await.unwrap()
}

async fn submit(ledger: &dyn Ledger, enrollment: &EnrollmentRecord) {
    let outcome = ledger.submit(enrollment.clone().into(), 99, event(EventKind::EnrollmentSubmitted)).await;
    assert_eq!(outcome, Ok(Submitted::Created));
}

async fn find(ledger: &dyn Ledger, enrollment: &EnrollmentRecord) -> EnrollmentRecord {
    ledger.find_by_id(&enrollment.id).await.unwrap().unwrap()
}

async fn record(ledger: &dyn Ledger, certificate: &CertificateRecord) {
    let outcome = ledger.record(certificate.clone(), Along::default(), event(EventKind::CertificateIssued)).await;
    assert_eq!(outcome, Ok(CertificateRecorded::Recorded));
}

/// The certificate, with this end and all else as it was, wherever it is looked for.
async fn assert_end(ledger: &dyn Ledger, certificate: &CertificateRecord, is_ended: bool) {
    let expected = CertificateRecord { is_ended, ..certificate.clone() };
    let found = ledger.find_issued(&expected.authority, &expected.serial).await.unwrap();
    assert_eq!(found.as_ref(), Some(&expected));
    assert_eq!(ledger.find(&expected.serial).await, Ok(found));
    let listed = ledger.list(CertificateQuery::all(NOW, 100)).await.unwrap().items;
    assert!(listed.contains(&expected), "{listed:?}");
}

async fn what_waits_is_denied_and_what_is_over_stays(ledger: &dyn Ledger) {
    for name in ["first-device", "first-device2"] {
        ledger.add(user(name, "lab"), event(EventKind::EstUserAdded)).await.unwrap();
    }
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
    record(ledger, &certificate(1)).await;
    let waits = EnrollmentRecord { proof: Proof::Certificate(certificate(1).serial), ..enrollment(1) };
    submit(ledger, &waits).await;
    let removed = PrincipalRemoved { credentials: 0, enrollments: 1, had_certificates: true };
    assert_eq!(remove(ledger, "first-device", NOW).await, removed);
    assert_eq!(find(ledger, &waits).await.state, EnrollmentState::Denied);
    let of_another = CertificateRecord { principal: "second-device".into(), ..certificate(2) };
    record(ledger, &of_another).await;
    let before = events(ledger).await;
    let removed = PrincipalRemoved { credentials: 0, enrollments: 0, had_certificates: true };
    assert_eq!(remove(ledger, "second-device", NOW).await, removed);
    assert_end(ledger, &of_another, true).await;
    assert_eq!(events(ledger).await, before + 1);
}

async fn certificates_end_with_their_principal(ledger: &dyn Ledger) {
    let of = |second, principal: &str| CertificateRecord { principal: principal.into(), ..certificate(second) };
    let ours = [
        certificate(1),
        CertificateRecord { endpoint: "default".into(), profile: "user".into(), ..certificate(2) },
        CertificateRecord { authority: "other".into(), ..certificate(3) },
        CertificateRecord { status: CertificateStatus::Held(NOW), ..certificate(4) },
    ];
    let others = [of(5, "first-device2"), of(6, "First-device"), of(7, "first"), of(8, "")];
    for certificate in ours.iter().chain(&others) {
        record(ledger, certificate).await;
        assert_end(ledger, certificate, false).await;
    }
    assert!(remove(ledger, "first-device", NOW).await.had_certificates);
    for certificate in &ours {
        assert_end(ledger, certificate, true).await;
    }
    for certificate in &others {
        assert_end(ledger, certificate, false).await;
    }
    // A credential of the same name brings nothing back, and neither does another end.
    ledger.add(user("first-device", "lab"), event(EventKind::EstUserAdded)).await.unwrap();
    assert_end(ledger, &ours[0], true).await;
    remove(ledger, "first-device", NOW).await;
    assert_end(ledger, &ours[0], true).await;
    assert_end(ledger, &others[0], false).await;
}

/// Whatever the clocks of either said: the order of commits counts.
async fn what_is_recorded_after_an_end_has_not_ended(ledger: &dyn Ledger) {
    let day = Duration::from_secs(86_400);
    let before = CertificateRecord { issued_at: NOW.after(day), ..certificate(1) };
    record(ledger, &before).await;
    remove(ledger, "first-device", NOW).await;
    let after = [
        CertificateRecord { issued_at: NOW.before(day), ..certificate(2) },
        CertificateRecord { issued_at: NOW, ..certificate(3) },
        CertificateRecord { issued_at: NOW.after(day), ..certificate(4) },
    ];
    for certificate in &after {
        record(ledger, certificate).await;
        assert_end(ledger, certificate, false).await;
    }
    assert_end(ledger, &before, true).await;
}

async fn each_end_is_of_all_that_is_recorded_by_then(ledger: &dyn Ledger) {
    let [first, second, third] = [1, 2, 3].map(certificate);
    record(ledger, &first).await;
    let late = NOW.after(Duration::from_secs(20));
    // The clock is set back between the two.
    remove(ledger, "first-device", late).await;
    record(ledger, &second).await;
    assert_end(ledger, &second, false).await;
    remove(ledger, "first-device", NOW).await;
    record(ledger, &third).await;
    for (certificate, is_ended) in [(&first, true), (&second, true), (&third, false)] {
        assert_end(ledger, certificate, is_ended).await;
    }
    // A removal that found nothing but a credential ends what there is all the same, for another name nothing.
    ledger.add(EstUser { name: "nobody".into(), ..user("", "lab") }, event(EventKind::EstUserAdded)).await.unwrap();
    remove(ledger, "nobody", late).await;
    assert_end(ledger, &third, false).await;
}

/// What a record says of it when it is recorded is of no account.
async fn an_end_is_told_by_the_ledger_alone(ledger: &dyn Ledger) {
    let certificate = CertificateRecord { is_ended: true, ..certificate(1) };
    record(ledger, &certificate).await;
    assert_end(ledger, &certificate, false).await;
}

async fn a_status_changes_after_the_end_too(ledger: &dyn Ledger) {
    let certificate = certificate(1);
    record(ledger, &certificate).await;
    remove(ledger, "first-device", NOW).await;
    let held = CertificateStatus::Held(NOW);
    let found = ledger.find(&certificate.serial).await.unwrap().unwrap();
    assert_eq!(ledger.change_status(&found, held, event(EventKind::CertificateHeld)).await, Ok(true));
    assert_end(ledger, &CertificateRecord { status: held, ..certificate }, true).await;
}
