//! [`Proof`]s: what has ended one before a commit counts in it, and no clock is asked.

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Along, CertificateRecord, CertificateRecorded, CertificateStatus, EnrollmentRecord, EnrollmentState, EstUser, EventKind,
    Ledger, Proof, Revocation, RevocationReason, Standing, Submitted,
};

use super::events;
use super::records::{CREDENTIAL, certificate, enrollment, event, event_at, user};
use crate::NOW;

/// Of the credential that comes after [`CREDENTIAL`].
const NEXT: u64 = CREDENTIAL + 1;
/// All tests remove at that time: before whatever they record, since no clock is asked.
const EARLY: Duration = Duration::from_secs(86_400);

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    a_credential_ends_when_it_is_removed(&*make().await).await;
    a_credential_ends_when_it_is_replaced(&*make().await).await;
    a_credential_that_is_added_again_is_another_one(&*make().await).await;
    a_credential_goes_on_when_others_end(&*make().await).await;
    a_credential_that_is_used_up_has_nothing_wait(&*make().await).await;
    a_certificate_is_good_while_its_status_says_so(&*make().await).await;
    a_certificate_is_good_at_its_own_authority(&*make().await).await;
    a_certificate_ends_with_its_principal(&*make().await).await;
    both_have_to_be_good_and_no_use_is_spent(&*make().await).await;
}

async fn add(ledger: &dyn Ledger, user: EstUser) {
    ledger.add(user, event(EventKind::EstUserAdded)).await.unwrap();
}

async fn remove(ledger: &dyn Ledger, name: &str) {
    ledger.remove(name, event_at(EventKind::EstUserRemoved, NOW.before(EARLY))).await.unwrap();
}

/// A certificate that is recorded without further ado.
async fn issued(ledger: &dyn Ledger, certificate: CertificateRecord) -> CertificateRecord {
    let outcome = ledger.record(certificate.clone(), Along::default(), event(EventKind::CertificateIssued)).await;
    assert_eq!(outcome, Ok(CertificateRecorded::Recorded));
    certificate
}

/// With this proof a certificate is recorded and an enrollment waits.
async fn assert_good(ledger: &dyn Ledger, second: u64, proof: &Proof) {
    assert_eq!(standing(ledger, proof).await, Standing::Good, "{proof:?}");
    assert_eq!(attempt(ledger, second, proof).await, (CertificateRecorded::Recorded, Submitted::Created), "{proof:?}");
}

/// With this proof nothing is recorded, and no event.
async fn assert_ended(ledger: &dyn Ledger, second: u64, proof: &Proof) {
    let before = events(ledger).await;
    assert_eq!(standing(ledger, proof).await, Standing::Ended, "{proof:?}");
    assert_eq!(attempt(ledger, second, proof).await, (CertificateRecorded::ProofEnded, Submitted::ProofEnded), "{proof:?}");
    assert_eq!(ledger.find(&certificate(second).serial).await, Ok(None));
    assert_eq!(ledger.find_by_id(&enrollment(second).id).await, Ok(None));
    assert_eq!(events(ledger).await, before, "what is refused leaves no event");
}

async fn standing(ledger: &dyn Ledger, proof: &Proof) -> Standing {
    let waits = EnrollmentRecord { proof: proof.clone(), ..enrollment(1) };
    ledger.standing(&waits, &waits.authority).await.unwrap()
}

async fn attempt(ledger: &dyn Ledger, second: u64, proof: &Proof) -> (CertificateRecorded, Submitted) {
    let along = Along { proof: Some(proof.clone()), ..Along::default() };
    let waits = EnrollmentRecord { proof: proof.clone(), ..enrollment(second) };
    let submitted = ledger.submit(waits.into(), 99, event(EventKind::EnrollmentSubmitted)).await.unwrap();
    (ledger.record(certificate(second), along, event(EventKind::CertificateIssued)).await.unwrap(), submitted)
}

async fn a_credential_ends_when_it_is_removed(ledger: &dyn Ledger) {
    add(ledger, user("first-device", "lab")).await;
    assert_good(ledger, 1, &Proof::Credential(CREDENTIAL)).await;
    remove(ledger, "first-device").await;
    assert_ended(ledger, 2, &Proof::Credential(CREDENTIAL)).await;
}

async fn a_credential_ends_when_it_is_replaced(ledger: &dyn Ledger) {
    add(ledger, user("first-device", "lab")).await;
    let next = EstUser { id: NEXT, ..user("first-device", "lab") };
    assert_eq!(ledger.replace(next, event(EventKind::EstUserReplaced)).await, Ok(true));
    assert_ended(ledger, 1, &Proof::Credential(CREDENTIAL)).await;
    assert_good(ledger, 2, &Proof::Credential(NEXT)).await;
}

async fn a_credential_that_is_added_again_is_another_one(ledger: &dyn Ledger) {
    add(ledger, EstUser { uses: Some(1), ..user("first-device", "lab") }).await;
    remove(ledger, "first-device").await;
    add(ledger, EstUser { id: NEXT, uses: Some(2), ..user("first-device", "lab") }).await;
    assert_ended(ledger, 1, &Proof::Credential(CREDENTIAL)).await;
    assert_good(ledger, 2, &Proof::Credential(NEXT)).await;
    assert_eq!(ledger.find_user("first-device", "lab").await.unwrap().unwrap().uses, Some(1), "spent by its own");
}

