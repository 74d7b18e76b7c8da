//! Accepting connections and serving each to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use super::{InFlight, Lifecycle};
use crate::config::Family;
use crate::serve::{App, Exchange};
use crate::telemetry::Metrics;

/// Largest head of a request, in octets.
const MAX_HEAD: usize = 32 * 1024;
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

/// Accepts until told to stop. Connections at the limit are closed at once, so that those that are served stay fast.
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
        let Ok(permit) = Arc::clone(&lifecycle.connections).try_acquire_owned() else {
            served.metrics.connections_refused.inc();
            continue;
        };
        let (served, stopping) = (served.clone(), lifecycle.clone());
        lifecycle.tasks.spawn(async move {
            let _counted = Counted::new(&served.metrics.connections);
            serve_connection(stream, peer, &served, &stopping).await;
            drop(permit);
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

async fn serve_connection(stream: TcpStream, peer: SocketAddr, served: &Served, lifecycle: &Lifecycle) {
    // Answers are small and whole: waiting to fill a segment only delays them. Without it they are late, not wrong.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(served.limits.write));
    let stream = Box::pin(stream);
    let Some(tls) = &served.tls else { return serve_http(stream, peer, served, lifecycle).await };
    let handshake = TlsAcceptor::from(Arc::clone(tls)).accept(stream);
    let handshake = tokio::time::timeout(served.limits.handshake, handshake);
    match lifecycle.stopping.run_until_cancelled(handshake).await {
        Some(Ok(Ok(stream))) => serve_http(stream, peer, served, lifecycle).await,
        Some(Ok(Err(error))) => {
            served.metrics.handshakes_failed.inc();
            tracing::debug!(%peer, %error, "the TLS handshake failed");
        }
        Some(Err(_)) => {
            served.metrics.handshakes_failed.inc();
            tracing::debug!(%peer, "the TLS handshake took too long");
        }
        None => {}
    }
}

async fn serve_http<S>(stream: S, peer: SocketAddr, served: &Served, lifecycle: &Lifecycle)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let in_flight = InFlight::default();
    let (app, serves) = (Arc::clone(&served.app), Arc::clone(&served.families));
    let exchange = Exchange { app, serves, peer, in_flight: in_flight.clone() };
    let mut builder = http1::Builder::new();
    // One buffer for head and body: one TLS record for a small answer, which the simplest of clients need.
    builder.timer(TokioTimer::new()).header_read_timeout(served.limits.head).max_header_size(MAX_HEAD).writev(false);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(exchange));
    if let Err(error) = lifecycle.drive(connection, &in_flight).await {
        tracing::debug!(%peer, %error, "the connection ended early");
    }
}
