//! Blocking sockets with rustls over them.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

use super::{Failure, Transport};
use crate::{
    clock::Stopwatch,
    http::{self, Connection, Delivery, Framing, Malformed, Request, Response},
    target::{EstTarget, Target, Url},
};

/// How long the suite waits for an answer that nothing delays.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a client waits for `100 Continue` before it sends the content anyway (RFC 9110 §10.1.1 lets it).
const CONTINUE_WAIT: Duration = Duration::from_secs(5);
/// Content goes out in pieces of this many octets, with a look for an early answer between them.
const PIECE: usize = 64 * 1024;
/// How long such a look takes.
const GLANCE: Duration = Duration::from_millis(1);
/// No answer of these protocols is longer.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// The transport to a server under test.
pub struct SocketTransport {
    address: SocketAddr,
    name: ServerName<'static>,
    host: String,
    tls: Arc<ClientConfig>,
    kept: Option<Stream>,
}

impl SocketTransport {
    /// A transport to the EST server of `target`.
    ///
    /// # Errors
    /// A name that does not resolve, or files that do not read.
    pub fn new(target: &Target, est: &EstTarget) -> anyhow::Result<Self> {
        let url: Url = est.url.parse()?;
        let address = target.connect.as_deref().unwrap_or(&url.host);
        let address =
            (address, url.port).to_socket_addrs()?.next().ok_or_else(|| anyhow::anyhow!("{address} has no address"))?;
        let name = ServerName::try_from(url.host.clone())?;
        Ok(Self { address, name, host: url.authority(), tls: Arc::new(tls_config(target, est)?), kept: None })
    }

    fn connect(&self) -> Result<Stream, Failure> {
        let tcp = self.connect_tcp()?;
        let session =
            ClientConnection::new(Arc::clone(&self.tls), self.name.clone()).map_err(|error| Failure::Tls(error.to_string()))?;
        let mut tls = StreamOwned::new(session, tcp);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock).map_err(|error| Failure::Tls(error.to_string()))?;
        }
        Ok(Stream { tls, received: Vec::new(), used: false })
    }

    fn connect_tcp(&self) -> Result<TcpStream, Failure> {
        let refused = |error: std::io::Error| Failure::Connect(error.to_string());
        let tcp = TcpStream::connect_timeout(&self.address, PATIENCE).map_err(refused)?;
        tcp.set_nodelay(true).map_err(refused)?;
        tcp.set_read_timeout(Some(PATIENCE)).map_err(refused)?;
        tcp.set_write_timeout(Some(PATIENCE)).map_err(refused)?;
        Ok(tcp)
    }
}

fn tls_config(target: &Target, est: &EstTarget) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&target.ca_file).with_context(|| target.ca_file.display().to_string())? {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder().with_root_certificates(roots);
    Ok(match (&est.client_cert, &est.client_key) {
        (Some(chain), Some(key)) => {
            let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<_, _>>()?;
            config.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key)?)?
        }
        _ => config.with_no_client_auth(),
    })
}

