//! One task an authority that looks at the clock and at what changes, and has lists made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use certgate_enrollment::{CommittedChange, INTERNAL_PRINCIPAL, StatusWatcher};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::due::due_by;
use super::files::Found;
use super::gauges::Gauges;
use super::job::Job;
use super::publisher::{Command, Wanted};
use super::revoked::Revoked;
use super::shelf::Shelf;
use super::{ImportError, ListId, PublishError, PublishedCrl, PublisherParts, files};
use crate::admin::OPERATOR;
use crate::telemetry::{BuildMetrics, Stopwatch};

/// Told by the ledger that something has changed.
pub(super) struct Watcher {
    pub(super) authority: String,
    pub(super) changed: Arc<Notify>,
}

impl StatusWatcher for Watcher {
    fn settled(&self, change: &CommittedChange) {
        if change.authority == self.authority && !change.state.no_rev_avail {
            self.changed.notify_one();
        }
    }
}

/// The task's state.
pub(super) struct Worker {
    parts: Arc<PublisherParts>,
    shelf: Arc<Shelf>,
    tasks: TaskTracker,
    changed: Arc<Notify>,
    gauges: Gauges,
    builds: BuildMetrics,
    /// What is revoked, once it is loaded.
    revoked: Option<Revoked>,
    /// Numbers that were seen in files, by shard, and that the ledger does not know.
    floors: BTreeMap<u32, u64>,
    /// Lists of files, until they are judged.
    found: Arc<BTreeMap<ListId, Arc<PublishedCrl>>>,
    /// Lists that are not what would be made now.
    stale: BTreeSet<ListId>,
    /// Since when a change waits.
    changed_at: Option<Instant>,
    /// Before that, changes wait for the next build.
    rests_until: Instant,
    /// Before that, what has failed is not tried again.
    retry_at: Option<Instant>,
    failures: u32,
}

impl Worker {
    /// One that has published nothing yet.
    pub(super) fn new(parts: Arc<PublisherParts>, shelf: Arc<Shelf>, tasks: TaskTracker, changed: Arc<Notify>) -> Self {
        let authority = parts.authority.name();
        Self {
            builds: parts.metrics.builds(authority),
            gauges: Gauges::of(&parts),
            revoked: None,
            floors: BTreeMap::new(),
            found: Arc::default(),
            stale: BTreeSet::new(),
            changed_at: None,
            rests_until: Instant::now(),
            retry_at: None,
            failures: 0,
            parts,
            shelf,
            tasks,
            changed,
        }
    }

    /// Serves what files have, and makes what is not there. Lists that are there are served while others are loaded: the rest is for
    /// [`Self::run`].
    pub(super) async fn begin(&mut self) {
        for (id, found) in files::find_all(&self.parts, &self.tasks).await {
            match found {
                Ok(Found::Recorded(list)) if self.parts.terms.lists().any(|configured| configured == id) => {
                    self.shelf.put([list]);
                }
                Ok(Found::Recorded(_)) => {}
                Ok(Found::Unknown(number)) => {
                    let floor = self.floors.entry(id.shard).or_default();
                    *floor = number.max(*floor);
                }
                Ok(Found::Nothing) => {}
                Err(error) => {
                    tracing::warn!(authority = self.parts.authority.name(), %error, "what CRLs there were cannot be read");
                }
            }
        }
        self.gauges.show(self.parts.terms.lists(), &self.shelf, self.parts.clock.now());
        self.found = self.shelf.all();
        if self.parts.terms.lists().any(|id| self.shelf.get(id).is_none()) {
            self.keep_up().await;
        }
    }

    /// Until told to stop.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>, stopping: CancellationToken) {
        self.judge_found().await;
        while !stopping.is_cancelled() {
            self.look().await;
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                Some(command) = commands.recv() => self.obey(command).await,
                () = self.changed.notified() => {
                    self.changed_at.get_or_insert_with(Instant::now);
                }
                () = tokio::time::sleep(self.pause()) => {}
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        // Whoever has hung up hears nothing, and the lists are made all the same.
        match command {
            Command::Build { wanted: Wanted { lists, made }, reply } => {
                drop(reply.send(self.attempt(Some(lists), (OPERATOR, made)).await));
            }
            Command::Import { reply, .. } => {
                drop(reply.send(Err(ImportError::KeyIsHere(self.parts.authority.name().to_owned()))));
            }
        }
    }