async fn a_credential_goes_on_when_others_end(ledger: &dyn Ledger) {
    for (name, endpoint) in [("first-device", "lab"), ("first-device", "default"), ("first", "lab")] {
        add(ledger, user(name, endpoint)).await;
    }
    let next = EstUser { id: NEXT, ..user("first-device", "default") };
    assert_eq!(ledger.replace(next, event(EventKind::EstUserReplaced)).await, Ok(true));
    remove(ledger, "first").await;
    assert_good(ledger, 1, &Proof::Credential(CREDENTIAL)).await;
}

async fn a_credential_that_is_used_up_has_nothing_wait(ledger: &dyn Ledger) {
    add(ledger, EstUser { uses: Some(1), ..user("first-device", "lab") }).await;
    let proof = Proof::Credential(CREDENTIAL);
    assert_good(ledger, 1, &proof).await;
    let before = events(ledger).await;
    assert_eq!(standing(ledger, &proof).await, Standing::UsedUp);
    let outcomes = attempt(ledger, 2, &proof).await;
    assert_eq!(outcomes, (CertificateRecorded::CredentialUsedUp, Submitted::CredentialUsedUp));
    assert_eq!((ledger.find_by_id(&enrollment(2).id).await, events(ledger).await), (Ok(None), before));
    let again = EnrollmentRecord { id: enrollment(3).id, ..enrollment(1) };
    let outcome = ledger.submit(again.into(), 99, event(EventKind::EnrollmentSubmitted)).await;
    assert_eq!(outcome, Ok(Submitted::Exists(Box::new(enrollment(1)))), "what waits already goes on waiting");
}

async fn a_certificate_is_good_while_its_status_says_so(ledger: &dyn Ledger) {
    let mut old = issued(ledger, certificate(1)).await;
    let proof = Proof::Certificate(old.serial.clone());
    assert_good(ledger, 2, &proof).await;
    let held = CertificateStatus::Held(NOW);
    let revoked = CertificateStatus::Revoked(Revocation::new(NOW, RevocationReason::Superseded));
    for (second, status) in (3..).zip([held, CertificateStatus::Valid, revoked]) {
        assert_eq!(ledger.change_status(&old, status, event(EventKind::CertificateHeld)).await, Ok(true));
        old.status = status;
        match status {
            CertificateStatus::Valid => assert_good(ledger, second, &proof).await,
            _ => assert_ended(ledger, second, &proof).await,
        }
    }
}

async fn a_certificate_is_good_at_its_own_authority(ledger: &dyn Ledger) {
    let old = issued(ledger, CertificateRecord { authority: "other".into(), ..certificate(1) }).await;
    assert_ended(ledger, 2, &Proof::Certificate(old.serial.clone())).await;
    assert_ended(ledger, 2, &Proof::Certificate(certificate(9).serial)).await;
    // The same serial number: the one of its authority counts.
    let ours = issued(ledger, certificate(1)).await;
    assert_good(ledger, 2, &Proof::Certificate(old.serial)).await;
    let held = CertificateStatus::Held(NOW);
    assert_eq!(ledger.change_status(&ours, held, event(EventKind::CertificateHeld)).await, Ok(true));
    assert_ended(ledger, 3, &Proof::Certificate(ours.serial)).await;
}

async fn a_certificate_ends_with_its_principal(ledger: &dyn Ledger) {
    let old = issued(ledger, certificate(1)).await;
    let of_another = issued(ledger, CertificateRecord { principal: "second-device".into(), ..certificate(2) }).await;
    remove(ledger, "first-device").await;
    assert_ended(ledger, 3, &Proof::Certificate(old.serial.clone())).await;
    assert_good(ledger, 4, &Proof::Certificate(of_another.serial)).await;
    // A credential of the same name brings nothing back; what is recorded from then on is good.
    add(ledger, EstUser { id: NEXT, ..user("first-device", "lab") }).await;
    assert_ended(ledger, 5, &Proof::Certificate(old.serial)).await;
    let new = issued(ledger, certificate(6)).await;
    assert_good(ledger, 7, &Proof::Certificate(new.serial)).await;
}

/// A certificate, and a credential that grants it more names.
async fn both_have_to_be_good_and_no_use_is_spent(ledger: &dyn Ledger) {
    let used_up = EstUser { uses: Some(0), ..user("first-device", "lab") };
    add(ledger, used_up).await;
    let old = issued(ledger, certificate(1)).await;
    let both = Proof::Both(old.serial.clone(), CREDENTIAL);
    assert_good(ledger, 2, &both).await;
    assert_ended(ledger, 3, &Proof::Both(old.serial.clone(), NEXT)).await;
    assert_ended(ledger, 3, &Proof::Both(certificate(3).serial, CREDENTIAL)).await;
    let waits = ledger.find_by_id(&enrollment(2).id).await.unwrap().unwrap();
    assert_eq!((waits.proof, waits.state), (both.clone(), EnrollmentState::Pending));
    ledger.replace(EstUser { id: NEXT, ..user("first-device", "lab") }, event(EventKind::EstUserReplaced)).await.unwrap();
    assert_eq!(ledger.find_by_id(&enrollment(2).id).await.unwrap().unwrap().state, EnrollmentState::Denied);
    assert_ended(ledger, 3, &both).await;
    let next = Proof::Both(old.serial.clone(), NEXT);
    assert_good(ledger, 4, &next).await;
    let held = event(EventKind::CertificateHeld);
    assert!(ledger.change_status(&old, CertificateStatus::Held(held.at), held).await.unwrap());
    assert_ended(ledger, 5, &next).await;
}
