//! Message bodies: base64 of DER (RFC 8951 §3).

use std::borrow::Cow;

use certgate_pki::Reading;
use certgate_pki::pem::{self, CERTIFICATE_REQUEST};
use data_encoding::BASE64;

/// Something taken in compatible reading that strict reading refuses: to be logged and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lenience {
    /// A Content-Type other than application/pkcs10, or none (RFC 7030 §4.2.1).
    ContentType,
    /// DER that was not base64-encoded (RFC 8951 §3).
    RawDer,
    /// PEM lines around the base64.
    PemArmour,
    /// A re-enrollment that does not repeat the subjectAltName of the certificate it renews (RFC 7030 §4.2.2).
    OmittedNames,
}

impl Lenience {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ContentType, Self::RawDer, Self::PemArmour, Self::OmittedNames];

    /// Its name in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContentType => "content-type",
            Self::RawDer => "raw-der",
            Self::PemArmour => "pem-armour",
            Self::OmittedNames => "omitted-names",
        }
    }
}

/// The body is not what an endpoint of this reading takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Nothing but white space.
    #[error("the request body is empty; send the base64 of a DER PKCS#10 request (RFC 7030 §4.2.1)")]
    Empty,
    /// Not base64.
    #[error("the request body is not base64 (RFC 8951 §3); send the base64 of a DER PKCS#10 request without PEM lines")]
    NotBase64,
}

/// Decodes a request body. RFC 8951 §3.1: white space anywhere in the base64 is to be ignored, and there may be none.
///
/// # Errors
/// [`BodyError`].
pub fn decode_body(body: &[u8], reading: Reading) -> Result<(Vec<u8>, Option<Lenience>), BodyError> {
    if reading == Reading::Compatible {
        if let Some(der) = pem_body(body)? {
            return Ok((der, Some(Lenience::PemArmour)));
        }
        // A DER SEQUENCE of 128 octets or more: its second octet is no base64 character.
        if matches!(body, [0x30, 0x80..=0xff, ..]) {
            return Ok((body.to_vec(), Some(Lenience::RawDer)));
        }
    }
    let base64: Cow<'_, [u8]> = match body.iter().any(is_white) {
        true => body.iter().filter(|octet| !is_white(octet)).copied().collect::<Vec<_>>().into(),
        false => body.into(),
    };
    if base64.is_empty() {
        return Err(BodyError::Empty);
    }
    // The decoder takes one encoding after another; a body is one.
    let end = base64.iter().position(|octet| *octet == b'=').unwrap_or(base64.len());
    if base64.len() - end > 2 {
        return Err(BodyError::NotBase64);
    }
    BASE64.decode(&base64).map(|der| (der, None)).map_err(|_| BodyError::NotBase64)
}

const fn is_white(octet: &u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

fn pem_body(body: &[u8]) -> Result<Option<Vec<u8>>, BodyError> {
    let Some(text) = std::str::from_utf8(body).ok().filter(|text| text.trim_start().starts_with("-----BEGIN")) else {
        return Ok(None);
    };
    // OpenSSL of old wrote "NEW CERTIFICATE REQUEST" (RFC 7468 §7).
    let text = text.replace("NEW CERTIFICATE REQUEST", CERTIFICATE_REQUEST);
    pem::decode(CERTIFICATE_REQUEST, &text).map(Some).map_err(|_| BodyError::NotBase64)
}

/// Encodes a response body: one line, or lines of `line_length` characters that end in CRLF (0: one line).
pub(crate) fn encode_body(der: &[u8], line_length: usize) -> String {
    let base64 = BASE64.encode(der);
    if line_length == 0 {
        return base64;
    }
    let mut lines = String::with_capacity(base64.len() + 2 * (base64.len() / line_length + 1));
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(line_length));
        lines.push_str(line);
        lines.push_str("\r\n");
        rest = after;
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn white_space_anywhere_changes_nothing(der in prop::collection::vec(any::<u8>(), 1..200), at in prop::collection::vec((any::<prop::sample::Index>(), 0..4_usize), 0..20)) {
            let mut base64 = encode_body(&der, 0);
            for (index, which) in at {
                base64.insert(index.index(base64.len() + 1), [' ', '\t', '\r', '\n'][which]);
            }
            prop_assert_eq!(decode_body(base64.as_bytes(), Reading::Strict), Ok((der, None)));
        }

        #[test]
        fn lines_are_as_long_as_asked(der in prop::collection::vec(any::<u8>(), 0..400), quads in 1..20_usize) {
            let body = encode_body(&der, quads * 4);
            prop_assert!(body.lines().all(|line| line.len() <= quads * 4));
            if !der.is_empty() {
                prop_assert_eq!(decode_body(body.as_bytes(), Reading::Strict), Ok((der, None)));
            }
        }
    }

    #[test]
    fn strict_takes_base64_only() {
        let der = vec![0x30, 0x82, 0x00, 0x01, 0xff];
        let pem = pem::encode(CERTIFICATE_REQUEST, &der);
        assert_eq!(decode_body(&der, Reading::Strict), Err(BodyError::NotBase64));
        assert_eq!(decode_body(pem.as_bytes(), Reading::Strict), Err(BodyError::NotBase64));
        assert_eq!(decode_body(&der, Reading::Compatible), Ok((der.clone(), Some(Lenience::RawDer))));
        assert_eq!(decode_body(pem.as_bytes(), Reading::Compatible), Ok((der, Some(Lenience::PemArmour))));
    }

    #[test]
    fn what_is_no_body() {
        for reading in [Reading::Strict, Reading::Compatible] {
            assert_eq!(decode_body(b" \r\n", reading), Err(BodyError::Empty));
            for wrong in
                [&b"%%%"[..], b"AAA", b"AA=A", b"AA==AA==", b"AAA=AA==", b"AAB=", b"AB==", b"\xff\xfe", b"-----BEGIN X-----"]
            {
                assert_eq!(decode_body(wrong, reading), Err(BodyError::NotBase64), "{wrong:?}");
            }
        }
    }
}
