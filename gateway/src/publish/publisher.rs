//! Handles of publishers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use certgate_enrollment::Authority;
use certgate_pki::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::keeper::Keeper;
use super::shelf::Shelf;
use super::worker::{Watcher, Worker};
use super::{ImportError, Imported, ListId, PublishError, PublishedCrl, PublisherParts};

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

/// Lists that are demanded.
pub(super) struct Wanted {
    pub(super) lists: BTreeSet<ListId>,
    /// Where it is counted how many of them are made.
    pub(super) made: Arc<AtomicU64>,
}

/// What is asked of a publisher, and where it is answered.
pub(super) enum Command {
    /// To make lists.
    Build { wanted: Wanted, reply: oneshot::Sender<Result<BTreeSet<ListId>, PublishError>> },
    /// To take this list in, DER, which was signed elsewhere.
    Import { der: Bytes, reply: oneshot::Sender<Result<Imported, ImportError>> },
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

    /// Keeps the lists of an authority whose key is elsewhere since then: those of files are served, and none is made.
    pub async fn keep(parts: PublisherParts, since: Timestamp, tasks: &TaskTracker, stopping: &CancellationToken) -> Self {
        let (parts, shelf, changed) = (Arc::new(parts), Arc::<Shelf>::default(), Arc::new(Notify::new()));
        let watcher = Watcher { authority: parts.authority.name().to_owned(), changed: Arc::clone(&changed) };
        parts.ledger.watch(Arc::new(watcher));
        let (commands, received) = mpsc::channel(MOST_DEMANDS);
        let mut keeper = Keeper::new(Arc::clone(&parts), Arc::clone(&shelf), tasks.clone(), since);
        keeper.begin().await;
        tasks.spawn(keeper.run(received, changed, stopping.clone()));
        Self { parts, shelf, commands }
    }

    /// The authority.
    #[must_use]
    pub fn of(&self) -> &Authority {
        &self.parts.authority
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
        let wanted = Wanted { lists, made };
        self.commands.send(Command::Build { wanted, reply }).await.map_err(|_| PublishError::Lost)?;
        answer.await.map_err(|_| PublishError::Lost)?
    }

    /// Takes in a list, DER, that was signed where the key is.
    ///
    /// # Errors
    /// [`ImportError`]: what was served before still is.
    pub async fn import(&self, der: Bytes) -> Result<Imported, ImportError> {
        let lost = || ImportError::Publish(PublishError::Lost);
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Import { der, reply }).await.map_err(|_| lost())?;
        answer.await.map_err(|_| lost())?
    }

    /// When a list that is served is to be asked for again at the latest. One that people bring may come at any time.
    #[must_use]
    pub fn next_at(&self, list: &PublishedCrl, now: Timestamp) -> Timestamp {
        if self.parts.authority.offline_since().is_some() { now.after(self.parts.terms.interval) } else { list.next_at }
    }
}
