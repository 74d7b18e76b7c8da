//! The lists of an authority whose key is elsewhere: served as they are, and followed by what people bring.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use certgate_crl::Crl;
use certgate_enrollment::LedgerError;
use certgate_pki::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::files::{self, Found};
use super::gauges::Gauges;
use super::import::{ImportError, Imported, Importing, lacking};
use super::publisher::Command;
use super::shelf::Shelf;
use super::{ListId, PublishError, PublisherParts};
use crate::telemetry::Daily;

/// The task's state.
pub(super) struct Keeper {
    parts: Arc<PublisherParts>,
    shelf: Arc<Shelf>,
    tasks: TaskTracker,
    since: Timestamp,
    gauges: Gauges,
    /// How many certificates are revoked or on hold that a list has not.
    lacking: BTreeMap<ListId, usize>,
    said: Daily,
}

impl Keeper {
    /// One that serves nothing yet, of an authority whose key is elsewhere since then.
    pub(super) fn new(parts: Arc<PublisherParts>, shelf: Arc<Shelf>, tasks: TaskTracker, since: Timestamp) -> Self {
        let gauges = Gauges::of(&parts);
        Self { parts, shelf, tasks, since, gauges, lacking: BTreeMap::new(), said: Daily::default() }
    }

    /// Serves what files have.
    pub(super) async fn begin(&mut self) {
        let authority = self.parts.authority.name();
        for (id, found) in files::find_all(&self.parts, &self.tasks).await {
            let is_wanted = self.parts.terms.lists().any(|configured| configured == id);
            let error = match found {
                Ok(Found::Recorded(list)) if is_wanted => {
                    self.shelf.put([list]);
                    continue;
                }
                _ if !is_wanted => continue,
                Ok(Found::Unknown(_)) => "the ledger does not know it: give the file to `certgate crl import`".to_owned(),
                Ok(_) => "it is not there: give the last one to `certgate crl import`, or sign another".to_owned(),
                Err(error) => error.to_string(),
            };
            let path = id.path(authority);
            tracing::error!(authority, path, error, "a CRL of an authority whose key is offline cannot be served");
        }
        self.gauges.show(self.parts.terms.lists(), &self.shelf, self.parts.clock.now());
        self.compare().await;
    }

    /// Until told to stop.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        changed: Arc<Notify>,
        stopping: CancellationToken,
    ) {
        while !stopping.is_cancelled() {
            self.look();
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                Some(command) = commands.recv() => self.obey(command).await,
                () = changed.notified() => self.compare().await,
                () = tokio::time::sleep(self.parts.pace.look) => {}
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        // Whoever has hung up hears nothing, and what was brought is taken all the same.
        match command {
            Command::Build { reply, .. } => {
                let (authority, since) = (self.parts.authority.name().to_owned(), self.since);
                drop(reply.send(Err(PublishError::Offline { authority, since })));
            }
            Command::Import { der, reply } => drop(reply.send(self.import(der).await)),
        }
    }

    /// A long list is read, verified and written where that keeps nobody waiting.
    async fn import(&mut self, der: Bytes) -> Result<Imported, ImportError> {
        let (runtime, parts, shelf) = (Handle::current(), Arc::clone(&self.parts), Arc::clone(&self.shelf));
        let work = move || runtime.block_on(Importing { parts: &parts, shelf: &shelf }.take(der));
        let imported = self.tasks.spawn_blocking(work).await.unwrap_or(Err(ImportError::Publish(PublishError::Lost)));
        self.gauges.show(self.parts.terms.lists(), &self.shelf, self.parts.clock.now());
        self.compare().await;
        imported
    }

    /// Finds out what is revoked or on hold that the lists have not, and says so.
    async fn compare(&mut self) {
        let authority = self.parts.authority.name();
        let before = std::mem::take(&mut self.lacking);
        match self.count_lacking().await {
            Ok(counts) => self.lacking = counts,
            Err(error) => {
                tracing::error!(authority, %error, "what a CRL lacks could not be looked for");
                self.lacking = before;
                return;
            }
        }
        for (id, certificates) in self.lacking.iter().filter(|(id, count)| **count > 0 && before.get(id) != Some(count)) {
            let message = "certificates are revoked or on hold, by OCSP, and the CRL of their authority, whose key is offline, lacks them: \
                           sign the next one by `certgate crl sign`, and bring it by `certgate crl import`";
            tracing::warn!(authority, path = id.path(authority), certificates, "{message}");
        }
        self.look();
    }

    async fn count_lacking(&self) -> Result<BTreeMap<ListId, usize>, LedgerError> {
        let mut counts = BTreeMap::new();
        for (id, list) in self.shelf.all().iter() {
            let Ok(crl) = Crl::parse(&list.der) else { continue };
            counts.insert(*id, lacking(&self.parts, id.shard, &crl).await?.len());
        }
        Ok(counts)
    }

    /// Has it seen, and says it once a day, when a list is to be signed.
    fn look(&mut self) {
        let now = self.parts.clock.now();
        let authority = self.parts.authority.name();
        self.gauges.complain(authority, &self.shelf, now);
        let all = self.shelf.all();
        let mut soonest = None;
        for id in self.parts.terms.lists() {
            let list = all.get(&id);
            let ends = list.filter(|list| now >= two_thirds(list.record.this_update, list.record.next_update));
            let is_due = list.is_none() || ends.is_some() || self.lacking.get(&id).is_some_and(|count| *count > 0);
            if let Some(metrics) = self.gauges.get(id) {
                metrics.is_import_due(is_due);
            }
            let next_update = ends.map(|list| list.record.next_update);
            soonest = [soonest, next_update].into_iter().flatten().min();
        }
        let Some(next_update) = soonest else { return };
        if self.said.is_due(now) {
            let message = "the CRL of an authority whose key is offline ends: sign the next one by `certgate crl sign`, and bring it by \
                           `certgate crl import`";
            tracing::warn!(authority, %next_update, "{message}");
        }
    }
}

/// When two thirds of a time are over.
pub(crate) fn two_thirds(from: Timestamp, to: Timestamp) -> Timestamp {
    from.after(Duration::from_millis(to.millis().saturating_sub(from.millis()) / 3 * 2))
}
