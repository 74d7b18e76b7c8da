//! Accepting connections and serving each to its end.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use super::session::{TlsSession, handshake};
use super::tls::H2;
use super::{InFlight, Lifecycle, Place};
use crate::config::Family;
use crate::serve::{App, Exchange};
use crate::telemetry::Metrics;

/// Largest head of a request, in octets.
const MAX_HEAD: u16 = 32 * 1024;
/// Most requests at one time on one connection of HTTP/2.
const MAX_STREAMS: u32 = 32;
/// Pause after an error that will not go away at once, such as no more file descriptors.
const BREATHER: Duration = Duration::from_millis(100);

/// Bounds on connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// For a TLS handshake.
    pub handshake: Duration,
    /// For a request's head, and between requests.
    pub head: Duration,
    /// For a client to read what it was sent.
    pub write: Duration,
}

/// What a listener serves, and how.
#[derive(Clone)]
pub struct Served {
    /// Everything.
    pub app: Arc<App>,
    /// What of it is served here.
    pub families: Arc<[Family]>,
    /// TLS; `None` serves in the clear.
    pub tls: Option<Arc<ServerConfig>>,
    /// Bounds.
    pub limits: ConnectionLimits,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Accepts until told to stop. At the limit, connections over which nothing is asked make way for new ones; where there is none, the new one is
/// closed at once, so that those that are served stay fast.
pub async fn serve_listener(socket: TcpListener, served: Served, lifecycle: Lifecycle) {
    loop {
        let accepted = tokio::select! {
            () = lifecycle.stopping.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATHER).await;
                continue;
            }
        };
        let Some(place) = lifecycle.room.enter(&served.metrics.connections_displaced).await else {
            served.metrics.connections_refused.inc();
            continue;
        };
        let (served, stopping) = (served.clone(), lifecycle.clone());
        lifecycle.tasks.spawn(async move {
            let _counted = Counted::new(&served.metrics.connections);
            serve_connection(stream, peer, &served, (&stopping, &place)).await;
            drop(place);
        });
    }
}

/// Counts a connection for as long as it is there, however it ends.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

async fn serve_connection(stream: TcpStream, peer: SocketAddr, served: &Served, (lifecycle, place): (&Lifecycle, &Place)) {
    let patience = if served.tls.is_some() { served.limits.handshake } else { served.limits.head };
    // Until something comes, a connection is to take next to no memory: neither buffers, nor what the rest of this needs.
    let mut first = [0];
    let is_there = tokio::select! {
        () = lifecycle.stopping.cancelled() => false,
        () = place.is_wanted() => false,
        peeked = tokio::time::timeout(patience, stream.peek(&mut first)) => matches!(peeked, Ok(Ok(1))),
    };
    if is_there {
        speaking(stream, peer, served, (lifecycle, place)).await;
    }
}

/// What serves a connection, on the heap: a task that waits for it does not hold the room that it takes.
type Serving<'s> = Pin<Box<dyn Future<Output = ()> + Send + 's>>;

/// Serves a connection over which something has come.
fn speaking<'s>(stream: TcpStream, peer: SocketAddr, served: &'s Served, there: (&'s Lifecycle, &'s Place)) -> Serving<'s> {
    // Answers are small and whole: waiting to fill a segment only delays them. Without it they are late, not wrong.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(served.limits.write));
    let stream = Box::pin(stream);
    match &served.tls {
        None => http1(stream, Peer { address: peer, tls: None }, served, there),
        Some(tls) => Box::pin(serve_tls(stream, peer, (served, tls), there)),
    }
}

async fn serve_tls<S>(stream: S, peer: SocketAddr, (served, tls): (&Served, &Arc<ServerConfig>), there: (&Lifecycle, &Place))
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (lifecycle, place) = there;
    let acceptor = TlsAcceptor::from(Arc::clone(tls));
    let shaken = tokio::select! {
        () = lifecycle.stopping.cancelled() => return,
        () = place.is_wanted() => return,
        shaken = tokio::time::timeout(served.limits.handshake, handshake(&acceptor, stream)) => shaken,
    };
    match shaken {
        Ok(Ok((stream, session))) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(H2);
            let peer = Peer { address: peer, tls: Some(Arc::new(session)) };
            if is_http2 { http2(stream, peer, served, there) } else { http1(stream, peer, served, there) }.await;
        }
        Ok(Err(error)) => {
            served.metrics.handshakes_failed.inc();
            tracing::debug!(%peer, %error, "the TLS handshake failed");
        }
        Err(_) => {
            served.metrics.handshakes_failed.inc();
            tracing::debug!(%peer, "the TLS handshake took too long");
        }
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Address and port.
    pub address: SocketAddr,
    /// The TLS session; `None` in the clear.
    pub tls: Option<Arc<TlsSession>>,
}

fn exchange(peer: Peer, served: &Served, in_flight: &InFlight) -> Exchange {
    let (app, serves) = (Arc::clone(&served.app), Arc::clone(&served.families));
    Exchange { app, serves, peer, in_flight: in_flight.clone() }
}

fn http1<'s, S>(stream: S, peer: Peer, served: &'s Served, (lifecycle, place): (&'s Lifecycle, &'s Place)) -> Serving<'s>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let address = peer.address;
    let service = TowerToHyperService::new(exchange(peer, served, place.under_way()));
    let mut builder = http1::Builder::new();
    // One buffer for head and body: one TLS record for a small answer, which the simplest of clients need.
    builder.timer(TokioTimer::new()).header_read_timeout(served.limits.head).max_header_size(MAX_HEAD.into()).writev(false);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    Box::pin(async move { ended(address, lifecycle.drive_placed(pin!(connection), place, None).await) })
}

fn http2<'s, S>(stream: S, peer: Peer, served: &'s Served, (lifecycle, place): (&'s Lifecycle, &'s Place)) -> Serving<'s>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let address = peer.address;
    let service = TowerToHyperService::new(exchange(peer, served, place.under_way()));
    let mut builder = http2::Builder::new(Tracked(lifecycle.tasks.clone()));
    builder.timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS).max_header_list_size(MAX_HEAD.into());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let patience = Some(served.limits.head);
    Box::pin(async move { ended(address, lifecycle.drive_placed(pin!(connection), place, patience).await) })
}

fn ended(peer: SocketAddr, outcome: Result<(), hyper::Error>) {
    if let Err(error) = outcome {
        tracing::debug!(%peer, %error, "the connection ended early");
    }
}

/// Has every request of HTTP/2 be a task that is waited for before the ledger is closed.
#[derive(Clone)]
struct Tracked(TaskTracker);

impl<F> Executor<F> for Tracked
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, request: F) {
        self.0.spawn(request);
    }
}
