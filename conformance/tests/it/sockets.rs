//! The same server behind TLS on a port: what the real transport makes of it.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use certgate_conformance::{
    channel::{Channel, Dial},
    clause::{Reading, Suite},
    clock::Stopwatch,
    http::{Request, Response},
    report::Outcome,
    run::run,
    target::Target,
    transport::{Failure, Transport, finished, socket::SocketTransport},
};
use der::{Encode, EncodePem, pem::LineEnding};
use p256::pkcs8::EncodePrivateKey;
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, ServerConnection, SignatureScheme, StreamOwned,
    client::danger::HandshakeSignatureValid,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};

use crate::{
    TARGET,
    crl::plain_additions,
    plan,
    server::{Peer, Server},
};

/// How long the server waits for a whole body.
const BODY_WAIT: Duration = Duration::from_secs(3);
/// A body that it does not even read.
const HUGE: usize = 1024 * 1024;

#[test]
fn the_suites_run_over_sockets() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let server = Server::new(Reading::Compatible);
    let directory = tempfile::tempdir().expect("a directory");
    let ca_file = directory.path().join("root.pem");
    std::fs::write(&ca_file, server.root.certificate.to_pem(LineEnding::LF).expect("PEM")).expect("written");
    let server = Arc::new(Mutex::new(server));
    let port = listen(&server);
    server.lock().expect("no test panics with it").additions = Some(plain_additions(format!("https://localhost:{port}")));
    let target = TARGET
        .replace("none.pem", &ca_file.display().to_string())
        .replace("[est]", "connect = \"127.0.0.1\"\n[est]\nslow_body_seconds = 10")
        .replace("https://localhost/", &format!("https://localhost:{port}/"));
    let target: Target = toml::from_str(&target).expect("a target");
    for suite in [Suite::Est, Suite::X509] {
        let sockets = SocketTransport::new(&target, suite).expect("a transport");
        let mut transport = Wired { sockets, server: Arc::clone(&server) };
        let report = run(&plan(suite, Reading::Compatible), &target, &mut transport).expect("a report");
        let bad: Vec<String> = report
            .clauses
            .iter()
            .filter(|clause| clause.result == Outcome::Fail)
            .map(|clause| format!("{}: {}", clause.id, clause.detail))
            .collect();
        assert_eq!(bad, Vec::<String>::new());
    }
}

/// Requests go over sockets; commands and the time are the server's own, in this process.
struct Wired {
    sockets: SocketTransport,
    server: Arc<Mutex<Server>>,
}

impl Wired {
    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().expect("not poisoned")
    }
}

impl Transport for Wired {
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        self.sockets.exchange(request)
    }

    fn open(&mut self, dial: &Dial) -> Result<Channel, Failure> {
        self.sockets.open(dial)
    }

    fn probe(&mut self, opening: &[u8]) -> Result<Vec<u8>, Failure> {
        self.sockets.probe(opening)
    }

    fn command(&mut self, argv: &[String]) -> anyhow::Result<String> {
        self.server().command(argv)
    }

    fn now(&self) -> i64 {
        self.server().now()
    }

    fn wait(&mut self, time: Duration) {
        self.server().wait(time);
    }
}

/// Takes whatever client certificate there is, or none, as long as the client has its key: whether it counts, the server says later.
#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn configure(server: &Server) -> ServerConfig {
    let chain = [&server.shown, &server.issuing.certificate]
        .map(|certificate| CertificateDer::from(certificate.to_der().expect("DER")));
    let key = PrivatePkcs8KeyDer::from(server.shown_key.to_pkcs8_der().expect("a key").as_bytes().to_vec());
    let builder = ServerConfig::builder_with_provider(finished::provider()).with_safe_default_protocol_versions();
    let builder = builder.expect("versions").with_client_cert_verifier(Arc::new(AnyClient(finished::provider())));
    builder.with_single_cert(chain.to_vec(), key.into()).expect("a configuration")
}

fn listen(server: &Arc<Mutex<Server>>) -> u16 {
    let (tls, server) = (Arc::new(configure(&server.lock().expect("not poisoned"))), Arc::clone(server));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for tcp in listener.incoming().map_while(Result::ok) {
            let (tls, server) = (Arc::clone(&tls), Arc::clone(&server));
            std::thread::spawn(move || serve(tcp, tls, &server));
        }
    });
    port
}

struct Stream(StreamOwned<ServerConnection, TcpStream>);

impl Stream {
    fn octet(&mut self) -> Option<u8> {
        let mut octet = [0];
        self.0.read_exact(&mut octet).ok().map(|()| octet[0])
    }

    fn head(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.octet()?);
        }
        String::from_utf8(head).ok()
    }

    fn body(&mut self, length: usize) -> Option<Vec<u8>> {
        let watch = Stopwatch::start();
        let mut body = Vec::new();
        while body.len() < length {
            body.push(self.octet()?);
            if watch.elapsed() > BODY_WAIT {
                return None;
            }
        }
        Some(body)
    }

    fn answer(&mut self, response: &Response, in_chunks: bool) -> Option<()> {
        let mut octets = format!("HTTP/1.1 {} Whatever\r\n", response.status).into_bytes();
        for (name, value) in &response.fields {
            octets.extend(format!("{name}: {value}\r\n").bytes());
        }
        if in_chunks {
            octets.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in response.content.chunks(100) {
                octets.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
            }
            octets.extend(b"0\r\n\r\n");
        } else {
            octets.extend(format!("Content-Length: {}\r\n\r\n", response.content.len()).bytes());
            octets.extend(&response.content);
        }
        self.0.write_all(&octets).and_then(|()| self.0.flush()).ok()
    }
}

/// The handshake, and what the server knows of it afterwards.
fn greet(stream: &mut Stream) -> Option<Peer> {
    let StreamOwned { conn, sock } = &mut stream.0;
    let (outcome, unique) = finished::watch(|| {
        while conn.is_handshaking() {
            conn.complete_io(sock)?;
        }
        Ok::<_, std::io::Error>(())
    });
    outcome.ok()?;
    let exporter = || conn.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok();
    let chain = conn.peer_certificates().unwrap_or_default();
    Some(Peer { chain: chain.iter().map(|one| one.to_vec()).collect(), binding: unique.or_else(exporter) })
}

fn serve(tcp: TcpStream, tls: Arc<ServerConfig>, server: &Mutex<Server>) -> Option<()> {
    tcp.set_nodelay(true).ok()?;
    let mut stream = Stream(StreamOwned::new(ServerConnection::new(tls).ok()?, tcp));
    let peer = greet(&mut stream)?;
    loop {
        let head = stream.head()?;
        let mut lines = head.lines();
        let mut words = lines.next()?.split(' ');
        let mut request = Request::new(words.next()?, words.next()?);
        request.fields =
            lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into())).collect();
        let field = |name: &str| request.fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
        let length = field("Content-Length").map_or(0, |length| length.parse().expect("a length"));
        let closes = field("Connection") == Some("close");
        if length > HUGE {
            return stream.answer(&Response { status: 413, ..Response::default() }, false);
        }
        if field("Expect").is_some() {
            stream.0.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").and_then(|()| stream.0.flush()).ok()?;
        }
        let Some(body) = stream.body(length) else {
            return stream.answer(&Response { status: 408, ..Response::default() }, false);
        };
        request.content = Some(body);
        let response = server.lock().ok()?.answer(&request, &peer).ok()?;
        stream.answer(&response, request.operation() == "cacerts")?;
        if closes {
            return Some(());
        }
    }
}
