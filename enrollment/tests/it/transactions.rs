//! Requests of protocols whose clients name their transactions: one certificate for one request, whatever is sent again.

use std::time::Duration;

use certgate_enrollment::{
    EnrollError, EnrollRequest, EnrollmentState, Enrollments, EventKind, Outcome, Proof, Protocol, Recorded, RevocationReason,
    ScepChallenge, ScepChallenges, StatusChange, change_status,
};
use certgate_pki::Csr;
use certgate_policy::Profile;
use certgate_testkit::{CaFixture, CsrBuilder, NOW, device_key, profile, rsa_device_key};

use crate::fixture::{builder, enrollment, event, issued, manual, record_of, request, waiting};

const CHALLENGE: u64 = 5;
const HOUR: Duration = Duration::from_secs(3600);

/// A CA with a challenge that is good for so many certificates, for an hour.
async fn ca(uses: u64) -> CaFixture {
    let ca = CaFixture::founded().await;
    ca.ledger.add_challenge(challenge(uses), event(EventKind::ScepChallengeAdded)).await.unwrap();
    ca
}

fn challenge(uses: u64) -> ScepChallenge {
    ScepChallenge {
        id: CHALLENGE,
        endpoint: "default".into(),
        sha256: [1; 32],
        subject: None,
        created_at: NOW,
        expires_at: NOW.after(HOUR),
        uses,
    }
}

fn asked(csr: Csr, transaction: &str) -> EnrollRequest {
    let mut request = request(csr);
    request.protocol = Protocol::Scep;
    request.transaction = Some(transaction.into());
    request.principal.name = challenge(1).principal();
    request.principal.proof = Proof::Challenge(CHALLENGE);
    request.principal.ends_at = Some(challenge(1).expires_at);
    request
}

async fn enroll(ca: &CaFixture, csr: Csr, transaction: &str) -> Result<Recorded<Outcome>, EnrollError> {
    ca.authority.enroll(&profile(), asked(csr, transaction)).await
}

async fn poll(ca: &CaFixture, profile: &Profile, transaction: &str) -> Result<Recorded<Outcome>, EnrollError> {
    ca.authority.poll(profile, (Protocol::Scep, "default"), transaction).await
}

/// A request of the same device that differs in its names.
fn other() -> CsrBuilder {
    CsrBuilder::new(&device_key()).common_name("device-1").dns("b.fleet.example")
}

#[tokio::test]
async fn the_same_request_is_issued_once() {
    let ca = ca(1).await;
    let first = issued(enroll(&ca, builder().csr(), "7").await);
    let outcome = enroll(&ca, builder().csr(), "7").await.unwrap();
    assert!(matches!(&*outcome, Outcome::Served(served) if *served == first), "{outcome:?}");
    assert_eq!(issued(poll(&ca, &profile(), "7").await), first);
    assert_eq!(ca.ledger.certificates().len(), 2, "the root, and one");
    // However long after its challenge has ended.
    ca.clock.advance(24 * HOUR);
    assert_eq!(issued(enroll(&ca, builder().csr(), "7").await), first);
}

#[tokio::test]
async fn another_request_of_the_same_transaction_is_a_new_enrollment() {
    let ca = ca(2).await;
    let first = issued(enroll(&ca, builder().csr(), "7").await);
    let second = issued(enroll(&ca, other().csr(), "7").await);
    assert_ne!(first, second);
    assert_eq!(issued(poll(&ca, &profile(), "7").await), second, "the latest is found");
    assert_eq!(enroll(&ca, builder().csr(), "7").await.err(), Some(EnrollError::CredentialUsedUp));
    assert_eq!(issued(poll(&ca, &profile(), "7").await), second);
}

#[tokio::test]
async fn two_at_the_same_moment_are_issued_one_certificate() {
    let ca = ca(9).await;
    let (one, other) = tokio::join!(enroll(&ca, builder().csr(), "7"), enroll(&ca, builder().csr(), "7"));
    assert_eq!(issued(one), issued(other));
    assert_eq!(ca.ledger.certificates().len(), 2);
}

