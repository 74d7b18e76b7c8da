//! http-01 (RFC 8555 §8.3), asked of the suite's own responder, over a socket.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use certgate_conformance::acme::{jws::base64url, responder::path_of};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::server::{Fault, Server};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// No answer is longer.
const LIMIT: u64 = 4096;
/// Redirects that are followed.
const HOPS: usize = 10;

impl Server {
    /// Valid, or the type of the error.
    pub(super) fn validate(&self, number: usize) -> Result<(), &'static str> {
        let authorization = &self.authorizations[number];
        let key = &self.accounts[authorization.account].spki;
        let bits = key.elements()[1].octets();
        let (x, y) = bits[2..].split_at(32);
        let jwk = json!({"crv": "P-256", "kty": "EC", "x": base64url(x), "y": base64url(y)});
        let wanted = format!("{}.{}", authorization.token, base64url(&Sha256::digest(jwk.to_string())));
        let mut url = format!("http://{}:{}{}", authorization.name, self.port, path_of(&authorization.token));
        for _ in 0..HOPS {
            let answer = self.fetch(&url)?;
            let (head, body) = answer.split_once("\r\n\r\n").ok_or("connection")?;
            let location = head.lines().find_map(|line| line.strip_prefix("Location: "));
            match location {
                Some(path) if path.starts_with('/') => {
                    url = format!("http://{}:{}{path}", authorization.name, self.port);
                }
                Some(other) => url = other.to_owned(),
                None => {
                    let is_good = head.starts_with("HTTP/1.1 200 ") && body.trim_end() == wanted;
                    return if is_good { Ok(()) } else { Err("incorrectResponse") };
                }
            }
        }
        Err("connection")
    }

    fn fetch(&self, url: &str) -> Result<String, &'static str> {
        let rest = url.strip_prefix("http://").ok_or("connection")?;
        let (authority, path) = rest.split_at(rest.find('/').ok_or("connection")?);
        let port: u16 = authority.rsplit(':').next().and_then(|port| port.parse().ok()).ok_or("connection")?;
        if port != self.port && !self.has(Fault::FollowsAnywhere) {
            return Err("connection");
        }
        let ask = || -> std::io::Result<String> {
            let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            tcp.set_read_timeout(Some(PATIENCE))?;
            tcp.write_all(format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n").as_bytes())?;
            let mut answer = Vec::new();
            tcp.take(LIMIT).read_to_end(&mut answer)?;
            Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        ask().map_err(|_| "connection")
    }
}
