//! What changes along with a certificate ([`certgate_enrollment::Along`]): all of it, or nothing.

use std::sync::Arc;

use certgate_enrollment::{
    Along, CertificateRecord, CertificateRecorded, EnrollmentId, EnrollmentRecord, EnrollmentState, EstUser, EventKind, Ledger,
    LedgerError, Proof, Submitted,
};

use super::records::{CREDENTIAL, certificate, enrollment, event, user};
use super::{both, events};

use CertificateRecorded::{CredentialUsedUp, NotAwaited, ProofEnded, Recorded};

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    each_certificate_spends_a_use(&*make().await).await;
    a_credential_without_bound_has_always_a_use(&*make().await).await;
    uses_are_spent_of_one_credential_alone(&*make().await).await;
    a_credential_that_is_not_there_is_no_proof(&*make().await).await;
    an_enrollment_is_issued_with_its_certificate(&*make().await).await;
    what_was_not_approved_is_not_issued(&*make().await).await;
    what_is_refused_leaves_the_other_things_as_they_were(&*make().await).await;
    whoever_fulfils_second_hears_of_the_first_whatever_became_of_its_proof(&*make().await).await;
    the_last_use_is_spent_once(&*make().await).await;
    an_enrollment_is_issued_once_however_many_try(&*make().await).await;
}

async fn record(
    ledger: &dyn Ledger,
    certificate: &CertificateRecord,
    along: Along,
) -> Result<CertificateRecorded, LedgerError> {
    ledger.record(certificate.clone(), along, event(EventKind::CertificateIssued)).await
}

fn spending() -> Along {
    Along { proof: Some(Proof::Credential(CREDENTIAL)), ..Along::default() }
}

fn fulfilling(id: &EnrollmentId) -> Along {
    Along { fulfils: Some(id.clone()), ..spending() }
}

/// Adds a credential of the principal and endpoint of [`certificate`], good for so many certificates.
async fn credential(ledger: &dyn Ledger, uses: Option<u64>) {
    let user = EstUser { uses, ..user("first-device", "lab") };
    ledger.add(user, event(EventKind::EstUserAdded)).await.unwrap();
}

async fn uses(ledger: &dyn Ledger) -> Option<u64> {
    ledger.find_user("first-device", "lab").await.unwrap().unwrap().uses
}

/// Submits an enrollment and has a person say yes.
async fn approved(ledger: &dyn Ledger, second: u64) -> EnrollmentRecord {
    let submitted = enrollment(second);
    let outcome = ledger.submit(submitted.clone().into(), 99, event(EventKind::EnrollmentSubmitted)).await;
    assert_eq!(outcome, Ok(Submitted::Created));
    let approved = EnrollmentState::Approved;
    assert_eq!(ledger.advance(&submitted, approved, "", event(EventKind::EnrollmentApproved)).await, Ok(true));
    find(ledger, &submitted.id).await
}

async fn find(ledger: &dyn Ledger, id: &EnrollmentId) -> EnrollmentRecord {
    ledger.find_by_id(id).await.unwrap().unwrap()
}

/// The certificate is refused so, and neither it nor its event is anywhere.
async fn assert_refused(ledger: &dyn Ledger, certificate: &CertificateRecord, along: Along, outcome: CertificateRecorded) {
    let before = events(ledger).await;
    assert_eq!(record(ledger, certificate, along).await, Ok(outcome));
    assert_eq!(ledger.find(&certificate.serial).await, Ok(None), "it is not recorded");
    assert_eq!(events(ledger).await, before, "what changed nothing leaves no event");
}

async fn each_certificate_spends_a_use(ledger: &dyn Ledger) {
    credential(ledger, Some(2)).await;
    assert_eq!(record(ledger, &certificate(1), Along::default()).await, Ok(Recorded));
    let by_certificate = Along { proof: Some(Proof::Certificate(certificate(1).serial)), ..Along::default() };
    assert_eq!(record(ledger, &certificate(2), by_certificate).await, Ok(Recorded));
    assert_eq!(uses(ledger).await, Some(2), "the credential was not asked with");
    for (second, left) in [(3, 1), (4, 0)] {
        assert_eq!(record(ledger, &certificate(second), spending()).await, Ok(Recorded));
        assert_eq!(uses(ledger).await, Some(left), "seen at once");
    }
    for second in [5, 6] {
        assert_refused(ledger, &certificate(second), spending(), CredentialUsedUp).await;
        assert_eq!(uses(ledger).await, Some(0));
    }
}

