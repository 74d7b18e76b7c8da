//! Sockets: binding, accepting, TLS, and ending well.

mod accept;
mod bind;
mod client_certificate;
mod descriptors;
mod ended;
mod identity;
mod in_flight;
mod room;
mod session;
mod tls;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulConnection;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use accept::{ConnectionLimits, Peer, Served, serve_listener};
pub use bind::{Bound, bind_all};
pub use descriptors::affordable_connections;
pub use identity::ServerIdentity;
pub use in_flight::{ArrivingBody, InFlight};
pub use room::{Place, Room};
pub use session::TlsSession;
pub use tls::server_config;

/// How long a connection may take to end by itself when nothing is under way.
const LAST_WORD: Duration = Duration::from_secs(1);

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
    /// For at most so many connections at one time; at that limit, those whose bodies come with fewer than `body_rate` octets a second make way.
    #[must_use]
    pub fn new(connections: usize, body_rate: u32) -> Self {
        Self { stopping: CancellationToken::new(), tasks: TaskTracker::new(), room: Room::new(connections, body_rate) }
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

    /// The same for a connection that has a place, until that is wanted for another, or the connection was `idle` for too long.
    pub(crate) async fn drive_placed<C: GracefulConnection>(
        &self,
        connection: Pin<&mut C>,
        place: &Place,
        idle: impl Future<Output = ()>,
    ) -> Result<(), C::Error> {
        let under_way = place.under_way();
        let enough = async {
            tokio::select! {
                () = idle => {}
                () = under_way.is_wanted() => {}
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
