//! /csrattrs: what a CSR has to have (RFC 7030 §4.5, in the reading of RFC 8951 §4).

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{KeyType, ObjectIdentifier};

use crate::body::encode_body;
use crate::response::EstBody;

/// Content-Type of /csrattrs (RFC 7030 §4.5.2).
const CSR_ATTRS: &str = "application/csrattrs";

/// challengePassword, RFC 2985 §5.4.1.
const CHALLENGE_PASSWORD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");
/// id-ecPublicKey, RFC 5480 §2.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// rsaEncryption, RFC 8017 §A.1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-Ed25519, RFC 8410 §3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// What an endpoint demands of every CSR.
#[derive(Clone, Copy, Debug)]
pub struct Demands<'d> {
    /// The only keys that are certified.
    pub key_types: &'d [KeyType],
    /// The request has to be bound to its TLS session (RFC 7030 §3.5).
    pub channel_binding: bool,
}

/// The answer to /csrattrs; `None` when nothing is demanded (204 or 404, RFC 7030 §4.5.2).
///
/// ```text
/// CsrAttrs  ::= SEQUENCE SIZE (0..MAX) OF AttrOrOID                                    RFC 7030 §4.5.2
/// AttrOrOID ::= CHOICE { oid OBJECT IDENTIFIER, attribute Attribute }
/// ```
///
/// The kind of key is an attribute whose values are the curves or sizes that are certified, as in RFC 7030 §4.5.2 and RFC 8951 §4. One
/// such attribute can be said (RFC 9908 §3.2): where keys of several kinds are certified, a client may choose, and nothing is demanded.
#[must_use]
pub fn csr_attrs(demands: Demands<'_>, base64_line_length: usize) -> Option<EstBody> {
    let mut writer = DerWriter::default();
    let mut is_empty = true;
    writer.sequence(|w| {
        if demands.channel_binding {
            w.oid(&CHALLENGE_PASSWORD);
            is_empty = false;
        }
        is_empty &= !write_key(demands.key_types, w);
    });
    (!is_empty).then(|| EstBody { content_type: CSR_ATTRS, base64: encode_body(&writer.finish(), base64_line_length) })
}

/// Writes the one kind of key that is certified; false when there are several.
fn write_key(key_types: &[KeyType], writer: &mut DerWriter) -> bool {
    let mut kinds = key_types.iter().map(|key| algorithm(*key));
    let Some(Some(kind)) = kinds.next() else { return false };
    if !kinds.all(|other| other == Some(kind)) {
        return false;
    }
    let values: Vec<Vec<u8>> = key_types.iter().filter_map(|key| parameter(*key)).collect();
    if values.is_empty() {
        writer.oid(&kind);
    } else {
        writer.sequence(|w| {
            w.oid(&kind).set_of(tag::SET, values.iter().map(Vec::as_slice).collect());
        });
    }
    true
}

const fn algorithm(key: KeyType) -> Option<ObjectIdentifier> {
    match key {
        KeyType::P256 | KeyType::P384 | KeyType::P521 => Some(EC_PUBLIC_KEY),
        KeyType::Rsa { .. } => Some(RSA_ENCRYPTION),
        KeyType::Ed25519 => Some(ED25519),
        KeyType::Unknown(_) => None,
    }
}

/// A curve as its object identifier, an RSA key as the INTEGER of its bits (RFC 8951 §4's example), DER.
fn parameter(key: KeyType) -> Option<Vec<u8>> {
    let mut writer = DerWriter::default();
    match key {
        KeyType::P256 => writer.oid(&ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
        KeyType::P384 => writer.oid(&ObjectIdentifier::new_unwrap("1.3.132.0.34")),
        KeyType::P521 => writer.oid(&ObjectIdentifier::new_unwrap("1.3.132.0.35")),
        KeyType::Rsa { bits } => writer.unsigned(bits),
        KeyType::Ed25519 | KeyType::Unknown(_) => return None,
    };
    Some(writer.finish())
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Encoding};

    use super::*;

    fn der(key_types: &[KeyType], channel_binding: bool) -> Option<Vec<u8>> {
        csr_attrs(Demands { key_types, channel_binding }, 0).map(|body| Base64::decode_vec(&body.base64).unwrap())
    }

    #[test]
    fn a_curve_and_a_bound_request() {
        #[rustfmt::skip]
        let expected = [
            0x30, 0x1f,                                                             // CsrAttrs
            0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07,       //   challengePassword
            0x30, 0x12,                                                             //   Attribute
            0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,                   //     id-ecPublicKey
            0x31, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22,                   //     secp384r1
        ];
        assert_eq!(der(&[KeyType::P384], true).unwrap(), expected);
    }

    #[test]
    fn sizes_of_rsa_keys() {
        let made = der(&[KeyType::Rsa { bits: 3072 }, KeyType::Rsa { bits: 4096 }], false).unwrap();
        assert!(made.ends_with(&[0x31, 0x08, 0x02, 0x02, 0x0c, 0x00, 0x02, 0x02, 0x10, 0x00]), "{made:02x?}");
    }

    #[test]
    fn where_a_client_may_choose_nothing_is_demanded() {
        assert_eq!(der(&[KeyType::P256, KeyType::Rsa { bits: 2048 }], false), None);
        assert_eq!(der(&[KeyType::Ed25519], false).unwrap(), [0x30, 5, 0x06, 3, 0x2b, 0x65, 0x70]);
    }
}
