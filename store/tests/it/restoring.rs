//! Copies of a ledger, and a ledger that comes back from one.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use certgate_enrollment::{
    Along, AuditTrail, Authorities, CertificateRecord, CertificateStatus, Certificates, CrlRecord, CrlScope, Crls,
    EnrollmentState, Enrollments, EstUsers, Event, EventKind, ExpectedHeads, History, ListedCertificate, NewEnrollment,
    Revocation, RevocationReason, Statuses, Submitted,
};
use certgate_store::{OpenError, SqliteLedger, copy_ledger, divergence, inspect_ledger, unlike};
use certgate_testkit::NOW;

use super::credentials::user;
use super::{certificate, enrollment, issued, open};

fn event(kind: EventKind) -> Event {
    Event { kind, ..issued() }
}

fn inspect(path: &Path) -> certgate_store::Inspection {
    inspect_ledger(path, &*certgate_testkit::provider(1).digest).unwrap()
}

/// A folder of its own for a copy of this ledger, opened.
fn copied(directory: &Path, name: &str) -> (PathBuf, SqliteLedger) {
    let folder = directory.join(name);
    std::fs::create_dir(&folder).unwrap();
    copy_ledger(&directory.join("ledger.db"), &folder.join("ledger.db"), |_, _| {}).unwrap();
    let ledger = open(&folder).unwrap();
    (folder.join("ledger.db"), ledger)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_of_one_moment_and_writers_go_on_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    let large = |number| CertificateRecord { der: vec![0x30; 60_000], ..certificate(number) };
    for number in 0..250 {
        ledger.record(large(number), Along::default(), issued()).await.unwrap();
    }
    let (from, to) = (directory.path().join("ledger.db"), directory.path().join("copy.db"));
    let (writing, runtime) = (ledger.clone(), tokio::runtime::Handle::current());
    let copy = move || {
        let mut steps = 0;
        copy_ledger(&from, &to, |done, all| {
            assert!(done <= all, "{done} of {all}");
            steps += 1;
            runtime.block_on(writing.record(certificate(1000 + steps), Along::default(), issued())).unwrap();
        })
        .unwrap();
        (to, steps)
    };
    let (to, steps) = tokio::task::spawn_blocking(copy).await.unwrap();
    assert!(steps >= 3, "{steps}");
    let found = inspect(&to);
    assert!(found.is_whole(), "{}", found.complaint());
    assert_eq!((found.certificates, found.audit.head.events), (250, 250), "nothing of what came while it was copied");
    assert_eq!(inspect(&directory.path().join("ledger.db")).certificates, 250 + steps);
    assert!(!directory.path().join("copy.db-wal").exists(), "one file");
}

#[tokio::test]
async fn a_page_that_was_overwritten_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let ledger = open(directory.path()).unwrap();
    for number in 0..200 {
        ledger.record(certificate(number), Along::default(), issued()).await.unwrap();
    }
    ledger.close().await;
    drop(ledger);
    assert!(inspect(&path).is_whole());
    let pages = std::fs::metadata(&path).unwrap().len() / 4096;
    // All but the first, one at a time.
    for page in 1..pages {
        let spoiled = directory.path().join("spoiled.db");
        std::fs::copy(&path, &spoiled).unwrap();
        let mut file = std::fs::File::options().write(true).open(&spoiled).unwrap();
        file.seek(SeekFrom::Start(page * 4096)).unwrap();
        file.write_all(&[0xa5; 4096]).unwrap();
        let found = inspect(&spoiled);
        assert!(!found.is_whole() && !found.complaint().is_empty(), "page {page} of {pages}");
    }
    let mut file = std::fs::File::options().write(true).open(&path).unwrap();
    file.write_all(&[0xa5; 4096]).unwrap();
    let refused = open(directory.path()).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("certgate restore FILE"), "{refused}");
}

fn crl(number: u64) -> CrlRecord {
    CrlRecord {
        scope: CrlScope { authority: "default".into(), shard: 0 },
        number,
        base: None,
        this_update: NOW,
        next_update: NOW.after(std::time::Duration::from_secs(60)),
        sequence: 0,
        entries: 0,
        sha256: [7; 32],
    }
}

