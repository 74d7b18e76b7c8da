//! A web server that answers by a script, on bare sockets: it may do what no library would.

use super::*;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

/// What is done about a request.
pub(super) enum Script {
    /// These octets, then the end.
    Reply(Vec<u8>),
    /// A head that promises a body, then an octet of it at a time.
    Trickle(Duration),
    /// Nothing, and no end.
    Silence,
}

/// The heads of all requests, in order.
#[derive(Clone, Default)]
pub(super) struct Requests(Arc<Mutex<Vec<String>>>);

impl Requests {
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

type Scripted = Arc<dyn Fn(&str) -> Script + Send + Sync>;

/// Serves until dropped; the script is given the path.
pub(super) async fn serve(listener: TcpListener, script: Scripted, requests: Requests) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (script, requests) = (Arc::clone(&script), requests.clone());
        connections.spawn(async move { answer(stream, &script, &requests).await });
    }
}

/// The same over TLS.
pub(super) async fn serve_tls(listener: TcpListener, acceptor: TlsAcceptor, script: Scripted, requests: Requests) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (script, requests, acceptor) = (Arc::clone(&script), requests.clone(), acceptor.clone());
        connections.spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            answer(stream, &script, &requests).await;
        });
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &Scripted, requests: &Requests) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(octet) = stream.read_u8().await else { return };
        head.push(octet);
        // The start of a TLS record (RFC 8446 §5.1), in the clear.
        if head == [22] {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            return;
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    requests.0.lock().unwrap().push(head);
    // Whoever has heard enough hangs up, and that is part of the tests.
    match script(&path) {
        Script::Reply(reply) => {
            let _ = stream.write_all(&reply).await;
            let _ = stream.shutdown().await;
        }
        Script::Trickle(pause) => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await;
            while stream.write_all(b"a").await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        }
        Script::Silence => std::future::pending().await,
    }
}
