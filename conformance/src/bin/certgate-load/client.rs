//! One HTTP/1.1 connection: over TLS, whose handshake is a full one always, or in the clear.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Context;
use bytes::Bytes;
use certgate_conformance::target::{Scheme, Url};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::JoinSet,
};
use tokio_rustls::TlsConnector;

use crate::exchange::Recorder;

/// Where connections go and whom they trust.
#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    /// Its name in its certificate, and how it is judged; `None` is in the clear.
    tls: Option<(ServerName<'static>, Arc<ClientConfig>)>,
    log: Log,
}

/// What is told of the requests of all connections.
#[derive(Clone, Default)]
struct Log {
    asked: Arc<AtomicUsize>,
    recorder: Option<Arc<Recorder>>,
}

impl Server {
    /// The server at `url`, over TLS judged by the trust anchors in `ca_file`.
    pub(crate) async fn new(url: &Url, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        match url.scheme {
            Scheme::Http => Ok(Self { address: address(url).await?, tls: None, log: Log::default() }),
            Scheme::Https => Self::with_identity(url, ca_file.context("https needs --ca-file")?, None).await,
        }
    }

    /// The same, to which connections show a client certificate: PEM files of its chain and its key.
    pub(crate) async fn with_identity(url: &Url, ca_file: &Path, identity: Option<(&Path, &Path)>) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca_file).with_context(|| ca_file.display().to_string())? {
            roots.add(certificate?)?;
        }
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let mut tls = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<_, _>>()?;
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key)?)?
            }
        };
        tls.resumption = Resumption::disabled();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::try_from(url.host.clone())?;
        Ok(Self { address: address(url).await?, tls: Some((name, Arc::new(tls))), log: Log::default() })
    }

    /// Keeps what is answered from here on.
    pub(crate) fn record(&mut self, recorder: Arc<Recorder>) {
        self.log.recorder = Some(recorder);
    }

    /// How many requests were sent so far.
    pub(crate) fn asked(&self) -> usize {
        self.log.asked.load(Ordering::Relaxed)
    }

    /// A connection, its handshake done.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let log = self.log.clone();
        let Some((name, tls)) = &self.tls else { return Connection::over(tcp, log).await };
        Connection::over(TlsConnector::from(Arc::clone(tls)).connect(name.clone(), tcp).await?, log).await
    }
}

async fn address(url: &Url) -> anyhow::Result<SocketAddr> {
    lookup_host((url.host.as_str(), url.port)).await?.next().context("a host without address")
}

/// A connection that is kept alive. Dropping it closes it.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    tasks: JoinSet<hyper::Result<()>>,
    log: Log,
}

impl Connection {
    async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, log: Log) -> anyhow::Result<Self> {
        let (sender, driver) = handshake(TokioIo::new(stream)).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(driver);
        Ok(Self { sender, tasks, log })
    }

    /// Sends a request; gives its answer, whatever it is, with all of its content.
    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        self.sender.ready().await?;
        self.log.asked.fetch_add(1, Ordering::Relaxed);
        let recorded = self.log.recorder.clone().map(|recorder| (recorder, request.uri().to_string()));
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let answer = Response::from_parts(head, body.collect().await?.to_bytes());
        if let Some((recorder, target)) = recorded {
            recorder.keep(target, &answer);
        }
        Ok(answer)
    }

    /// Ends the connection as a client does that has its answer: over TLS with its close_notify.
    pub(crate) async fn close(mut self) {
        drop(self.sender);
        let _ = self.tasks.join_next().await;
    }
}
