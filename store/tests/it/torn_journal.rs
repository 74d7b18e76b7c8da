//! A machine is lost while the ledger writes: of what was not acknowledged yet, any part of the journal may be missing or be something
//! else.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{
    Along, AuditTrail, CertificateStatus, Certificates, CrlRecord, CrlScope, Crls, Event, EventKind, ExpectedHeads, Revocation,
    RevocationReason, Statuses,
};
use certgate_store::SqliteLedger;
use certgate_testkit::NOW;

use super::{certificate, issued, open};

/// How many certificates are revoked, each with a CRL after it.
const REVOKED: u64 = 8;
/// How much of what was written after the last acknowledgement is there: nothing, part of a frame's header, of its page, and of the
/// frames after that.
const LEFT: [usize; 5] = [0, 10, 1000, 4200, 9000];

fn scope() -> CrlScope {
    CrlScope { authority: "default".into(), shard: 0 }
}

fn crl(number: u64, sequence: u64) -> CrlRecord {
    let (this_update, next_update) = (NOW, NOW.after(Duration::from_secs(3600)));
    CrlRecord { scope: scope(), number, base: None, this_update, next_update, sequence, entries: number, sha256: [1; 32] }
}

async fn publish(ledger: &SqliteLedger, number: u64, sequence: u64) -> bool {
    ledger.record_crls(vec![(crl(number, sequence), Event { kind: EventKind::CrlPublished, ..issued() })]).await.unwrap()
}

/// The journal's length when each revocation and its CRL were acknowledged.
async fn revoke_and_publish(ledger: &SqliteLedger, journal: &Path) -> Vec<usize> {
    let mut lengths = Vec::new();
    for number in 1..=REVOKED {
        let revoked = CertificateStatus::Revoked(Revocation::new(NOW, RevocationReason::Superseded));
        assert_eq!(ledger.change_status(&certificate(number), revoked, issued()).await, Ok(true));
        assert!(publish(ledger, number, ledger.last_change().await.unwrap()).await);
        lengths.push(usize::try_from(std::fs::metadata(journal).unwrap().len()).unwrap());
    }
    lengths
}

/// So many revocations and their CRLs are there, at least, and the next CRL has a number of its own.
async fn look_up(found: &SqliteLedger, acknowledged: u64) {
    for number in 1..=acknowledged {
        let status = found.find(&certificate(number).serial).await.unwrap().unwrap().status;
        assert!(matches!(status, CertificateStatus::Revoked(_)), "{number} of {acknowledged}: {status:?}");
    }
    let changes = found.changes_after("default", 0, 100).await.unwrap();
    assert!(changes.len() as u64 >= acknowledged, "of {acknowledged}: {changes:?}");
    assert_eq!(changes.last().map_or(0, |change| change.sequence), found.last_change().await.unwrap());
    let last = found.last_crl(&scope(), false).await.unwrap().map_or(0, |crl| crl.number);
    assert!(last >= acknowledged, "{last} of {acknowledged}");
    assert!(found.verify(ExpectedHeads::default(), Arc::default()).await.unwrap().broken_at.is_none());
    assert!(!publish(found, last, 0).await, "a number of a list that may have been seen");
    assert!(publish(found, last + 1, 0).await);
}

#[tokio::test]
async fn revocations_and_numbers_of_crls_outlive_whatever_is_torn_off() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    for number in 1..=REVOKED {
        ledger.record(certificate(number), Along::default(), issued()).await.unwrap();
    }
    let path = directory.path().join("ledger.db-wal");
    let lengths = revoke_and_publish(&ledger, &path).await;
    let journal = std::fs::read(path).unwrap();
    for (acknowledged, &length) in (1..).zip(&lengths) {
        for left in LEFT {
            let (kept, lost) = journal.split_at(journal.len().min(length + left));
            for instead in [Vec::new(), vec![0; lost.len()], vec![0xa5; lost.len()]] {
                let copy = tempfile::tempdir().unwrap();
                std::fs::copy(directory.path().join("ledger.db"), copy.path().join("ledger.db")).unwrap();
                std::fs::write(copy.path().join("ledger.db-wal"), [kept, &instead].concat()).unwrap();
                look_up(&open(copy.path()).unwrap(), acknowledged).await;
            }
        }
    }
}
