//! What authorities did before they came here ([`certgate_enrollment::History`]).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use certgate_enrollment::{
    Along, CertificateImported, CertificateRecord, CertificateState, CertificateStatus, CommittedChange, CrlRecord, CrlScope,
    EntryImported, Event, EventKind, Ledger, LedgerError, ListedCertificate, Protocol, Revocation, RevocationReason,
    StatusWatcher,
};
use certgate_pki::{Serial, Timestamp};

use super::events;
use super::records::{certificate, event};
use crate::NOW;

use CertificateImported::{Known, Recorded};
use EntryImported::{Changed, Listed, Stands};

pub(super) async fn run(make: &impl AsyncFn() -> Arc<dyn Ledger>) {
    certificates_are_recorded_once(&*make().await).await;
    another_certificate_of_a_serial_number_stops_the_batch(&*make().await).await;
    what_only_a_crl_names_is_told_like_any_other(&*make().await).await;
    both_kinds_come_in_the_order_of_serial_numbers(&*make().await).await;
    a_certificate_takes_over_what_was_listed_of_it(&*make().await).await;
    a_crl_changes_what_is_good_or_on_hold(&*make().await).await;
    a_certificate_that_a_crl_names_twice_is_changed_once(&*make().await).await;
    watchers_hear_of_a_batch_before_who_made_it(&*make().await).await;
    lists_go_on_behind_the_number_that_was_imported(&*make().await).await;
}

fn end() -> Timestamp {
    NOW.after(Duration::from_secs(86_400))
}

fn revoked(second: u64) -> CertificateStatus {
    let at = NOW.before(Duration::from_secs(second));
    let invalid_since = Some(NOW.before(Duration::from_secs(second + 60)));
    CertificateStatus::Revoked(Revocation { at, reason: RevocationReason::KeyCompromise, invalid_since })
}

fn held(second: u64) -> CertificateStatus {
    CertificateStatus::Held(NOW.before(Duration::from_secs(second)))
}

fn imported(second: u64) -> (CertificateRecord, Event) {
    let record = CertificateRecord { protocol: Protocol::Imported, endpoint: String::new(), ..certificate(second) };
    (record, event(EventKind::CertificateImported))
}

fn entry_of(authority: &str, serial: &Serial, status: CertificateStatus) -> (ListedCertificate, Event) {
    let entry = ListedCertificate { authority: authority.into(), serial: serial.clone(), not_after: end(), status };
    (entry, event(EventKind::CertificateRevoked))
}

fn entry(second: u64, status: CertificateStatus) -> (ListedCertificate, Event) {
    entry_of("default", &certificate(second).serial, status)
}

async fn state_of(ledger: &dyn Ledger, second: u64) -> Option<CertificateState> {
    ledger.state_of("default", &certificate(second).serial).await.unwrap()
}

async fn statuses(ledger: &dyn Ledger) -> Vec<CertificateState> {
    ledger.changes_after("default", 0, 100).await.unwrap().into_iter().map(|change| change.state).collect()
}

async fn certificates_are_recorded_once(ledger: &dyn Ledger) {
    let (first, second) = (imported(1), imported(2));
    assert_eq!(ledger.import_certificates(Vec::new()).await, Ok(Vec::new()));
    let batch = vec![first.clone(), second.clone(), first.clone()];
    assert_eq!(ledger.import_certificates(batch).await, Ok(vec![Recorded, Recorded, Known]));
    for (record, _) in [&first, &second] {
        assert_eq!(ledger.find_issued("default", &record.serial).await.unwrap().as_ref(), Some(record));
    }
    // What came of one since is not undone.
    let held = held(1);
    assert_eq!(ledger.change_status(&first.0, held, event(EventKind::CertificateHeld)).await, Ok(true));
    assert_eq!(ledger.import_certificates(vec![first, second, imported(3)]).await, Ok(vec![Known, Known, Recorded]));
    assert_eq!(state_of(ledger, 1).await.unwrap().status, held);
    assert_eq!(events(ledger).await, 4, "three certificates and a hold");
    assert_eq!(ledger.last_change().await.unwrap(), 1);
}