async fn a_credential_without_bound_has_always_a_use(ledger: &dyn Ledger) {
    credential(ledger, None).await;
    for second in 1..=3 {
        assert_eq!(record(ledger, &certificate(second), spending()).await, Ok(Recorded));
        assert_eq!(uses(ledger).await, None);
    }
}

async fn uses_are_spent_of_one_credential_alone(ledger: &dyn Ledger) {
    credential(ledger, Some(9)).await;
    let others = [("first-device", "default"), ("second-device", "lab")];
    for (name, endpoint) in others {
        let user = EstUser { uses: Some(9), ..user(name, endpoint) };
        ledger.add(user, event(EventKind::EstUserAdded)).await.unwrap();
    }
    assert_eq!(record(ledger, &certificate(1), spending()).await, Ok(Recorded));
    assert_eq!(uses(ledger).await, Some(8));
    for (name, endpoint) in others {
        assert_eq!(ledger.find_user(name, endpoint).await.unwrap().unwrap().uses, Some(9), "{name} at {endpoint}");
    }
}

async fn a_credential_that_is_not_there_is_no_proof(ledger: &dyn Ledger) {
    assert_refused(ledger, &certificate(1), spending(), ProofEnded).await;
    credential(ledger, Some(9)).await;
    let elsewhere = CertificateRecord { endpoint: "default".into(), ..certificate(2) };
    let of_another = CertificateRecord { principal: "second-device".into(), ..certificate(3) };
    for certificate in [elsewhere, of_another] {
        assert_refused(ledger, &certificate, spending(), ProofEnded).await;
    }
    for id in [0, CREDENTIAL - 1, CREDENTIAL + 1] {
        let of_another_id = Along { proof: Some(Proof::Credential(id)), ..Along::default() };
        assert_refused(ledger, &certificate(4), of_another_id, ProofEnded).await;
    }
    assert_eq!(uses(ledger).await, Some(9));
}

async fn an_enrollment_is_issued_with_its_certificate(ledger: &dyn Ledger) {
    credential(ledger, None).await;
    let (bystander, approved) = (approved(ledger, 1).await, approved(ledger, 2).await);
    // The profile may have got another authority meanwhile.
    let certificate = CertificateRecord { authority: "second".into(), ..certificate(9) };
    let before = events(ledger).await;
    assert_eq!(record(ledger, &certificate, fulfilling(&approved.id)).await, Ok(Recorded));
    let issued = EnrollmentRecord {
        state: EnrollmentState::Issued,
        authority: "second".into(),
        changed_at: certificate.issued_at,
        serial: Some(certificate.serial.clone()),
        ..approved
    };
    assert_eq!(find(ledger, &issued.id).await, issued);
    assert_eq!(find(ledger, &bystander.id).await, bystander);
    assert_eq!(events(ledger).await, before + 1, "one event for both");
    assert_eq!(ledger.find(&certificate.serial).await, Ok(Some(certificate)));
}

async fn what_was_not_approved_is_not_issued(ledger: &dyn Ledger) {
    let id = enrollment(1).id;
    credential(ledger, None).await;
    assert_refused(ledger, &certificate(1), fulfilling(&id), NotAwaited).await;
    ledger.submit(enrollment(1).into(), 9, event(EventKind::EnrollmentSubmitted)).await.unwrap();
    assert_refused(ledger, &certificate(1), fulfilling(&id), NotAwaited).await;
    for state in [EnrollmentState::Denied, EnrollmentState::Failed] {
        let now = find(ledger, &id).await;
        assert_eq!(ledger.advance(&now, state, "because", event(EventKind::EnrollmentDenied)).await, Ok(true));
        assert_refused(ledger, &certificate(1), fulfilling(&id), NotAwaited).await;
        let after = find(ledger, &id).await;
        assert_eq!((after.state, after.reason.as_str(), after.serial), (state, "because", None));
    }
    let approved = EnrollmentState::Approved;
    assert_eq!(ledger.advance(&find(ledger, &id).await, approved, "", event(EventKind::EnrollmentApproved)).await, Ok(true));
    assert_eq!(record(ledger, &certificate(1), fulfilling(&id)).await, Ok(Recorded));
    assert_refused(ledger, &certificate(2), fulfilling(&id), NotAwaited).await;
    assert_eq!(find(ledger, &id).await.serial, Some(certificate(1).serial), "the first one stays");
}

