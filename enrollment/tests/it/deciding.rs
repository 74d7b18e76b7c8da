//! What a person decides, and what stands in its way.

use async_trait::async_trait;
use certgate_ca_backend_api::{BackendError, CaBackend, Locality, Order, SignedCertificate};
use certgate_enrollment::{
    CertificateStatus, EnrollError, EnrollmentRecord, EnrollmentState, EstUser, EstUsers, EventKind, LedgerError, Pending,
    RevocationReason, StatusChange, change_status,
};
use certgate_pki::NameAttributeType;
use certgate_policy::{Profile, SanKind};
use certgate_testkit::{CaFixture, FailingBackend, KeyBackend, NOW, ca_key};
use tokio::sync::Barrier;

use crate::fixture::{
    DAY, builder, credential, enrollment, event, issue, issued, manual, record_of, renewal, request, rule, set_credential,
    waiting,
};

/// A CA with a request that waits.
async fn asked() -> (CaFixture, Pending) {
    let ca = CaFixture::founded().await;
    let pending = waiting(ca.authority.enroll(&manual(), request(builder().csr())).await);
    (ca, pending)
}

/// The outcome of asking again, as far as it is an error.
async fn ask_again(ca: &CaFixture) -> Result<(), EnrollError> {
    ca.authority.enroll(&manual(), request(builder().csr())).await.map(drop)
}

async fn approve(ca: &CaFixture, profile: &Profile, record: EnrollmentRecord) -> Result<(), EnrollError> {
    ca.authority.approve(profile, record, "operator").await.map(drop)
}

async fn state(ca: &CaFixture, pending: &Pending) -> EnrollmentState {
    enrollment(ca, pending).await.state
}

fn out_of_reach() -> BackendError {
    BackendError::Retryable("the token is out".into())
}

#[tokio::test]
async fn policy_is_asked_once_more_and_a_failure_may_be_approved_again() {
    let (ca, pending) = asked().await;
    let narrow = Profile { sans: vec![SanKind::Ip], ..manual() };
    let refused = approve(&ca, &narrow, enrollment(&ca, &pending).await).await;
    assert_eq!(rule(refused.clone()), "names");
    let failed = enrollment(&ca, &pending).await;
    assert_eq!((failed.state, failed.serial.clone()), (EnrollmentState::Failed, None));
    assert_eq!(failed.reason, refused.unwrap_err().to_string());
    assert_eq!(ask_again(&ca).await, Err(EnrollError::Failed(failed.reason.clone())));
    let kinds: Vec<EventKind> = ca.ledger.events().iter().skip(3).map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::EnrollmentApproved, EventKind::EnrollmentFailed]);
    // Still so, and then the profile is wide again.
    assert_eq!(rule(approve(&ca, &narrow, failed).await), "names");
    assert_eq!(approve(&ca, &manual(), enrollment(&ca, &pending).await).await, Ok(()));
    let stored = enrollment(&ca, &pending).await;
    assert_eq!((stored.state, stored.reason.as_str()), (EnrollmentState::Issued, ""));
    let outcome = ca.authority.enroll(&manual(), request(builder().csr())).await;
    assert_eq!(Some(issued(outcome).serial), stored.serial);
}

#[tokio::test]
async fn what_is_issued_is_what_the_profile_says_at_approval() {
    let ca = CaFixture::founded().await;
    let csr = builder().attribute(NameAttributeType::Organization, "Example").csr();
    let pending = waiting(ca.authority.enroll(&manual(), request(csr)).await);
    let profile = Profile { subject_copy: Vec::new(), ..manual() };
    let issued = ca.authority.approve(&profile, enrollment(&ca, &pending).await, "operator").await.unwrap();
    assert_eq!(issued.certificate().unwrap().subject().to_string(), "CN=device-1");
}

#[tokio::test]
async fn while_the_ca_is_out_of_reach_it_stays_approved() {
    for error in [out_of_reach(), BackendError::Rejected("no".into()), BackendError::Misconfigured("no".into())] {
        let (ca, pending) = asked().await;
        let failing = ca.over(FailingBackend(error.clone()));
        let record = enrollment(&ca, &pending).await;
        let outcome = failing.approve(&manual(), record, "operator").await.map(drop);
        assert_eq!(outcome, Err(EnrollError::Backend(error.clone())));
        assert_eq!(state(&ca, &pending).await, EnrollmentState::Approved);
        let outcome = failing.enroll(&manual(), request(builder().csr())).await.map(drop);
        assert_eq!(outcome, Err(EnrollError::Backend(error)), "whoever asks again hears it");
        assert_eq!(state(&ca, &pending).await, EnrollmentState::Approved);
        assert_eq!(ca.ledger.certificates().len(), 1);
        let made = issued(ca.authority.enroll(&manual(), request(builder().csr())).await);
        assert_eq!(enrollment(&ca, &pending).await.serial, Some(made.serial), "the CA is back");
    }
}

