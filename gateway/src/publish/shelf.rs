//! The lists that are served.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use certgate_enrollment::CrlRecord;
use certgate_pki::Timestamp;

use crate::serve::{EntityTag, Validators};

/// One of an authority's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId {
    /// The shard; 0 is all of them.
    pub shard: u32,
    /// A delta, or a complete list?
    pub is_delta: bool,
}

impl ListId {
    /// Where it is found below the base URL, and below the data directory.
    #[must_use]
    pub fn path(self, authority: &str) -> String {
        match (self.shard, self.is_delta) {
            (0, false) => format!("/crl/{authority}.crl"),
            (0, true) => format!("/crl/{authority}/delta.crl"),
            (shard, false) => format!("/crl/{authority}/{shard}.crl"),
            (shard, true) => format!("/crl/{authority}/{shard}/delta.crl"),
        }
    }

    /// The list that a record is of.
    pub(super) const fn of(record: &CrlRecord) -> Self {
        Self { shard: record.scope.shard, is_delta: record.base.is_some() }
    }
}

/// A list that is recorded, and its octets.
#[derive(Clone)]
pub struct PublishedCrl {
    /// What the ledger has of it.
    pub record: CrlRecord,
    /// The list, DER.
    pub der: Bytes,
    /// When the next one is made at the latest.
    pub next_at: Timestamp,
    /// What tells it from others of its name.
    pub(crate) validators: Validators,
}

impl PublishedCrl {
    /// A list that is followed by another one after `period`. It must be recorded.
    pub(super) fn new(record: CrlRecord, der: Bytes, period: Duration) -> Self {
        let tag = *record.sha256.first_chunk().unwrap_or(&[0; 16]);
        let validators = Validators::new(EntityTag::new(tag), record.this_update);
        Self { next_at: record.this_update.after(period), validators, record, der }
    }

    /// The same, which its date does not tell from the one before it.
    fn by_tag_alone(&self) -> Self {
        Self { validators: self.validators.clone().by_tag_alone(), ..self.clone() }
    }

    /// Is it time for another one? Also when the clock was set back: what is served is not to be of the future.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        now >= self.next_at || now < self.record.this_update
    }
}

/// What is served of one authority. Reading never waits.
#[derive(Default)]
pub(super) struct Shelf(ArcSwap<BTreeMap<ListId, Arc<PublishedCrl>>>);

impl Shelf {
    pub(super) fn get(&self, id: ListId) -> Option<Arc<PublishedCrl>> {
        self.0.load().get(&id).cloned()
    }

    pub(super) fn all(&self) -> Arc<BTreeMap<ListId, Arc<PublishedCrl>>> {
        self.0.load_full()
    }

    /// Serves these instead of those before them, all at once. Only one task does so.
    pub(super) fn put(&self, lists: impl IntoIterator<Item = Arc<PublishedCrl>>) {
        let mut all = BTreeMap::clone(&self.0.load());
        for list in lists {
            let id = ListId::of(&list.record);
            let is_of_its_second = all.get(&id).is_some_and(|before| before.record.this_update == list.record.this_update);
            let list = if is_of_its_second { Arc::new(list.by_tag_alone()) } else { list };
            all.insert(id, list);
        }
        self.0.store(Arc::new(all));
    }
}
