//! What relying parties are told of certificates ([`certgate_enrollment::Statuses`]).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use certgate_enrollment::{
    Along, CertificateRecord, CertificateState, CertificateStatus, CommittedChange, EventKind, Ledger, Revocation,
    RevocationReason, StatusWatcher,
};
use certgate_pki::Serial;

use super::records::{certificate, event, serial};
use crate::NOW;

const SECOND: Duration = Duration::from_secs(1);

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    a_state_is_told_by_authority_and_serial_number(&*make().await).await;
    changes_come_in_the_order_of_commits(&*make().await).await;
    watchers_hear_of_a_change_before_who_made_it(&*make().await).await;
    what_is_not_good_comes_in_pages(&*make().await).await;
    what_is_recorded_as_revoked_is_a_change(&*make().await).await;
}

fn revoked(second: u64) -> CertificateStatus {
    let at = NOW.after(Duration::from_millis(1000 * second + 7));
    let invalid_since = Some(NOW.before(SECOND));
    CertificateStatus::Revoked(Revocation { at, reason: RevocationReason::Superseded, invalid_since })
}

fn state(record: &CertificateRecord) -> CertificateState {
    CertificateState {
        serial: record.serial.clone(),
        shard: record.shard,
        not_after: record.validity.not_after,
        no_rev_avail: record.no_rev_avail,
        status: record.status,
    }
}

async fn record(ledger: &dyn Ledger, certificate: &CertificateRecord) {
    ledger.record(certificate.clone(), Along::default(), event(EventKind::CertificateIssued)).await.unwrap();
}

async fn become_so(ledger: &dyn Ledger, certificate: &mut CertificateRecord, next: CertificateStatus) {
    assert_eq!(ledger.change_status(certificate, next, event(EventKind::CertificateRevoked)).await, Ok(true));
    certificate.status = next;
}

async fn a_state_is_told_by_authority_and_serial_number(ledger: &dyn Ledger) {
    let mut ours = CertificateRecord { shard: 3, no_rev_avail: true, ..certificate(1) };
    let theirs = CertificateRecord { authority: "other".into(), ..certificate(1) };
    record(ledger, &ours).await;
    record(ledger, &theirs).await;
    for next in [CertificateStatus::Held(NOW), CertificateStatus::Valid, revoked(1)] {
        become_so(ledger, &mut ours, next).await;
        assert_eq!(ledger.state_of("default", &ours.serial).await, Ok(Some(state(&ours))));
        assert_eq!(ledger.find_issued("default", &ours.serial).await, Ok(Some(ours.clone())));
    }
    assert_eq!(ledger.state_of("other", &ours.serial).await, Ok(Some(state(&theirs))));
    for (authority, serial) in [("default", &serial(NOW)), ("Default", &ours.serial), ("", &ours.serial)] {
        assert_eq!(ledger.state_of(authority, serial).await, Ok(None), "{serial} of {authority:?}");
    }
}

async fn changes_come_in_the_order_of_commits(ledger: &dyn Ledger) {
    assert_eq!((ledger.last_change().await, ledger.changes_after("default", 0, 9).await), (Ok(0), Ok(Vec::new())));
    let mut ours = CertificateRecord { shard: 2, ..certificate(2) };
    let mut earlier = certificate(1);
    let mut theirs = CertificateRecord { authority: "other".into(), ..certificate(1) };
    for certificate in [&ours, &earlier, &theirs] {
        record(ledger, certificate).await;
    }
    assert_eq!(ledger.last_change().await, Ok(0), "that a certificate is issued is no change of it");
    let mut expected = Vec::new();
    become_so(ledger, &mut ours, CertificateStatus::Held(NOW)).await;
    expected.push(state(&ours));
    become_so(ledger, &mut theirs, revoked(1)).await;
    become_so(ledger, &mut earlier, revoked(2)).await;
    expected.push(state(&earlier));
    become_so(ledger, &mut ours, CertificateStatus::Valid).await;
    expected.push(state(&ours));
    let changes = ledger.changes_after("default", 0, 9).await.unwrap();
    assert_eq!(changes.iter().map(|change| change.state.clone()).collect::<Vec<_>>(), expected);
    assert!(changes.is_sorted_by(|one, other| one.sequence < other.sequence));
    assert_eq!(changes.last().map(|change| change.sequence), Some(ledger.last_change().await.unwrap()));
    for (place, change) in changes.iter().enumerate() {
        let later = ledger.changes_after("default", change.sequence, 9).await.unwrap();
        assert_eq!(later, changes[place + 1..]);
    }
    assert_eq!(ledger.changes_after("default", 0, 2).await.unwrap(), changes[..2]);
    assert_eq!(ledger.changes_after("other", 0, 9).await.unwrap().len(), 1);
    // What is refused is no change.
    let stale = CertificateRecord { status: revoked(9), ..ours };
    assert_eq!(ledger.change_status(&stale, revoked(10), event(EventKind::CertificateRevoked)).await, Ok(false));
    assert_eq!(ledger.changes_after("default", 0, 9).await.unwrap(), changes);
}

