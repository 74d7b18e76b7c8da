//! Which lists are to be made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use certgate_pki::Timestamp;

use super::revoked::Revoked;
use super::{CrlTerms, ListId, PublishedCrl};

/// Lists that are served, by name.
type Served = BTreeMap<ListId, Arc<PublishedCrl>>;

/// Those that are not there yet, or whose time has come.
pub(super) fn due_by(now: Timestamp, terms: &CrlTerms, served: &Served) -> BTreeSet<ListId> {
    terms.lists().filter(|id| served.get(id).is_none_or(|list| list.is_due(now))).collect()
}

/// Complete ones in which something has changed since.
pub(super) fn changed(revoked: &Revoked, terms: &CrlTerms, served: &Served) -> BTreeSet<ListId> {
    let is_behind = |id: &ListId| served.get(id).is_none_or(|list| list.record.sequence < revoked.last_change(id.shard));
    terms.lists().filter(|id| !id.is_delta && is_behind(id)).collect()
}

/// With the delta of every complete list among them: who has that list needs no delta, and who has an older one finds in the delta what is
/// in the list.
pub(super) fn with_deltas(terms: &CrlTerms, lists: &BTreeSet<ListId>) -> BTreeSet<ListId> {
    let of_same_scope = |id: &ListId| lists.contains(&ListId { is_delta: false, ..*id });
    terms.lists().filter(|id| lists.contains(id) || of_same_scope(id)).collect()
}
