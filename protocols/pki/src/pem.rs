//! PEM, RFC 7468: written strictly, read as laxly as §2 asks parsers to.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::limits::MAX_PEM;

mod blocks;

pub use blocks::Blocks;

/// Label of certificates.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// Label of CRLs, RFC 7468 §6.
pub const X509_CRL: &str = "X509 CRL";
/// Label of PKCS#8 private keys.
pub const PRIVATE_KEY: &str = "PRIVATE KEY";
/// Label of encrypted PKCS#8 private keys.
pub const ENCRYPTED_PRIVATE_KEY: &str = "ENCRYPTED PRIVATE KEY";
/// Label of SEC1 private keys, RFC 5915 §4.
pub const EC_PRIVATE_KEY: &str = "EC PRIVATE KEY";
/// Label of PKCS#1 private keys.
pub const RSA_PRIVATE_KEY: &str = "RSA PRIVATE KEY";
/// Label of a SubjectPublicKeyInfo, RFC 7468 §13.
pub const PUBLIC_KEY: &str = "PUBLIC KEY";
/// Label of PKCS#10 requests.
pub const CERTIFICATE_REQUEST: &str = "CERTIFICATE REQUEST";

/// The text is no PEM; says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// More than [`MAX_PEM`] octets.
    #[error("the PEM text is larger than {MAX_PEM} octets")]
    TooLarge,
    /// No `-----BEGIN …-----` line, or none of its end.
    #[error("no complete PEM block with the label {0}")]
    NoBlock(String),
    /// A block of a text that is read line by line has more octets than that.
    #[error("the PEM block is larger than {0} octets")]
    BlockTooLarge(usize),
    /// Between the lines is no base64.
    #[error("the PEM block is no base64")]
    BadBase64,
}

/// One block: 64 characters a line, a newline at the end (RFC 7468 §2).
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let base64 = Base64::encode_string(der);
    let mut text = String::with_capacity(base64.len() + base64.len() / 64 + 2 * label.len() + 40);
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// All blocks with this label, in order; what is around them and other blocks are passed over.
///
/// # Errors
/// [`PemError`]; [`PemError::NoBlock`] when there is none.
pub fn decode_all(label: &str, text: &str) -> Result<Vec<Vec<u8>>, PemError> {
    if text.len() > MAX_PEM {
        return Err(PemError::TooLarge);
    }
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let no_block = || PemError::NoBlock(label.to_owned());
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&begin) {
        let (body, after) = after.split_once(&end).ok_or_else(no_block)?;
        blocks.push(std::mem::take(&mut *decode_body(body)?));
        rest = after;
    }
    if blocks.is_empty() { Err(no_block()) } else { Ok(blocks) }
}

/// The first block with this label.
///
/// # Errors
/// As [`decode_all`].
pub fn decode(label: &str, text: &str) -> Result<Vec<u8>, PemError> {
    decode_all(label, text)?.into_iter().next().ok_or_else(|| PemError::NoBlock(label.to_owned()))
}

/// The first block that has one of these labels: the label, and what is between its lines.
///
/// # Errors
/// [`PemError::TooLarge`], or [`PemError::NoBlock`] when it has no end.
pub(crate) fn first<'l, 't>(labels: &[&'l str], text: &'t str) -> Result<Option<(&'l str, &'t str)>, PemError> {
    if text.len() > MAX_PEM {
        return Err(PemError::TooLarge);
    }
    let begin = |label: &str| format!("-----BEGIN {label}-----");
    let found = labels.iter().filter_map(|label| Some((text.find(&begin(label))?, *label))).min();
    let Some((_, label)) = found else { return Ok(None) };
    let block = text.split_once(&begin(label));
    let body = block.and_then(|(_, block)| block.split_once(&format!("-----END {label}-----")));
    body.map(|(body, _)| Some((label, body))).ok_or_else(|| PemError::NoBlock(label.to_owned()))
}

/// The octets that the lines of a block stand for.
///
/// # Errors
/// [`PemError::BadBase64`].
pub(crate) fn decode_body(body: &str) -> Result<Zeroizing<Vec<u8>>, PemError> {
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    base64.extend(body.chars().filter(|character| !character.is_ascii_whitespace()));
    Base64::decode_vec(&base64).map(Zeroizing::new).map_err(|_| PemError::BadBase64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_of_every_length() {
        for length in [0, 1, 47, 48, 49, 96, 1000] {
            let der = vec![0xa5; length];
            let text = encode(CERTIFICATE, &der);
            assert!(text.lines().all(|line| line.len() <= 64) && text.ends_with("-----\n"));
            assert_eq!(decode(CERTIFICATE, &text).unwrap(), der);
        }
    }

    #[test]
    fn other_text_and_other_blocks_are_passed_over() {
        let text = format!("# a chain\n{}\n{}{}", encode("X", b"x"), encode(CERTIFICATE, b"1"), encode(CERTIFICATE, b"2"));
        assert_eq!(decode_all(CERTIFICATE, &text).unwrap(), [b"1", b"2"]);
    }

    #[test]
    fn what_is_no_pem() {
        assert_eq!(decode(CERTIFICATE, ""), Err(PemError::NoBlock(CERTIFICATE.into())));
        assert_eq!(decode(CERTIFICATE, "-----BEGIN CERTIFICATE-----\nAAAA"), Err(PemError::NoBlock(CERTIFICATE.into())));
        let bad = "-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----";
        assert_eq!(decode(CERTIFICATE, bad), Err(PemError::BadBase64));
    }
}
