//! The least that a server must do for a request: hyper over rustls, reading the content and giving the same answer always.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::Ticketer,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

/// What the server shows and says.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Its chain, PEM
    #[arg(long)]
    cert: PathBuf,
    /// Its key, PEM
    #[arg(long)]
    key: PathBuf,
    /// The content of its answers
    #[arg(long)]
    response: PathBuf,
    /// Their media type
    #[arg(long, default_value = "application/pkcs7-mime; smime-type=certs-only")]
    media_type: String,
}

/// Serves until it is killed.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(options))
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let acceptor = TlsAcceptor::from(Arc::new(tls_config(options)?));
    let content = Bytes::from(std::fs::read(&options.response).with_context(|| options.response.display().to_string())?);
    let media_type = HeaderValue::try_from(&options.media_type)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::print(&json!({ "address": listener.local_addr()?.to_string(), "pid": std::process::id() }))?;
    let tasks = TaskTracker::new();
    loop {
        let (tcp, _) = listener.accept().await?;
        tasks.spawn(converse(acceptor.clone(), tcp, content.clone(), media_type.clone()));
    }
}

/// One connection to its end. What a client does wrong ends it.
async fn converse(acceptor: TlsAcceptor, tcp: TcpStream, content: Bytes, media_type: HeaderValue) {
    let _ = tcp.set_nodelay(true);
    let Ok(stream) = acceptor.accept(tcp).await else { return };
    let service = service_fn(|request| answer(request, content.clone(), media_type.clone()));
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    content: Bytes,
    media_type: HeaderValue,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Full::new(content));
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(response)
}

/// As the gateway's listeners have it: both versions, HTTP/1.1, one ticket from a key of the process, no client certificate.
fn tls_config(options: &Options) -> anyhow::Result<ServerConfig> {
    let key = PrivateKeyDer::from_pem_file(&options.key).with_context(|| options.key.display().to_string())?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates(&options.cert)?, key)?;
    config.ticketer = Ticketer::new()?;
    config.send_tls13_tickets = 1;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<_, _>>();
    read().with_context(|| path.display().to_string())
}
