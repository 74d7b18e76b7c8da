//! Whom a client certificate vouches for: each reason why it does not, and where it begins.

use std::time::Duration;

use certgate_enrollment::{
    CertificateDenied, CertificateRecord, CertificateStatus, EstUsers, EventKind, InternalPurpose, InternalRequest, Operation,
    Protocol, Revocation, RevocationReason, StatusChange, change_status, judge,
};
use certgate_pki::{Certificate, ExtendedKeyUsage, Extension, KeyUsage, Template, Timestamp};
use certgate_policy::Profile;
use certgate_testkit::{CaFixture, KeyBackend, NOW, ca_key, profile, rsa_device_key};

use crate::fixture::{DAY, SECOND, builder, credential, event, issue, record_of, request, set_credential};

const MILLI: Duration = Duration::from_millis(1);

use CertificateDenied::{Ended, Expired, Held, NotForClients, NotOurs, NotYetValid, OfAccount, OtherProfile, Revoked};

type Judged = Result<(), CertificateDenied>;

/// What is judged of the certificate of this record, which is the one presented.
fn judge_at(record: &CertificateRecord, operation: Operation, profile: &Profile, now: Timestamp) -> Judged {
    judge(&presented(record), Some(record), profile, operation, now)
}

/// The same for both operations, with nothing out of the ordinary.
fn judged(record: &CertificateRecord) -> Judged {
    let outcomes = Operation::ALL.map(|operation| judge_at(record, operation, &profile(), NOW));
    assert_eq!(outcomes[0], outcomes[1]);
    outcomes[0]
}

fn presented(record: &CertificateRecord) -> Certificate {
    Certificate::from_der(&record.der).unwrap()
}

/// A certificate that was altered before it was signed.
async fn altered(alter: impl Fn(Template) -> Template + Send + Sync + 'static) -> CertificateRecord {
    let ca = CaFixture::founded().await;
    let authority = ca.over(KeyBackend::new(ca_key()).altering(alter));
    let authorized = authority.authorize(&profile(), request(builder().csr())).unwrap();
    let issued = authority.issue(authorized).await.unwrap();
    record_of(&ca, &issued.serial).await
}

/// A certificate with this extension in place of the one of its kind, or without that.
async fn with(oid: &'static str, extension: Option<Extension>) -> CertificateRecord {
    altered(move |mut template| {
        template.extensions.retain(|other| other.oid.to_string() != oid);
        template.extensions.extend(extension.clone());
        template
    })
    .await
}

#[tokio::test]
async fn what_this_authority_issued_by_this_profile_vouches_for_its_principal() {
    let ca = CaFixture::founded().await;
    assert_eq!(judged(&issue(&ca, builder().csr()).await), Ok(()));
}

#[tokio::test]
async fn what_an_account_was_issued_renews_nothing_and_enrolls_nothing() {
    let ca = CaFixture::founded().await;
    let issued = issue(&ca, builder().csr()).await;
    assert_eq!(judged(&CertificateRecord { protocol: Protocol::Acme, ..issued.clone() }), Err(OfAccount));
    assert_eq!(judged(&CertificateRecord { protocol: Protocol::Scep, ..issued }), Ok(()));
}

#[tokio::test]
async fn what_is_not_in_the_ledger_is_nobodys() {
    let (ca, other) = (CaFixture::founded().await, CaFixture::founded().await);
    let record = issue(&ca, builder().csr()).await;
    // By a CA of the same name and the same key.
    let foreign = issue(&other, builder().csr()).await;
    for operation in Operation::ALL {
        assert_eq!(judge(&presented(&record), None, &profile(), operation, NOW), Err(NotOurs));
        let judged = judge(&presented(&foreign), Some(&record), &profile(), operation, NOW);
        assert_eq!(judged, Err(NotOurs), "another one's record");
    }
}

#[tokio::test]
async fn a_single_octet_makes_it_another_certificate() {
    let ca = CaFixture::founded().await;
    let record = issue(&ca, builder().csr()).await;
    let mut read = 0;
    for place in 0..record.der.len() {
        let mut der = record.der.clone();
        der[place] ^= 1;
        let Ok(tampered) = Certificate::from_der(&der) else { continue };
        assert_eq!(judge(&tampered, Some(&record), &profile(), Operation::Renew, NOW), Err(NotOurs), "octet {place}");
        read += 1;
    }
    assert!(read > 100, "{read} were read: the test tests something");
}

