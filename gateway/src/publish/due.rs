//! Which lists are to be made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use certgate_pki::Timestamp;

use super::revoked::Revoked;
use super::{CrlTerms, ListId, PublishedCrl};

/// Lists that are served, by name.
type Served = BTreeMap<ListId, Arc<PublishedCrl>>;

/// Those that are not there yet, or whose time has come. A delta is made with every complete list: who has that one needs none, and who has
/// an older one finds the same in it.
pub(super) fn due_by(now: Timestamp, terms: &CrlTerms, served: &Served) -> BTreeSet<ListId> {
    let is_due = |id: &ListId| served.get(id).is_none_or(|list| list.is_due(now));
    with_deltas(terms, terms.lists().filter(is_due).collect())
}

/// Those in which something has changed since.
pub(super) fn changed(revoked: &Revoked, terms: &CrlTerms, served: &Served) -> BTreeSet<ListId> {
    let is_changed =
        |id: &ListId| !id.is_delta && served.get(id).is_none_or(|list| list.record.sequence < revoked.last_change(id.shard));
    with_deltas(terms, terms.lists().filter(is_changed).collect())
}

fn with_deltas(terms: &CrlTerms, mut lists: BTreeSet<ListId>) -> BTreeSet<ListId> {
    if terms.delta.is_some() {
        let deltas: Vec<ListId> = lists.iter().map(|id| ListId { is_delta: true, ..*id }).collect();
        lists.extend(deltas);
    }
    lists
}
