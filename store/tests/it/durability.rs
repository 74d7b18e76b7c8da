//! What was acknowledged is there, whatever happens next.

use std::path::Path;
use std::sync::Arc;

use certgate_enrollment::{
    Along, AuditTrail, CertificateRecord, CertificateStatus, Certificates, EnrollmentRecord, EnrollmentState, Enrollments,
    EstUsers, Event, EventKind, ExpectedHeads, LedgerError, Revocation, RevocationReason, Submitted,
};
use certgate_store::SqliteLedger;
use certgate_testkit::NOW;
use tempfile::TempDir;

use super::credentials::user;
use super::{certificate, enrollment, issued, open};

/// The files as a machine that is lost now would leave them, opened: nothing was closed or folded back.
fn lost(directory: &Path) -> (TempDir, SqliteLedger) {
    let copy = tempfile::tempdir().unwrap();
    for name in ["ledger.db", "ledger.db-wal"] {
        std::fs::copy(directory.join(name), copy.path().join(name)).unwrap();
    }
    let found = open(copy.path()).unwrap();
    (copy, found)
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_files_at_that_moment() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    for number in 0..20 {
        ledger.record(certificate(number), Along::default(), issued()).await.unwrap();
        let (_copy, found) = lost(directory.path());
        assert_eq!(found.find(&certificate(number).serial).await.unwrap().as_ref(), Some(&certificate(number)));
        assert_eq!(found.head().await.unwrap(), ledger.head().await.unwrap());
    }
}

#[tokio::test]
async fn every_step_of_an_enrollment_that_was_acknowledged_is_in_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    let event = |kind| Event { kind, ..issued() };
    ledger.add(user("default", 1), event(EventKind::EstUserAdded)).await.unwrap();
    for number in 0..5 {
        let pending = enrollment(number);
        let submitted = ledger.submit(pending.clone().into(), 99, event(EventKind::EnrollmentSubmitted)).await;
        assert_eq!(submitted, Ok(Submitted::Created));
        let (_copy, found) = lost(directory.path());
        assert_eq!(found.find_by_key(&pending.key, NOW).await.unwrap().as_ref(), Some(&pending));

        let approved = EnrollmentState::Approved;
        assert_eq!(ledger.advance(&pending, approved, "", event(EventKind::EnrollmentApproved)).await, Ok(true));
        let (_copy, found) = lost(directory.path());
        let expected = EnrollmentRecord { state: approved, ..pending.clone() };
        assert_eq!(found.find_by_id(&pending.id).await, Ok(Some(expected)));

        let certificate = CertificateRecord { principal: "device".into(), ..certificate(number) };
        let along = Along { proof: Some(pending.proof.clone()), fulfils: Some(pending.id.clone()), ..Along::default() };
        ledger.record(certificate.clone(), along, issued()).await.unwrap();
        let (_copy, found) = lost(directory.path());
        let issued = found.find_by_id(&pending.id).await.unwrap().unwrap();
        assert_eq!((issued.state, issued.serial.as_ref()), (EnrollmentState::Issued, Some(&certificate.serial)));
        assert_eq!(found.find(&certificate.serial).await, Ok(Some(certificate)), "with its certificate");
        assert_eq!(found.head().await.unwrap(), ledger.head().await.unwrap());
    }
}

#[tokio::test]
async fn a_revocation_and_a_removal_that_were_acknowledged_are_in_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    let certificate = certificate(1);
    ledger.record(certificate.clone(), Along::default(), issued()).await.unwrap();
    let revoked = CertificateStatus::Revoked(Revocation::new(NOW, RevocationReason::KeyCompromise));
    assert_eq!(ledger.change_status(&certificate, revoked, issued()).await, Ok(true));
    let (_copy, found) = lost(directory.path());
    assert_eq!(found.find(&certificate.serial).await.unwrap().unwrap().status, revoked);
    ledger.remove(&certificate.principal, issued()).await.unwrap();
    let (_copy, found) = lost(directory.path());
    assert!(found.find(&certificate.serial).await.unwrap().unwrap().is_ended);
    assert!(found.verify(ExpectedHeads::default(), Arc::default()).await.unwrap().broken_at.is_none());
}

