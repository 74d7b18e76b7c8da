//! Publishers over a ledger in memory, and the lists that they publish, read back and verified.

use std::sync::Arc;
use std::time::Duration;

use certgate_crl::{Crl, CrlNumber, Entry, Listed, Scope};
use certgate_enrollment::{
    Along, CertificateRecord, CertificateStatus, Certificates, CrlScope, Crls, Event, EventKind, Protocol, Revocation,
    RevocationReason,
};
use certgate_pki::{CrlReason, DistributionPointName, Serial, Timestamp, Validity};
use certgate_testkit::{CaFixture, KeyBackend, MemoryLedger, NOW, ca_key};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::telemetry::Metrics;

mod imports;
mod numbers;
mod serving;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// So fast that tests need not wait, and never idle for longer than the clock stands still.
const PACE: Pace = Pace {
    longest_rest: Duration::from_secs(10),
    company: Duration::from_millis(5),
    rest: Duration::from_millis(5),
    rest_factor: 0,
    look: Duration::from_millis(5),
    retry: Duration::from_millis(5),
    longest_retry: Duration::from_millis(20),
};

/// A list for all certificates, and one for each of so many shards.
fn terms(shards: u32, delta: Option<Duration>) -> CrlTerms {
    let name = |id: ListId| {
        DistributionPointName::from_urls(
            ["http://a.example", "http://b.example"]
                .map(|base| base.to_owned() + &id.path("default"))
                .iter()
                .map(String::as_str),
        )
    };
    let scope = |shard| ScopeTerms {
        shard,
        point: certgate_crl::IssuingDistributionPoint::new(name(ListId { shard, is_delta: false }), Scope::All)
            .filter(|_| shard > 0),
        freshest: delta.and_then(|_| name(ListId { shard, is_delta: true })),
        base_url: Some("http://a.example".into()),
    };
    CrlTerms { validity: 7 * DAY, interval: DAY, delta, scopes: (0..=shards).map(scope).collect() }
}

const fn complete(shard: u32) -> ListId {
    ListId { shard, is_delta: false }
}

const fn delta(shard: u32) -> ListId {
    ListId { shard, is_delta: true }
}