async fn another_certificate_of_a_serial_number_stops_the_batch(ledger: &dyn Ledger) {
    let (known, event) = imported(1);
    ledger.record(known.clone(), Along::default(), event.clone()).await.unwrap();
    let other = CertificateRecord { der: vec![0x30, 0], ..known.clone() };
    let conflict = |came: Result<_, LedgerError>| assert!(matches!(came, Err(LedgerError::Conflict(_))), "{came:?}");
    conflict(ledger.import_certificates(vec![imported(2), (other, event.clone())]).await);
    let twin = (CertificateRecord { der: vec![0x30, 0], ..imported(3).0 }, event.clone());
    conflict(ledger.import_certificates(vec![imported(3), twin]).await);
    for second in [2, 3] {
        assert_eq!(state_of(ledger, second).await, None);
    }
    assert_eq!(events(ledger).await, 1);
    // Another authority has serial numbers of its own.
    let theirs = CertificateRecord { authority: "other".into(), der: vec![0x30, 0], ..known };
    let serial = theirs.serial.clone();
    assert_eq!(ledger.authorities_of(&serial).await, Ok(vec!["default".into()]));
    assert_eq!(ledger.import_certificates(vec![(theirs, event)]).await, Ok(vec![Recorded]));
    assert_eq!(ledger.authorities_of(&serial).await, Ok(vec!["default".into(), "other".into()]));
}

async fn what_only_a_crl_names_is_told_like_any_other(ledger: &dyn Ledger) {
    let (ours, theirs) = (entry(1, revoked(5)), entry_of("other", &certificate(1).serial, held(7)));
    assert_eq!(ledger.import_entries(Vec::new()).await, Ok(Vec::new()));
    assert_eq!(ledger.import_entries(vec![ours.clone(), entry(2, held(6)), theirs.clone()]).await, Ok(vec![Listed; 3]));
    let expected =
        CertificateState { serial: certificate(1).serial, shard: 0, not_after: end(), no_rev_avail: false, status: revoked(5) };
    assert_eq!(state_of(ledger, 1).await.as_ref(), Some(&expected));
    assert_eq!(state_of(ledger, 2).await.unwrap().status, held(6));
    assert_eq!(statuses(ledger).await.first(), Some(&expected));
    assert_eq!(ledger.find_listed(&ours.0.serial).await, Ok(Some(ours.0.clone())), "the first authority by name");
    assert_eq!(ledger.find(&ours.0.serial).await, Ok(None), "there is no certificate");
    assert_eq!(ledger.find_listed(&certificate(3).serial).await, Ok(None));
    for (second, authorities) in [(1, &["default", "other"][..]), (2, &["default"]), (3, &[])] {
        let found = ledger.authorities_of(&certificate(second).serial).await.unwrap();
        assert_eq!(found, authorities, "{second}");
    }
    for (authority, count) in [("default", 2), ("other", 1), ("", 0)] {
        assert_eq!(ledger.count_listed(authority).await, Ok(count), "{authority:?}");
    }
    // The same list once more.
    assert_eq!(ledger.import_entries(vec![ours, theirs]).await, Ok(vec![Stands; 2]));
    assert_eq!((events(ledger).await, statuses(ledger).await.len()), (3, 2));
    assert!(ledger.verify(certgate_enrollment::ExpectedHeads::default(), Arc::default()).await.unwrap().broken_at.is_none());
}

async fn both_kinds_come_in_the_order_of_serial_numbers(ledger: &dyn Ledger) {
    for second in [1, 3, 5] {
        let (record, event) = imported(second);
        ledger.record(CertificateRecord { status: revoked(1), ..record }, Along::default(), event).await.unwrap();
    }
    let short = entry_of("default", &Serial::from_octets(&[2]).unwrap(), revoked(2));
    let entries = vec![entry(6, revoked(2)), short.clone(), entry(2, revoked(2)), entry(4, held(2))];
    ledger.import_entries([entries, vec![entry_of("other", &certificate(7).serial, held(1))]].concat()).await.unwrap();
    let page = async |end, after: Option<&Serial>, limit| ledger.not_good("default", end, after, limit).await.unwrap();
    let serials: Vec<Serial> = page(NOW, None, 100).await.into_iter().map(|state| state.serial).collect();
    assert_eq!(serials.len(), 7);
    let mut expected: Vec<Serial> = (1..=6).map(|second| certificate(second).serial).collect();
    expected.push(short.0.serial);
    expected.sort();
    assert_eq!(serials, expected);
    let (mut paged, mut after) = (Vec::new(), None);
    while let Some(last) =
        page(NOW, after.as_ref(), 2).await.into_iter().map(|state| state.serial).inspect(|one| paged.push(one.clone())).last()
    {
        after = Some(last);
    }
    assert_eq!(paged, expected);
    // Until the authority ends, whatever ends before it.
    assert_eq!(page(end(), None, 100).await.len(), 4, "its last second counts");
    assert_eq!(page(end().after(Duration::from_secs(1)), None, 100).await, []);
}

