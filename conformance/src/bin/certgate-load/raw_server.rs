//! The least that a server must do for a request: hyper over rustls, reading the content and giving the same answer always; for an
//! enrollment also what no server can leave out, parsing and verifying the CSR and one signature.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
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

use crate::raw_crypto::Enrollment;

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
    /// For each request parse and verify the CSR in it, and sign a certificate like the one in the answer
    #[arg(long)]
    enroll: bool,
}

/// What each connection needs.
#[derive(Clone)]
struct Service {
    content: Bytes,
    media_type: HeaderValue,
    enrollment: Option<Arc<Enrollment>>,
}

/// Serves until it is killed.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(options))
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let acceptor = TlsAcceptor::from(Arc::new(tls_config(options)?));
    let content = Bytes::from(std::fs::read(&options.response).with_context(|| options.response.display().to_string())?);
    let enrollment = options.enroll.then(|| Enrollment::new(&content).map(Arc::new)).transpose()?;
    let service = Service { media_type: HeaderValue::try_from(&options.media_type)?, content, enrollment };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::print(&json!({ "address": listener.local_addr()?.to_string(), "pid": std::process::id() }))?;
    let tasks = TaskTracker::new();
    loop {
        let (tcp, _) = listener.accept().await?;
        tasks.spawn(converse(acceptor.clone(), tcp, service.clone()));
    }
}

/// One connection to its end. What a client does wrong ends it.
async fn converse(acceptor: TlsAcceptor, tcp: TcpStream, service: Service) {
    let _ = tcp.set_nodelay(true);
    let Ok(stream) = acceptor.accept(tcp).await else { return };
    let answers = service_fn(|request| answer(request, &service));
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answers).await;
}

async fn answer(request: Request<Incoming>, service: &Service) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut response = Response::new(Full::new(service.content.clone()));
    response.headers_mut().insert(CONTENT_TYPE, service.media_type.clone());
    if let Some(enrollment) = &service.enrollment
        && enrollment.perform(&body).is_err()
    {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
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
