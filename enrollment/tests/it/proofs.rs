//! What has authenticated a principal, and what comes of its requests when that ends.

use certgate_ca_backend_api::BackendError;
use certgate_enrollment::{
    CertificateRecord, EnrollError, EnrollRequest, EnrollmentState, EstUser, EstUsers, EventKind, INTERNAL_PRINCIPAL, Issued,
    Outcome, Pending, Proof, Recorded, RevocationReason, StatusChange, change_status,
};
use certgate_policy::{Approval, ChangeSubject, Profile, SanKind};
use certgate_testkit::{CREDENTIAL, CaFixture, FailingBackend, NOW, profile};

use crate::fixture::{
    builder, by_certificate, credential, enrollment, event, issue, issued, manual, record_of, renewal, request, rule,
    set_credential, waiting,
};

/// The id of the credential that comes after [`CREDENTIAL`].
const NEXT: u64 = CREDENTIAL + 1;
const CHANGES: [StatusChange; 2] = [StatusChange::Revoke(RevocationReason::KeyCompromise, None), StatusChange::Hold];

async fn enroll(ca: &CaFixture, request: EnrollRequest) -> Result<Recorded<Outcome>, EnrollError> {
    ca.authority.enroll(&manual(), request).await
}

/// The request that all of these tests make, with the credential of this id.
async fn ask_with(ca: &CaFixture, id: u64) -> Result<Recorded<Outcome>, EnrollError> {
    let mut request = request(builder().csr());
    request.principal.proof = Proof::Credential(id);
    enroll(ca, request).await
}

async fn approve(ca: &CaFixture, pending: &Pending) -> Result<Issued, EnrollError> {
    let approved = ca.authority.approve(&manual(), enrollment(ca, pending).await, "operator").await?;
    Ok((*approved).clone())
}

async fn change(ca: &CaFixture, certificate: &CertificateRecord, change: StatusChange) {
    change_status(&*ca.ledger, certificate, change, NOW, "operator").await.unwrap();
}

async fn remove(ca: &CaFixture) {
    ca.ledger.remove("first-device", event(EventKind::EstUserRemoved)).await.unwrap();
}

/// The principal is there again, with a credential of another id.
async fn begin_anew(ca: &CaFixture) {
    set_credential(ca, EstUser { id: NEXT, ..credential("first-device") }).await;
}

#[tokio::test]
async fn whoever_has_the_name_of_one_that_was_removed_is_not_served_its_certificate() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ask_with(&ca, CREDENTIAL).await);
    let made = approve(&ca, &pending).await.unwrap();
    assert_eq!(issued(ask_with(&ca, CREDENTIAL).await), made);
    remove(&ca).await;
    assert_eq!(ask_with(&ca, CREDENTIAL).await.map(drop), Err(EnrollError::ProofEnded), "nothing is served, and nothing waits");
    begin_anew(&ca).await;
    let anew = waiting(ask_with(&ca, NEXT).await);
    assert_ne!(anew.id, pending.id);
    let next = approve(&ca, &anew).await.unwrap();
    assert_ne!(next.serial, made.serial);
    assert_eq!(issued(ask_with(&ca, NEXT).await), next);
}

#[tokio::test]
async fn whoever_has_the_name_of_one_that_was_removed_hears_nothing_of_its_denial() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ask_with(&ca, CREDENTIAL).await);
    remove(&ca).await;
    assert_eq!(enrollment(&ca, &pending).await.state, EnrollmentState::Denied);
    begin_anew(&ca).await;
    let anew = waiting(ask_with(&ca, NEXT).await);
    assert_ne!(anew.id, pending.id);
    assert_eq!(waiting(ask_with(&ca, NEXT).await).id, anew.id);
    approve(&ca, &anew).await.unwrap();
    assert_eq!(enrollment(&ca, &pending).await.state, EnrollmentState::Denied);
}

