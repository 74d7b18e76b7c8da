//! Sockets: binding, accepting, TLS, and ending well.

mod accept;
mod bind;
mod client_certificate;
mod descriptors;
mod identity;
mod room;
mod session;
mod tls;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper_util::server::graceful::GracefulConnection;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use accept::{ConnectionLimits, Peer, Served, serve_listener};
pub use bind::{Bound, bind_all};
pub use descriptors::affordable_connections;
pub use identity::ServerIdentity;
pub use room::{Place, Room};
pub use session::TlsSession;
pub use tls::server_config;

/// How long a connection may take to end by itself when nothing is under way.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Counts the requests of one connection.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Counts>);

/// Of one connection.
#[derive(Default)]
struct Counts {
    /// Requests that are being answered.
    now: AtomicUsize,
    /// Requests that ever came.
    ever: AtomicUsize,
}

impl InFlight {
    /// One more, until what this returns is dropped.
    #[must_use]
    pub fn enter(&self) -> impl Drop + Send + use<> {
        struct Leave(InFlight);
        impl Drop for Leave {
            fn drop(&mut self) {
                self.0.0.now.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.0.now.fetch_add(1, Ordering::Relaxed);
        self.0.ever.fetch_add(1, Ordering::Relaxed);
        Leave(self.clone())
    }

    fn is_none(&self) -> bool {
        self.0.now.load(Ordering::Relaxed) == 0
    }

    /// Has nothing ever come?
    fn is_unused(&self) -> bool {
        self.0.ever.load(Ordering::Relaxed) == 0
    }

    /// Returns once nothing is being answered and nothing new has come for this long, give or take as much again.
    async fn idle(&self, period: Duration) {
        let mut before = None;
        loop {
            let ever = self.0.ever.load(Ordering::Relaxed);
            if self.is_none() && before == Some(ever) {
                return;
            }
            before = Some(ever);
            tokio::time::sleep(period).await;
        }
    }
}

/// What all tasks share: how they are told to stop, and how their end is awaited.
#[derive(Clone)]
pub struct Lifecycle {
    /// Cancelled when certgate begins to stop.
    pub stopping: CancellationToken,
    /// Every task that must have ended before the ledger is closed.
    pub tasks: TaskTracker,
    /// A place for each connection.
    pub room: Arc<Room>,
}

impl Lifecycle {
    /// For at most so many connections at one time.
    #[must_use]
    pub fn new(connections: usize) -> Self {
        Self { stopping: CancellationToken::new(), tasks: TaskTracker::new(), room: Room::new(connections) }
    }

    /// Drives a connection to its end; told to stop, it finishes what is `under_way` and takes no more. Who is in the middle of
    /// asking for something is not waited for.
    pub(crate) async fn drive<C: GracefulConnection>(
        &self,
        connection: Pin<&mut C>,
        under_way: &InFlight,
    ) -> Result<(), C::Error> {
        self.drive_until(connection, under_way, std::future::pending()).await
    }

    /// The same for a connection that has a place, until that is wanted for another; `patience` is how long it may be without a request, if
    /// it does not find out by itself.
    pub(crate) async fn drive_placed<C: GracefulConnection>(
        &self,
        connection: Pin<&mut C>,
        place: &Place,
        patience: Option<Duration>,
    ) -> Result<(), C::Error> {
        let under_way = place.under_way();
        let idle = async {
            match patience {
                Some(patience) => under_way.idle(patience).await,
                None => std::future::pending().await,
            }
        };
        let enough = async {
            tokio::select! {
                () = idle => {}
                () = place.is_wanted() => {}
            }
        };
        self.drive_until(connection, under_way, enough).await
    }

    async fn drive_until<C: GracefulConnection>(
        &self,
        mut connection: Pin<&mut C>,
        under_way: &InFlight,
        enough: impl Future<Output = ()>,
    ) -> Result<(), C::Error> {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = self.stopping.cancelled() => connection.as_mut().graceful_shutdown(),
            // Nothing has ever been asked for over it, so there is nothing to wait for.
            () = enough => if under_way.is_unused() { return Ok(()) } else { connection.as_mut().graceful_shutdown() },
        }
        loop {
            match tokio::time::timeout(LAST_WORD, connection.as_mut()).await {
                Ok(ended) => return ended,
                Err(_) if under_way.is_none() => return Ok(()),
                Err(_) => {}
            }
        }
    }

    /// Tells all to stop and waits until they have, `patience` at the longest. False when some had not.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.stopping.cancel();
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }
}