/// Of an order of ACME, approved by policy alone.
fn order() -> NewEnrollment {
    let mut record = enrollment(7);
    record.key.transaction = Some("order".into());
    NewEnrollment { record, after: None }
}

/// A ledger with two users, a request that waits and five certificates; its copy; and what happened after the copy.
async fn history(directory: &Path) -> (SqliteLedger, PathBuf, SqliteLedger) {
    let ledger = open(directory).unwrap();
    for endpoint in ["default", "goes"] {
        ledger.add(user(endpoint, 9), event(EventKind::EstUserAdded)).await.unwrap();
    }
    let submitted = ledger.submit(enrollment(1).into(), 99, event(EventKind::EnrollmentSubmitted)).await;
    assert_eq!(submitted, Ok(Submitted::Created));
    for number in 1..=5 {
        ledger.record(certificate(number), Along::default(), issued()).await.unwrap();
    }
    ledger.record_crls(vec![(crl(3), event(EventKind::CrlPublished))]).await.unwrap();
    let (path, copy) = copied(directory, "backup");

    let revoked = CertificateStatus::Revoked(Revocation::new(NOW, RevocationReason::KeyCompromise));
    ledger.change_status(&certificate(1), revoked, event(EventKind::CertificateRevoked)).await.unwrap();
    ledger.change_status(&certificate(2), CertificateStatus::Held(NOW), event(EventKind::CertificateHeld)).await.unwrap();
    ledger.record(certificate(6), Along::default(), issued()).await.unwrap();
    ledger.record(certificate(7), Along { concludes: Some(Box::new(order())), ..Along::default() }, issued()).await.unwrap();
    ledger.remove("device-3", event(EventKind::EstUserRemoved)).await.unwrap();
    ledger.record_crls(vec![(crl(8), event(EventKind::CrlPublished))]).await.unwrap();
    let denied = EnrollmentState::Denied;
    assert!(ledger.advance(&enrollment(1), denied, "no", event(EventKind::EnrollmentDenied)).await.unwrap());
    (ledger, path, copy)
}

#[tokio::test]
async fn what_a_backup_does_not_have_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let (ledger, backup, copy) = history(directory.path()).await;
    let own = directory.path().join("ledger.db");
    let found = divergence(&own, &backup).unwrap();
    assert_eq!((found.common, found.since), (copy.head().await.unwrap().events, Some(NOW)));
    let total: u64 = found.events.values().sum();
    assert_eq!(found.common + total, ledger.head().await.unwrap().events);
    assert_eq!((found.events["certificate.issued"], found.events["certificate.revoked"]), (2, 1));
    assert!(divergence(&backup, &own).unwrap().events.is_empty(), "the backup has nothing more");

    // The two go on, each by itself: they have in common what they had.
    copy.record(certificate(70), Along::default(), event(EventKind::LedgerRestored)).await.unwrap();
    assert_eq!(divergence(&own, &backup).unwrap(), found);

    let found = unlike(&own, &backup).unwrap();
    let serials = |list: &[certgate_store::Issued]| list.iter().map(|one| one.serial.clone()).collect::<Vec<_>>();
    assert_eq!(serials(&found.unknown), [certificate(6).serial, certificate(7).serial]);
    assert_eq!(serials(&found.better), [certificate(1).serial, certificate(2).serial]);
    assert_eq!(unlike(&backup, &own).unwrap().better, [], "what is good is nothing to carry");

    let other = tempfile::tempdir().unwrap();
    drop(open(other.path()).unwrap());
    assert_eq!(divergence(&own, &other.path().join("ledger.db")).unwrap().common, 0);
}

