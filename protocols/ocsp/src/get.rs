//! Requests in the path of a GET: `{url}/{url-encoding of base64 encoding of the DER encoding of the OCSPRequest}` (RFC 6960 §A.1), read
//! from the path as it was sent.

use base64ct::{Base64, Base64Unpadded, Encoding};

use crate::request::MAX_REQUEST;

/// Longest text: three characters for each of four that stand for three octets.
const MAX_TEXT: usize = MAX_REQUEST * 4;

/// How an endpoint reads what clients send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// The RFCs to the letter.
    Strict,
    /// What living clients, and proxies between, send besides, where nothing is weakened by it; each use is reported as a [`Lenience`].
    #[default]
    Compatible,
}

/// Something taken in compatible reading that strict reading refuses: to be logged and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lenience {
    /// `-` and `_` for `+` and `/` (RFC 4648 §5).
    Base64Url,
    /// No padding, where there should be some.
    Unpadded,
    /// A space for `+`: somebody on the way has decoded the path as if it were a form.
    Space,
}

impl Lenience {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Base64Url, Self::Unpadded, Self::Space];

    /// Its name in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base64Url => "base64url",
            Self::Unpadded => "unpadded",
            Self::Space => "space",
        }
    }
}

/// What was in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedGet {
    /// The octets of the request, at most [`MAX_REQUEST`].
    pub der: Vec<u8>,
    /// What strict reading would not have taken, each once.
    pub leniences: Vec<Lenience>,
}

/// There is no request in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// Nothing but slashes.
    #[error("there is no request in the path (RFC 6960 §A.1)")]
    Empty,
    /// Not base64, or an escape that is none.
    #[error("what is in the path is not base64 (RFC 6960 §A.1)")]
    NotBase64,
    /// Longer than any request.
    #[error("the request in the path is longer than {MAX_REQUEST} octets")]
    TooLong,
}

/// Decodes what follows an endpoint's own path. Percent-encoding is undone once, in whatever letter case; `+`, `/` and `=` may come without
/// it, since they may in a path (RFC 3986 §3.3). Slashes at the beginning are passed over, however many: URLs are put together with one too
/// many, and the base64 of a SEQUENCE begins with `M`. Those further on are the request's own: nobody on the way may have merged them.
///
/// # Errors
/// [`GetError`].
pub fn decode_get(path_after_prefix: &str, reading: Reading) -> Result<DecodedGet, GetError> {
    if path_after_prefix.len() > MAX_TEXT {
        return Err(GetError::TooLong);
    }
    let mut leniences = Vec::new();
    let mut text = unescape(path_after_prefix)?;
    if reading == Reading::Compatible {
        restore(&mut text, &mut leniences);
    }
    if text.is_empty() {
        return Err(GetError::Empty);
    }
    let is_unpadded = reading == Reading::Compatible && !text.len().is_multiple_of(4) && text.last() != Some(&b'=');
    // Three octets for four characters.
    let mut der = vec![0; text.len()];
    let decoded = if is_unpadded {
        leniences.push(Lenience::Unpadded);
        Base64Unpadded::decode(&text, &mut der)
    } else {
        Base64::decode(&text, &mut der)
    };
    let length = decoded.map_err(|_| GetError::NotBase64)?.len();
    if length > MAX_REQUEST {
        return Err(GetError::TooLong);
    }
    der.truncate(length);
    Ok(DecodedGet { der, leniences })
}

/// The octets of a path without its first slashes.
fn unescape(path: &str) -> Result<Vec<u8>, GetError> {
    let mut text = Vec::with_capacity(path.len());
    let mut octets = path.bytes();
    while let Some(octet) = octets.next() {
        let octet = match octet {
            b'%' => escaped(octets.next(), octets.next()).ok_or(GetError::NotBase64)?,
            other => other,
        };
        if octet != b'/' || !text.is_empty() {
            text.push(octet);
        }
    }
    Ok(text)
}

fn escaped(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |octet: Option<u8>| char::from(octet?).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Puts the characters of base64 in place of those that clients and proxies put in place of them.
fn restore(text: &mut [u8], leniences: &mut Vec<Lenience>) {
    for octet in text {
        let (character, lenience) = match *octet {
            b' ' => (b'+', Lenience::Space),
            b'-' => (b'+', Lenience::Base64Url),
            b'_' => (b'/', Lenience::Base64Url),
            _ => continue,
        };
        *octet = character;
        if !leniences.contains(&lenience) {
            leniences.push(lenience);
        }
    }
}

#[cfg(test)]
mod tests;