#[tokio::test]
async fn what_was_refused_is_told_to_the_same_proof_alone() {
    for state in [EnrollmentState::Denied, EnrollmentState::Failed] {
        let ca = CaFixture::founded().await;
        let old = issue(&ca, builder().csr()).await;
        let pending = waiting(ask_with(&ca, CREDENTIAL).await);
        let stored = enrollment(&ca, &pending).await;
        if state == EnrollmentState::Denied {
            ca.authority.deny(&stored, "no", "operator").await.unwrap();
        } else {
            let narrow = Profile { sans: vec![SanKind::Ip], ..manual() };
            assert_eq!(rule(ca.authority.approve(&narrow, stored, "operator").await), "names");
        }
        let told = ask_with(&ca, CREDENTIAL).await.map(drop);
        assert!(matches!(told, Err(EnrollError::Denied(_) | EnrollError::Failed(_))), "{told:?}");
        // A certificate asks for the same thing.
        let by_certificate = waiting(enroll(&ca, by_certificate(&old, builder().csr())).await);
        assert_ne!(by_certificate.id, pending.id, "{state:?}");
        ca.authority.deny(&enrollment(&ca, &by_certificate).await, "no", "operator").await.unwrap();
        set_credential(&ca, EstUser { id: NEXT, ..credential("first-device") }).await;
        let anew = waiting(ask_with(&ca, NEXT).await);
        assert!(anew.id != pending.id && anew.id != by_certificate.id, "{state:?}");
        approve(&ca, &anew).await.unwrap();
    }
}

#[tokio::test]
async fn with_a_new_credential_what_waits_is_asked_for_again_and_what_was_issued_is_served() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ask_with(&ca, CREDENTIAL).await);
    set_credential(&ca, EstUser { id: NEXT, ..credential("first-device") }).await;
    let told = ask_with(&ca, CREDENTIAL).await.map(drop);
    assert_eq!(told, Err(EnrollError::Denied("the credential was replaced; ask again with the new one".into())));
    let anew = waiting(ask_with(&ca, NEXT).await);
    assert_ne!(anew.id, pending.id);
    let made = approve(&ca, &anew).await.unwrap();
    set_credential(&ca, EstUser { id: NEXT + 1, ..credential("first-device") }).await;
    assert_eq!(issued(ask_with(&ca, NEXT + 1).await), made, "it is the same principal");
}

#[tokio::test]
async fn a_proof_that_ends_under_way_is_none() {
    let ca = CaFixture::founded().await;
    let old = issue(&ca, builder().csr()).await;
    let authorize = |request| ca.authority.authorize(&profile(), request).unwrap();
    let by_credential = authorize(request(builder().csr()));
    let by_certificate = [authorize(by_certificate(&old, builder().csr())), authorize(renewal(&old, builder().csr()))];
    remove(&ca).await;
    begin_anew(&ca).await;
    let (certificates, events) = (ca.ledger.certificates().len(), ca.ledger.events().len());
    for authorized in by_certificate.into_iter().chain([by_credential]) {
        assert_eq!(ca.authority.issue(authorized).await.map(drop), Err(EnrollError::ProofEnded));
    }
    assert_eq!(ask_with(&ca, CREDENTIAL).await.map(drop), Err(EnrollError::ProofEnded));
    assert_eq!((ca.ledger.certificates().len(), ca.ledger.events().len()), (certificates, events));
}

#[tokio::test]
async fn what_a_certificate_asked_for_fails_when_it_is_good_no_more() {
    for changed in CHANGES {
        let ca = CaFixture::founded().await;
        let old = issue(&ca, builder().csr()).await;
        let ask = async || enroll(&ca, by_certificate(&old, builder().csr())).await;
        let pending = waiting(ask().await);
        assert_eq!(enrollment(&ca, &pending).await.proof, Proof::Certificate(old.serial.clone()));
        change(&ca, &old, changed).await;
        let certificates = ca.ledger.certificates().len();
        let shown = ca.authority.preview(&manual(), &enrollment(&ca, &pending).await).await;
        assert_eq!(shown.map(drop), Err(EnrollError::ProofEnded), "a person sees it before");
        assert_eq!(approve(&ca, &pending).await, Err(EnrollError::ProofEnded), "{changed:?}");
        let failed = enrollment(&ca, &pending).await;
        assert_eq!((failed.state, failed.serial), (EnrollmentState::Failed, None));
        assert_eq!(failed.reason, EnrollError::ProofEnded.to_string());
        assert_eq!(ask().await.map(drop), Err(EnrollError::Failed(failed.reason)));
        assert_eq!(approve(&ca, &pending).await, Err(EnrollError::ProofEnded), "still so");
        assert_eq!(ca.ledger.certificates().len(), certificates);
        if changed == StatusChange::Hold {
            change(&ca, &record_of(&ca, &old.serial).await, StatusChange::Release).await;
            assert!(approve(&ca, &pending).await.is_ok(), "released");
        }
    }
}

