//! The least that a server must do for a request: hyper, over rustls or in the clear, reading the content and giving the same answer
//! always; and what no server can leave out on top of that, when it is asked for.

use std::{
    collections::HashMap,
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
    exchange::{self, Given},
    head,
    raw_crypto::Enrollment,
    raw_issuance::Issuance,
    raw_rsa::PkcsReq,
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
    /// The content of its answers, whatever is asked
    #[arg(long, required_unless_present = "exchange")]
    response: Option<PathBuf>,
    /// Its answers by path and query, as --record has written them
    #[arg(long, conflicts_with = "response")]
    exchange: Option<PathBuf>,
    /// Their status and header fields, as --save-head has written them
    #[arg(long)]
    head: Option<PathBuf>,
    /// Their media type, where there is no head
    #[arg(long, default_value = "application/pkcs7-mime; smime-type=certs-only")]
    media_type: String,
    /// For each request parse and verify the CSR in it, and sign a certificate like the one in the answer
    #[arg(long)]
    enroll: bool,
    /// Do what an issuance by ACME cannot do without: verify each JWS, validate, and issue a certificate like the one in this file
    #[arg(long, requires = "validate_at")]
    issue: Option<PathBuf>,
    /// Ports of 127.0.0.1 where http-01 and DNS are asked: HTTP+DNS
    #[arg(long, value_parser = ports)]
    validate_at: Option<(u16, u16)>,
    /// For each request of SCEP decrypt, verify and sign by RSA keys, and sign a certificate
    #[arg(long)]
    rsa: bool,
    /// For each request sign the ResponseData of the OCSP response that is the answer
    #[arg(long)]
    sign: bool,
    /// For each request look a certificate up in this ledger before that
    #[arg(long, requires_all = ["serials", "sign"])]
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
    /// The answer to whatever has none of its own.
    always: Option<Given>,
    /// Answers by path and query.
    answers: HashMap<String, Given>,
    work: Work,
}

/// What is done for each request, beside answering it.
enum Work {
    Nothing,
    Enrollment(Enrollment),
    Issuance(Issuance),
    PkcsReq(PkcsReq),
    Status(Option<Reads>, Signature),
}

/// Two ports.
fn ports(text: &str) -> Result<(u16, u16), String> {
    let pair = text.split_once('+').and_then(|(http, dns)| Some((http.parse().ok()?, dns.parse().ok()?)));
    pair.ok_or_else(|| "not HTTP+DNS".to_owned())
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
        let always = options.response.as_deref().map(|path| given(path, options)).transpose()?;
        let answers = options.exchange.as_deref().map(exchange::read).transpose()?.unwrap_or_default();
        let content = always.as_ref().map(|given| given.content.clone()).unwrap_or_default();
        Ok(Self { work: Work::new(options, &content)?, always, answers })
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let Some(given) = self.answers.get(target).or(self.always.as_ref()) else { return Ok(bare(StatusCode::NOT_FOUND)) };
        if self.work.perform(target, &body).await.is_err() {
            return Ok(bare(StatusCode::BAD_REQUEST));
        }
        let mut response = Response::new(Full::new(given.content.clone()));
        *response.headers_mut() = given.fields.clone();
        *response.status_mut() = given.status;
        Ok(response)
    }
}

/// An answer that says no more than its status.
fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// The one answer that the options name.
fn given(content: &Path, options: &Options) -> anyhow::Result<Given> {
    let content = std::fs::read(content).with_context(|| content.display().to_string())?.into();
    let (status, fields) = match &options.head {
        Some(path) => head::read(&std::fs::read_to_string(path).with_context(|| path.display().to_string())?)?,
        None => (StatusCode::OK, HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::try_from(&options.media_type)?)])),
    };
    Ok(Given { status, fields, content })
}

impl Work {
    /// As the options have it; `content` is the one answer.
    fn new(options: &Options, content: &[u8]) -> anyhow::Result<Self> {
        if options.enroll {
            return Ok(Self::Enrollment(Enrollment::new(content)?));
        }
        if let Some((issued, ports)) = options.issue.as_deref().zip(options.validate_at) {
            return Ok(Self::Issuance(Issuance::new(&crate::read(issued)?, ports)?));
        }
        if options.rsa {
            return Ok(Self::PkcsReq(PkcsReq::new()?));
        }
        if options.sign {
            let read_from = options.ledger.as_deref().zip(options.serials);
            let reads = read_from.map(|(ledger, serials)| Reads::of(ledger, &options.authority, serials)).transpose()?;
            return Ok(Self::Status(reads, Signature::of(content)?));
        }
        Ok(Self::Nothing)
    }

    async fn perform(&self, target: &str, body: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Enrollment(enrollment) => enrollment.perform(body),
            Self::Issuance(issuance) => issuance.perform(target, body).await,
            Self::PkcsReq(_) if body.is_empty() => Ok(()),
            Self::PkcsReq(request) => request.perform(),
            Self::Status(reads, signature) => {
                reads.as_ref().map_or(Ok(()), Reads::next)?;
                signature.make()
            }
        }
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
