//! What is to be seen of lists that are served, and said when they are over.

use std::collections::BTreeMap;
use std::time::Duration;

use certgate_pki::Timestamp;
use tokio::time::Instant;

use super::shelf::Shelf;
use super::{ListId, PublisherParts};
use crate::telemetry::ListMetrics;

/// How often it is said that a list is past its nextUpdate.
const COMPLAINT: Duration = Duration::from_secs(60);

/// The metrics of an authority's lists.
pub(super) struct Gauges {
    metrics: BTreeMap<ListId, ListMetrics>,
    complained_at: Option<Instant>,
}

impl Gauges {
    pub(super) fn of(parts: &PublisherParts) -> Self {
        let authority = parts.authority.name();
        let metrics = parts.terms.lists().map(|id| (id, parts.metrics.list(authority, id.shard, id.is_delta))).collect();
        Self { metrics, complained_at: None }
    }

    /// Those of one list.
    pub(super) fn get(&self, id: ListId) -> Option<&ListMetrics> {
        self.metrics.get(&id)
    }

    /// Has what is served of these lists seen in metrics.
    pub(super) fn show(&self, lists: impl IntoIterator<Item = ListId>, shelf: &Shelf, now: Timestamp) {
        for id in lists {
            if let (Some(metrics), Some(list)) = (self.metrics.get(&id), shelf.get(id)) {
                metrics.served(&list.record);
                metrics.is_overdue(&list.record, now);
            }
        }
    }

    /// Says once a minute when lists are past their nextUpdate: relying parties refuse them.
    pub(super) fn complain(&mut self, authority: &str, shelf: &Shelf, now: Timestamp) {
        let all = shelf.all();
        let is_overdue =
            |(id, metrics): &(&ListId, &ListMetrics)| all.get(id).is_some_and(|list| metrics.is_overdue(&list.record, now));
        let overdue = self.metrics.iter().filter(is_overdue).count();
        let is_said = self.complained_at.is_some_and(|at| at.elapsed() < COMPLAINT);
        if overdue > 0 && !is_said {
            self.complained_at = Some(Instant::now());
            let message = "CRLs that are served are past their nextUpdate, and relying parties refuse them";
            tracing::error!(authority, lists = overdue, "{message}");
        }
    }
}