#[tokio::test]
async fn what_has_failed_is_not_approved_after_all_for_one_that_was_removed() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ask_with(&ca, CREDENTIAL).await);
    let narrow = Profile { sans: vec![SanKind::Ip], ..manual() };
    assert_eq!(rule(ca.authority.approve(&narrow, enrollment(&ca, &pending).await, "operator").await), "names");
    remove(&ca).await;
    assert_eq!(enrollment(&ca, &pending).await.state, EnrollmentState::Failed);
    for _ in 0..2 {
        assert_eq!(approve(&ca, &pending).await, Err(EnrollError::ProofEnded));
        assert_eq!(enrollment(&ca, &pending).await.state, EnrollmentState::Failed);
        begin_anew(&ca).await;
    }
    assert_eq!(ca.ledger.certificates().len(), 1);
}

/// Who comes for what was approved gets what was approved: with the names, and by the proof, of when it was asked for.
#[tokio::test]
async fn what_is_approved_is_issued_as_it_is_recorded() {
    let out_of_reach = || FailingBackend(BackendError::Retryable("the token is out".into()));
    let ca = CaFixture::founded().await;
    let pending = waiting(ask_with(&ca, CREDENTIAL).await);
    let stored = enrollment(&ca, &pending).await;
    assert!(ca.over(out_of_reach()).approve(&manual(), stored, "operator").await.is_err());
    let ungranted = CaFixture::request(builder().csr(), &[]);
    let made = issued(enroll(&ca, ungranted).await);
    assert_eq!(enrollment(&ca, &pending).await.serial, Some(made.serial));

    for changed in CHANGES {
        let ca = CaFixture::founded().await;
        let old = issue(&ca, builder().csr()).await;
        let pending = waiting(enroll(&ca, by_certificate(&old, builder().csr())).await);
        let stored = enrollment(&ca, &pending).await;
        assert!(ca.over(out_of_reach()).approve(&manual(), stored, "operator").await.is_err());
        change(&ca, &old, changed).await;
        // It was approved for the holder of that certificate; who has the credential begins anew.
        assert_ne!(waiting(ask_with(&ca, CREDENTIAL).await).id, pending.id, "{changed:?}");
        let left = enrollment(&ca, &pending).await;
        assert_eq!((left.state, left.reason), (EnrollmentState::Denied, EnrollError::ProofEnded.to_string()));
    }
}

/// While what it was asked with is good, a request that waits is the one that is found, whatever else has authenticated who asks again.
#[tokio::test]
async fn a_request_gives_way_only_when_its_proof_has_ended() {
    let ca = CaFixture::founded().await;
    let old = issue(&ca, builder().csr()).await;
    let pending = waiting(enroll(&ca, by_certificate(&old, builder().csr())).await);
    assert_eq!(waiting(ask_with(&ca, CREDENTIAL).await).id, pending.id);
    change(&ca, &old, StatusChange::Hold).await;
    let anew = waiting(ask_with(&ca, CREDENTIAL).await);
    assert_ne!(anew.id, pending.id);
    let denial = ca.ledger.events().into_iter().find(|event| event.kind == EventKind::EnrollmentDenied).unwrap();
    assert_eq!(denial.actor, INTERNAL_PRINCIPAL);
    change(&ca, &record_of(&ca, &old.serial).await, StatusChange::Release).await;
    assert_eq!(waiting(enroll(&ca, by_certificate(&old, builder().csr())).await).id, anew.id);
}

