//! One HTTP/1.1 connection: over TLS, whose handshake is a full one always, or in the clear.

use std::{net::SocketAddr, path::Path, sync::Arc};

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

/// Where connections go and whom they trust.
#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    /// Its name in its certificate, and how it is judged; `None` is in the clear.
    tls: Option<(ServerName<'static>, Arc<ClientConfig>)>,
}

impl Server {
    /// The server at `url`, over TLS judged by the trust anchors in `ca_file`.
    pub(crate) async fn new(url: &Url, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        match url.scheme {
            Scheme::Http => Ok(Self { address: address(url).await?, tls: None }),
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
        Ok(Self { address: address(url).await?, tls: Some((name, Arc::new(tls))) })
    }

    /// A connection, its handshake done.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let Some((name, tls)) = &self.tls else { return Connection::over(tcp).await };
        Connection::over(TlsConnector::from(Arc::clone(tls)).connect(name.clone(), tcp).await?).await
    }
}

async fn address(url: &Url) -> anyhow::Result<SocketAddr> {
    lookup_host((url.host.as_str(), url.port)).await?.next().context("a host without address")
}

/// A connection that is kept alive. Dropping it closes it.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    tasks: JoinSet<hyper::Result<()>>,
}

impl Connection {
    async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> anyhow::Result<Self> {
        let (sender, driver) = handshake(TokioIo::new(stream)).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(driver);
        Ok(Self { sender, tasks })
    }

    /// Sends a request; gives its answer, whatever it is, with all of its content.
    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }

    /// Ends the connection as a client does that has its answer: over TLS with its close_notify.
    pub(crate) async fn close(mut self) {
        drop(self.sender);
        let _ = self.tasks.join_next().await;
    }
}
