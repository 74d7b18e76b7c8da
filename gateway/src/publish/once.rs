//! All lists once, where nobody serves them: before the key that signs them is taken away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::files::{self, Found};
use super::job::Job;
use super::shelf::Shelf;
use super::{PublishError, PublishedCrl, PublisherParts};
use crate::admin::OPERATOR;

/// Makes all lists of these terms, records them, and writes them to their files, where they are looked for again.
///
/// # Errors
/// [`PublishError`]: a list could not be made, recorded or written.
pub async fn publish_once(parts: PublisherParts) -> Result<Vec<Arc<PublishedCrl>>, PublishError> {
    let (parts, tasks) = (Arc::new(parts), TaskTracker::new());
    let mut floors = BTreeMap::new();
    for (id, found) in files::find_all(&parts, &tasks).await {
        if let Found::Unknown(number) = found? {
            let floor: &mut u64 = floors.entry(id.shard).or_default();
            *floor = number.max(*floor);
        }
    }
    let lists: BTreeSet<_> = parts.terms.lists().collect();
    let builds = parts.metrics.builds(parts.authority.name());
    let job = Job {
        parts: Arc::clone(&parts),
        shelf: Arc::<Shelf>::default(),
        builds,
        floors,
        actor: OPERATOR,
        made: Arc::default(),
    };
    let (runtime, demanded) = (Handle::current(), lists.clone());
    let work = move || runtime.block_on(job.run(&mut None, Some(demanded), &BTreeSet::new()));
    tasks.spawn_blocking(work).await.unwrap_or(Err(PublishError::Lost))?;
    let mut written = Vec::new();
    for id in lists {
        match files::find(&parts, id).await? {
            Found::Recorded(list) => written.push(list),
            Found::Unknown(_) | Found::Nothing => return Err(PublishError::NotWritten(id.path(parts.authority.name()))),
        }
    }
    Ok(written)
}
