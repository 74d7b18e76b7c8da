//! One connection: requests go out over it, answers come in.

use std::{io::ErrorKind, time::Duration};

use rustls::ProtocolVersion;

use super::Failure;
use crate::{
    channel::{Channel, TlsVersion},
    clock::Stopwatch,
    http::{self, Delivery, Framing, Malformed, Request, Response},
};

pub(super) mod wire;

use wire::Wire;

/// How long the suite waits for an answer that nothing delays.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How long a client waits for `100 Continue` before it sends the content anyway (RFC 9110 §10.1.1 lets it).
const CONTINUE_WAIT: Duration = Duration::from_secs(5);
/// Content goes out in pieces of this many octets, with a look for an early answer between them.
const PIECE: usize = 64 * 1024;
/// How long such a look takes.
const GLANCE: Duration = Duration::from_millis(1);
/// No answer of these protocols is longer.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// One connection and what came in over it that nobody has read.
pub(super) struct Stream {
    wire: Wire,
    /// The first Finished of the handshake, under TLS 1.2.
    finished: Option<Vec<u8>>,
    /// What the `Host` field says.
    host: String,
    received: Vec<u8>,
    /// Whether a request went over it before.
    pub(super) used: bool,
}

impl Stream {
    /// A connection after its handshake.
    pub(super) const fn new(wire: Wire, finished: Option<Vec<u8>>, host: String) -> Self {
        Self { wire, finished, host, received: Vec::new(), used: false }
    }

    /// What the connection is bound to.
    pub(super) fn channel(&self) -> Result<Channel, Failure> {
        let failed = |error: rustls::Error| Failure::Tls(error.to_string());
        let session = self.wire.session().ok_or_else(|| Failure::Tls("there is none".into()))?;
        let version = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => TlsVersion::V1_2,
            Some(ProtocolVersion::TLSv1_3) => TlsVersion::V1_3,
            other => return Err(Failure::Tls(format!("version {other:?}"))),
        };
        // RFC 9266 §2: "Label: The ASCII string "EXPORTER-Channel-Binding" with no terminating NUL. Context value: Zero-length string.
        // Length: 32 bytes."
        let label = b"EXPORTER-Channel-Binding";
        let exporter = session.export_keying_material(vec![0; 32], label, Some(b"")).map_err(failed)?;
        Ok(Channel { version, unique: self.finished.clone(), exporter })
    }

    /// Sends a request. A write that fails is no failure yet: the answer may have come before the server stopped reading.
    pub(super) fn send(&mut self, request: &Request) -> Result<(), Failure> {
        let sent = self.wire.send(&request.head(&self.host));
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
            if self.wire.send(piece).is_err() {
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
            if self.wire.send(&[*octet]).is_err() || self.look(pause)? {
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

    /// Takes in what has come, waiting up to `patience`.
    fn fill(&mut self, patience: Duration) -> Result<(), Failure> {
        self.wire.receive(patience, &mut self.received)
    }

    /// The final answer to a request of this method.
    pub(super) fn receive(&mut self, method: &str) -> Result<Response, Failure> {
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
            let peer = self.wire.session().and_then(|session| session.peer_certificates()).unwrap_or_default();
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

/// Whether nothing came in time.
pub(super) fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
