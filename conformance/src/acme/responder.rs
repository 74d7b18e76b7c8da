//! What answers http-01 (RFC 8555 §8.3): a small HTTP server on 127.0.0.1, as good or as bad as a check tells it to be.

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;

/// How long a server may take to send its request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a silent answer lasts, if the server does not go first.
const SILENCE: Duration = Duration::from_secs(120);
/// A head longer than this is no request of a validation.
const HEAD_LIMIT: usize = 16 * 1024;
/// Where answers to http-01 stand.
const WELL_KNOWN: &str = "/.well-known/acme-challenge/";

/// How a path is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// 200 with this text.
    Text(String),
    /// The same, after a while.
    Late(Duration, String),
    /// 302 to this URL.
    Redirect(String),
    /// 200 with this text and as many octets behind it.
    Long(String, usize),
    /// Nothing, on a connection that stays open.
    Silence,
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Method and path.
    pub line: String,
    /// The `Host` field.
    pub host: String,
}

/// A responder on one port.
#[derive(Debug, Default)]
pub struct Responder {
    behaviours: Mutex<HashMap<String, Behaviour>>,
    seen: Mutex<Vec<Seen>>,
}

/// The path of the answer to a token.
#[must_use]
pub fn path_of(token: &str) -> String {
    format!("{WELL_KNOWN}{token}")
}

impl Responder {
    /// The responder on this port. It is made once in a process, and stays.
    ///
    /// # Errors
    /// A port that cannot be listened on.
    pub fn at(port: u16) -> anyhow::Result<Arc<Self>> {
        static MADE: Mutex<Vec<(u16, Arc<Responder>)>> = Mutex::new(Vec::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = made.iter().find(|(known, _)| *known == port) {
            return Ok(Arc::clone(known));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| format!("port {port} for http-01"))?;
        let responder = Self::start(listener);
        made.push((port, Arc::clone(&responder)));
        Ok(responder)
    }

    /// A responder on a port that is free, and the port.
    ///
    /// # Errors
    /// No such port.
    pub fn elsewhere() -> anyhow::Result<(Arc<Self>, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a port")?;
        let port = listener.local_addr()?.port();
        Ok((Self::start(listener), port))
    }

    fn start(listener: TcpListener) -> Arc<Self> {
        let responder = Arc::new(Self::default());
        let shared = Arc::clone(&responder);
        std::thread::spawn(move || {
            for tcp in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.serve(tcp));
            }
        });
        responder
    }

    /// Answers a path this way from here on.
    pub fn set(&self, path: &str, behaviour: Behaviour) {
        lock(&self.behaviours).insert(path.to_owned(), behaviour);
    }

    /// Requests for a path that came so far.
    #[must_use]
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        let line = format!("GET {path}");
        lock(&self.seen).iter().filter(|seen| seen.line == line).cloned().collect()
    }

    /// How many requests came so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        lock(&self.seen).len()
    }

    /// One request and its answer; what goes wrong is the server's business.
    fn serve(&self, mut tcp: TcpStream) -> std::io::Result<()> {
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        let head = read_head(&mut tcp)?;
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let fields = lines.filter_map(|line| line.split_once(':'));
        let host = fields.filter(|(name, _)| name.eq_ignore_ascii_case("host")).map(|(_, value)| value.trim()).next();
        let host = host.unwrap_or_default().to_owned();
        lock(&self.seen).push(Seen { line: format!("{method} {path}"), host });
        let behaviour = lock(&self.behaviours).get(path).cloned();
        answer(&mut tcp, behaviour)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_head(tcp: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_LIMIT {
        tcp.read_exact(&mut octet)?;
        head.extend_from_slice(&octet);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn answer(tcp: &mut TcpStream, behaviour: Option<Behaviour>) -> std::io::Result<()> {
    let head = |status: &str, field: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\n{field}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    let typed = "Content-Type: application/octet-stream";
    match behaviour {
        Some(Behaviour::Text(text)) => tcp.write_all((head("200 OK", typed, text.len()) + &text).as_bytes()),
        Some(Behaviour::Late(delay, text)) => {
            std::thread::sleep(delay);
            tcp.write_all((head("200 OK", typed, text.len()) + &text).as_bytes())
        }
        Some(Behaviour::Redirect(to)) => tcp.write_all(head("302 Found", &format!("Location: {to}"), 0).as_bytes()),
        Some(Behaviour::Long(text, more)) => {
            tcp.write_all((head("200 OK", typed, text.len() + more) + &text).as_bytes())?;
            let piece = vec![b'a'; 64 * 1024];
            for _ in 0..more / piece.len() {
                tcp.write_all(&piece)?;
            }
            tcp.write_all(piece.get(..more % piece.len()).unwrap_or_default())
        }
        Some(Behaviour::Silence) => {
            tcp.set_read_timeout(Some(SILENCE))?;
            tcp.read(&mut [0]).map(|_| ())
        }
        None => tcp.write_all((head("404 Not Found", typed, 9) + "not here\n").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(port: u16, path: &str) -> String {
        let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
        tcp.write_all(format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes()).expect("sent");
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).expect("an answer");
        answer
    }

    #[test]
    fn a_path_is_answered_as_it_was_told() {
        let (responder, port) = Responder::elsewhere().expect("a responder");
        responder.set("/a", Behaviour::Text("good".into()));
        responder.set("/b", Behaviour::Redirect("/a".into()));
        responder.set("/c", Behaviour::Long("x".into(), 100_000));
        assert!(ask(port, "/a").ends_with("\r\n\r\ngood"));
        assert!(ask(port, "/b").contains("\r\nLocation: /a\r\n"));
        assert!(ask(port, "/c").len() > 100_001);
        assert!(ask(port, "/d").starts_with("HTTP/1.1 404 "));
        assert_eq!(responder.seen("/a"), [Seen { line: "GET /a".into(), host: "a.example".into() }]);
    }
}