struct Fixture {
    ca: CaFixture,
    directory: tempfile::TempDir,
    metrics: Metrics,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Fixture {
    async fn new() -> Self {
        Self {
            ca: CaFixture::founded().await,
            directory: tempfile::tempdir().unwrap(),
            metrics: Metrics::new(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    fn parts(&self, terms: CrlTerms) -> PublisherParts {
        PublisherParts {
            authority: Arc::new(self.ca.over(KeyBackend::new(ca_key()))),
            ledger: self.ca.ledger.clone(),
            clock: self.ca.clock.clone(),
            provider: self.ca.core.provider.clone(),
            directory: self.directory.path().to_owned(),
            terms,
            pace: PACE,
            metrics: self.metrics.crls.clone(),
        }
    }

    async fn start(&self, terms: CrlTerms) -> CrlPublisher {
        CrlPublisher::start(self.parts(terms), &self.tasks, &self.stopping).await
    }

    /// Ends all publishers, so that others can be started as after a restart.
    async fn stop(&mut self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        (self.tasks, self.stopping) = (TaskTracker::new(), CancellationToken::new());
    }

    /// Issues a certificate of this serial number.
    async fn issue(&self, serial: u8, shard: u32, lasts: Duration) -> CertificateRecord {
        let record = CertificateRecord {
            serial: Serial::from_octets(&[serial; 16]).unwrap(),
            authority: "default".into(),
            profile: "default".into(),
            protocol: Protocol::Est,
            endpoint: "default".into(),
            principal: "first-device".into(),
            validity: Validity { not_before: NOW, not_after: NOW.after(lasts) },
            shard,
            no_rev_avail: false,
            issued_at: NOW,
            status: CertificateStatus::Valid,
            asked_subject: None,
            is_ended: false,
            der: vec![serial],
        };
        self.ca.ledger.record(record.clone(), Along::default(), event()).await.unwrap();
        record
    }

    async fn change(&self, record: &CertificateRecord, next: CertificateStatus) {
        change(&self.ca.ledger, record, next).await;
    }

    async fn revoke(&self, record: &CertificateRecord) {
        self.change(record, revoked(NOW)).await;
    }

    /// A list as relying parties see it: read, and signed by the authority.
    fn read(&self, publisher: &CrlPublisher, id: ListId) -> Read {
        let list = publisher.published(id).unwrap();
        let crl = Crl::parse(&list.der).unwrap();
        let own = &self.ca.authority.chain()[0];
        crl.verify_signed_by(own.public_key(), &self.ca.core.provider).unwrap();
        assert_eq!(crl.issuer.as_der(), own.subject().as_der());
        let key = own.extensions().subject_key_identifier().unwrap().unwrap();
        assert_eq!(crl.authority_key.as_ref().unwrap().as_octets(), key);
        assert_eq!((crl.number.as_ref(), crl.delta_base.is_some()), (Some(&list.record.number.into()), id.is_delta));
        assert_eq!(crl.entry_count() as u64, list.record.entries);
        Read {
            number: list.record.number,
            base: crl.delta_base.as_ref().and_then(CrlNumber::to_u64),
            this_update: crl.this_update,
            next_update: crl.next_update,
            has_point: crl.distribution_point.is_some(),
            freshest: crl.freshest.len(),
            listed: crl.entries().map(|one| listed(&one)).collect(),
        }
    }
}

struct Read {
    number: u64,
    base: Option<u64>,
    this_update: Timestamp,
    next_update: Timestamp,
    has_point: bool,
    freshest: usize,
    /// The first octet of each serial number, and why.
    listed: Vec<(u8, Option<&'static str>)>,
}

fn listed(one: &Listed) -> (u8, Option<&'static str>) {
    match one {
        Listed::Revoked(Entry { serial, reason, .. }) => {
            (serial.as_octets()[0], reason.map(|reason| if reason == CrlReason::CertificateHold { "hold" } else { "revoked" }))
        }
        Listed::Removed(removal) => (removal.serial.as_octets()[0], Some("removed")),
    }
}

const KEY: Option<&str> = Some("revoked");

fn revoked(at: Timestamp) -> CertificateStatus {
    CertificateStatus::Revoked(Revocation::new(at, RevocationReason::KeyCompromise))
}

async fn change(ledger: &MemoryLedger, record: &CertificateRecord, next: CertificateStatus) {
    let record = ledger.find(&record.serial).await.unwrap().unwrap();
    assert!(ledger.change_status(&record, next, event()).await.unwrap());
}

fn event() -> Event {
    Event { at: NOW, kind: EventKind::CertificateRevoked, actor: "test".into(), details: Vec::new() }
}

/// Waits until that holds.
async fn until(holds: impl Fn() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not come about");
}

fn number(publisher: &CrlPublisher, id: ListId) -> u64 {
    publisher.published(id).unwrap().record.number
}

#[tokio::test]
async fn the_first_list_is_there_at_once_and_empty() {
    let fixture = Fixture::new().await;
    let publisher = fixture.start(terms(0, None)).await;
    let list = fixture.read(&publisher, complete(0));
    assert_eq!((list.number, list.this_update, list.next_update), (1, NOW, NOW.after(7 * DAY)));
    assert_eq!((list.has_point, list.freshest, list.listed.len()), (false, 0, 0));
    let der = &publisher.published(complete(0)).unwrap().der;
    assert_eq!(std::fs::read(fixture.directory.path().join("crl/default.crl")).unwrap(), *der);
    let event = fixture.ca.ledger.events().pop().unwrap();
    assert_eq!((event.kind, event.actor.as_str()), (EventKind::CrlPublished, "certgate"));
    assert_eq!(publisher.url(complete(0)).as_deref(), Some("http://a.example/crl/default.crl"));
}

#[tokio::test]
async fn what_is_revoked_is_listed_in_its_shard_and_among_all() {
    let fixture = Fixture::new().await;
    let publisher = fixture.start(terms(2, None)).await;
    let (first, second) = (fixture.issue(1, 1, 90 * DAY).await, fixture.issue(2, 2, 90 * DAY).await);
    let unsharded = fixture.issue(3, 0, 90 * DAY).await;
    fixture.revoke(&second).await;
    until(|| number(&publisher, complete(2)) == 2).await;
    assert_eq!(number(&publisher, complete(1)), 1, "nothing has changed there");
    fixture.revoke(&first).await;
    fixture.revoke(&unsharded).await;
    until(|| publisher.published(complete(0)).unwrap().record.entries == 3).await;
    let all = fixture.read(&publisher, complete(0));
    assert_eq!((all.listed, all.has_point), (vec![(3, KEY), (1, KEY), (2, KEY)], false));
    for (shard, serial) in [(1, 1), (2, 2)] {
        let list = fixture.read(&publisher, complete(shard));
        assert_eq!((list.listed, list.has_point), (vec![(serial, KEY)], true));
        let der = publisher.published(complete(shard)).unwrap().der.clone();
        let crl = Crl::parse(&der).unwrap();
        let urls: Vec<&str> = crl.distribution_point.as_ref().unwrap().name().unwrap().urls().collect();
        assert_eq!(urls, ["a", "b"].map(|host| format!("http://{host}.example/crl/default/{shard}.crl")), "every base URL");
        let file = fixture.directory.path().join(format!("crl/default/{shard}.crl"));
        until(|| std::fs::read(&file).is_ok_and(|kept| kept == der)).await;
    }
}

#[tokio::test]
async fn changes_come_together_and_wait_until_a_build_has_had_its_rest() {
    const REST: Duration = Duration::from_millis(400);
    let fixture = Fixture::new().await;
    let mut parts = fixture.parts(terms(0, None));
    parts.pace.rest = REST;
    let begun = tokio::time::Instant::now();
    let publisher = CrlPublisher::start(parts, &fixture.tasks, &fixture.stopping).await;
    for serial in 1..=5 {
        fixture.revoke(&fixture.issue(serial, 0, 90 * DAY).await).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    until(|| number(&publisher, complete(0)) == 2).await;
    assert!(begun.elapsed() >= REST, "{:?}", begun.elapsed());
    assert_eq!(fixture.read(&publisher, complete(0)).listed.len(), 5);
}

#[tokio::test]
async fn a_hold_comes_in_a_delta_and_goes_by_remove_from_crl() {
    let fixture = Fixture::new().await;
    let publisher = fixture.start(terms(1, Some(HOUR))).await;
    let first = fixture.read(&publisher, delta(0));
    assert_eq!((first.number, first.base, first.listed.len(), first.freshest), (1, Some(1), 0, 0));
    assert_eq!(first.next_update, NOW.after(2 * HOUR));
    assert_eq!(fixture.read(&publisher, complete(0)).freshest, 1);
    let (held, other) = (fixture.issue(1, 1, 90 * DAY).await, fixture.issue(2, 1, 90 * DAY).await);
    fixture.change(&held, CertificateStatus::Held(NOW)).await;
    until(|| number(&publisher, delta(0)) == 2).await;
    for shard in [0, 1] {
        let list = fixture.read(&publisher, delta(shard));
        assert_eq!((list.base, list.listed, list.has_point), (Some(1), vec![(1, Some("hold"))], shard == 1));
        let whole = fixture.read(&publisher, complete(shard));
        assert_eq!((whole.number, whole.listed), (2, vec![(1, Some("hold"))]), "of one moment, and of one number");
    }
    fixture.change(&held, CertificateStatus::Valid).await;
    fixture.revoke(&other).await;
    until(|| fixture.read(&publisher, delta(1)).listed == [(1, Some("removed")), (2, KEY)]).await;
    assert_eq!(fixture.read(&publisher, complete(1)).listed, [(2, KEY)]);
    // Its time comes by itself, and then its number is its own.
    let before = (number(&publisher, complete(0)), number(&publisher, delta(0)));
    fixture.ca.clock.advance(HOUR);
    until(|| number(&publisher, delta(0)) == before.1 + 1).await;
    assert_eq!(number(&publisher, complete(0)), before.0);
    // A day later deltas are based on a list of the day before.
    fixture.ca.clock.advance(DAY);
    until(|| number(&publisher, delta(0)) > before.1 + 1).await;
    let next = fixture.read(&publisher, delta(0));
    assert_eq!((next.base, next.listed.len()), (Some(before.0), 0));
    assert_eq!(next.number, number(&publisher, complete(0)));
}

#[tokio::test]
async fn an_entry_is_in_one_list_after_its_end_and_then_in_none() {
    let mut fixture = Fixture::new().await;
    let publisher = fixture.start(terms(1, None)).await;
    let (soon, late) = (fixture.issue(1, 1, HOUR).await, fixture.issue(2, 1, 90 * DAY).await);
    fixture.revoke(&soon).await;
    fixture.revoke(&late).await;
    until(|| publisher.published(complete(1)).unwrap().record.entries == 2).await;
    let listed = |publisher: &CrlPublisher, shard| fixture.read(publisher, complete(shard)).listed.len();
    fixture.ca.clock.advance(2 * HOUR);
    publisher.build(Demand::Complete, Arc::default()).await.unwrap();
    assert_eq!([0, 1].map(|shard| listed(&publisher, shard)), [2, 2], "the first after its end");
    publisher.build(Demand::Complete, Arc::default()).await.unwrap();
    assert_eq!([0, 1].map(|shard| listed(&publisher, shard)), [1, 1]);
    // The clock is set back to when it was good: it is in there again.
    fixture.ca.clock.set(NOW.after(HOUR / 2));
    until(|| [0, 1].map(|shard| listed(&publisher, shard)) == [2, 2]).await;
    fixture.ca.clock.set(NOW.after(2 * HOUR));
    fixture.stop().await;
    // What ended since the last list is loaded by the next start.
    let publisher = fixture.start(terms(1, None)).await;
    let listed = |shard| fixture.read(&publisher, complete(shard)).listed.len();
    publisher.build(Demand::Complete, Arc::default()).await.unwrap();
    assert_eq!([0, 1].map(listed), [2, 2]);
    publisher.build(Demand::Complete, Arc::default()).await.unwrap();
    assert_eq!([0, 1].map(listed), [1, 1]);
}

#[tokio::test]
async fn a_revocation_after_the_end_is_listed_once() {
    let mut fixture = Fixture::new().await;
    let publisher = fixture.start(terms(0, None)).await;
    let record = fixture.issue(1, 0, HOUR).await;
    fixture.ca.clock.advance(2 * HOUR);
    publisher.build(Demand::All, Arc::default()).await.unwrap();
    fixture.stop().await;
    // Nobody publishes while it is revoked, and its end is before the last list.
    fixture.revoke(&record).await;
    let publisher = fixture.start(terms(0, None)).await;
    until(|| fixture.read(&publisher, complete(0)).listed == [(1, KEY)]).await;
    publisher.build(Demand::All, Arc::default()).await.unwrap();
    assert!(fixture.read(&publisher, complete(0)).listed.is_empty());
}

#[tokio::test]
async fn an_entry_after_its_end_is_listed_anew_where_its_list_was_lost_before_anybody_saw_it() {
    let mut fixture = Fixture::new().await;
    let mut parts = fixture.parts(terms(0, None));
    parts.pace.company = DAY;
    let publisher = CrlPublisher::start(parts, &fixture.tasks, &fixture.stopping).await;
    fixture.revoke(&fixture.issue(1, 0, HOUR).await).await;
    fixture.ca.clock.advance(2 * HOUR);
    publisher.build(Demand::Complete, Arc::default()).await.unwrap();
    assert_eq!((number(&publisher, complete(0)), fixture.read(&publisher, complete(0)).listed), (2, vec![(1, KEY)]));
    fixture.stop().await;
    // It was recorded, and its file was not there yet.
    std::fs::remove_file(fixture.directory.path().join("crl/default.crl")).unwrap();
    let publisher = fixture.start(terms(0, None)).await;
    assert_eq!((number(&publisher, complete(0)), fixture.read(&publisher, complete(0)).listed), (3, vec![(1, KEY)]));
}

#[tokio::test]
async fn what_was_revoked_before_a_start_that_could_not_publish_is_listed_as_soon_as_it_can() {
    let mut fixture = Fixture::new().await;
    let publisher = fixture.start(terms(0, None)).await;
    let record = fixture.issue(1, 0, 90 * DAY).await;
    assert_eq!(number(&publisher, complete(0)), 1);
    fixture.stop().await;
    fixture.revoke(&record).await;
    fixture.ca.ledger.fail_writes(true);
    let publisher = fixture.start(terms(0, None)).await;
    until(|| fixture.metrics.crls.builds("default").failed.get() > 0).await;
    assert!(fixture.read(&publisher, complete(0)).listed.is_empty());
    fixture.ca.ledger.fail_writes(false);
    until(|| fixture.read(&publisher, complete(0)).listed == [(1, KEY)]).await;
}

#[tokio::test]
async fn a_delta_does_not_stand_for_the_list_that_an_entry_has_to_be_in() {
    let fixture = Fixture::new().await;
    let mut parts = fixture.parts(terms(1, Some(HOUR)));
    // Nothing is made but what is demanded.
    parts.pace.company = DAY;
    let publisher = CrlPublisher::start(parts, &fixture.tasks, &fixture.stopping).await;
    let record = fixture.issue(1, 1, HOUR / 2).await;
    fixture.ca.clock.advance(HOUR - Duration::from_secs(60));
    publisher.build(Demand::All, Arc::default()).await.unwrap();
    fixture.revoke(&record).await;
    publisher.build(Demand::Deltas, Arc::default()).await.unwrap();
    for (round, listed) in [(0, 1), (1, 0)] {
        publisher.build(Demand::Complete, Arc::default()).await.unwrap();
        for shard in [0, 1] {
            assert_eq!(fixture.read(&publisher, complete(shard)).listed.len(), listed, "{round} {shard}");
            assert_eq!(fixture.read(&publisher, delta(shard)).listed, [(1, KEY)]);
        }
    }
}

#[tokio::test]
async fn certificates_that_say_so_are_in_no_list() {
    let fixture = Fixture::new().await;
    let publisher = fixture.start(terms(0, Some(HOUR))).await;
    let silent = CertificateRecord { no_rev_avail: true, ..fixture.issue(1, 0, 90 * DAY).await };
    let silent = CertificateRecord { serial: Serial::from_octets(&[9; 16]).unwrap(), ..silent };
    fixture.ca.ledger.record(silent.clone(), Along::default(), event()).await.unwrap();
    fixture.revoke(&silent).await;
    publisher.build(Demand::All, Arc::default()).await.unwrap();
    for id in publisher.lists() {
        assert!(fixture.read(&publisher, id).listed.is_empty(), "{id:?}");
    }
}
