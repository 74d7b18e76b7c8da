//! A number is never used for two lists.

use std::collections::BTreeMap;

use super::*;

#[tokio::test]
async fn a_restart_serves_the_very_list_that_was_recorded() {
    let mut fixture = Fixture::new().await;
    let first = fixture.start(terms(1, Some(HOUR))).await;
    let record = fixture.issue(1, 1, 90 * DAY).await;
    fixture.revoke(&record).await;
    until(|| number(&first, complete(1)) == 2).await;
    fixture.stop().await;
    let recorded = fixture.ca.ledger.events().len();
    let again = fixture.start(terms(1, Some(HOUR))).await;
    for id in first.lists() {
        assert_eq!(again.published(id).unwrap().der, first.published(id).unwrap().der, "{id:?}");
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(fixture.ca.ledger.events().len(), recorded, "nothing was made");
    fixture.stop().await;
    // A file that is lost or not what was recorded is not served, and its number not used again.
    std::fs::write(fixture.directory.path().join("crl/default.crl"), b"another").unwrap();
    std::fs::remove_file(fixture.directory.path().join("crl/default/1/delta.crl")).unwrap();
    let third = fixture.start(terms(1, Some(HOUR))).await;
    assert_eq!([complete(0), delta(0), complete(1), delta(1)].map(|id| number(&third, id)), [3, 3, 2, 3]);
    assert_eq!(fixture.read(&third, complete(0)).listed, [(1, KEY)]);
}

/// A ledger that was restored from a backup: the files know better which numbers were used, as far as the authority has signed them.
#[tokio::test]
async fn numbers_go_on_behind_files_that_the_ledger_does_not_know() {
    let mut of_before = Fixture::new().await;
    let publisher = of_before.start(terms(1, Some(HOUR))).await;
    for _ in 0..4 {
        publisher.build(Demand::All, Arc::default()).await.unwrap();
    }
    publisher.build(Demand::Deltas, Arc::default()).await.unwrap();
    of_before.stop().await;
    let restored = Fixture { directory: of_before.directory, ..Fixture::new().await };
    let publisher = restored.start(terms(1, Some(HOUR))).await;
    assert_eq!([complete(0), delta(0), complete(1), delta(1)].map(|id| number(&publisher, id)), [7; 4]);
    publisher.build(Demand::All, Arc::default()).await.unwrap();
    assert_eq!(number(&publisher, complete(0)), 8);

    let other = Fixture::new().await;
    let path = other.directory.path().join("crl/default.crl");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let mut forged = publisher.published(complete(0)).unwrap().der.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    std::fs::write(path, forged).unwrap();
    assert_eq!(number(&other.start(terms(0, None)).await, complete(0)), 1);
}

#[tokio::test]
async fn another_name_or_a_delta_to_come_makes_new_lists() {
    let mut fixture = Fixture::new().await;
    let publisher = fixture.start(terms(1, None)).await;
    assert_eq!([0, 1].map(|shard| number(&publisher, complete(shard))), [1, 1]);
    fixture.stop().await;
    let mut renamed = terms(1, None);
    let name = DistributionPointName::from_urls(["http://c.example/crl/default/1.crl"]);
    renamed.scopes[1].point = certgate_crl::IssuingDistributionPoint::new(name, Scope::All);
    let publisher = fixture.start(renamed).await;
    until(|| number(&publisher, complete(1)) == 2).await;
    assert_eq!(number(&publisher, complete(0)), 1, "it names nothing");
    fixture.stop().await;
    let publisher = fixture.start(terms(1, Some(HOUR))).await;
    until(|| fixture.read(&publisher, complete(0)).freshest == 1).await;
    assert_eq!(number(&publisher, complete(0)), number(&publisher, delta(0)));
}

#[tokio::test]
async fn numbers_grow_over_the_clock() {
    let mut fixture = Fixture::new().await;
    let publisher = fixture.start(terms(0, None)).await;
    fixture.ca.clock.advance(DAY - Duration::from_secs(1));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(number(&publisher, complete(0)), 1);
    fixture.ca.clock.advance(Duration::from_secs(1));
    until(|| number(&publisher, complete(0)) == 2).await;
    // Set back, and what is served is of the future: another list, of a greater number.
    fixture.ca.clock.set(NOW.before(DAY));
    until(|| number(&publisher, complete(0)) == 3).await;
    assert_eq!(fixture.read(&publisher, complete(0)).this_update, NOW.before(DAY));
    fixture.stop().await;
    fixture.ca.clock.set(NOW.before(2 * DAY));
    let publisher = fixture.start(terms(0, None)).await;
    until(|| number(&publisher, complete(0)) == 4).await;
}

#[tokio::test]
async fn what_is_not_recorded_is_not_published() {
    let fixture = Fixture::new().await;
    let publisher = fixture.start(terms(0, None)).await;
    let file = fixture.directory.path().join("crl/default.crl");
    let (der, on_disk) = (publisher.published(complete(0)).unwrap().der.clone(), std::fs::read(&file).unwrap());
    fixture.ca.ledger.fail_writes(true);
    assert!(matches!(publisher.build(Demand::All, Arc::default()).await, Err(PublishError::Authority(_))));
    fixture.ca.clock.advance(8 * DAY);
    until(|| fixture.metrics.encode().contains("crl_builds_total{authority=\"default\",outcome=\"failed\"} 3")).await;
    assert_eq!((&publisher.published(complete(0)).unwrap().der, std::fs::read(&file).unwrap()), (&der, on_disk));
    let overdue = |is: u8| {
        let line = format!("certgate_crl_overdue{{authority=\"default\",shard=\"0\",kind=\"complete\"}} {is}");
        fixture.metrics.encode().contains(&line)
    };
    until(|| overdue(1)).await;
    fixture.ca.ledger.fail_writes(false);
    until(|| number(&publisher, complete(0)) == 2).await;
    until(|| overdue(0)).await;
    let metrics = fixture.metrics.encode();
    for line in ["crl_number{authority=\"default\",shard=\"0\",kind=\"complete\"} 2", "crl_next_update_seconds{authority"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_that_race_never_use_a_number_twice() {
    const MANY: u8 = 40;
    let fixture = Fixture::new().await;
    let mut publishers = Vec::new();
    for place in ["a", "b", "c"] {
        let parts = PublisherParts { directory: fixture.directory.path().join(place), ..fixture.parts(terms(2, Some(HOUR))) };
        publishers.push(CrlPublisher::start(parts, &fixture.tasks, &fixture.stopping).await);
    }
    let (mut seen, mut served) = (BTreeMap::new(), 0);
    let mut look = |publishers: &[CrlPublisher]| {
        for publisher in publishers {
            for list in publisher.lists().filter_map(|id| publisher.published(id)) {
                let key = (list.record.scope.shard, list.record.base.is_some(), list.record.number);
                assert_eq!(*seen.entry(key).or_insert(list.record.sha256), list.record.sha256, "{key:?}");
                served = seen.len();
            }
        }
    };
    for serial in 1..=MANY {
        let record = fixture.issue(serial, u32::from(serial % 2) + 1, 90 * DAY).await;
        fixture.revoke(&record).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
        look(&publishers);
    }
    for publisher in &publishers {
        until(|| publisher.published(complete(0)).unwrap().record.entries == u64::from(MANY)).await;
    }
    look(&publishers);
    assert!(served > 20, "{served}");
    // None of them was lost, and all that were seen are recorded in order.
    let scope = CrlScope { authority: "default".into(), shard: 0 };
    let last = fixture.ca.ledger.last_crl(&scope, false).await.unwrap().unwrap();
    assert!(publishers.iter().any(|publisher| publisher.published(complete(0)).unwrap().record == last));
}

/// Moves on by a second whenever somebody looks at it, and in that second a certificate is revoked.
struct BusyClock {
    clock: Arc<certgate_testkit::MockClock>,
    ledger: Arc<MemoryLedger>,
    good: std::sync::Mutex<Vec<CertificateRecord>>,
    revoked: std::sync::Mutex<Vec<(u8, Timestamp)>>,
}

impl certgate_enrollment::Clock for BusyClock {
    fn now(&self) -> Timestamp {
        if let Some(record) = self.good.lock().unwrap().pop() {
            let at = self.clock.now();
            let changed = std::pin::pin!(self.ledger.change_status(&record, revoked(at), event()));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert_eq!(changed.poll(&mut context), std::task::Poll::Ready(Ok(true)));
            self.revoked.lock().unwrap().push((record.serial.as_octets()[0], at));
        }
        self.clock.advance(Duration::from_secs(1));
        self.clock.now()
    }
}

#[tokio::test]
async fn what_was_revoked_before_this_update_is_listed() {
    let mut fixture = Fixture::new().await;
    let mut good = Vec::new();
    for serial in 1..100 {
        good.push(fixture.issue(serial, 0, 90 * DAY).await);
    }
    let clock = Arc::new(BusyClock {
        clock: fixture.ca.clock.clone(),
        ledger: fixture.ca.ledger.clone(),
        good: good.into(),
        revoked: std::sync::Mutex::default(),
    });
    let parts = PublisherParts { clock: clock.clone(), ..fixture.parts(terms(0, None)) };
    let publisher = CrlPublisher::start(parts, &fixture.tasks, &fixture.stopping).await;
    until(|| {
        let list = fixture.read(&publisher, complete(0));
        for (serial, at) in &*clock.revoked.lock().unwrap() {
            let (number, this_update) = (list.number, list.this_update);
            let is_listed = list.listed.contains(&(*serial, KEY));
            assert!(is_listed || *at >= this_update, "{serial} was revoked at {at}, list {number} is of {this_update}");
        }
        list.listed.len() == 99
    })
    .await;
    fixture.stop().await;
}