#[tokio::test]
async fn an_approval_that_reached_no_ca_can_be_repeated() {
    let (ca, pending) = asked().await;
    let failing = ca.over(FailingBackend(out_of_reach()));
    assert!(failing.approve(&manual(), enrollment(&ca, &pending).await, "operator").await.is_err());
    assert_eq!(approve(&ca, &manual(), enrollment(&ca, &pending).await).await, Ok(()));
    let approvals = ca.ledger.events().iter().filter(|event| event.kind == EventKind::EnrollmentApproved).count();
    assert_eq!((approvals, state(&ca, &pending).await), (1, EnrollmentState::Issued));
}

/// Signs when two are there to be signed: whatever was checked before was checked by both.
struct Together(Barrier, KeyBackend);

#[async_trait]
impl CaBackend for Together {
    fn name(&self) -> &'static str {
        "test"
    }

    fn locality(&self) -> Locality {
        self.1.locality()
    }

    async fn sign(&self, order: Order) -> Result<SignedCertificate, BackendError> {
        self.0.wait().await;
        self.1.sign(order).await
    }
}

#[tokio::test]
async fn of_two_who_ask_at_the_same_time_both_get_the_same_certificate() {
    let ca = CaFixture::founded().await;
    // Good for this one certificate: the second one spends nothing.
    set_credential(&ca, EstUser { uses: Some(1), ..credential("first-device") }).await;
    let pending = waiting(ca.authority.enroll(&manual(), request(builder().csr())).await);
    let failing = ca.over(FailingBackend(out_of_reach()));
    assert!(failing.approve(&manual(), enrollment(&ca, &pending).await, "operator").await.is_err());
    let together = ca.over(Together(Barrier::new(2), KeyBackend::new(ca_key())));
    let profile = manual();
    let ask = |challenge: &str| together.enroll(&profile, request(builder().challenge_password(challenge).csr()));
    let (one, other) = tokio::join!(ask("one TLS session"), ask("another TLS session"));
    let (one, other) = (issued(one), issued(other));
    assert_eq!((&one, ca.ledger.certificates().len()), (&other, 2), "one beside the root");
    assert_eq!(enrollment(&ca, &pending).await.serial, Some(one.serial));
}

#[tokio::test]
async fn whoever_asks_while_it_is_being_approved_gets_the_same_certificate() {
    let (ca, pending) = asked().await;
    let together = ca.over(Together(Barrier::new(2), KeyBackend::new(ca_key())));
    let (profile, record) = (manual(), enrollment(&ca, &pending).await);
    let approve = together.approve(&profile, record, "operator");
    let ask = together.enroll(&profile, request(builder().csr()));
    let (approved, asked) = tokio::join!(approve, ask);
    assert_eq!(((*approved.unwrap()).clone(), ca.ledger.certificates().len()), (issued(asked), 2));
}

#[tokio::test]
async fn what_is_decided_is_decided() {
    let (ca, pending) = asked().await;
    let stale = enrollment(&ca, &pending).await;
    assert_eq!(approve(&ca, &manual(), stale.clone()).await, Ok(()));
    let (now, events) = (enrollment(&ca, &pending).await, ca.ledger.events().len());
    let again = ca.authority.approve(&manual(), stale.clone(), "operator").await.unwrap();
    assert_eq!(Some(&again.serial), now.serial.as_ref(), "whoever has said yes too gets the certificate of the first");
    assert_eq!(approve(&ca, &manual(), now.clone()).await, Err(EnrollError::NotAwaited));
    for record in [stale, now] {
        assert_eq!(ca.authority.deny(&record, "no", "operator").await, Err(EnrollError::NotAwaited));
    }
    assert_eq!((ca.ledger.events().len(), state(&ca, &pending).await), (events, EnrollmentState::Issued));

    let (ca, pending) = asked().await;
    let stale = enrollment(&ca, &pending).await;
    assert_eq!(ca.authority.deny(&stale, "no", "operator").await, Ok(()));
    for record in [stale, enrollment(&ca, &pending).await] {
        assert_eq!(approve(&ca, &manual(), record.clone()).await, Err(EnrollError::NotAwaited));
        assert_eq!(ca.authority.deny(&record, "again", "operator").await, Err(EnrollError::NotAwaited));
    }
    assert_eq!(enrollment(&ca, &pending).await.reason, "no");
    let event = ca.ledger.events().pop().unwrap();
    assert_eq!((event.kind, event.actor.as_str()), (EventKind::EnrollmentDenied, "operator"));
    assert!(
        event.details.contains(&("reason", "no".into())) && event.details.contains(&("enrollment", pending.id.to_string()))
    );
}

#[tokio::test]
async fn what_is_approved_and_not_issued_yet_can_still_be_denied() {
    let (ca, pending) = asked().await;
    let failing = ca.over(FailingBackend(out_of_reach()));
    assert!(failing.approve(&manual(), enrollment(&ca, &pending).await, "operator").await.is_err());
    let approved = enrollment(&ca, &pending).await;
    assert_eq!(ca.authority.deny(&approved, "", "operator").await, Ok(()));
    assert_eq!(ask_again(&ca).await, Err(EnrollError::Denied(String::new())));
    assert_eq!(approve(&ca, &manual(), approved).await, Err(EnrollError::NotAwaited), "it was denied meanwhile");
    assert_eq!(state(&ca, &pending).await, EnrollmentState::Denied, "and stays so");
}

