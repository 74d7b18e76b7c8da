//! What a person is shown before saying yes: what would be issued, not what was asked for.

use certgate_enrollment::{EnrollError, EnrollmentState, RevocationReason, StatusChange, change_status};
use certgate_pki::{DnsName, Extension, GeneralName, NameAttributeType};
use certgate_policy::{ChangeSubject, Profile};
use certgate_testkit::{CaFixture, NOW};

use crate::fixture::{DAY, builder, enrollment, issue, manual, renewal, request, rule, waiting};

#[tokio::test]
async fn names_that_a_request_would_have_changed_are_shown() {
    let ca = CaFixture::founded().await;
    let honouring = Profile { change_subject: ChangeSubject::Honour, ..manual() };
    let old = issue(&ca, builder().csr()).await;
    let new_name = GeneralName::Dns(DnsName::parse("b.fleet.example").unwrap());
    let csr = builder().change_subject_name(Some("CN=device-2".parse().unwrap()), Some(vec![new_name.clone()])).csr();
    assert_eq!(csr.subject().to_string(), "CN=device-1", "the CSR itself repeats the old ones");
    let mut asked = renewal(&old, csr);
    asked.principal.grants.extend(["cn:device-2", "dns:b.fleet.example"].map(|grant| grant.parse().unwrap()));
    let pending = waiting(ca.authority.enroll(&honouring, asked).await);
    let shown = ca.authority.preview(&honouring, &enrollment(&ca, &pending).await).await.unwrap();
    assert_eq!(shown.subject.to_string(), "CN=device-2");
    let new_names = Extension::subject_alt_name(&[new_name], false);
    assert!(shown.extensions.contains(&new_names), "{:?}", shown.extensions);
    // And so it is issued.
    let made = ca.authority.approve(&honouring, enrollment(&ca, &pending).await, "operator").await.unwrap();
    let made = made.certificate().unwrap();
    assert_eq!((made.subject(), made.public_key()), (&shown.subject, &shown.public_key));
    assert!(made.extensions().iter().eq(&shown.extensions));
}

#[tokio::test]
async fn what_the_profile_leaves_out_is_not_shown() {
    let ca = CaFixture::founded().await;
    let csr = builder().attribute(NameAttributeType::Organization, "Example").csr();
    let pending = waiting(ca.authority.enroll(&manual(), request(csr)).await);
    let stored = enrollment(&ca, &pending).await;
    let subject = async |profile: Profile| ca.authority.preview(&profile, &stored).await.unwrap().subject.to_string();
    assert_eq!(subject(manual()).await, "O=Example,CN=device-1");
    assert_eq!(subject(Profile { subject_copy: Vec::new(), ..manual() }).await, "CN=device-1", "as the profile is now");
    ca.clock.advance(DAY);
    let validity = ca.authority.preview(&manual(), &stored).await.unwrap().validity;
    assert_eq!(validity.not_before, NOW.after(DAY).before(manual().backdate), "from now on");
}

#[tokio::test]
async fn a_look_changes_nothing() {
    let ca = CaFixture::founded().await;
    let pending = waiting(ca.authority.enroll(&manual(), request(builder().csr())).await);
    let (stored, events) = (enrollment(&ca, &pending).await, ca.ledger.events().len());
    ca.ledger.fail_writes(true);
    assert!(ca.authority.preview(&manual(), &stored).await.is_ok());
    assert_eq!((ca.ledger.events().len(), ca.ledger.certificates().len()), (events, 1));
    assert_eq!(enrollment(&ca, &pending).await.state, EnrollmentState::Pending);
}

#[tokio::test]
async fn why_it_would_be_issued_nothing_is_shown_too() {
    let ca = CaFixture::founded().await;
    let old = issue(&ca, builder().csr()).await;
    let pending = waiting(ca.authority.enroll(&manual(), renewal(&old, builder().csr())).await);
    let stored = enrollment(&ca, &pending).await;
    let narrow = Profile { sans: Vec::new(), ..manual() };
    assert_eq!(rule(ca.authority.preview(&narrow, &stored).await), "names");
    change_status(&*ca.ledger, &old, StatusChange::Revoke(RevocationReason::Superseded, None), NOW, "operator").await.unwrap();
    assert_eq!(ca.authority.preview(&manual(), &stored).await.map(drop), Err(EnrollError::NotRenewable("revoked")));
    assert_eq!(enrollment(&ca, &pending).await.state, EnrollmentState::Pending, "it is a person's to say");
}
