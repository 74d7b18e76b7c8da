use certgate_enrollment::{Event, EventKind};
use certgate_pki::KeyType;
use certgate_testkit::{MemoryLedger, MockClock, NOW};

use super::*;
use crate::telemetry::Metrics;

const HOUR: Duration = Duration::from_secs(3600);

/// What signs heads of a ledger, by a clock that the test moves.
struct Rig {
    ledger: Arc<MemoryLedger>,
    clock: Arc<MockClock>,
    metrics: Metrics,
    checkpoints: Checkpoints,
    folder: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        let provider = certgate_crypto::provider();
        let key = AuditKey::new(provider.sign.generate(KeyType::P256).unwrap().key, &[], provider);
        Self::over(tempfile::tempdir().unwrap(), key)
    }

    /// An empty ledger beside what the folder has.
    fn over(folder: tempfile::TempDir, key: AuditKey) -> Self {
        let (ledger, clock, metrics) = (Arc::<MemoryLedger>::default(), Arc::new(MockClock::at(NOW)), Metrics::new());
        let checkpoints = Checkpoints::new(CheckpointParts {
            trail: ledger.clone(),
            clock: clock.clone(),
            key,
            file: HeadsFile::new(folder.path().join("audit.heads")),
            pace: Pace { period: HOUR, events: 10 },
            metrics: metrics.audit.clone(),
        });
        Self { ledger, clock, metrics, checkpoints, folder }
    }

    async fn append(&self, events: u64, actor: &str) {
        for _ in 0..events {
            let event = Event { at: NOW, kind: EventKind::OrderAdded, actor: actor.to_owned(), details: Vec::new() };
            self.ledger.append(event).await.unwrap();
        }
    }

    /// How many events the signed heads had, after it was looked whether another is due.
    async fn signed(&self, now: bool) -> Vec<u64> {
        self.checkpoints.sign(now).await.unwrap();
        let checked = self.checkpoints.check(None).await.unwrap();
        assert_eq!(checked.fault, None);
        assert_eq!(self.ledger.first_missing(checked.heads.clone()).await, Ok(None));
        checked.heads.iter().map(|head| head.events).collect()
    }

    fn shows(&self, metric: &str) -> bool {
        self.metrics.encode().lines().any(|line| line == metric)
    }
}

#[tokio::test]
async fn heads_are_signed_by_time_and_by_events_and_only_when_something_was_appended() {
    let rig = Rig::new();
    assert_eq!(rig.signed(true).await, [] as [u64; 0], "an empty trail has nothing to lose");
    rig.append(3, "a").await;
    assert_eq!(rig.signed(false).await, [3], "the first one is due at once");
    rig.append(9, "a").await;
    assert_eq!(rig.signed(false).await, [3]);
    rig.append(1, "a").await;
    assert_eq!(rig.signed(false).await, [3, 13], "by events");
    rig.append(1, "a").await;
    rig.clock.advance(HOUR - Duration::from_secs(1));
    assert_eq!(rig.signed(false).await, [3, 13]);
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(rig.signed(false).await, [3, 13, 14], "by time");
    rig.clock.advance(10 * HOUR);
    assert_eq!(rig.signed(true).await, [3, 13, 14], "nothing was appended");
    rig.append(1, "a").await;
    rig.clock.set(NOW);
    assert_eq!(rig.signed(false).await, [3, 13, 14, 15], "the clock was set back");
    rig.append(1, "a").await;
    rig.checkpoints.end().await;
    assert_eq!(rig.signed(false).await, [3, 13, 14, 15, 16], "at the end");
    assert!(rig.shows("certgate_audit_checkpoint_events 16"));
    assert!(rig.shows(&format!("certgate_audit_checkpoint_seconds {}", NOW.seconds())));
    assert!(rig.shows("certgate_audit_behind 0"));
    assert!(!rig.folder.path().join("audit.heads.new").exists());
}

#[tokio::test]
async fn a_ledger_that_lacks_a_signed_head_is_told_of_and_goes_on() {
    for (events, actor) in [(4, "a"), (4, "b"), (12, "b")] {
        let Rig { ledger, checkpoints, folder, .. } = Rig::new();
        for _ in 0..5 {
            let event = Event { at: NOW, kind: EventKind::OrderAdded, actor: "a".into(), details: Vec::new() };
            ledger.append(event).await.unwrap();
        }
        checkpoints.sign(true).await.unwrap();

        let rig = Rig::over(folder, checkpoints.0.key.clone());
        rig.append(events, actor).await;
        rig.checkpoints.look_back().await.unwrap();
        assert!(rig.shows("certgate_audit_behind 1"), "{events} {actor}");
        rig.checkpoints.sign(true).await.unwrap();
        let heads = rig.checkpoints.check(None).await.unwrap().heads;
        assert_eq!(heads.iter().map(|head| head.events).collect::<Vec<_>>(), [5, events]);
        // The new head is in the trail, and still the one before it is not.
        assert_eq!(rig.ledger.first_missing(heads).await, Ok(Some(0)));
        rig.checkpoints.look_back().await.unwrap();
        assert!(rig.shows("certgate_audit_behind 1"), "{events} {actor}");
        // The operator has seen it, and keeps the file elsewhere.
        std::fs::rename(rig.folder.path().join("audit.heads"), rig.folder.path().join("seen")).unwrap();
        rig.checkpoints.look_back().await.unwrap();
        assert!(rig.shows("certgate_audit_behind 0"), "{events} {actor}");
    }
}

#[tokio::test]
async fn a_signed_head_that_is_gone_while_it_runs_is_told_of_with_the_next_one() {
    let signed = Rig::new();
    signed.append(5, "a").await;
    assert_eq!(signed.signed(true).await, [5]);
    let rig = Rig::over(signed.folder, signed.checkpoints.0.key.clone());
    rig.append(4, "a").await;
    rig.checkpoints.sign(false).await.unwrap();
    assert!(rig.shows("certgate_audit_behind 0"), "nothing is due");
    rig.clock.advance(HOUR);
    rig.checkpoints.sign(false).await.unwrap();
    assert!(rig.shows("certgate_audit_behind 1"));
}

#[tokio::test]
async fn it_signs_at_the_start_and_what_cannot_be_kept_is_not_signed() {
    let rig = Rig::new();
    rig.append(1, "a").await;
    let path = rig.folder.path().join("audit.heads");
    std::fs::create_dir(&path).unwrap();
    let error = format!("{:#}", rig.checkpoints.sign(true).await.unwrap_err());
    assert!(error.starts_with(&path.display().to_string()), "{error}");
    assert!(rig.shows("certgate_audit_checkpoint_events 0"));
    std::fs::remove_dir(&path).unwrap();

    let (stopping, checkpoints) = (CancellationToken::new(), Arc::new(rig.checkpoints));
    let running = Arc::clone(&checkpoints).run(stopping.clone());
    let watching = async {
        while checkpoints.check(None).await.unwrap().heads.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stopping.cancel();
    };
    tokio::join!(running, watching);
}