async fn a_certificate_takes_over_what_was_listed_of_it(ledger: &dyn Ledger) {
    ledger.import_entries(vec![entry(1, revoked(5)), entry(2, held(6)), entry(3, revoked(7))]).await.unwrap();
    let (record, event) = imported(1);
    let record = CertificateRecord { shard: 0, ..record };
    let batch = vec![(record.clone(), event), imported(2), imported(4)];
    assert_eq!(ledger.import_certificates(batch).await, Ok(vec![Recorded; 3]));
    let expected = CertificateRecord { status: revoked(5), ..record };
    assert_eq!(ledger.find_issued("default", &expected.serial).await, Ok(Some(expected.clone())));
    assert_eq!(state_of(ledger, 1).await, Some(expected.state()), "its own end is known now");
    assert_eq!(state_of(ledger, 2).await.unwrap().status, held(6));
    assert_eq!((ledger.find_listed(&expected.serial).await, ledger.count_listed("default").await), (Ok(None), Ok(1)));
    assert_eq!(ledger.authorities_of(&expected.serial).await, Ok(vec!["default".into()]), "one is named once");
    assert_eq!(ledger.not_good("default", NOW, None, 100).await.unwrap().len(), 3, "each comes once");
    assert_eq!(statuses(ledger).await[3..], [expected.state(), state_of(ledger, 2).await.unwrap()], "lists keep it until that");
    // From here on it is one like any other.
    assert_eq!(ledger.import_entries(vec![entry(1, revoked(1)), entry(2, revoked(1))]).await, Ok(vec![Stands, Changed]));
    let held = ledger.find_issued("default", &certificate(2).serial).await.unwrap().unwrap();
    assert_eq!(held.status, revoked(1));
}

async fn a_crl_changes_what_is_good_or_on_hold(ledger: &dyn Ledger) {
    let valid = CertificateStatus::Valid;
    let cases = [
        (valid, held(1), Changed),
        (valid, revoked(1), Changed),
        (held(9), revoked(1), Changed),
        (held(9), held(1), Stands),
        (revoked(9), held(1), Stands),
        (revoked(9), revoked(1), Stands),
    ];
    for (second, (before, says, came)) in (1..).zip(cases) {
        let (record, event) = imported(second);
        let record = CertificateRecord { shard: 3, no_rev_avail: second == 1, status: before, ..record };
        ledger.record(record.clone(), Along::default(), event).await.unwrap();
        let changes = statuses(ledger).await.len();
        assert_eq!(ledger.import_entries(vec![entry(second, says)]).await, Ok(vec![came]), "{before:?} {says:?}");
        let after = if came == Changed { says } else { before };
        let state = CertificateState { status: after, ..record.state() };
        assert_eq!(state_of(ledger, second).await, Some(state.clone()));
        let changed = statuses(ledger).await.split_off(changes);
        assert_eq!(changed, if came == Changed { vec![state] } else { Vec::new() });
        assert_eq!(ledger.count_listed("default").await, Ok(0));
        if before == valid {
            continue;
        }
        // Of what is known from CRLs alone, the same holds.
        let second = second + 50;
        assert_eq!(ledger.import_entries(vec![entry(second, before)]).await, Ok(vec![Listed]));
        let came = if came == Changed { Listed } else { Stands };
        assert_eq!(ledger.import_entries(vec![entry(second, says)]).await, Ok(vec![came]), "{before:?} {says:?}");
        assert_eq!(state_of(ledger, second).await.unwrap().status, after);
        let (record, event) = imported(second);
        ledger.import_certificates(vec![(record, event)]).await.unwrap();
    }
}

