//! HTTP/1.1 messages (RFC 9112), written and read octet by octet so that a check may send what a library would not.

use std::time::Duration;

use base64ct::{Base64, Encoding};

use crate::channel::Dial;

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Request target in origin-form (RFC 9112 §3.2.1).
    pub target: String,
    /// Fields besides `Host` and `Content-Length`, which the transport adds.
    pub fields: Vec<(String, String)>,
    /// Content; `None` sends no `Content-Length`.
    pub content: Option<Vec<u8>>,
    /// How the content is sent.
    pub delivery: Delivery,
    /// Which connection carries it.
    pub connection: Connection,
    /// How a new connection is made.
    pub dial: Dial,
    /// What a mutation calls it, where the path does not tell.
    pub name: Option<&'static str>,
}

/// How the content of a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Head and content at once; an answer that comes early stops the sending.
    AtOnce,
    /// With `Expect: 100-continue`, the content after an interim answer (RFC 9110 §10.1.1).
    AfterContinue,
    /// An octet at a time until there is an answer, for as long as `limit`.
    Trickle {
        /// Pause between octets.
        pause: Duration,
        /// When the client gives up.
        limit: Duration,
    },
}

/// Which connection carries a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// A new one, closed afterwards.
    Fresh,
    /// The one kept from the request before, or a new one; kept afterwards if the server keeps it. Always of the default [`Dial`].
    Kept,
    /// The one that [`crate::transport::Transport::open`] has opened; closed afterwards.
    Opened,
}

