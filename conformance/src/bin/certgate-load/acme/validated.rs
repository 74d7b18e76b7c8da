//! What the server asks while it validates: the name's address, and the answer to its challenge. Both are served by the thread that sends the
//! requests, which does not sleep: waking another one would be work of the server.

use std::{convert::Infallible, net::Ipv4Addr, sync::Arc};

use anyhow::Context;
use bytes::Bytes;
use certgate_conformance::acme::{dns, responder::path_of};
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};

/// Octets of a DNS message over UDP.
const DNS_LIMIT: usize = 4096;

/// Answers for an account whose key has this thumbprint, on these ports of 127.0.0.1, until what it returns is dropped.
pub(super) async fn answer(http01_port: u16, dns_port: u16, thumbprint: &str) -> anyhow::Result<JoinSet<()>> {
    let http = TcpListener::bind((Ipv4Addr::LOCALHOST, http01_port)).await.context("the port for http-01")?;
    let dns = UdpSocket::bind((Ipv4Addr::LOCALHOST, dns_port)).await.context("the port for DNS")?;
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(http, thumbprint.into()));
    tasks.spawn(resolve(dns));
    Ok(tasks)
}

/// Every name is this machine.
async fn resolve(socket: UdpSocket) {
    let mut query = [0; DNS_LIMIT];
    while let Ok((length, from)) = socket.recv_from(&mut query).await {
        if let Some(answer) = query.get(..length).and_then(dns::answer) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

async fn serve(listener: TcpListener, thumbprint: Arc<str>) {
    let mut tasks = JoinSet::new();
    while let Ok((tcp, _)) = listener.accept().await {
        tasks.spawn(converse(tcp, Arc::clone(&thumbprint)));
        while tasks.try_join_next().is_some() {}
    }
}

/// One connection to its end.
async fn converse(tcp: TcpStream, thumbprint: Arc<str>) {
    let answers = service_fn(|request| {
        let answer = key_authorization(&request, &thumbprint);
        async { Ok::<_, Infallible>(answer) }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(tcp), answers).await;
}

/// RFC 8555 §8.3: the key authorization, whatever the token is.
fn key_authorization(request: &Request<Incoming>, thumbprint: &str) -> Response<Full<Bytes>> {
    let token = request.uri().path().strip_prefix(&path_of(""));
    let mut answer = Response::new(Full::from(token.map_or_else(String::new, |token| format!("{token}.{thumbprint}"))));
    if token.is_none() {
        *answer.status_mut() = StatusCode::NOT_FOUND;
    }
    answer
}