#[tokio::test]
async fn what_had_ended_stays_ended_and_numbers_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let (ledger, _, restored) = history(directory.path()).await;
    let name = user("goes", 9).name;
    ledger.remove(&name, event(EventKind::EstUserRemoved)).await.unwrap();
    ledger.add(user("default", 4), event(EventKind::EstUserAdded)).await.unwrap();
    let before = restored.head().await.unwrap().events;
    let ended =
        restored.take_the_place_of(Some(&directory.path().join("ledger.db")), 0, event(EventKind::LedgerRestored)).await;
    let ended = ended.unwrap();
    assert_eq!((ended.credentials, ended.enrollments, ended.principals), (1, 1, 1), "{ended:?}");
    assert_eq!(restored.head().await.unwrap().events, before + 1);
    assert!(restored.verify(ExpectedHeads::default(), Arc::default()).await.unwrap().broken_at.is_none());
    assert!(restored.find(&certificate(3).serial).await.unwrap().unwrap().is_ended);
    assert!(!restored.find(&certificate(4).serial).await.unwrap().unwrap().is_ended);
    let found = restored.find_by_id(&enrollment(1).id).await.unwrap().unwrap();
    assert_eq!((found.state, found.reason.as_str()), (EnrollmentState::Denied, "no"));

    // Who asks once more for what was issued since is given that.
    let carried = restored.find_by_id(&order().record.id).await.unwrap().unwrap();
    assert_eq!((carried.state, carried.serial), (EnrollmentState::Issued, Some(certificate(7).serial)));
    assert_eq!((ended.issued, carried.key), (1, order().record.key));

    // Numbers that either of the two has used are not used again, and nothing is based on what was published before.
    let scope = crl(0).scope;
    assert_eq!(restored.base_crl(&scope, NOW).await.unwrap(), None);
    assert_eq!(restored.last_crl(&scope, false).await.unwrap().map(|last| last.number), Some(9));
    assert!(!restored.record_crls(vec![(crl(9), event(EventKind::CrlPublished))]).await.unwrap());
    assert!(restored.record_crls(vec![(crl(10), event(EventKind::CrlPublished))]).await.unwrap());
    assert_eq!(restored.base_crl(&scope, NOW).await.unwrap().map(|base| base.number), Some(10));
}

