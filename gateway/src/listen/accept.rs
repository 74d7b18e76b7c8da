//! Accepting connections and serving each to its end.

use std::error::Error;
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

use super::ended::reason;
use super::session::{TlsSession, handshake};
use super::tls::H2;
use super::{InFlight, Lifecycle, Place};
use crate::config::Family;
use crate::serve::{App, Exchange, PIECE};
use crate::telemetry::{ConnectionEnd, Metrics};

/// Streams of one connection that h2 may refuse by itself, such as for their heads, before the connection is ended: of one alone nobody is told.
const MOST_REFUSED: usize = 32;
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
    /// Octets of a request's head.
    pub head_bytes: u32,
    /// Requests at one time on one connection of HTTP/2.
    pub streams: u32,
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
    let peeked = tokio::select! {
        () = lifecycle.stopping.cancelled() => return,
        () = place.under_way().is_wanted() => return,
        peeked = tokio::time::timeout(patience, stream.peek(&mut first)) => peeked,
    };
    match peeked {
        Ok(Ok(1)) => speaking(stream, peer, served, (lifecycle, place)).await,
        Ok(_) => {}
        Err(_) => served.metrics.refusals.connection(ConnectionEnd::Silent),
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
        () = place.under_way().is_wanted() => return,
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
    // One buffer for head and body: one TLS record for a small answer, which the simplest of clients need. It holds a piece of a long one.
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(served.limits.head)
        .max_header_size(served.limits.head_bytes as usize)
        .max_buf_size(served.limits.head_bytes as usize + PIECE)
        .writev(false);
    let mut connection = builder.serve_connection(TokioIo::new(stream), service);
    Box::pin(async move {
        // hyper waits for the next head by itself.
        let outcome = lifecycle.drive_placed(Pin::new(&mut connection), place, std::future::pending()).await;
        let Err(error) = outcome else { return };
        let why = if error.is_timeout() && error.source().is_none() {
            // It has waited for a head. Has some of it come?
            let has_begun = !connection.into_parts().read_buf.is_empty();
            Some(if has_begun { ConnectionEnd::HeadTimeout } else { waited_for(place) })
        } else {
            reason(&error)
        };
        ended(address, &error, why, served);
    })
}

fn http2<'s, S>(stream: S, peer: Peer, served: &'s Served, (lifecycle, place): (&'s Lifecycle, &'s Place)) -> Serving<'s>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let address = peer.address;
    let service = TowerToHyperService::new(exchange(peer, served, place.under_way()));
    let mut builder = http2::Builder::new(Tracked(lifecycle.tasks.clone()));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(served.limits.streams)
        .max_header_list_size(served.limits.head_bytes);
    builder.max_local_error_reset_streams(MOST_REFUSED);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    Box::pin(async move {
        let idle = async {
            place.under_way().idle(served.limits.head).await;
            served.metrics.refusals.connection(waited_for(place));
        };
        if let Err(error) = lifecycle.drive_placed(pin!(connection), place, idle).await {
            ended(address, &error, reason(&error), served);
        }
    })
}

/// Of a connection over which nothing has come for too long.
fn waited_for(place: &Place) -> ConnectionEnd {
    if place.under_way().is_unused() { ConnectionEnd::Silent } else { ConnectionEnd::Idle }
}

fn ended(peer: SocketAddr, error: &hyper::Error, why: Option<ConnectionEnd>, served: &Served) {
    tracing::debug!(%peer, %error, "the connection ended early");
    if let Some(why) = why {
        served.metrics.refusals.connection(why);
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
