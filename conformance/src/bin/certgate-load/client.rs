//! One HTTP/1.1 connection over TLS, whose handshake is a full one always.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context, ensure};
use bytes::Bytes;
use certgate_conformance::target::Url;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, StatusCode,
    client::conn::http1::{SendRequest, handshake},
    header::CONTENT_TYPE,
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
};
use tokio_rustls::TlsConnector;

/// Where connections go and whom they trust.
#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
}

impl Server {
    /// The server at `url`, judged by the trust anchors in `ca_file`.
    pub(crate) async fn new(url: &Url, ca_file: &Path) -> anyhow::Result<Self> {
        Self::with_identity(url, ca_file, None).await
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
        let address = lookup_host((url.host.as_str(), url.port)).await?.next().context("a host without address")?;
        Ok(Self { address, name: ServerName::try_from(url.host.clone())?, tls: Arc::new(tls) })
    }

    /// A connection, its handshake done.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(self.name.clone(), tcp).await?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(driver);
        Ok(Connection { sender, tasks })
    }
}

/// A connection that is kept alive. Dropping it closes it.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    tasks: JoinSet<hyper::Result<()>>,
}

impl Connection {
    /// Sends a request; gives the content of its answer, which must be 200 and of this media type.
    pub(crate) async fn exchange(&mut self, request: Request<Full<Bytes>>, media_type: &str) -> anyhow::Result<Bytes> {
        let (status, kind, content) = self.ask(request).await?;
        ensure!(status == StatusCode::OK, "status {status}: {}", String::from_utf8_lossy(&content));
        ensure!(kind.split(';').next() == Some(media_type), "media type {kind:?}");
        Ok(content)
    }

    /// Sends a request; gives status, Content-Type and content of its answer, whatever it is.
    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, String, Bytes)> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Ok((status, kind, response.into_body().collect().await?.to_bytes()))
    }

    /// Ends the connection as a client does that has its answer: with TLS's close_notify.
    pub(crate) async fn close(mut self) {
        drop(self.sender);
        let _ = self.tasks.join_next().await;
    }
}
