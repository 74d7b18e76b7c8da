//! Handles of publishers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::shelf::Shelf;
use super::worker::{Watcher, Worker};
use super::{ListId, PublishError, PublishedCrl, PublisherParts};

/// How many demands wait for a build.
const MOST_DEMANDS: usize = 16;

/// Which lists are demanded, of those that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// All.
    All,
    /// Complete ones.
    Complete,
    /// Deltas.
    Deltas,
}

impl Demand {
    fn wants(self, id: ListId) -> bool {
        match self {
            Self::All => true,
            Self::Complete => !id.is_delta,
            Self::Deltas => id.is_delta,
        }
    }
}

/// A demand, and where it is answered with what was made.
pub(super) struct Command {
    pub(super) lists: BTreeSet<ListId>,
    /// Where it is counted how many of them are made.
    pub(super) made: Arc<AtomicU64>,
    pub(super) reply: oneshot::Sender<Result<BTreeSet<ListId>, PublishError>>,
}

/// The CRLs of one authority, which a task of their own makes.
#[derive(Clone)]
pub struct CrlPublisher {
    parts: Arc<PublisherParts>,
    shelf: Arc<Shelf>,
    commands: mpsc::Sender<Command>,
}

impl CrlPublisher {
    /// Starts a publisher. When this returns, every list is there, as far as it could be made: from its file if that has the last one that
    /// was recorded, and what has changed since is made in the background.
    pub async fn start(parts: PublisherParts, tasks: &TaskTracker, stopping: &CancellationToken) -> Self {
        let (parts, shelf, changed) = (Arc::new(parts), Arc::<Shelf>::default(), Arc::new(Notify::new()));
        let watcher = Watcher { authority: parts.authority.name().to_owned(), changed: Arc::clone(&changed) };
        parts.ledger.watch(Arc::new(watcher));
        let (commands, received) = mpsc::channel(MOST_DEMANDS);
        let mut worker = Worker::new(Arc::clone(&parts), Arc::clone(&shelf), tasks.clone(), changed);
        worker.begin().await;
        tasks.spawn(worker.run(received, stopping.clone()));
        Self { parts, shelf, commands }
    }

    /// The authority's name.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.parts.authority.name()
    }

    /// Does it make deltas?
    #[must_use]
    pub fn makes_deltas(&self) -> bool {
        self.parts.terms.delta.is_some()
    }

    /// Every list that there is to be.
    pub fn lists(&self) -> impl Iterator<Item = ListId> {
        self.parts.terms.lists()
    }

    /// A list as it is served; `None` while it could not be made.
    #[must_use]
    pub fn published(&self, id: ListId) -> Option<Arc<PublishedCrl>> {
        self.shelf.get(id)
    }

    /// Where a list is found first, if there is a public URL.
    #[must_use]
    pub fn url(&self, id: ListId) -> Option<String> {
        let scope = self.parts.terms.scopes.iter().find(|scope| scope.shard == id.shard)?;
        Some(format!("{}{}", scope.base_url.as_deref()?, id.path(self.authority())))
    }

    /// The lists that are demanded.
    #[must_use]
    pub fn wanted(&self, demand: Demand) -> BTreeSet<ListId> {
        self.lists().filter(|id| demand.wants(*id)).collect()
    }

    /// Has lists made now, and counts them meanwhile; returns which they were, once they are published.
    ///
    /// # Errors
    /// [`PublishError`]: it is tried again, and nobody waits for it.
    pub async fn build(&self, demand: Demand, made: Arc<AtomicU64>) -> Result<BTreeSet<ListId>, PublishError> {
        let lists = self.wanted(demand);
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command { lists, made, reply }).await.map_err(|_| PublishError::Lost)?;
        answer.await.map_err(|_| PublishError::Lost)?
    }
}
