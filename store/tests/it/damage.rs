//! Files that are not what they should be.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use certgate_enrollment::{Along, AuditTrail, Certificates, ExpectedHeads};
use certgate_store::OpenError;
use rusqlite::Connection;

use super::{certificate, issued, open};

/// To pass this hash.
fn expected(hash: [u8; 32]) -> ExpectedHeads {
    ExpectedHeads { hash: Some(hash), heads: Vec::new() }
}

#[tokio::test]
async fn a_rewritten_or_truncated_trail_shows() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    for number in 0..5 {
        ledger.record(certificate(number), Along::default(), issued()).await.unwrap();
    }
    let head = ledger.head().await.unwrap();
    assert_eq!(ledger.verify(expected(head.hash), Arc::default()).await.unwrap().expected_head_found, Some(true));
    ledger.close().await;
    drop(ledger);

    let file = Connection::open(directory.path().join("ledger.db")).unwrap();
    let refused = file.execute("UPDATE audit SET actor = 'nobody' WHERE number = 3", []).unwrap_err();
    assert!(refused.to_string().contains("only grows"));
    file.execute_batch("DROP TRIGGER audit_is_not_updated; DROP TRIGGER audit_is_not_deleted;").unwrap();

    file.execute("DELETE FROM audit WHERE number = 5", []).unwrap();
    let report = open(directory.path()).unwrap().verify(expected(head.hash), Arc::default()).await.unwrap();
    assert_eq!((report.head.events, report.broken_at, report.expected_head_found), (4, None, Some(false)), "truncated");
    let heads = ExpectedHeads { hash: None, heads: vec![report.head, head] };
    assert_eq!(open(directory.path()).unwrap().first_missing(heads.heads.clone()).await, Ok(Some(1)));
    let report = open(directory.path()).unwrap().verify(heads.clone(), Arc::default()).await.unwrap();
    assert_eq!((report.broken_at, report.first_missed), (None, Some(1)), "truncated");

    file.execute("UPDATE audit SET actor = 'nobody' WHERE number = 3", []).unwrap();
    let report = open(directory.path()).unwrap().verify(heads, Arc::default()).await.unwrap();
    assert_eq!((report.head.events, report.broken_at, report.first_missed), (2, Some(3), Some(0)), "rewritten");

    file.execute("DELETE FROM audit WHERE number = 2", []).unwrap();
    let report = open(directory.path()).unwrap().verify(ExpectedHeads::default(), Arc::default()).await.unwrap();
    assert_eq!((report.head.events, report.broken_at), (1, Some(2)), "with a gap");
}

#[test]
fn only_ledgers_are_opened_and_only_their_owner_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    drop(open(directory.path()).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 1000").unwrap();
    assert!(matches!(open(directory.path()), Err(OpenError::Newer { found: 1000, .. })));

    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (a)").unwrap();
    assert!(matches!(open(directory.path()), Err(OpenError::NotALedger(_))));

    std::fs::write(&path, b"no database at all, but long enough to have a header, one might think").unwrap();
    assert!(matches!(open(directory.path()), Err(OpenError::Damaged { .. })));
}