#[tokio::test]
async fn a_renewal_fails_when_the_old_certificate_is_good_no_more() {
    let changes = [(StatusChange::Revoke(RevocationReason::KeyCompromise, None), "revoked"), (StatusChange::Hold, "on hold")];
    for (change, why) in changes {
        let ca = CaFixture::founded().await;
        let old = issue(&ca, builder().csr()).await;
        let ask = async || ca.authority.enroll(&manual(), renewal(&old, builder().csr())).await;
        let pending = waiting(ask().await);
        change_status(&*ca.ledger, &old, change, NOW, "operator").await.unwrap();
        let outcome = approve(&ca, &manual(), enrollment(&ca, &pending).await).await;
        assert_eq!(outcome, Err(EnrollError::NotRenewable(why)));
        assert_eq!(ask().await.map(drop), Err(EnrollError::Failed(format!("the certificate that was to be renewed is {why}"))));
        if change == StatusChange::Hold {
            let held = record_of(&ca, &old.serial).await;
            change_status(&*ca.ledger, &held, StatusChange::Release, NOW, "operator").await.unwrap();
            assert_eq!(approve(&ca, &manual(), enrollment(&ca, &pending).await).await, Ok(()), "released");
        }
    }
}

#[tokio::test]
async fn a_renewal_is_approved_with_the_names_of_the_old_certificate() {
    let ca = CaFixture::founded().await;
    let old = issue(&ca, builder().ip([192, 0, 2, 1]).csr()).await;
    let csr = certgate_testkit::CsrBuilder::new(&certgate_testkit::device_key()).common_name("device-1").csr();
    let mut request = renewal(&old, csr);
    request.renews.as_mut().unwrap().may_omit_names = true;
    let pending = waiting(ca.authority.enroll(&manual(), request).await);
    ca.clock.advance(DAY);
    let issued = ca.authority.approve(&manual(), enrollment(&ca, &pending).await, "operator").await.unwrap();
    let names: Vec<String> =
        issued.certificate().unwrap().extensions().subject_alt_names().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["dns:a.fleet.example", "ip:192.0.2.1"]);
    assert!(ca.ledger.events().pop().unwrap().details.contains(&("renews", old.serial.to_string())));
    assert_eq!(record_of(&ca, &old.serial).await.status, CertificateStatus::Valid, "the old one goes on");
}

#[tokio::test]
async fn a_use_is_spent_when_it_is_issued() {
    let ca = CaFixture::founded().await;
    set_credential(&ca, EstUser { uses: Some(1), ..credential("first-device") }).await;
    let uses = async || ca.ledger.find_user("first-device", "default").await.unwrap().unwrap().uses;
    let ask = async |name: &str| ca.authority.enroll(&manual(), request(builder().dns(name).csr())).await;
    let (one, other) = (waiting(ask("b.fleet.example").await), waiting(ask("c.fleet.example").await));
    assert_eq!(uses().await, Some(1));
    assert_eq!(approve(&ca, &manual(), enrollment(&ca, &one).await).await, Ok(()));
    assert_eq!(uses().await, Some(0));
    issued(ask("b.fleet.example").await);
    assert_eq!(uses().await, Some(0), "being served again spends nothing");
    assert_eq!(approve(&ca, &manual(), enrollment(&ca, &other).await).await, Err(EnrollError::CredentialUsedUp));
    assert_eq!((state(&ca, &other).await, ca.ledger.certificates().len()), (EnrollmentState::Failed, 2));
}

#[tokio::test]
async fn of_a_principal_that_was_removed_nothing_is_approved() {
    let (ca, pending) = asked().await;
    let stale = enrollment(&ca, &pending).await;
    assert_eq!(ca.ledger.remove("first-device", event(EventKind::EstUserRemoved)).await.unwrap().enrollments, 1);
    for record in [stale, enrollment(&ca, &pending).await] {
        assert_eq!(approve(&ca, &manual(), record).await, Err(EnrollError::NotAwaited));
    }
    assert_eq!(ask_again(&ca).await, Err(EnrollError::Denied("the principal was removed".into())));
}

#[tokio::test]
async fn what_the_ledger_does_not_take_is_not_decided() {
    let (ca, pending) = asked().await;
    let record = enrollment(&ca, &pending).await;
    ca.ledger.fail_writes(true);
    let outcomes = [approve(&ca, &manual(), record.clone()).await, ca.authority.deny(&record, "no", "operator").await];
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(EnrollError::Ledger(LedgerError::Unavailable(_))))));
    ca.ledger.fail_writes(false);
    assert_eq!(state(&ca, &pending).await, EnrollmentState::Pending);
    assert_eq!(approve(&ca, &manual(), record).await, Ok(()));
}