impl Request {
    /// A request without content, on a new connection.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            fields: Vec::new(),
            content: None,
            delivery: Delivery::AtOnce,
            connection: Connection::Fresh,
            dial: Dial::default(),
            name: None,
        }
    }

    /// With one more field.
    #[must_use]
    pub fn with_field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// With this content.
    #[must_use]
    pub fn with_content(mut self, content: &[u8]) -> Self {
        self.content = Some(content.to_vec());
        self
    }

    /// Delivered this way.
    #[must_use]
    pub const fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// On this connection.
    #[must_use]
    pub const fn on(mut self, connection: Connection) -> Self {
        self.connection = connection;
        self
    }

    /// Over a connection made this way.
    #[must_use]
    pub fn dialled(mut self, dial: Dial) -> Self {
        self.dial = dial;
        self
    }

    /// Called so by mutations.
    #[must_use]
    pub const fn called(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// What mutations call it: its name, or the last segment of the target's path, which is the operation in EST (RFC 7030 §3.2.2).
    #[must_use]
    pub fn operation(&self) -> &str {
        if let Some(name) = self.name {
            return name;
        }
        let path = self.target.split('?').next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    /// Request line and fields, up to the empty line.
    #[must_use]
    pub fn head(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.target);
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(content) = &self.content {
            head.push_str(&format!("Content-Length: {}\r\n", content.len()));
        }
        match self.delivery {
            Delivery::AfterContinue => head.push_str("Expect: 100-continue\r\n"),
            Delivery::AtOnce | Delivery::Trickle { .. } => {}
        }
        if self.connection != Connection::Kept {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// One answer.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// Status code of the final answer.
    pub status: u16,
    /// Its fields.
    pub fields: Vec<(String, String)>,
    /// Its content, transfer coding undone.
    pub content: Vec<u8>,
    /// Status codes of interim answers before it (RFC 9110 §15.2).
    pub interim: Vec<u16>,
    /// The certificates that the server showed in the TLS handshake, its own first.
    pub peer: Vec<Vec<u8>>,
    /// Whether the connection was one kept from an earlier request.
    pub reused: bool,
}

impl Response {
    /// The first field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The media type, lower case, without parameters (RFC 9110 §8.3.1).
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        self.field("content-type").map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// A parameter of the media type, unquoted.
    #[must_use]
    pub fn media_parameter(&self, name: &str) -> Option<String> {
        let parameters = self.field("content-type")?.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
        let mut matching = parameters.filter(|(found, _)| found.trim().eq_ignore_ascii_case(name));
        matching.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
    }

    /// Whether this is a refusal that blames the client.
    #[must_use]
    pub const fn is_client_error(&self) -> bool {
        matches!(self.status, 400..=499)
    }

    /// Whether the server will close the connection after it (RFC 9112 §9.6).
    #[must_use]
    pub fn closes(&self) -> bool {
        self.field("connection").is_some_and(|value| value.split(',').any(|option| option.trim().eq_ignore_ascii_case("close")))
    }
}

/// A head that is no HTTP/1.1 head, or content that is not framed as it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("HTTP: {0}")]
pub struct Malformed(pub String);

/// How the end of an answer's content is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// This many octets.
    Length(usize),
    /// The chunked transfer coding.
    Chunked,
    /// All until the connection closes.
    UntilClose,
}

/// Reads the head of an answer; `None` until `octets` hold all of it. Gives the octets of the head too.
///
/// # Errors
/// [`Malformed`].
pub fn parse_head(octets: &[u8]) -> Result<Option<(Response, usize)>, Malformed> {
    let Some(end) = octets.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = octets
        .get(..end)
        .and_then(|head| std::str::from_utf8(head).ok())
        .ok_or_else(|| Malformed("a head that is not text".into()))?;
    let mut lines = text.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let mut words = status_line.splitn(3, ' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().and_then(|word| word.parse().ok()).filter(|status| (100..1000).contains(status));
    let (true, Some(status)) = (version == "HTTP/1.1" || version == "HTTP/1.0", status) else {
        return Err(Malformed(format!("status line {status_line:?}")));
    };
    let fields = lines.map(parse_field).collect::<Result<_, _>>()?;
    Ok(Some((Response { status, fields, ..Response::default() }, end + 4)))
}

fn parse_field(line: &str) -> Result<(String, String), Malformed> {
    // RFC 9112 §5.1: "No whitespace is allowed between the field name and colon."
    match line.split_once(':') {
        Some((name, value)) if !name.is_empty() && !name.contains(char::is_whitespace) => {
            Ok((name.to_owned(), value.trim().to_owned()))
        }
        _ => Err(Malformed(format!("field line {line:?}"))),
    }
}

/// How the content of the answer to `method` ends.
///
/// # Errors
/// A `Content-Length` that is no number.
pub fn framing(method: &str, response: &Response) -> Result<Framing, Malformed> {
    if method == "HEAD" || matches!(response.status, 100..=199 | 204 | 304) {
        return Ok(Framing::Length(0));
    }
    if response.field("transfer-encoding").is_some_and(|coding| coding.to_ascii_lowercase().ends_with("chunked")) {
        return Ok(Framing::Chunked);
    }
    response.field("content-length").map_or(Ok(Framing::UntilClose), |length| {
        length.parse().map(Framing::Length).map_err(|_| Malformed(format!("Content-Length {length:?}")))
    })
}

/// Undoes the chunked coding (RFC 9112 §7.1); `None` until `octets` hold all of it. Gives the octets it took too.
///
/// # Errors
/// [`Malformed`].
pub fn decode_chunked(octets: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
    let mut content = Vec::new();
    let mut at = 0;
    loop {
        let Some(line) = line_at(octets, at) else { return Ok(None) };
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| Malformed(format!("chunk size {line:?}")))?;
        at += line.len() + 2;
        if size == 0 {
            return Ok(skip_trailer(octets, at).map(|end| (content, end)));
        }
        let Some(chunk) = octets.get(at..at.saturating_add(size).saturating_add(2)) else { return Ok(None) };
        let Some(data) = chunk.strip_suffix(b"\r\n") else { return Err(Malformed("a chunk without its line end".into())) };
        content.extend_from_slice(data);
        at += size + 2;
    }
}

fn skip_trailer(octets: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let line = line_at(octets, at)?;
        at += line.len() + 2;
        if line.is_empty() {
            return Some(at);
        }
    }
}

fn line_at(octets: &[u8], at: usize) -> Option<&str> {
    let rest = octets.get(at..)?;
    let end = rest.windows(2).position(|window| window == b"\r\n")?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// The `Authorization` field of Basic (RFC 7617 §2).
#[must_use]
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", Base64::encode_string(format!("{user}:{password}").as_bytes()))
}

/// A body in base64, in one line (RFC 8951 §3).
#[must_use]
pub fn encode_body(der: &[u8]) -> Vec<u8> {
    Base64::encode_string(der).into_bytes()
}

#[cfg(test)]
mod tests;
