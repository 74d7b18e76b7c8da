//! Ledgers that an older certgate has written.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Along, AuditTrail, Authorities, CertificateQuery, CertificateRecord, CertificateRecorded, CertificateStatus, Certificates,
    EnrollmentRecord, Enrollments, EstUser, EstUserAdded, EstUsers, Event, EventKind, ExpectedHeads, Proof, Revocation,
    RevocationReason, SecretHash, StatusName, Submitted,
};
use certgate_testkit::NOW;
use rusqlite::{Connection, params};

use super::{certificate, enrollment, issued, open};

/// What of a ledger schema 1 could hold.
const COPY: &str = "
    INSERT INTO certificate SELECT id, serial, authority, profile, protocol, endpoint, principal, not_before, not_after, shard,
        issued_at, status, reason, changed_at, der FROM new.certificate;
    INSERT INTO est_user SELECT name, endpoint, secret_kind, secret, allow, created_at, expires_at FROM new.est_user;
    INSERT INTO base_url SELECT * FROM new.base_url;
    INSERT INTO audit SELECT * FROM new.audit;";

fn user() -> EstUser {
    EstUser {
        name: "device".into(),
        endpoint: "default".into(),
        secret: SecretHash::Sha256([7; 32]),
        allow: vec!["dns:*.fleet.example".parse().unwrap()],
        created_at: NOW,
        expires_at: Some(NOW.after(Duration::from_secs(60))),
        uses: None,
        // The first schema had none: they are told apart by the names alone until they are replaced or added again.
        id: 0,
    }
}

fn event(kind: EventKind) -> Event {
    Event { kind, ..issued() }
}

/// Certificates as schema 1 had them: what was asked for was not remembered.
fn certificates() -> [CertificateRecord; 3] {
    let held = CertificateStatus::Held(NOW);
    let revoked = CertificateStatus::Revoked(Revocation::new(NOW, RevocationReason::KeyCompromise));
    let of = |number, status| CertificateRecord { status, asked_subject: None, ..certificate(number) };
    [of(1, CertificateStatus::Valid), of(2, held), of(3, revoked)]
}

/// Makes a ledger of schema 1, with the rows of one that is made by today's certgate in `scratch`.
async fn make_first(scratch: &Path, path: &Path) {
    let ledger = open(scratch).unwrap();
    for certificate in certificates() {
        ledger.record(certificate, Along::default(), issued()).await.unwrap();
    }
    ledger.add(user(), event(EventKind::EstUserAdded)).await.unwrap();
    ledger.use_base_url("default", "http://pki.example", event(EventKind::BaseUrlChanged)).await.unwrap();
    ledger.close().await;
    drop(ledger);
    let first = Connection::open(path).unwrap();
    first.execute_batch(include_str!("../../migrations/0001-first.sql")).unwrap();
    first.execute("ATTACH ? AS new", params![scratch.join("ledger.db").to_str().unwrap()]).unwrap();
    first.execute_batch(COPY).unwrap();
    first.execute_batch("DETACH new; PRAGMA application_id = 0x63676174; PRAGMA user_version = 1;").unwrap();
}

fn schema(path: &Path) -> i64 {
    Connection::open(path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_ledger_of_schema_1_is_brought_up_to_date_and_reads_the_same() {
    let (scratch, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = directory.path().join("ledger.db");
    make_first(scratch.path(), &path).await;
    assert_eq!(schema(&path), 1);
    // Opened twice: the second time there is nothing left to do.
    for _ in 0..2 {
        let ledger = open(directory.path()).unwrap();
        for certificate in certificates() {
            assert_eq!(ledger.find(&certificate.serial).await.unwrap().as_ref(), Some(&certificate));
            assert_eq!(ledger.find_issued("default", &certificate.serial).await, Ok(Some(certificate)));
        }
        let by_status = [StatusName::Valid, StatusName::Held, StatusName::Revoked];
        for (status, certificate) in by_status.into_iter().zip(certificates()) {
            let query = CertificateQuery { status: Some(status), ..CertificateQuery::all(NOW, 10) };
            assert_eq!(ledger.list(query).await.unwrap().items, [certificate]);
        }
        assert_eq!(ledger.find_user("device", "default").await, Ok(Some(user())));
        assert_eq!(ledger.base_urls("default").await.unwrap(), ["http://pki.example"]);
        assert_eq!(ledger.find_by_id(&enrollment(1).id).await, Ok(None));
        let report = ledger.verify(ExpectedHeads::default(), Arc::default()).await.unwrap();
        assert_eq!((report.head.events, report.broken_at), (5, None), "the chain is whole");
        ledger.close().await;
        drop(ledger);
        assert_eq!(schema(&path), 11);
    }
}

#[tokio::test]
async fn a_ledger_of_schema_1_goes_on_as_any_other() {
    let (scratch, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    make_first(scratch.path(), &directory.path().join("ledger.db")).await;
    let ledger = open(directory.path()).unwrap();
    let [valid, held, _] = certificates();
    let revoked = CertificateStatus::Revoked(Revocation::new(NOW, RevocationReason::Superseded));
    for certificate in [&valid, &held] {
        assert_eq!(ledger.change_status(certificate, revoked, event(EventKind::CertificateRevoked)).await, Ok(true));
    }
    let waits = EnrollmentRecord { proof: Proof::Credential(0), ..enrollment(1) };
    let submitted = ledger.submit(waits.into(), 1, event(EventKind::EnrollmentSubmitted)).await;
    assert_eq!(submitted, Ok(Submitted::Created));
    let along = Along { proof: Some(Proof::Credential(0)), ..Along::default() };
    let of_user = CertificateRecord { principal: "device".into(), ..certificate(9) };
    assert_eq!(ledger.record(of_user.clone(), along, issued()).await, Ok(CertificateRecorded::Recorded), "uses without bound");
    assert_eq!(ledger.find(&of_user.serial).await.unwrap().as_ref(), Some(&of_user));
    let argon =
        EstUser { endpoint: "lab".into(), secret: SecretHash::Argon2id("$argon2id$…".into()), uses: Some(3), ..user() };
    assert_eq!(ledger.add(argon.clone(), event(EventKind::EstUserAdded)).await, Ok(EstUserAdded::Added));
    assert_eq!(ledger.find_user("device", "lab").await, Ok(Some(argon)));
    let removed = ledger.remove("device", event(EventKind::EstUserRemoved)).await.unwrap();
    assert_eq!((removed.credentials, removed.had_certificates), (2, true));
    assert!(ledger.find(&of_user.serial).await.unwrap().unwrap().is_ended);
    // Those that schema 1 had recorded end, too.
    ledger.remove(&valid.principal, event(EventKind::EstUserRemoved)).await.unwrap();
    assert!(ledger.find(&valid.serial).await.unwrap().unwrap().is_ended);
    assert!(!ledger.find(&held.serial).await.unwrap().unwrap().is_ended);
    assert!(ledger.verify(ExpectedHeads::default(), Arc::default()).await.unwrap().broken_at.is_none());
}
