//! The same server behind TLS on a port: what the real transport makes of it.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use certgate_conformance::{
    clause::{Reading, Suite},
    clock::Stopwatch,
    http::{Request, Response},
    report::Outcome,
    run::{Plan, run},
    target::Target,
    transport::{Transport, socket::SocketTransport},
};
use der::{Encode, EncodePem, pem::LineEnding};
use p256::pkcs8::EncodePrivateKey;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};

use crate::server::Server;

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
    let port = listen(server);
    let target = format!(
        "name = 'sockets'\nca_file = '{}'\nconnect = '127.0.0.1'\n[est]\nurl = 'https://localhost:{port}/.well-known/est'\nuser = 'device'\npassword = 'secret of the device'\nlabel = 'default'\nslow_body_seconds = 10\n",
        ca_file.display()
    );
    let target: Target = toml::from_str(&target).expect("a target");
    for suite in [Suite::Est, Suite::X509] {
        let mut transport = SocketTransport::new(&target, target.est.as_ref().expect("est")).expect("a transport");
        let plan = Plan { suite, clauses: Vec::new(), reading: Reading::Compatible, prove_mutations: false };
        let report = run(&plan, &target, &mut transport).expect("a report");
        let bad: Vec<String> = report
            .clauses
            .iter()
            .filter(|clause| clause.result == Outcome::Fail)
            .map(|clause| format!("{}: {}", clause.id, clause.detail))
            .collect();
        assert_eq!(bad, Vec::<String>::new());
    }
}

fn listen(server: Server) -> u16 {
    let chain = [&server.shown, &server.issuing.certificate]
        .map(|certificate| CertificateDer::from(certificate.to_der().expect("DER")));
    let key = PrivatePkcs8KeyDer::from(server.shown_key.to_pkcs8_der().expect("a key").as_bytes().to_vec());
    let tls =
        ServerConfig::builder().with_no_client_auth().with_single_cert(chain.to_vec(), key.into()).expect("a configuration");
    let (tls, server) = (Arc::new(tls), Arc::new(Mutex::new(server)));
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

fn serve(tcp: TcpStream, tls: Arc<ServerConfig>, server: &Mutex<Server>) -> Option<()> {
    tcp.set_nodelay(true).ok()?;
    let mut stream = Stream(StreamOwned::new(ServerConnection::new(tls).ok()?, tcp));
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
        let response = server.lock().ok()?.exchange(&request).ok()?;
        stream.answer(&response, request.operation() == "cacerts")?;
        if closes {
            return Some(());
        }
    }
}
