//! Enrollments that their senders ask about by the name of a transaction, and challenges of SCEP.

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Along, CertificateRecord, CertificateRecorded, EnrollmentId, EnrollmentRecord, EnrollmentState, EventKind, Ledger,
    NewEnrollment, Proof, Protocol, ScepChallenge, Standing, Submitted,
};

use super::records::{certificate, enrollment, event, event_at};
use super::{both, events};
use crate::NOW;

/// The id of [`challenge`].
const CHALLENGE: u64 = 0x1f_0000_0002;

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    the_newest_of_a_transaction_is_found(&*make().await).await;
    a_transaction_is_of_one_protocol_and_endpoint(&*make().await).await;
    what_was_overtaken_is_not_recorded(&*make().await).await;
    of_two_at_the_same_moment_one_is_concluded(&*make().await).await;
    a_challenge_is_found_by_its_text(&*make().await).await;
    each_certificate_spends_a_use_of_a_challenge(&*make().await).await;
    a_challenge_ends_with_its_principal(&*make().await).await;
    a_challenge_is_forgotten_long_after_its_end(&*make().await).await;
}

fn challenge(uses: u64) -> ScepChallenge {
    ScepChallenge {
        id: CHALLENGE,
        endpoint: "lab".into(),
        sha256: [0x5a; 32],
        subject: Some("CN=device-1,C=DE".parse().unwrap()),
        created_at: NOW.after(Duration::from_millis(77)),
        expires_at: NOW.after(Duration::from_secs(3600)),
        uses,
    }
}

/// An enrollment of a transaction, with the challenge.
fn asked(second: u64, transaction: &str) -> EnrollmentRecord {
    let mut record = EnrollmentRecord { proof: Proof::Challenge(CHALLENGE), ..enrollment(second) };
    record.key.protocol = Protocol::Scep;
    record.key.principal = challenge(1).principal();
    record.key.transaction = Some(transaction.to_owned());
    record
}

/// The certificate of [`asked`].
fn issued(second: u64) -> CertificateRecord {
    CertificateRecord { protocol: Protocol::Scep, principal: challenge(1).principal(), ..certificate(second) }
}

async fn add(ledger: &dyn Ledger, challenge: ScepChallenge) {
    ledger.add_challenge(challenge, event(EventKind::ScepChallengeAdded)).await.unwrap();
}

async fn submit(ledger: &dyn Ledger, record: &EnrollmentRecord, after: Option<&EnrollmentId>) -> Submitted {
    let new = NewEnrollment { record: record.clone(), after: after.cloned() };
    ledger.submit(new, 99, event(EventKind::EnrollmentSubmitted)).await.unwrap()
}

async fn conclude(ledger: &dyn Ledger, second: u64, after: Option<&EnrollmentId>) -> CertificateRecorded {
    let record = EnrollmentRecord { state: EnrollmentState::Approved, ..asked(second, "7") };
    let concludes = Some(Box::new(NewEnrollment { record, after: after.cloned() }));
    let along = Along { proof: Some(Proof::Challenge(CHALLENGE)), fulfils: None, concludes };
    ledger.record(issued(second), along, event(EventKind::CertificateIssued)).await.unwrap()
}

async fn newest(ledger: &dyn Ledger, transaction: &str) -> Option<EnrollmentId> {
    ledger.find_by_transaction(Protocol::Scep, "lab", transaction).await.unwrap().map(|found| found.id)
}

async fn the_newest_of_a_transaction_is_found(ledger: &dyn Ledger) {
    add(ledger, challenge(9)).await;
    let (first, second) = (asked(1, "7"), asked(2, "7"));
    assert_eq!(newest(ledger, "7").await, None);
    assert_eq!(submit(ledger, &first, None).await, Submitted::Created);
    assert_eq!(ledger.find_by_transaction(Protocol::Scep, "lab", "7").await, Ok(Some(first.clone())));
    assert_eq!(submit(ledger, &second, Some(&first.id)).await, Submitted::Created);
    assert_eq!(newest(ledger, "7").await, Some(second.id));
    // The same request is the same in its own transaction only.
    let same = EnrollmentRecord { id: enrollment(3).id, ..asked(1, "8") };
    assert_eq!(submit(ledger, &same, None).await, Submitted::Created);
}

async fn a_transaction_is_of_one_protocol_and_endpoint(ledger: &dyn Ledger) {
    add(ledger, challenge(9)).await;
    assert_eq!(submit(ledger, &asked(1, "7"), None).await, Submitted::Created);
    for (protocol, endpoint, transaction) in [
        (Protocol::Est, "lab", "7"),
        (Protocol::Scep, "other", "7"),
        (Protocol::Scep, "lab", "70"),
        (Protocol::Scep, "lab", ""),
    ] {
        assert_eq!(ledger.find_by_transaction(protocol, endpoint, transaction).await, Ok(None));
    }
}