#[tokio::test]
async fn another_authority_and_another_profile() {
    let ca = CaFixture::founded().await;
    let record = issue(&ca, builder().csr()).await;
    for operation in Operation::ALL {
        let of_authority = Profile { authority: "other".into(), ..profile() };
        assert_eq!(judge_at(&record, operation, &of_authority, NOW), Err(NotOurs));
        let of_profile = Profile { name: "other".into(), ..profile() };
        assert_eq!(judge_at(&record, operation, &of_profile, NOW), Err(OtherProfile));
    }
}

#[tokio::test]
async fn certificates_of_certgate_itself_vouch_for_nobody() {
    let ca = CaFixture::founded().await;
    let root = ca.ledger.certificates().remove(0);
    assert_eq!(presented(&root), ca.authority.chain()[0]);
    let (subject, public_key) = ("CN=Own".parse().unwrap(), rsa_device_key().public_key().clone());
    let server = InternalRequest { purpose: InternalPurpose::TlsServer(Vec::new()), subject, public_key, lifetime: DAY };
    let issued = ca.authority.issue(ca.authority.authorize_internal(server).unwrap()).await.unwrap();
    for record in [root, record_of(&ca, &issued.serial).await] {
        assert_eq!(judged(&record), Err(OtherProfile));
        // Nor if there were a profile of that name.
        let profile = Profile { name: record.profile.clone(), ..profile() };
        assert_eq!(judge_at(&record, Operation::Renew, &profile, NOW), Err(NotForClients));
    }
}

#[tokio::test]
async fn the_first_second_and_the_one_before() {
    let ca = CaFixture::founded().await;
    let record = issue(&ca, builder().csr()).await;
    let first = record.validity.not_before;
    for operation in Operation::ALL {
        assert_eq!(judge_at(&record, operation, &profile(), first), Ok(()));
        assert_eq!(judge_at(&record, operation, &profile(), first.before(MILLI)), Err(NotYetValid));
    }
}

#[tokio::test]
async fn the_last_second_and_the_one_after() {
    let ca = CaFixture::founded().await;
    let record = issue(&ca, builder().csr()).await;
    let last = record.validity.not_after;
    for operation in Operation::ALL {
        for good in [last, last.after(Duration::from_millis(999))] {
            assert_eq!(judge_at(&record, operation, &profile(), good), Ok(()), "RFC 5280 §4.1.2.5: notAfter is included");
        }
        assert_eq!(judge_at(&record, operation, &profile(), last.after(SECOND)), Err(Expired));
    }
}

#[tokio::test]
async fn grace_is_for_renewal_alone() {
    let ca = CaFixture::founded().await;
    let record = issue(&ca, builder().csr()).await;
    let profile = Profile { renew_grace: 30 * DAY, ..profile() };
    let (last, end) = (record.validity.not_after, record.validity.not_after.after(30 * DAY));
    assert_eq!(judge_at(&record, Operation::Enroll, &profile, last), Ok(()));
    assert_eq!(judge_at(&record, Operation::Enroll, &profile, last.after(SECOND)), Err(Expired));
    for good in [last.after(SECOND), end, end.after(Duration::from_millis(999))] {
        assert_eq!(judge_at(&record, Operation::Renew, &profile, good), Ok(()));
    }
    assert_eq!(judge_at(&record, Operation::Renew, &profile, end.after(SECOND)), Err(Expired));
    assert_eq!(judge_at(&record, Operation::Renew, &profile, record.validity.not_before.before(MILLI)), Err(NotYetValid));
}

#[tokio::test]
async fn held_released_and_revoked() {
    let ca = CaFixture::founded().await;
    let record = issue(&ca, builder().csr()).await;
    let steps = [
        (StatusChange::Hold, Err(Held)),
        (StatusChange::Release, Ok(())),
        (StatusChange::Hold, Err(Held)),
        (StatusChange::Revoke(RevocationReason::Unspecified, None), Err(Revoked)),
    ];
    for (change, outcome) in steps {
        let now = record_of(&ca, &record.serial).await;
        change_status(&*ca.ledger, &now, change, NOW, "operator").await.unwrap();
        assert_eq!(judged(&record_of(&ca, &record.serial).await), outcome, "{change:?}");
    }
}

/// Grace opens no way back: revoked is revoked.
#[tokio::test]
async fn what_is_revoked_and_over_is_not_renewed_within_the_grace() {
    let ca = CaFixture::founded().await;
    let record = issue(&ca, builder().csr()).await;
    let status = CertificateStatus::Revoked(Revocation::new(NOW, RevocationReason::Superseded));
    let revoked = CertificateRecord { status, ..record };
    let profile = Profile { renew_grace: 30 * DAY, ..profile() };
    let now = revoked.validity.not_after.after(DAY);
    assert_eq!(judge_at(&revoked, Operation::Renew, &profile, now), Err(Revoked));
}