#[tokio::test]
async fn what_authorities_have_brought_along_stays() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    let listed = |number, status| {
        let CertificateRecord { authority, serial, .. } = certificate(number);
        (ListedCertificate { authority, serial, not_after: NOW, status }, event(EventKind::CertificateHeld))
    };
    ledger.record(certificate(1), Along::default(), issued()).await.unwrap();
    ledger.import_entries(vec![listed(2, CertificateStatus::Held(NOW))]).await.unwrap();
    let of_root = CrlRecord { scope: CrlScope { authority: "root".into(), shard: 0 }, ..crl(3) };
    ledger.record_crls(vec![(of_root.clone(), event(EventKind::CrlPublished))]).await.unwrap();
    let (_, restored) = copied(directory.path(), "backup");
    let revoked = CertificateStatus::Revoked(Revocation::new(NOW, RevocationReason::KeyCompromise));
    ledger.import_entries(vec![listed(2, revoked), listed(3, revoked)]).await.unwrap();
    assert!(ledger.import_crl("default", 7, vec![crl(7)], event(EventKind::CrlImported)).await.unwrap());
    assert!(ledger.take_offline("root", event(EventKind::AuthorityTakenOffline)).await.unwrap());

    let replaced = directory.path().join("ledger.db");
    restored.take_the_place_of(Some(&replaced), 0, event(EventKind::LedgerRestored)).await.unwrap();
    for number in [2, 3] {
        let found = restored.find_listed(&certificate(number).serial).await.unwrap().unwrap();
        assert_eq!(found.status, revoked, "{number}");
    }
    assert_eq!(restored.last_imported_crl("default").await.unwrap(), Some(7));
    assert_eq!(restored.last_crl(&crl(0).scope, false).await.unwrap().map(|last| last.number), Some(8));
    assert_eq!(restored.offline_since("root").await.unwrap(), ledger.offline_since("root").await.unwrap());
    assert!(restored.offline_since("root").await.unwrap().is_some());
    let last = restored.last_crl(&of_root.scope, false).await.unwrap();
    assert_eq!(last, Some(of_root), "a list that nobody here could make anew");

    // Whoever publishes begins with what there is, and has the sequence from its beginning behind that.
    let told = restored.changes_after("default", 0, 100).await.unwrap();
    for number in [2, 3] {
        let last = told.iter().rfind(|change| change.state.serial == certificate(number).serial);
        assert_eq!(last.map(|last| last.state.status), Some(revoked), "{number}: {told:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_only_a_crl_had_named_is_of_one_status_again() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    let revoked = CertificateStatus::Revoked(Revocation::new(NOW, RevocationReason::KeyCompromise));
    let held = CertificateStatus::Held(NOW);
    let listed = |number| {
        let CertificateRecord { authority, serial, .. } = certificate(number);
        (ListedCertificate { authority, serial, not_after: NOW, status: held }, event(EventKind::CertificateHeld))
    };
    ledger.import_entries(vec![listed(1), listed(2)]).await.unwrap();
    let (_, restored) = copied(directory.path(), "backup");
    let carried = |record: &CertificateRecord| Event {
        details: vec![("status", record.status_name(NOW).name().to_owned())],
        ..event(EventKind::CertificateCarriedOver)
    };
    for (number, status) in [(1, CertificateStatus::Valid), (2, revoked), (3, CertificateStatus::Valid)] {
        let record = CertificateRecord { status, ..certificate(number) };
        restored.carry_over(record.clone(), carried).await.unwrap();
        restored.carry_over(record, carried).await.unwrap_err();
    }
    restored.take_the_place_of(Some(&directory.path().join("ledger.db")), 0, event(EventKind::LedgerRestored)).await.unwrap();
    assert_eq!(restored.count_listed("default").await.unwrap(), 0, "what is recorded is not listed beside that");
    for (number, expected) in [(1, held), (2, revoked), (3, CertificateStatus::Valid)] {
        let CertificateRecord { authority, serial, .. } = certificate(number);
        let recorded = restored.find_issued(&authority, &serial).await.unwrap().unwrap();
        let told = restored.state_of(&authority, &serial).await.unwrap().unwrap();
        assert_eq!((recorded.status, told.status), (expected, expected), "{number}");
        let last =
            restored.changes_after(&authority, 0, 100).await.unwrap().into_iter().rfind(|change| change.state.serial == serial);
        assert_eq!(last.map_or(CertificateStatus::Valid, |last| last.state.status), expected, "{number}");
    }
    assert!(restored.verify(ExpectedHeads::default(), Arc::default()).await.unwrap().broken_at.is_none());
}

#[tokio::test]
async fn authorities_that_are_newer_come_along_and_the_last_list_of_a_key_that_is_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path()).unwrap();
    let of_root = |number| CrlRecord { scope: CrlScope { authority: "root".into(), shard: 0 }, entries: number, ..crl(number) };
    ledger.use_base_url("default", "http://a.example", event(EventKind::BaseUrlChanged)).await.unwrap();
    ledger.import_certificate("plant", b"first", event(EventKind::AuthorityImported)).await.unwrap();
    ledger.record(certificate(1), Along::default(), issued()).await.unwrap();
    ledger.record_crls(vec![(of_root(3), event(EventKind::CrlPublished))]).await.unwrap();
    let (_, restored) = copied(directory.path(), "backup");
    for url in ["http://b.example", "http://c.example"] {
        ledger.use_base_url("default", url, event(EventKind::BaseUrlChanged)).await.unwrap();
    }
    ledger.import_certificate("plant", b"second", event(EventKind::AuthorityImported)).await.unwrap();
    ledger.import_certificate("site", b"other", event(EventKind::AuthorityImported)).await.unwrap();
    ledger.take_offline("root", event(EventKind::AuthorityTakenOffline)).await.unwrap();
    for number in [4, 6] {
        ledger.record_crls(vec![(of_root(number), event(EventKind::CrlPublished))]).await.unwrap();
    }
    ledger.record_crls(vec![(crl(5), event(EventKind::CrlPublished))]).await.unwrap();

    let replaced = directory.path().join("ledger.db");
    for _ in 0..2 {
        restored.take_the_place_of(Some(&replaced), 0, event(EventKind::LedgerRestored)).await.unwrap();
        assert_eq!(restored.last_crl(&of_root(0).scope, false).await.unwrap(), Some(of_root(6)), "as its file has it");
        let urls = restored.base_urls("default").await.unwrap();
        assert_eq!(urls, ["http://a.example", "http://b.example", "http://c.example"]);
        for (authority, der) in [("plant", b"second".as_slice()), ("site", b"other")] {
            assert_eq!(restored.imported_certificate(authority).await.unwrap().as_deref(), Some(der), "{authority}");
        }
    }
    // The newest counts: it is used already.
    assert!(!restored.use_base_url("default", "http://c.example", event(EventKind::BaseUrlChanged)).await.unwrap());
}