async fn what_was_overtaken_is_not_recorded(ledger: &dyn Ledger) {
    add(ledger, challenge(9)).await;
    let first = asked(1, "7");
    assert_eq!(submit(ledger, &first, Some(&enrollment(5).id)).await, Submitted::Overtaken);
    assert_eq!(submit(ledger, &first, None).await, Submitted::Created);
    let before = events(ledger).await;
    assert_eq!(submit(ledger, &asked(2, "7"), None).await, Submitted::Overtaken);
    assert_eq!(conclude(ledger, 3, None).await, CertificateRecorded::NotAwaited);
    assert_eq!((events(ledger).await, newest(ledger, "7").await), (before, Some(first.id)));
    assert_eq!(ledger.find(&issued(3).serial).await, Ok(None));
}

async fn of_two_at_the_same_moment_one_is_concluded(ledger: &dyn Ledger) {
    add(ledger, challenge(9)).await;
    let mut came = both(conclude(ledger, 1, None), conclude(ledger, 2, None)).await;
    came.sort_by_key(|recorded| *recorded != CertificateRecorded::Recorded);
    assert_eq!(came, [CertificateRecorded::Recorded, CertificateRecorded::NotAwaited]);
    let found = ledger.find_by_transaction(Protocol::Scep, "lab", "7").await.unwrap().unwrap();
    assert_eq!(found.state, EnrollmentState::Issued);
    let certificate = ledger.find(&found.serial.unwrap()).await.unwrap().unwrap();
    assert_eq!((found.changed_at, certificate.principal), (certificate.issued_at, found.key.principal));
}

async fn a_challenge_is_found_by_its_text(ledger: &dyn Ledger) {
    let before = events(ledger).await;
    let plain = ScepChallenge { id: 1, sha256: [1; 32], subject: None, ..challenge(1) };
    for challenge in [challenge(3), plain] {
        add(ledger, challenge.clone()).await;
        assert_eq!(ledger.find_challenge("lab", &challenge.sha256).await, Ok(Some(challenge.clone())));
        assert_eq!(ledger.find_challenge("other", &challenge.sha256).await, Ok(None));
    }
    assert_eq!(ledger.find_challenge("lab", &[2; 32]).await, Ok(None));
    assert_eq!(events(ledger).await, before + 2);
}

async fn each_certificate_spends_a_use_of_a_challenge(ledger: &dyn Ledger) {
    add(ledger, challenge(1)).await;
    assert_eq!(conclude(ledger, 1, None).await, CertificateRecorded::Recorded);
    let found = ledger.find_challenge("lab", &challenge(1).sha256).await.unwrap().unwrap();
    assert_eq!(found.uses, 0);
    let newest = newest(ledger, "7").await;
    assert_eq!(conclude(ledger, 2, newest.as_ref()).await, CertificateRecorded::CredentialUsedUp);
    assert_eq!(submit(ledger, &asked(2, "8"), None).await, Submitted::CredentialUsedUp);
    assert_eq!(ledger.standing(&asked(2, "8"), "default").await, Ok(Standing::UsedUp));
}

async fn a_challenge_ends_with_its_principal(ledger: &dyn Ledger) {
    add(ledger, challenge(9)).await;
    assert_eq!(submit(ledger, &asked(1, "7"), None).await, Submitted::Created);
    let removed = ledger.remove(&challenge(9).principal(), event(EventKind::EstUserRemoved)).await.unwrap();
    assert_eq!((removed.credentials, removed.enrollments), (1, 1));
    assert_eq!(submit(ledger, &asked(2, "8"), None).await, Submitted::ProofEnded);
    assert_eq!(conclude(ledger, 3, newest(ledger, "7").await.as_ref()).await, CertificateRecorded::ProofEnded);
    assert_eq!(ledger.standing(&asked(1, "7"), "default").await, Ok(Standing::Ended));
}

async fn a_challenge_is_forgotten_long_after_its_end(ledger: &dyn Ledger) {
    let waiting = ScepChallenge { id: 2, sha256: [2; 32], ..challenge(1) };
    add(ledger, challenge(1)).await;
    add(ledger, waiting.clone()).await;
    let mut waits = EnrollmentRecord { proof: Proof::Challenge(2), ..asked(1, "7") };
    waits.key.principal = waiting.principal();
    assert_eq!(submit(ledger, &waits, None).await, Submitted::Created);
    for (days, is_there) in [(80, true), (91, false)] {
        let at = NOW.after(Duration::from_secs(days * 86_400));
        let next = ScepChallenge { id: days, sha256: [9; 32], endpoint: days.to_string(), ..challenge(1) };
        ledger.add_challenge(next, event_at(EventKind::ScepChallengeAdded, at)).await.unwrap();
        let found = ledger.find_challenge("lab", &challenge(1).sha256).await.unwrap();
        assert_eq!(found.is_some(), is_there, "after {days} days");
        assert_eq!(ledger.find_challenge("lab", &[2; 32]).await.unwrap().as_ref(), Some(&waiting));
    }
}
