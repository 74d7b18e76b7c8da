//! One time through: catch up with the ledger, make what is to be made, record it, serve it, write it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use certgate_enrollment::CrlScope;
use certgate_pki::Timestamp;

use super::build::build;
use super::due::{changed, due_by, with_deltas};
use super::revoked::{Beginning, Listed, Revoked};
use super::shelf::Shelf;
use super::{ListId, PublishError, PublishedCrl, PublisherParts, files};
use crate::telemetry::BuildMetrics;

/// How often it is begun again when somebody else was faster.
const MOST_RACES: u32 = 5;
/// How long it waits before that, once more each time.
const AFTER_A_RACE: Duration = Duration::from_millis(50);

/// Later than any list.
const AT_ANY_TIME: Timestamp = Timestamp::from_millis(u64::MAX);

/// What it takes to make lists.
pub(super) struct Job {
    pub(super) parts: Arc<PublisherParts>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) builds: BuildMetrics,
    /// Numbers that were used, by shard, whatever the ledger says.
    pub(super) floors: BTreeMap<u32, u64>,
    /// Who asked, in the audit trail.
    pub(super) actor: &'static str,
    /// How many lists are made.
    pub(super) made: Arc<AtomicU64>,
}

impl Job {
    /// Makes and publishes those lists that are `demanded`, or else whichever are due, have changed, or are `stale`; says which they were.
    /// Takes as long as it takes, and does not yield meanwhile.
    ///
    /// # Errors
    /// [`PublishError`]; then nothing was published.
    pub(super) async fn run(
        &self,
        held: &mut Option<Revoked>,
        demanded: Option<BTreeSet<ListId>>,
        stale: &BTreeSet<ListId>,
    ) -> Result<BTreeSet<ListId>, PublishError> {
        for race in 1..=MOST_RACES {
            // thisUpdate: whatever was committed before it is caught up with.
            let now = self.parts.clock.now();
            let revoked = self.catch_up(held, now).await?;
            let lists = demanded.clone().unwrap_or_else(|| self.lists(revoked, stale, now));
            if lists.is_empty() {
                return Ok(lists);
            }
            let held = (&*revoked, &self.floors);
            if let Some(published) = build(&self.parts, held, lists.iter().copied(), (now, self.actor), &self.made).await? {
                self.publish(published);
                revoked.prune(|shard| self.last_complete(shard));
                return Ok(lists);
            }
            self.builds.raced.inc();
            tracing::info!(authority = self.parts.authority.name(), "another publisher was faster; CRLs are made once more");
            tokio::time::sleep(AFTER_A_RACE * race).await;
        }
        Err(PublishError::Raced)
    }

    fn lists(&self, revoked: &Revoked, stale: &BTreeSet<ListId>, now: Timestamp) -> BTreeSet<ListId> {
        let (terms, served) = (&self.parts.terms, self.shelf.all());
        let mut lists = due_by(now, terms, &served);
        lists.extend(changed(revoked, terms, &served));
        lists.extend(stale);
        with_deltas(terms, &lists)
    }

    fn last_complete(&self, shard: u32) -> Option<Listed> {
        if !self.parts.terms.scopes.iter().any(|scope| scope.shard == shard) {
            return Some(Listed::NOWHERE);
        }
        let list = self.shelf.get(ListId { shard, is_delta: false })?;
        Some(Listed { at: list.record.this_update, sequence: list.record.sequence })
    }

    /// What is revoked, as of now. It is loaded if it is not there, and when the clock was set back behind what was taken away.
    async fn catch_up<'r>(&self, held: &'r mut Option<Revoked>, now: Timestamp) -> Result<&'r mut Revoked, PublishError> {
        let (ledger, authority) = (&*self.parts.ledger, self.parts.authority.name());
        if held.as_ref().is_none_or(|revoked| !revoked.reaches_back_to(now)) {
            *held = Some(Revoked::load(ledger, authority, self.beginning(now).await?).await?);
        }
        let revoked = held.as_mut().ok_or(PublishError::Lost)?;
        revoked.follow(ledger).await?;
        Ok(revoked)
    }

    /// Behind what every scope had in its last list that anybody can have seen: a withdrawn one was never served for certain. A scope that
    /// never had one has no certificates that are older than the publisher, and without any list of all certificates everything is loaded.
    async fn beginning(&self, now: Timestamp) -> Result<Beginning, PublishError> {
        let mut records = Vec::new();
        for scope in &self.parts.terms.scopes {
            let scope = CrlScope { authority: self.parts.authority.name().to_owned(), shard: scope.shard };
            records.extend(self.parts.ledger.base_crl(&scope, AT_ANY_TIME).await?);
        }
        if records.iter().all(|record| record.scope.shard > 0) {
            return Ok(Beginning { ended_from: Timestamp::from_seconds(0), changed_after: None });
        }
        let ended_from = records.iter().map(|record| record.this_update).fold(now, Timestamp::min);
        Ok(Beginning { ended_from, changed_after: records.iter().map(|record| record.sequence).min() })
    }

    /// They are recorded: they are served, and their files are written.
    fn publish(&self, lists: Vec<PublishedCrl>) {
        let lists: Vec<Arc<PublishedCrl>> = lists.into_iter().map(Arc::new).collect();
        self.shelf.put(lists.iter().cloned());
        for list in &lists {
            if let Err(error) = files::write(&self.parts.directory, list) {
                let message = "a CRL could not be written to its file; it is served all the same, until the next start";
                tracing::error!(authority = self.parts.authority.name(), error = format!("{error:#}"), "{message}");
            }
        }
    }
}