/// Names that a credential grants beside those of a certificate are granted as long as it is there.
#[tokio::test]
async fn other_names_end_with_the_credential_that_grants_them() {
    let ca = CaFixture::founded().await;
    let honouring = Profile { change_subject: ChangeSubject::Honour, ..manual() };
    let old = issue(&ca, builder().csr()).await;
    let renamed = || builder().change_subject_name(Some("CN=device-2".parse().unwrap()), None).csr();
    let asked = || {
        let mut asked = renewal(&old, renamed());
        asked.principal.grants.push("cn:device-2".parse().unwrap());
        asked.principal.proof = Proof::Both(old.serial.clone(), CREDENTIAL);
        asked
    };
    let authorized = ca.authority.authorize(&honouring, asked()).unwrap();
    let pending = waiting(ca.authority.enroll(&honouring, asked()).await);
    set_credential(&ca, EstUser { id: CREDENTIAL + 1, ..credential("first-device") }).await;
    let left = enrollment(&ca, &pending).await;
    assert_eq!(left.state, EnrollmentState::Denied, "{}", left.reason);
    assert_eq!(ca.authority.issue(authorized).await.map(drop), Err(EnrollError::ProofEnded));
    assert_eq!(ca.authority.enroll(&honouring, asked()).await.map(drop), Err(EnrollError::Denied(left.reason)));
}

/// What a person has said yes to is one profile: an endpoint that has another one since does not issue by that.
#[tokio::test]
async fn what_is_approved_is_issued_by_its_own_profile() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ask_with(&ca, CREDENTIAL).await);
    let stored = enrollment(&ca, &pending).await;
    let out_of_reach = FailingBackend(BackendError::Retryable("the token is out".into()));
    assert!(ca.over(out_of_reach).approve(&manual(), stored, "operator").await.is_err());
    let other = Profile { name: "other".into(), ..manual() };
    assert_eq!(waiting(ca.authority.enroll(&other, request(builder().csr())).await).id, pending.id);
    assert_eq!(enrollment(&ca, &pending).await.state, EnrollmentState::Approved);
    issued(ask_with(&ca, CREDENTIAL).await);
}

#[tokio::test]
async fn what_has_failed_and_was_asked_for_anew_is_not_approved_after_all() {
    let ca = CaFixture::founded().await;
    let old = issue(&ca, builder().csr()).await;
    let pending = waiting(enroll(&ca, by_certificate(&old, builder().csr())).await);
    change(&ca, &old, StatusChange::Hold).await;
    assert!(approve(&ca, &pending).await.is_err());
    let anew = waiting(ask_with(&ca, CREDENTIAL).await);
    change(&ca, &record_of(&ca, &old.serial).await, StatusChange::Release).await;
    let stored = enrollment(&ca, &pending).await;
    assert_eq!(ca.authority.preview(&manual(), &stored).await.map(drop), Err(EnrollError::NotAwaited));
    assert_eq!(approve(&ca, &pending).await, Err(EnrollError::NotAwaited));
    assert!(approve(&ca, &anew).await.is_ok());
}

#[tokio::test]
async fn the_same_request_that_renews_another_certificate_is_another_one() {
    let ca = CaFixture::founded().await;
    let [first, second] = [issue(&ca, builder().csr()).await, issue(&ca, builder().csr()).await];
    let ask = async |old: &CertificateRecord| enroll(&ca, renewal(old, builder().csr())).await;
    let pending = waiting(ask(&first).await);
    let made = approve(&ca, &pending).await.unwrap();
    let other = waiting(ask(&second).await);
    assert_ne!(other.id, pending.id);
    assert_ne!(approve(&ca, &other).await.unwrap().serial, made.serial);
}

/// A certificate enrolls for its own names: no way around the person who has to say yes to its renewal.
#[tokio::test]
async fn a_certificate_enrolls_by_the_stricter_of_both_approvals() {
    use Approval::{Auto, Manual};
    let ca = CaFixture::founded().await;
    let old = issue(&ca, builder().csr()).await;
    // Who waits: with the credential; by certificate; to renew.
    for (approval, renewal_approval, waits) in [
        (Auto, Auto, [false, false, false]),
        (Auto, Manual, [false, true, true]),
        (Manual, Auto, [true, true, false]),
        (Manual, Manual, [true, true, true]),
    ] {
        let profile = Profile { approval, renewal_approval, ..profile() };
        let requests = [request(builder().csr()), by_certificate(&old, builder().csr()), renewal(&old, builder().csr())];
        for (request, waits) in requests.into_iter().zip(waits) {
            let outcome = ca.authority.enroll(&profile, request).await.unwrap();
            assert_eq!(matches!(*outcome, Outcome::Pending(_)), waits, "{approval:?} {renewal_approval:?}");
        }
    }
}