async fn a_certificate_that_a_crl_names_twice_is_changed_once(ledger: &dyn Ledger) {
    ledger.import_certificates(vec![imported(1)]).await.unwrap();
    let twice = |second| vec![entry(second, revoked(1)), entry(second, revoked(2)), entry(second, held(3))];
    assert_eq!(ledger.import_entries(twice(1)).await, Ok(vec![Changed, Stands, Stands]));
    assert_eq!(ledger.import_entries(twice(2)).await, Ok(vec![Listed, Stands, Stands]));
    let escalates = |second| vec![entry(second, held(4)), entry(second, revoked(5))];
    assert_eq!(ledger.import_entries(escalates(3)).await, Ok(vec![Listed, Listed]));
    ledger.import_certificates(vec![imported(4)]).await.unwrap();
    assert_eq!(ledger.import_entries(escalates(4)).await, Ok(vec![Changed, Changed]));
    for (second, status) in [(1, revoked(1)), (2, revoked(1)), (3, revoked(5)), (4, revoked(5))] {
        assert_eq!(state_of(ledger, second).await.unwrap().status, status, "{second}");
    }
}

fn crl(shard: u32, number: u64, at: Timestamp) -> CrlRecord {
    CrlRecord {
        scope: CrlScope { authority: "default".into(), shard },
        number,
        base: None,
        this_update: at,
        next_update: at.after(Duration::from_secs(60)),
        sequence: 0,
        entries: 3,
        sha256: [7; 32],
    }
}

async fn lists_go_on_behind_the_number_that_was_imported(ledger: &dyn Ledger) {
    let published = || event(EventKind::CrlPublished);
    let import = async |number, crls| ledger.import_crl("default", number, crls, event(EventKind::CrlImported)).await.unwrap();
    assert_eq!(ledger.last_imported_crl("default").await, Ok(None));
    assert_eq!(ledger.record_crls(vec![(crl(1, 5000, NOW), published())]).await, Ok(true));
    assert!(import(4096, vec![crl(0, 4096, NOW), crl(1, 4096, NOW), crl(2, 4096, NOW)]).await);
    assert_eq!(ledger.last_imported_crl("default").await, Ok(Some(4096)));
    assert_eq!(ledger.last_imported_crl("other").await, Ok(None));
    let last = async |shard| {
        let scope = CrlScope { authority: "default".into(), shard };
        ledger.last_crl(&scope, false).await.unwrap().map(|crl| crl.number)
    };
    assert_eq!([last(0).await, last(1).await, last(2).await], [Some(4096), Some(5000), Some(4096)]);
    assert_eq!(ledger.crl_shards("default").await.unwrap(), [0, 1, 2]);
    for number in [1, 4096] {
        assert!(!import(number, vec![crl(0, number, NOW)]).await, "{number} is not above 4096");
    }
    assert_eq!(ledger.record_crls(vec![(crl(0, 4096, NOW), published())]).await, Ok(false));
    assert_eq!(ledger.record_crls(vec![(crl(0, 4097, NOW), published())]).await, Ok(true));
    // Nobody has fetched what was imported from here: deltas are of the first list that came after it.
    let base = ledger.base_crl(&crl(0, 0, NOW).scope, NOW).await.unwrap();
    assert_eq!(base.map(|base| base.number), Some(4097));
    // One that was missed, while lists are further already.
    assert!(import(4097, vec![crl(0, 4097, NOW), crl(1, 4097, NOW)]).await);
    assert_eq!((last(0).await, ledger.last_imported_crl("default").await), (Some(4097), Ok(Some(4097))));
    assert_eq!(ledger.base_crl(&crl(0, 0, NOW).scope, NOW).await.unwrap().map(|base| base.number), Some(4097));
    assert_eq!(events(ledger).await, 4);
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
        assert!(self.announced.lock().unwrap().contains(change), "what is committed was announced");
        self.committed.lock().unwrap().push(change.clone());
    }
}

async fn watchers_hear_of_a_batch_before_who_made_it(ledger: &dyn Ledger) {
    let heard = Arc::new(Heard::default());
    ledger.watch(heard.clone());
    ledger.import_certificates(vec![imported(1), imported(2)]).await.unwrap();
    assert!(heard.committed.lock().unwrap().is_empty(), "nothing has become of them");
    ledger.import_entries(vec![entry(1, revoked(1)), entry(3, held(2)), entry(4, revoked(3))]).await.unwrap();
    ledger.import_certificates(vec![imported(3), imported(5)]).await.unwrap();
    let changes = ledger.changes_after("default", 0, 9).await.unwrap();
    assert_eq!(changes.len(), 4);
    assert_eq!(*heard.committed.lock().unwrap(), changes);
}