#[derive(Default)]
struct Heard {
    announced: Mutex<Vec<CommittedChange>>,
    committed: Mutex<Vec<CommittedChange>>,
}

impl StatusWatcher for Heard {
    fn committing(&self, change: &CommittedChange) {
        self.announced.lock().unwrap().push(change.clone());
    }

    fn settled(&self, change: &CommittedChange) {
        let mut committed = self.committed.lock().unwrap();
        committed.push(change.clone());
        assert_eq!(*committed, *self.announced.lock().unwrap(), "what is committed was announced");
    }
}

async fn watchers_hear_of_a_change_before_who_made_it(ledger: &dyn Ledger) {
    let heard = [Arc::new(Heard::default()), Arc::new(Heard::default())];
    for one in &heard {
        ledger.watch(one.clone());
    }
    let mut ours = certificate(1);
    record(ledger, &ours).await;
    for next in [CertificateStatus::Held(NOW), revoked(1)] {
        become_so(ledger, &mut ours, next).await;
        let changes = ledger.changes_after("default", 0, 9).await.unwrap();
        for one in &heard {
            assert_eq!(*one.committed.lock().unwrap(), changes);
        }
    }
}

async fn what_is_not_good_comes_in_pages(ledger: &dyn Ledger) {
    let mut all: Vec<CertificateRecord> = [5, 3, 1, 4, 2].map(certificate).into();
    for certificate in &mut all {
        record(ledger, certificate).await;
    }
    record(ledger, &CertificateRecord { authority: "other".into(), status: revoked(1), ..certificate(6) }).await;
    for (certificate, next) in all.iter_mut().zip([revoked(1), CertificateStatus::Held(NOW), revoked(2), revoked(3)]) {
        become_so(ledger, certificate, next).await;
    }
    let released = &mut all[0];
    become_so(ledger, released, revoked(9)).await;
    all.sort_by(|one, other| one.serial.cmp(&other.serial));
    let expected: Vec<_> = all.iter().filter(|one| one.status != CertificateStatus::Valid).map(state).collect();
    assert_eq!(expected.len(), 4);
    let page = async |end, after: Option<&Serial>, limit| ledger.not_good("default", end, after, limit).await.unwrap();
    assert_eq!(page(NOW, None, 9).await, expected);
    assert_eq!(page(NOW, None, 100).await, expected);
    assert_eq!(page(NOW, None, 3).await, expected[..3]);
    assert_eq!(page(NOW, Some(&expected[2].serial), 3).await, expected[3..]);
    assert_eq!(page(expected[1].not_after, None, 9).await, expected[1..], "its last second counts");
    assert_eq!(page(expected[1].not_after.after(SECOND), None, 9).await, expected[2..]);
}

async fn what_is_recorded_as_revoked_is_a_change(ledger: &dyn Ledger) {
    let imported = CertificateRecord { status: revoked(1), ..certificate(1) };
    record(ledger, &imported).await;
    let changes = ledger.changes_after("default", 0, 9).await.unwrap();
    assert_eq!(changes.into_iter().map(|change| change.state).collect::<Vec<_>>(), [state(&imported)]);
}
