//! base64url as JOSE has it (RFC 7515 §2): no padding, no white space, and one text for the same octets.

use data_encoding::BASE64URL_NOPAD;

/// The octets. RFC 8555 §6.1: "Encoded values that include trailing '=' characters MUST be rejected as improperly encoded." So are bits
/// at the end that stand for nothing: what was signed or hashed has one spelling.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

/// The text.
pub(crate) fn encode(octets: &[u8]) -> String {
    BASE64URL_NOPAD.encode(octets)
}

/// Is it of the alphabet, and of a length that octets can have?
pub(crate) fn is_base64url(text: &str) -> bool {
    let in_alphabet = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    text.len() % 4 != 1 && text.bytes().all(in_alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        assert_eq!(decode("").as_deref(), Some(&[][..]));
        assert_eq!(decode("-_8").as_deref(), Some(&[0xfb, 0xff][..]));
        for wrong in ["-_8=", "+/8", "-_ 8", "-_8\n", "-_9", "-", "ä"] {
            assert_eq!(decode(wrong), None, "{wrong:?}");
        }
    }
}