    /// Finds out which lists of files are to be made anew, whatever their dates say.
    async fn judge_found(&mut self) {
        let (parts, found) = (Arc::clone(&self.parts), std::mem::take(&mut self.found));
        let judge = move || found.iter().filter(|(_, list)| !files::is_current(&parts, list)).map(|(id, _)| *id).collect();
        self.stale = self.tasks.spawn_blocking(judge).await.unwrap_or_default();
    }

    /// How long nothing is to be done.
    fn pause(&self) -> Duration {
        let (pace, now) = (&self.parts.pace, Instant::now());
        let change = self.changed_at.map(|since| (since + pace.company).max(self.rests_until));
        let change = change.filter(|_| self.retry_at.is_none()).map(|at| at.saturating_duration_since(now));
        change.map_or(pace.look, |change| change.min(pace.look))
    }

    /// Does what there is to do.
    async fn look(&mut self) {
        let now = self.parts.clock.now();
        self.gauges.complain(self.parts.authority.name(), &self.shelf, now);
        let instant = Instant::now();
        if self.retry_at.is_some_and(|at| instant < at) {
            return;
        }
        let waited = |since: Instant| instant >= (since + self.parts.pace.company).max(self.rests_until);
        // What could not be made is tried again, whatever it was: at a start, what had changed before it.
        let has_failed = self.retry_at.is_some();
        let is_due = !due_by(now, &self.parts.terms, &self.shelf.all()).is_empty();
        if has_failed || self.revoked.is_none() || is_due || !self.stale.is_empty() || self.changed_at.is_some_and(waited) {
            self.keep_up().await;
        }
    }

    /// Has made what is due or has changed. What fails is told where it fails, and tried again.
    async fn keep_up(&mut self) {
        let changed_at = self.changed_at.take();
        let Err(error) = self.attempt(None, (INTERNAL_PRINCIPAL, Arc::default())).await else { return };
        let pace = &self.parts.pace;
        let after = pace.longest_retry.min(pace.retry * 2_u32.saturating_pow(self.failures.min(16)));
        (self.failures, self.retry_at) = (self.failures.saturating_add(1), Some(Instant::now() + after));
        self.changed_at = changed_at;
        let message = "CRLs could not be made and are tried again; what was published is still served";
        tracing::error!(authority = self.parts.authority.name(), %error, ?after, "{message}");
    }

    /// Has those lists made that are `demanded`, or else whichever are due or have changed; says which were made.
    async fn attempt(
        &mut self,
        demanded: Option<BTreeSet<ListId>>,
        (actor, made): (&'static str, Arc<AtomicU64>),
    ) -> Result<BTreeSet<ListId>, PublishError> {
        let (stopwatch, runtime) = (Stopwatch::start(), Handle::current());
        let (mut revoked, stale) = (self.revoked.take(), self.stale.clone());
        let job = Job {
            parts: Arc::clone(&self.parts),
            shelf: Arc::clone(&self.shelf),
            builds: self.builds.clone(),
            floors: self.floors.clone(),
            actor,
            made,
        };
        // Long lists are copied, signed and hashed where that keeps nobody waiting.
        let work = move || {
            let made = runtime.block_on(job.run(&mut revoked, demanded, &stale));
            (revoked, made)
        };
        let (revoked, made) = self.tasks.spawn_blocking(work).await.unwrap_or((None, Err(PublishError::Lost)));
        self.revoked = revoked;
        let made = made.inspect_err(|_| {
            self.builds.failed.inc();
        })?;
        (self.failures, self.retry_at) = (0, None);
        if !made.is_empty() {
            self.stale.retain(|id| !made.contains(id));
            self.gauges.show(made.iter().copied(), &self.shelf, self.parts.clock.now());
            self.published(&made, stopwatch.elapsed());
        }
        Ok(made)
    }

    fn published(&mut self, made: &BTreeSet<ListId>, took: Duration) {
        let pace = &self.parts.pace;
        self.rests_until = Instant::now() + pace.rest.max(took * pace.rest_factor).min(pace.longest_rest.max(pace.rest));
        self.builds.published.inc();
        let longest = made.iter().filter_map(|id| self.shelf.get(*id)).map(|list| list.record.entries).max();
        tracing::info!(authority = self.parts.authority.name(), lists = made.len(), longest, ?took, "CRLs were published");
    }
}