#[tokio::test]
async fn many_writers_each_hear_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    let tasks: Vec<_> = (0..400_u64)
        .map(|number| {
            let ledger = ledger.clone();
            // Every number comes twice: one of the two is a conflict, wherever in whichever transaction it lands.
            let record = async move { ledger.record(certificate(number % 200), Along::default(), issued()).await };
            #[expect(clippy::disallowed_methods, reason = "the test awaits every one of them")]
            tokio::spawn(record)
        })
        .collect();
    let mut conflicts = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => {}
            Err(LedgerError::Conflict(_)) => conflicts += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(conflicts, 200);
    assert_eq!(ledger.head().await.unwrap().events, 200, "a refused change leaves no event");
    assert!(ledger.verify(ExpectedHeads::default(), Arc::default()).await.unwrap().broken_at.is_none());
}

#[tokio::test]
async fn a_closed_ledger_refuses_and_keeps() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    ledger.record(certificate(1), Along::default(), issued()).await.unwrap();
    ledger.close().await;
    assert!(matches!(ledger.record(certificate(2), Along::default(), issued()).await, Err(LedgerError::Unavailable(_))));
    let journal = std::fs::metadata(directory.path().join("ledger.db-wal")).map_or(0, |metadata| metadata.len());
    assert_eq!(journal, 0, "the journal was folded back");
    drop(ledger);
    let again = open(directory.path()).unwrap();
    assert!(again.find(&certificate(1).serial).await.unwrap().is_some());
    assert!(again.find(&certificate(2).serial).await.unwrap().is_none());
}

/// The journal grows past the bound at which it is made to start anew, while somebody reads and reads.
#[tokio::test]
async fn a_long_read_holds_up_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    let reader = rusqlite::Connection::open(directory.path().join("ledger.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM certificate").unwrap();
    let large = |number| CertificateRecord { der: vec![0x30; 60_000], ..certificate(number) };
    for round in 0..3_u64 {
        let writes = (0..400).map(|number| {
            let ledger = ledger.clone();
            async move { ledger.record(large(round * 400 + number), Along::default(), issued()).await }
        });
        #[expect(clippy::disallowed_methods, reason = "the test awaits every one of them")]
        let tasks: Vec<_> = writes.map(tokio::spawn).collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    }
    let journal = std::fs::metadata(directory.path().join("ledger.db-wal")).unwrap().len();
    assert!(journal > 64 * 1024 * 1024, "{journal}");
    // Long enough for the restart to be asked for and to fail.
    for number in 0..5 {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let write = ledger.record(certificate(100_000 + number), Along::default(), issued());
        tokio::time::timeout(std::time::Duration::from_secs(2), write).await.expect("nobody waits for the reader").unwrap();
    }
    reader.execute_batch("COMMIT").unwrap();
}

#[tokio::test]
async fn a_full_queue_is_said_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let ledger = SqliteLedger::open(&path, 1, certgate_testkit::provider(1).digest).unwrap();
    // Another connection holds the write lock, so the writer waits with one change, and a second one fills the queue.
    let blocker = rusqlite::Connection::open(&path).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writes = (0..4).map(|number| {
        let ledger = ledger.clone();
        async move { ledger.record(certificate(number), Along::default(), issued()).await }
    });
    #[expect(clippy::disallowed_methods, reason = "the test awaits every one of them")]
    let tasks: Vec<_> = writes.map(tokio::spawn).collect();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    blocker.execute_batch("COMMIT").unwrap();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(LedgerError::Unavailable(_)))).count();
    assert!((1..4).contains(&refused), "{outcomes:?}");
    assert_eq!(ledger.head().await.unwrap().events, (4 - refused) as u64);
}