#[tokio::test]
async fn what_has_ended_vouches_for_nobody() {
    let ca = CaFixture::founded().await;
    let record = issue(&ca, builder().csr()).await;
    ca.ledger.remove("first-device", event(EventKind::EstUserRemoved)).await.unwrap();
    let ended = record_of(&ca, &record.serial).await;
    assert_eq!(judged(&ended), Err(Ended));
    // A person with the same name begins anew; whatever the clocks said, the old certificates stay where they are.
    set_credential(&ca, credential("first-device")).await;
    ca.clock.set(NOW.before(SECOND));
    let begun_anew = issue(&ca, builder().csr()).await;
    assert_eq!((judged(&begun_anew), judged(&record_of(&ca, &record.serial).await)), (Ok(()), Err(Ended)));
    for issued_at in [NOW.before(1000 * DAY), NOW, NOW.after(1000 * DAY)] {
        assert_eq!(judged(&CertificateRecord { issued_at, ..ended.clone() }), Err(Ended), "{issued_at:?}");
        assert_eq!(judged(&CertificateRecord { issued_at, is_ended: false, ..ended.clone() }), Ok(()), "{issued_at:?}");
    }
}

/// Grace opens no way back: what has ended has ended.
#[tokio::test]
async fn what_has_ended_and_is_over_is_not_renewed_within_the_grace() {
    let ca = CaFixture::founded().await;
    let ended = CertificateRecord { is_ended: true, ..issue(&ca, builder().csr()).await };
    let profile = Profile { renew_grace: 30 * DAY, ..profile() };
    assert_eq!(judge_at(&ended, Operation::Renew, &profile, ended.validity.not_after.after(DAY)), Err(Ended));
    let revoked = CertificateStatus::Revoked(Revocation::new(NOW, RevocationReason::Unspecified));
    assert_eq!(judged(&CertificateRecord { status: revoked, ..ended }), Err(Revoked), "which says more");
}

#[tokio::test]
async fn what_it_is_for_decides() {
    let purposes = |all: &[ExtendedKeyUsage]| Some(Extension::extended_key_usage(all));
    use ExtendedKeyUsage::{Any, ClientAuth, ServerAuth};
    for (extension, outcome) in [
        (purposes(&[ClientAuth]), Ok(())),
        (purposes(&[ServerAuth, ClientAuth]), Ok(())),
        (purposes(&[Any, ClientAuth]), Ok(())),
        // RFC 5280 §4.2.1.12 restricts by an extension that is there.
        (None, Ok(())),
        (purposes(&[ServerAuth]), Err(NotForClients)),
        (purposes(&[Any]), Err(NotForClients)),
        (purposes(&[]), Err(NotForClients)),
        (purposes(&[ExtendedKeyUsage::EmailProtection, ExtendedKeyUsage::CmcRa]), Err(NotForClients)),
        (purposes(&[ClientAuth]).map(|extension| Extension { value: vec![4, 0], ..extension }), Err(NotForClients)),
    ] {
        assert_eq!(judged(&with("2.5.29.37", extension.clone()).await), outcome, "{extension:?}");
    }
}

#[tokio::test]
async fn a_handshake_is_signed_with_digital_signature() {
    let usage = |usage| Some(Extension::key_usage(usage));
    for (extension, outcome) in [
        (usage(KeyUsage::DIGITAL_SIGNATURE), Ok(())),
        (usage(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT), Ok(())),
        (None, Ok(())),
        (usage(KeyUsage::KEY_ENCIPHERMENT), Err(NotForClients)),
        (usage(KeyUsage::default()), Err(NotForClients)),
        (usage(KeyUsage::DIGITAL_SIGNATURE).map(|usage| Extension { value: vec![4, 0], ..usage }), Err(NotForClients)),
    ] {
        assert_eq!(judged(&with("2.5.29.15", extension.clone()).await), outcome, "{extension:?}");
    }
}

#[tokio::test]
async fn a_ca_is_no_client() {
    let leaf = Extension::basic_constraints_leaf();
    for (extension, outcome) in [
        (Some(leaf.clone()), Ok(())),
        (None, Ok(())),
        (Some(Extension::basic_constraints_ca(None)), Err(NotForClients)),
        (Some(Extension { value: vec![0x30, 3, 1, 1, 1], ..leaf.clone() }), Err(NotForClients)),
        (Some(Extension { value: vec![4, 0], ..leaf }), Err(NotForClients)),
    ] {
        assert_eq!(judged(&with("2.5.29.19", extension.clone()).await), outcome, "{extension:?}");
    }
}
