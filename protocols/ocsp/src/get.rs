//! Requests in the path of a GET: `{url}/{url-encoding of base64 encoding of the DER encoding of the OCSPRequest}` (RFC 6960 §A.1), read
//! from the path as it was sent.

use crate::request::MAX_REQUEST;
use certgate_pki::Reading;

/// Longest text: three characters for each of four that stand for three octets.
const MAX_TEXT: usize = MAX_REQUEST * 4;

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
    let mut decoder = Decoder::new(path_after_prefix.len(), reading);
    let mut octets = decoder.take_plain(path_after_prefix.as_bytes()).iter().copied();
    while let Some(octet) = octets.next() {
        let octet = match octet {
            b'%' => escaped(octets.next(), octets.next()).ok_or(GetError::NotBase64)?,
            other => other,
        };
        decoder.take(octet)?;
    }
    decoder.finish()
}

fn escaped(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |octet: Option<u8>| char::from(octet?).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// No character of base64.
const NONE: u8 = 0xff;
/// The values of the two that are special in a URL.
const PLUS: u8 = 62;
const SLASH: u8 = 63;

/// What the characters of base64 stand for (RFC 4648 §4, table 1).
#[expect(clippy::indexing_slicing, reason = "in a constant, what is out of bounds does not compile")]
const VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        values[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    values
};

fn value_of(character: u8) -> u8 {
    VALUES.get(usize::from(character)).copied().unwrap_or(NONE)
}

/// Decodes base64 (RFC 4648 §4), one character after the other: of a library, which wants its text whole and knows nothing of what is
/// taken besides, there would be three passes over each request. What is decoded is no secret.
struct Decoder {
    reading: Reading,
    der: Vec<u8>,
    /// The last characters, six bits each.
    bits: u32,
    /// Characters so far, padding left out.
    characters: usize,
    padding: usize,
    leniences: Vec<Lenience>,
}

impl Decoder {
    fn new(text: usize, reading: Reading) -> Self {
        let der = Vec::with_capacity(text / 4 * 3 + 3);
        Self { reading, der, bits: 0, characters: 0, padding: 0, leniences: Vec::new() }
    }

    /// Takes fours of characters of the alphabet, for as long as there are any; what is left is returned. Most requests are of nothing else.
    fn take_plain<'t>(&mut self, mut text: &'t [u8]) -> &'t [u8] {
        while let [b'/', rest @ ..] = text {
            text = rest;
        }
        while let [a, b, c, d, rest @ ..] = text {
            let [a, b, c, d] = [a, b, c, d].map(|octet| u32::from(value_of(*octet)));
            if (a | b | c | d) >= 64 {
                break;
            }
            let [_, octets @ ..] = (a << 18 | b << 12 | c << 6 | d).to_be_bytes();
            self.der.extend_from_slice(&octets);
            self.characters += 4;
            text = rest;
        }
        text
    }

    fn take(&mut self, octet: u8) -> Result<(), GetError> {
        let six = match value_of(octet) {
            // Slashes at the beginning.
            SLASH if self.characters == 0 && self.padding == 0 => return Ok(()),
            six @ ..64 => six,
            _ => match self.other(octet)? {
                Some(six) => six,
                None => return Ok(()),
            },
        };
        if self.padding > 0 {
            return Err(GetError::NotBase64);
        }
        self.bits = self.bits << 6 | u32::from(six);
        self.characters += 1;
        if self.characters.is_multiple_of(4) {
            let [_, octets @ ..] = self.bits.to_be_bytes();
            self.der.extend_from_slice(&octets);
        }
        Ok(())
    }

    /// What is not of the alphabet: padding, or what is taken for one that is.
    fn other(&mut self, octet: u8) -> Result<Option<u8>, GetError> {
        let (six, lenience) = match octet {
            b'=' => {
                self.padding += 1;
                return Ok(None);
            }
            b' ' => (PLUS, Lenience::Space),
            b'-' => (PLUS, Lenience::Base64Url),
            b'_' => (SLASH, Lenience::Base64Url),
            _ => return Err(GetError::NotBase64),
        };
        self.lenient(lenience).map(|()| Some(six))
    }

    fn lenient(&mut self, lenience: Lenience) -> Result<(), GetError> {
        if self.reading == Reading::Strict {
            return Err(GetError::NotBase64);
        }
        if !self.leniences.contains(&lenience) {
            self.leniences.push(lenience);
        }
        Ok(())
    }

    /// The octets of which the last characters are not a whole four (RFC 4648 §4), and the end.
    fn finish(mut self) -> Result<DecodedGet, GetError> {
        let over = self.characters % 4;
        if self.characters + self.padding == 0 {
            return Err(GetError::Empty);
        }
        let missing = match over {
            0 => 0,
            1 => return Err(GetError::NotBase64),
            _ => 4 - over,
        };
        if missing > 0 && self.padding == 0 {
            self.lenient(Lenience::Unpadded)?;
        } else if self.padding != missing {
            return Err(GetError::NotBase64);
        }
        let [_, octets @ ..] = (self.bits << (6 * missing)).to_be_bytes();
        // RFC 4648 §3.5: bits that belong to no octet are zero.
        let (last, beyond) = octets.split_at_checked(3 - missing).unwrap_or_default();
        if missing > 0 {
            if beyond.iter().any(|octet| *octet != 0) {
                return Err(GetError::NotBase64);
            }
            self.der.extend_from_slice(last);
        }
        if self.der.len() > MAX_REQUEST {
            return Err(GetError::TooLong);
        }
        Ok(DecodedGet { der: self.der, leniences: self.leniences })
    }
}

#[cfg(test)]
mod tests;