#[tokio::test]
async fn what_has_ended_begins_nothing() {
    let ca = ca(1).await;
    ca.clock.advance(HOUR);
    assert_eq!(enroll(&ca, builder().csr(), "7").await.err(), Some(EnrollError::CredentialExpired));
    let outcome = ca.authority.enroll(&manual(), asked(builder().csr(), "7")).await;
    assert_eq!(outcome.err(), Some(EnrollError::CredentialExpired));
}

#[tokio::test]
async fn nobody_polls_what_was_not_begun() {
    let ca = ca(1).await;
    assert_eq!(poll(&ca, &profile(), "7").await.err(), Some(EnrollError::UnknownTransaction));
    // What policy refuses is not remembered.
    let refused = CsrBuilder::new(&device_key()).common_name("another");
    assert!(matches!(enroll(&ca, refused.csr(), "7").await, Err(EnrollError::Refused(_))));
    assert_eq!(poll(&ca, &profile(), "7").await.err(), Some(EnrollError::UnknownTransaction));
    issued(enroll(&ca, builder().csr(), "7").await);
    for (protocol, endpoint) in [(Protocol::Est, "default"), (Protocol::Scep, "other")] {
        let outcome = ca.authority.poll(&profile(), (protocol, endpoint), "7").await;
        assert_eq!(outcome.err(), Some(EnrollError::UnknownTransaction));
    }
}

#[tokio::test]
async fn what_waits_is_polled_until_a_person_has_decided() {
    let ca = ca(1).await;
    let waits = waiting(ca.authority.enroll(&manual(), asked(builder().csr(), "7")).await);
    assert_eq!(waiting(poll(&ca, &manual(), "7").await).id, waits.id);
    let found = enrollment(&ca, &waits).await;
    assert_eq!((found.key.protocol, found.key.principal.as_str()), (Protocol::Scep, "scep-0000000000000005"));
    ca.clock.advance(2 * HOUR);
    let approved = ca.authority.approve(&manual(), found, "operator").await.unwrap();
    assert_eq!(issued(poll(&ca, &manual(), "7").await), *approved);
    assert_eq!(ca.ledger.find_challenge("default", &[1; 32]).await.unwrap().unwrap().uses, 0);

    let ca = self::ca(1).await;
    let waits = waiting(ca.authority.enroll(&manual(), asked(builder().csr(), "7")).await);
    ca.authority.deny(&enrollment(&ca, &waits).await, "not today", "operator").await.unwrap();
    for outcome in [poll(&ca, &manual(), "7").await, ca.authority.enroll(&manual(), asked(builder().csr(), "7")).await] {
        assert_eq!(outcome.err(), Some(EnrollError::Denied("not today".into())));
    }
}

#[tokio::test]
async fn what_was_revoked_is_handed_out_no_more() {
    let ca = ca(1).await;
    let first = issued(enroll(&ca, builder().csr(), "7").await);
    let change = StatusChange::Revoke(RevocationReason::KeyCompromise, None);
    let record = record_of(&ca, &first.serial).await;
    change_status(&*ca.ledger, &record, change, NOW, "operator").await.unwrap();
    assert_eq!(poll(&ca, &profile(), "7").await.err(), Some(EnrollError::CertificateOver));
    assert_eq!(enroll(&ca, builder().csr(), "7").await.err(), Some(EnrollError::CredentialUsedUp));
}

#[tokio::test]
async fn nothing_is_remembered_that_was_not_recorded() {
    let ca = ca(1).await;
    ca.ledger.fail_writes(true);
    assert!(matches!(enroll(&ca, builder().csr(), "7").await, Err(EnrollError::Ledger(_))));
    ca.ledger.fail_writes(false);
    assert_eq!(poll(&ca, &profile(), "7").await.err(), Some(EnrollError::UnknownTransaction));
    let first = issued(enroll(&ca, builder().csr(), "7").await);
    let found = ca.ledger.find_by_transaction(Protocol::Scep, "default", "7").await.unwrap().unwrap();
    assert_eq!((found.state, found.serial), (EnrollmentState::Issued, Some(first.serial)));
    // Another key is another request, whatever it is called.
    let other = CsrBuilder::new(&rsa_device_key()).common_name("device-1");
    assert_eq!(enroll(&ca, other.csr(), "7").await.err(), Some(EnrollError::CredentialUsedUp));
}
