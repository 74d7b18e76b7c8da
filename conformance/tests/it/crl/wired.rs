//! The same publisher behind a port: lists go over sockets, and hooks run beside each other.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use certgate_conformance::{
    channel::{Channel, Dial},
    clause::Suite,
    http::{Request, Response},
    target::{Scheme, Target},
    transport::{Failure, Transport, command::Running, socket::SocketTransport},
};

use super::server::Server;

/// A publisher, and the way to it.
pub(super) struct Wired {
    sockets: SocketTransport,
    server: Arc<Mutex<Server>>,
}

/// A publisher on a port that is free, and its origin.
pub(super) fn listen() -> (Arc<Mutex<Server>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://localhost:{}", listener.local_addr().expect("an address").port());
    let server = Arc::new(Mutex::new(Server::at(&origin, None)));
    let shared = Arc::clone(&server);
    std::thread::spawn(move || {
        for tcp in listener.incoming().map_while(Result::ok) {
            serve(tcp, &shared);
        }
    });
    (server, origin)
}

/// One request, and its answer.
fn serve(mut tcp: TcpStream, server: &Mutex<Server>) -> Option<()> {
    let mut octets = Vec::new();
    while !octets.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut piece = [0; 1024];
        let count = tcp.read(&mut piece).ok().filter(|count| *count > 0)?;
        octets.extend(&piece[..count]);
    }
    let text = String::from_utf8_lossy(&octets);
    let mut lines = text.lines();
    let mut words = lines.next()?.split(' ');
    let mut request = Request::new(words.next()?, words.next()?);
    request.fields = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into())).collect();
    let response = server.lock().ok()?.exchange(&request).ok()?;
    let mut answer = format!("HTTP/1.1 {} Whatever\r\n", response.status);
    for (name, value) in &response.fields {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    answer.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", response.content.len()));
    tcp.write_all(&[answer.as_bytes(), &response.content].concat()).ok()
}

impl Wired {
    pub(super) fn new(target: &Target, server: &Arc<Mutex<Server>>) -> Self {
        let sockets = SocketTransport::new(target, Suite::Crl).expect("a transport");
        Self { sockets, server: Arc::clone(server) }
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().expect("not poisoned")
    }
}

impl Transport for Wired {
    fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        let is_plain = request.dial.origin.as_ref().is_some_and(|origin| origin.scheme == Scheme::Http);
        if is_plain { self.sockets.exchange(request) } else { self.server().exchange(request) }
    }

    fn open(&mut self, dial: &Dial) -> Result<Channel, Failure> {
        self.server().open(dial)
    }

    fn probe(&mut self, opening: &[u8]) -> Result<Vec<u8>, Failure> {
        self.server().probe(opening)
    }

    fn command(&mut self, argv: &[String]) -> anyhow::Result<String> {
        self.server().command(argv)
    }

    fn start(&mut self, argv: Vec<String>) -> Running {
        let server = Arc::clone(&self.server);
        Running::Beside(std::thread::spawn(move || server.lock().expect("not poisoned").command(&argv)))
    }

    fn now(&self) -> i64 {
        self.server().now()
    }

    fn wait(&mut self, time: Duration) {
        self.server().wait(time);
    }
}
