//! The least that a server must do for a request: hyper, over rustls or in the clear, reading the content and giving the same answer
//! always; and what no server can leave out on top of that, when it is asked for.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
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
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::{
    head,
    raw_crypto::Enrollment,
    raw_status::{Reads, Signature},
    serials::Serials,
};

/// What the server shows and says.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Its chain, PEM; without one it serves in the clear
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// The content of its answers
    #[arg(long)]
    response: PathBuf,
    /// Their status and header fields, as --save-head has written them
    #[arg(long)]
    head: Option<PathBuf>,
    /// Their media type, where there is no head
    #[arg(long, default_value = "application/pkcs7-mime; smime-type=certs-only")]
    media_type: String,
    /// For each request parse and verify the CSR in it, and sign a certificate like the one in the answer
    #[arg(long)]
    enroll: bool,
    /// For each request sign the ResponseData of the OCSP response that is the answer
    #[arg(long)]
    sign: bool,
    /// For each request look a certificate up in this ledger
    #[arg(long, requires = "serials")]
    ledger: Option<PathBuf>,
    /// Name of the authority that has issued them
    #[arg(long, default_value = "default")]
    authority: String,
    /// Serial numbers of theirs: FIRST+COUNT, the first as 16 octets in hexadecimal
    #[arg(long)]
    serials: Option<Serials>,
}

/// What each connection needs.
struct Service {
    status: StatusCode,
    fields: HeaderMap,
    content: Bytes,
    enrollment: Option<Enrollment>,
    signature: Option<Signature>,
    reads: Option<Reads>,
}

/// Serves until it is killed.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(options))
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let config = options.cert.as_deref().zip(options.key.as_deref()).map(|(cert, key)| tls_config(cert, key)).transpose()?;
    let acceptor = config.map(|config| TlsAcceptor::from(Arc::new(config)));
    let service = Arc::new(Service::new(options)?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::print(&json!({ "address": listener.local_addr()?.to_string(), "pid": std::process::id() }))?;
    let tasks = TaskTracker::new();
    loop {
        let (tcp, _) = listener.accept().await?;
        tasks.spawn(converse(acceptor.clone(), tcp, Arc::clone(&service)));
    }
}

/// One connection to its end. What a client does wrong ends it.
async fn converse(acceptor: Option<TlsAcceptor>, tcp: TcpStream, service: Arc<Service>) {
    let _ = tcp.set_nodelay(true);
    let Some(acceptor) = acceptor else { return respond(tcp, &service).await };
    if let Ok(stream) = acceptor.accept(tcp).await {
        respond(stream, &service).await;
    }
}

async fn respond(stream: impl AsyncRead + AsyncWrite + Unpin, service: &Service) {
    let answers = service_fn(|request| service.answer(request));
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answers).await;
}

impl Service {
    fn new(options: &Options) -> anyhow::Result<Self> {
        let content = std::fs::read(&options.response).with_context(|| options.response.display().to_string())?;
        let (status, fields) = match &options.head {
            Some(path) => head::read(&std::fs::read_to_string(path).with_context(|| path.display().to_string())?)?,
            None => (StatusCode::OK, HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::try_from(&options.media_type)?)])),
        };
        let enrollment = options.enroll.then(|| Enrollment::new(&content)).transpose()?;
        let signature = options.sign.then(|| Signature::of(&content)).transpose()?;
        let read_from = options.ledger.as_deref().zip(options.serials);
        let reads = read_from.map(|(ledger, serials)| Reads::of(ledger, &options.authority, serials)).transpose()?;
        Ok(Self { status, fields, content: content.into(), enrollment, signature, reads })
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let mut response = Response::new(Full::new(self.content.clone()));
        *response.headers_mut() = self.fields.clone();
        *response.status_mut() = if self.work(&body).is_ok() { self.status } else { StatusCode::BAD_REQUEST };
        Ok(response)
    }

    /// What it was asked to do for each request.
    fn work(&self, body: &[u8]) -> anyhow::Result<()> {
        self.enrollment.as_ref().map_or(Ok(()), |enrollment| enrollment.perform(body))?;
        self.reads.as_ref().map_or(Ok(()), Reads::next)?;
        self.signature.as_ref().map_or(Ok(()), Signature::make)
    }
}

/// As the gateway's listeners have it: both versions, HTTP/1.1, one ticket from a key of the process, no client certificate.
fn tls_config(cert: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| key.display().to_string())?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates(cert)?, key)?;
    config.ticketer = Ticketer::new()?;
    config.send_tls13_tickets = 1;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<_, _>>();
    read().with_context(|| path.display().to_string())
}
