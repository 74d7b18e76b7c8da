//! The transport over blocking sockets, with rustls over them.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    sync::Arc,
};

use anyhow::{Context, anyhow};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};

use super::{
    Failure, Transport, finished,
    stream::{PATIENCE, Stream, is_timeout, wire::Wire},
};
use crate::{
    channel::{Channel, Dial, Identity, TlsVersion},
    clause::Suite,
    http::{Connection, Request, Response},
    target::{EstTarget, Scheme, Target, Url},
};

/// The transport to a server under test.
pub struct SocketTransport {
    url: Url,
    /// Where to connect, when that is not the host of the URL.
    connect: Option<String>,
    roots: Arc<RootCertStore>,
    /// The target's own client certificate.
    own: Option<Arc<Identity>>,
    /// One configuration for each way to dial, so that a session may be resumed by who made it.
    configurations: Vec<(Dial, Arc<ClientConfig>)>,
    kept: Option<Stream>,
    opened: Option<Stream>,
}

impl SocketTransport {
    /// A transport to the server of `target` that `suite` tries.
    ///
    /// # Errors
    /// A target without the table that the suite needs, a URL that is none, or files that do not read.
    pub fn new(target: &Target, suite: Suite) -> anyhow::Result<Self> {
        let est = target.est.as_ref().filter(|_| matches!(suite, Suite::Est | Suite::X509));
        // Who looks at CRLs enrolls over EST, and says of each list where it is.
        let first = if suite == Suite::Crl { Suite::Est } else { suite };
        Ok(Self {
            url: target.url(first)?,
            connect: target.connect.clone(),
            roots: Arc::new(read_roots(target)?),
            own: est.map(read_identity).transpose()?.flatten(),
            configurations: Vec::new(),
            kept: None,
            opened: None,
        })
    }

    fn connect(&mut self, dial: &Dial) -> Result<Stream, Failure> {
        let url = dial.origin.as_ref().unwrap_or(&self.url).clone();
        if url.scheme == Scheme::Http {
            return Ok(Stream::new(Wire::Plain(self.connect_tcp(&url)?), None, url.authority()));
        }
        let configuration = self.configuration(dial)?;
        let name = ServerName::try_from(url.host.clone()).map_err(|error| Failure::Connect(error.to_string()))?;
        let tcp = self.connect_tcp(&url)?;
        let session = ClientConnection::new(configuration, name).map_err(|error| Failure::Tls(error.to_string()))?;
        let mut tls = StreamOwned::new(session, tcp);
        let (outcome, finished) = finished::watch(|| {
            while tls.conn.is_handshaking() {
                tls.conn.complete_io(&mut tls.sock)?;
            }
            Ok(())
        });
        outcome.map_err(|error: std::io::Error| Failure::Tls(error.to_string()))?;
        Ok(Stream::new(Wire::Tls(Box::new(tls)), finished, url.authority()))
    }

    fn configuration(&mut self, dial: &Dial) -> Result<Arc<ClientConfig>, Failure> {
        let dial = Dial { origin: None, ..dial.clone() };
        if let Some((_, known)) = self.configurations.iter().find(|(of, _)| *of == dial) {
            return Ok(Arc::clone(known));
        }
        let made = configure(Arc::clone(&self.roots), dial.version, dial.identity.as_ref().or(self.own.as_ref()));
        let made = Arc::new(made.map_err(|error| Failure::Tls(format!("in the suite: {error:#}")))?);
        self.configurations.push((dial, Arc::clone(&made)));
        Ok(made)
    }

    fn connect_tcp(&self, url: &Url) -> Result<TcpStream, Failure> {
        let refused = |error: std::io::Error| Failure::Connect(error.to_string());
        let host = self.connect.as_deref().unwrap_or(&url.host);
        let address = (host, url.port).to_socket_addrs().map_err(refused)?.next();
        let address = address.ok_or_else(|| Failure::Connect(format!("{host} has no address")))?;
        let tcp = TcpStream::connect_timeout(&address, PATIENCE).map_err(refused)?;
        tcp.set_nodelay(true).map_err(refused)?;
        tcp.set_read_timeout(Some(PATIENCE)).map_err(refused)?;
        tcp.set_write_timeout(Some(PATIENCE)).map_err(refused)?;
        Ok(tcp)
    }
}

fn read_roots(target: &Target) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&target.ca_file).with_context(|| target.ca_file.display().to_string())? {
        roots.add(certificate?)?;
    }
    Ok(roots)
}

fn read_identity(est: &EstTarget) -> anyhow::Result<Option<Arc<Identity>>> {
    let (Some(chain), Some(key)) = (&est.client_cert, &est.client_key) else { return Ok(None) };
    let certificates = CertificateDer::pem_file_iter(chain).with_context(|| chain.display().to_string())?;
    let chain = certificates.map(|one| Ok(one?.to_vec())).collect::<anyhow::Result<_>>()?;
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| key.display().to_string())?;
    Ok(Some(Arc::new(Identity { chain, key: key.secret_der().to_vec() })))
}

fn configure(
    roots: Arc<RootCertStore>,
    version: Option<TlsVersion>,
    identity: Option<&Arc<Identity>>,
) -> anyhow::Result<ClientConfig> {
    let versions: &[&SupportedProtocolVersion] = match version {
        Some(TlsVersion::V1_2) => &[&TLS12],
        Some(TlsVersion::V1_3) => &[&TLS13],
        None => rustls::ALL_VERSIONS,
    };
    let config = ClientConfig::builder_with_provider(finished::provider()).with_protocol_versions(versions)?;
    let config = config.with_root_certificates(roots);
    Ok(match identity {
        // Whatever the server says it wants: a bad certificate is sent all the same.
        Some(identity) => {
            let chain = identity.chain.iter().map(|one| CertificateDer::from(one.clone())).collect();
            let key = PrivateKeyDer::try_from(identity.key.clone()).map_err(|error| anyhow!("client key: {error}"))?;
            config.with_client_auth_cert(chain, key)?
        }
        None => config.with_no_client_auth(),
    })
}

impl Transport for SocketTransport {
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        let ready = match request.connection {
            Connection::Fresh => None,
            Connection::Kept => self.kept.take(),
            Connection::Opened => Some(self.opened.take().ok_or_else(|| Failure::Connect("none was opened".into()))?),
        };
        let mut stream = match ready {
            Some(stream) => stream,
            None => self.connect(&request.dial)?,
        };
        stream.send(request)?;
        let response = stream.receive(&request.method)?;
        if request.connection == Connection::Kept && !response.closes() {
            stream.used = true;
            self.kept = Some(stream);
        }
        Ok(response)
    }

    fn open(&mut self, dial: &Dial) -> Result<Channel, Failure> {
        self.opened = None;
        let stream = self.connect(dial)?;
        let channel = stream.channel()?;
        self.opened = Some(stream);
        Ok(channel)
    }

    fn probe(&mut self, opening: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut tcp = self.connect_tcp(&self.url)?;
        if tcp.write_all(opening).is_err() {
            return Ok(Vec::new());
        }
        let mut answer = vec![0; 4096];
        match tcp.read(&mut answer) {
            Ok(count) => {
                answer.truncate(count);
                Ok(answer)
            }
            Err(error) if is_timeout(&error) => Err(Failure::Silent),
            Err(_) => Ok(Vec::new()),
        }
    }
}
