//! Sockets: binding, accepting, TLS, and ending well.

mod accept;
mod bind;
mod identity;
mod tls;

use std::pin::pin;
use std::sync::Arc;

use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use accept::{ConnectionLimits, Served, serve_listener};
pub use bind::{Bound, bind_all};
pub use identity::ServerIdentity;
pub use tls::server_config;

/// What all tasks share: how they are told to stop, and how their end is awaited.
#[derive(Clone)]
pub struct Lifecycle {
    /// Cancelled when certgate begins to stop.
    pub stopping: CancellationToken,
    /// Every task that must have ended before the ledger is closed.
    pub tasks: TaskTracker,
    /// One permit a connection.
    pub connections: Arc<Semaphore>,
}

impl Lifecycle {
    /// For at most so many connections at one time.
    #[must_use]
    pub fn new(connections: usize) -> Self {
        Self {
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            connections: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Drives a connection to its end; told to stop, it finishes what is under way and takes no more.
    pub(crate) async fn drive<C: GracefulConnection>(&self, connection: C) -> Result<(), C::Error> {
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    }

    /// Tells all to stop and waits until they have, `patience` at the longest. False when some had not.
    pub async fn stop(&self, patience: std::time::Duration) -> bool {
        self.stopping.cancel();
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }
}
