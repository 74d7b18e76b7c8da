//! What becomes of a certificate, from each status by each change.

use std::time::Duration;

use certgate_enrollment::{
    CertificateRecord, CertificateStatus, EventKind, InternalPurpose, InternalRequest, LedgerError, Revocation,
    RevocationReason, StatusChange, StatusChanged, change_status,
};
use certgate_pki::Timestamp;
use certgate_testkit::{CaFixture, NOW, rsa_device_key};

use crate::fixture::{DAY, builder, issue, record_of};

const WHY: RevocationReason = RevocationReason::KeyCompromise;
/// Revoked for that, and wrong since before.
const WRONG: StatusChange = Revoke(WHY, Some(NOW));
const BEFORE: RevocationReason = RevocationReason::Superseded;

use CertificateStatus::{Held, Revoked, Valid};
use StatusChange::{Hold, Release, Revoke};
use StatusChanged::{AlreadySo, Changed, IsAuthority, IsRevoked, Raced};

fn later() -> Timestamp {
    NOW.after(Duration::from_millis(60_001))
}

async fn change(ca: &CaFixture, record: &CertificateRecord, change: StatusChange) -> Result<StatusChanged, LedgerError> {
    change_status(&*ca.ledger, record, change, later(), "operator").await
}

/// A certificate of this status.
async fn certificate(status: CertificateStatus) -> (CaFixture, CertificateRecord) {
    let ca = CaFixture::founded().await;
    let record = issue(&ca, builder().csr()).await;
    let made = match status {
        Valid => return (ca, record),
        Held(_) => Hold,
        Revoked(revocation) => Revoke(revocation.reason, revocation.invalid_since),
    };
    assert_eq!(change_status(&*ca.ledger, &record, made, NOW, "operator").await, Ok(Changed));
    let record = record_of(&ca, &record.serial).await;
    assert_eq!(record.status, status);
    (ca, record)
}

#[tokio::test]
async fn every_status_by_every_change() {
    let (held, revoked) = (Held(NOW), Revoked(Revocation::new(NOW, BEFORE)));
    let (now_held, now_revoked) = (Held(later()), Revoked(Revocation { at: later(), reason: WHY, invalid_since: Some(NOW) }));
    let table = [
        (Valid, WRONG, Changed, now_revoked, Some(EventKind::CertificateRevoked)),
        (Valid, Hold, Changed, now_held, Some(EventKind::CertificateHeld)),
        (Valid, Release, AlreadySo, Valid, None),
        (held, WRONG, Changed, now_revoked, Some(EventKind::CertificateRevoked)),
        (held, Hold, AlreadySo, held, None),
        (held, Release, Changed, Valid, Some(EventKind::CertificateReleased)),
        (revoked, WRONG, AlreadySo, revoked, None),
        (revoked, Hold, IsRevoked, revoked, None),
        (revoked, Release, IsRevoked, revoked, None),
    ];
    for (status, asked, outcome, after, kind) in table {
        let (ca, record) = certificate(status).await;
        let before = ca.ledger.events().len();
        assert_eq!(change(&ca, &record, asked).await, Ok(outcome), "{status:?} {asked:?}");
        let found = record_of(&ca, &record.serial).await;
        assert_eq!(found, CertificateRecord { status: after, ..record }, "{status:?} {asked:?}: nothing but its status");
        let events: Vec<EventKind> = ca.ledger.events().iter().skip(before).map(|event| event.kind).collect();
        assert_eq!(events, Vec::from_iter(kind), "{status:?} {asked:?}");
        // Whoever repeats it need not mind, and the reason of the first time stays.
        let again = change(&ca, &found, asked).await;
        assert_eq!(again, Ok(if outcome == IsRevoked { IsRevoked } else { AlreadySo }), "{status:?} {asked:?} again");
        assert_eq!(record_of(&ca, &found.serial).await.status, after);
    }
}

/// Of what they have signed nothing would be good any more, and no CRL of theirs could say it of themselves.
#[tokio::test]
async fn certificates_of_authorities_stay_as_they_are() {
    let ca = CaFixture::founded().await;
    let (subject, public_key) = ("CN=Issuing".parse().unwrap(), rsa_device_key().public_key().clone());
    let issuing = InternalRequest { purpose: InternalPurpose::IssuingCa, subject, public_key, lifetime: DAY };
    ca.authority.issue(ca.authority.authorize_internal(issuing).unwrap()).await.unwrap();
    let (subject, public_key) = ("CN=Own".parse().unwrap(), rsa_device_key().public_key().clone());
    let server = InternalRequest { purpose: InternalPurpose::TlsServer(Vec::new()), subject, public_key, lifetime: DAY };
    ca.authority.issue(ca.authority.authorize_internal(server).unwrap()).await.unwrap();
    let [root, issuing, server] = &ca.ledger.certificates()[..] else { panic!("three certificates") };
    let before = ca.ledger.events().len();
    for authority in [root, issuing] {
        for asked in [Revoke(RevocationReason::CaCompromise, None), Hold, Release] {
            assert_eq!(change(&ca, authority, asked).await, Ok(IsAuthority), "{} {asked:?}", authority.profile);
        }
        assert_eq!(record_of(&ca, &authority.serial).await, *authority);
    }
    assert_eq!(ca.ledger.events().len(), before);
    // certgate's own certificates for TLS are no authorities.
    assert_eq!(change(&ca, server, WRONG).await, Ok(Changed));
}

#[tokio::test]
async fn the_event_says_who_did_what_to_which_certificate() {
    let wrong = [("reason", "keyCompromise".to_owned()), ("invalidity_date", NOW.to_string())];
    let plain = [("reason", "superseded".to_owned())];
    for (asked, more) in [(WRONG, &wrong[..]), (Revoke(BEFORE, None), &plain[..]), (Hold, &[])] {
        let (ca, record) = certificate(Valid).await;
        change(&ca, &record, asked).await.unwrap();
        let event = ca.ledger.events().pop().unwrap();
        assert_eq!((event.at, event.actor.as_str()), (later(), "operator"));
        let mut details = vec![("serial", record.serial.to_string()), ("authority", "default".into())];
        details.extend(more.iter().cloned());
        assert_eq!(event.details, details);
    }
}

#[tokio::test]
async fn whoever_comes_second_is_told() {
    let (ca, stale) = certificate(Valid).await;
    assert_eq!(change(&ca, &stale, Hold).await, Ok(Changed));
    let before = ca.ledger.events().len();
    for asked in [Hold, WRONG] {
        assert_eq!(change(&ca, &stale, asked).await, Ok(Raced), "{asked:?}");
    }
    assert_eq!((record_of(&ca, &stale.serial).await.status, ca.ledger.events().len()), (Held(later()), before));
}

#[tokio::test]
async fn of_two_at_the_same_time_one_has_its_way() {
    let (ca, record) = certificate(Valid).await;
    let outcomes = tokio::join!(change(&ca, &record, Hold), change(&ca, &record, WRONG));
    assert!(matches!(outcomes, (Ok(Changed), Ok(Raced)) | (Ok(Raced), Ok(Changed))), "{outcomes:?}");
}

#[tokio::test]
async fn what_the_ledger_does_not_take_has_not_happened() {
    let (ca, record) = certificate(Valid).await;
    ca.ledger.fail_writes(true);
    assert!(matches!(change(&ca, &record, WRONG).await, Err(LedgerError::Unavailable(_))));
    ca.ledger.fail_writes(false);
    assert_eq!(record_of(&ca, &record.serial).await.status, Valid);
}