impl Transport for SocketTransport {
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        let kept = if request.connection == Connection::Kept { self.kept.take() } else { None };
        let mut stream = kept.map_or_else(|| self.connect(), Ok)?;
        stream.send(request, &self.host)?;
        let response = stream.receive(&request.method)?;
        if request.connection == Connection::Kept && !response.closes() {
            stream.used = true;
            self.kept = Some(stream);
        }
        Ok(response)
    }

    fn probe(&mut self, opening: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut tcp = self.connect_tcp()?;
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

/// One TLS connection and what came in over it that nobody has read.
struct Stream {
    tls: StreamOwned<ClientConnection, TcpStream>,
    received: Vec<u8>,
    used: bool,
}

impl Stream {
    /// Sends a request. A write that fails is no failure yet: the answer may have come before the server stopped reading.
    fn send(&mut self, request: &Request, host: &str) -> Result<(), Failure> {
        let sent = self.tls.write_all(&request.head(host)).and_then(|()| self.tls.flush());
        let (Ok(()), Some(content)) = (sent, &request.content) else { return Ok(()) };
        match request.delivery {
            Delivery::AtOnce => self.send_content(content),
            Delivery::AfterContinue => {
                self.look(CONTINUE_WAIT)?;
                let answered = http::parse_head(&self.received)?.is_some_and(|(head, _)| head.status != 100);
                if !answered {
                    self.send_content(content)?;
                }
                Ok(())
            }
            Delivery::Trickle { pause, limit } => self.trickle(content, pause, limit),
        }
    }

    fn send_content(&mut self, content: &[u8]) -> Result<(), Failure> {
        let several = content.len() > PIECE;
        for piece in content.chunks(PIECE) {
            if self.tls.write_all(piece).and_then(|()| self.tls.flush()).is_err() {
                return Ok(());
            }
            if several && self.look(GLANCE)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn trickle(&mut self, content: &[u8], pause: Duration, limit: Duration) -> Result<(), Failure> {
        let watch = Stopwatch::start();
        for octet in content {
            if self.tls.write_all(&[*octet]).and_then(|()| self.tls.flush()).is_err() || self.look(pause)? {
                return Ok(());
            }
            if watch.elapsed() > limit {
                return Err(Failure::Silent);
            }
        }
        Ok(())
    }

    /// Waits up to `patience` for more octets; true when some came or the connection ended.
    fn look(&mut self, patience: Duration) -> Result<bool, Failure> {
        match self.fill(patience) {
            Ok(()) | Err(Failure::Closed) => Ok(true),
            Err(Failure::Silent) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Takes in what has come, waiting up to `patience`. It reads records itself, since rustls's stream first writes what is left to
    /// write, and a server that refuses a body may have stopped reading after its answer.
    fn fill(&mut self, patience: Duration) -> Result<(), Failure> {
        let StreamOwned { conn, sock } = &mut self.tls;
        sock.set_read_timeout(Some(patience)).map_err(|error| Failure::Connect(error.to_string()))?;
        let mut piece = vec![0; 16 * 1024];
        loop {
            match conn.reader().read(&mut piece) {
                Ok(0) => return Err(Failure::Closed),
                Ok(count) => {
                    self.received.extend(piece.iter().take(count));
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Err(Failure::Closed),
            }
            match conn.read_tls(sock) {
                Ok(0) => return Err(Failure::Closed),
                Ok(_) => conn.process_new_packets().map(|_| ()).map_err(|error| Failure::Tls(error.to_string()))?,
                Err(error) if is_timeout(&error) => return Err(Failure::Silent),
                Err(_) => return Err(Failure::Closed),
            }
        }
    }

    fn receive(&mut self, method: &str) -> Result<Response, Failure> {
        let mut interim = Vec::new();
        loop {
            let mut response = self.receive_head()?;
            if (100..200).contains(&response.status) {
                interim.push(response.status);
                continue;
            }
            response.content = match http::framing(method, &response)? {
                Framing::Length(length) => self.receive_exactly(length)?,
                Framing::Chunked => self.receive_chunked()?,
                Framing::UntilClose => self.receive_rest()?,
            };
            response.interim = interim;
            response.reused = self.used;
            let peer = self.tls.conn.peer_certificates().unwrap_or_default();
            response.peer = peer.iter().map(|certificate| certificate.to_vec()).collect();
            return Ok(response);
        }
    }

    fn receive_head(&mut self) -> Result<Response, Failure> {
        loop {
            if let Some((response, taken)) = http::parse_head(&self.received)? {
                self.received.drain(..taken);
                return Ok(response);
            }
            self.fill_within_limit()?;
        }
    }

    fn receive_exactly(&mut self, length: usize) -> Result<Vec<u8>, Failure> {
        while self.received.len() < length {
            self.fill_within_limit()?;
        }
        Ok(self.received.drain(..length).collect())
    }

    fn receive_chunked(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some((content, taken)) = http::decode_chunked(&self.received)? {
                self.received.drain(..taken);
                return Ok(content);
            }
            self.fill_within_limit()?;
        }
    }

    fn receive_rest(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            match self.fill_within_limit() {
                Ok(()) => {}
                Err(Failure::Closed) => return Ok(std::mem::take(&mut self.received)),
                Err(other) => return Err(other),
            }
        }
    }

    fn fill_within_limit(&mut self) -> Result<(), Failure> {
        if self.received.len() > ANSWER_LIMIT {
            return Err(Malformed("an answer without end".into()).into());
        }
        self.fill(PATIENCE)
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