async fn what_is_refused_leaves_the_other_things_as_they_were(ledger: &dyn Ledger) {
    credential(ledger, Some(1)).await;
    let approved = approved(ledger, 1).await;
    let everything = fulfilling(&approved.id);
    // Not awaited: the use is not spent.
    assert_refused(ledger, &certificate(1), fulfilling(&enrollment(7).id), NotAwaited).await;
    assert_eq!(uses(ledger).await, Some(1));
    // A proof that is none: neither is the use spent nor the enrollment issued.
    let unproven = Along { proof: Some(Proof::Credential(CREDENTIAL + 1)), ..everything.clone() };
    assert_refused(ledger, &certificate(1), unproven, ProofEnded).await;
    assert_eq!((uses(ledger).await, find(ledger, &approved.id).await), (Some(1), approved.clone()));
    // Nor for a serial number that is taken.
    assert_eq!(record(ledger, &certificate(2), Along::default()).await, Ok(Recorded));
    let before = events(ledger).await;
    let refused = record(ledger, &certificate(2), everything.clone()).await;
    assert!(matches!(refused, Err(LedgerError::Conflict(_))), "{refused:?}");
    assert_eq!((uses(ledger).await, find(ledger, &approved.id).await), (Some(1), approved.clone()));
    assert_eq!(events(ledger).await, before);
    // Used up: the enrollment stays approved.
    assert_eq!(record(ledger, &certificate(3), spending()).await, Ok(Recorded));
    assert_refused(ledger, &certificate(4), everything, CredentialUsedUp).await;
    assert_eq!(find(ledger, &approved.id).await, approved);
}

/// It gets the certificate of the first, whose use was the last one.
async fn whoever_fulfils_second_hears_of_the_first_whatever_became_of_its_proof(ledger: &dyn Ledger) {
    credential(ledger, Some(1)).await;
    let approved = approved(ledger, 1).await;
    assert_eq!(record(ledger, &certificate(1), fulfilling(&approved.id)).await, Ok(Recorded));
    assert_eq!(uses(ledger).await, Some(0));
    assert_refused(ledger, &certificate(2), fulfilling(&approved.id), NotAwaited).await;
    assert_refused(ledger, &certificate(2), spending(), CredentialUsedUp).await;
    let unproven = Along { proof: Some(Proof::Credential(CREDENTIAL + 1)), ..fulfilling(&approved.id) };
    assert_refused(ledger, &certificate(2), unproven, NotAwaited).await;
}

async fn the_last_use_is_spent_once(ledger: &dyn Ledger) {
    credential(ledger, Some(1)).await;
    let (one, other) = (certificate(1), certificate(2));
    let (first, second) = (record(ledger, &one, spending()), record(ledger, &other, spending()));
    let outcomes = both(first, second).await;
    assert!(matches!(outcomes, [Ok(Recorded), Ok(CredentialUsedUp)] | [Ok(CredentialUsedUp), Ok(Recorded)]), "{outcomes:?}");
    assert_eq!((uses(ledger).await, events(ledger).await), (Some(0), 2));
}

async fn an_enrollment_is_issued_once_however_many_try(ledger: &dyn Ledger) {
    credential(ledger, Some(20)).await;
    for second in 1..=20 {
        let approved = approved(ledger, second).await;
        let (one, other) = (certificate(2 * second), certificate(2 * second + 1));
        let along = fulfilling(&approved.id);
        let outcomes = both(record(ledger, &one, along.clone()), record(ledger, &other, along)).await;
        let (winner, loser) = match outcomes {
            [Ok(Recorded), Ok(NotAwaited)] => (one, other),
            [Ok(NotAwaited), Ok(Recorded)] => (other, one),
            unexpected => panic!("{unexpected:?}"),
        };
        assert_eq!(find(ledger, &approved.id).await.serial.as_ref(), Some(&winner.serial));
        assert_eq!(ledger.find(&loser.serial).await, Ok(None));
        assert_eq!(uses(ledger).await, Some(20 - second), "the loser spends nothing");
    }
}
