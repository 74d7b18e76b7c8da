//! keyUsage is there, and a key of that kind can do what it says.

use certgate_pki::asn1::{Tlv, tag};
use certgate_pki::{KeyType, Template};

use super::template_extensions::{KEY_USAGE, find};
use super::{Circumstances, Lint};

pub(crate) const LINT: Lint = Lint {
    name: "key-usage",
    citation: "RFC 5280 §4.2.1.3, RFC 3279 §2.3.1, RFC 5480 §3 as updated by RFC 8813 §3, RFC 8410 §5 as updated by RFC 9295",
    check,
};

// The bits of RFC 5280 §4.2.1.3, the first one on top.
const DIGITAL_SIGNATURE: u16 = 0x8000;
const NON_REPUDIATION: u16 = 0x4000;
const KEY_ENCIPHERMENT: u16 = 0x2000;
const DATA_ENCIPHERMENT: u16 = 0x1000;
const KEY_AGREEMENT: u16 = 0x0800;
pub(super) const KEY_CERT_SIGN: u16 = 0x0400;
const CRL_SIGN: u16 = 0x0200;
const ENCIPHER_ONLY: u16 = 0x0100;
const DECIPHER_ONLY: u16 = 0x0080;

/// What every key that signs can do.
const SIGNING: u16 = DIGITAL_SIGNATURE | NON_REPUDIATION | KEY_CERT_SIGN | CRL_SIGN;

fn check(template: &Template, _: &Circumstances) -> Result<(), String> {
    // RFC 5280 §4.2.1.3: "Conforming CAs MUST include this extension in certificates that contain public keys that are used to validate
    // digital signatures on other public key certificates or CRLs." Here all have it: without it a key may do everything.
    let bits = read_bits(template).ok_or("there is no keyUsage, or it is malformed")?;
    // RFC 5280 §4.2.1.3: "When the keyUsage extension appears in a certificate, at least one of the bits MUST be set to 1."
    if bits == 0 {
        return Err("keyUsage has no bit set".into());
    }
    let key = template.public_key.key_type();
    let beyond = bits & !suiting(key);
    if beyond == 0 { Ok(()) } else { Err(format!("keyUsage has bits ({beyond:#06x}) that a {key} key cannot have")) }
}

/// What a key of this kind may be used for.
const fn suiting(key: KeyType) -> u16 {
    match key {
        // RFC 3279 §2.3.1: all but what is for key agreement.
        KeyType::Rsa { .. } => SIGNING | KEY_ENCIPHERMENT | DATA_ENCIPHERMENT,
        // RFC 8813 §3: keyEncipherment and dataEncipherment MUST NOT be there. The last two qualify keyAgreement.
        KeyType::P256 | KeyType::P384 | KeyType::P521 => SIGNING | KEY_AGREEMENT | ENCIPHER_ONLY | DECIPHER_ONLY,
        // RFC 8410 §5: digitalSignature, nonRepudiation, keyCertSign and cRLSign, and nothing else.
        KeyType::Ed25519 | KeyType::Unknown(_) => SIGNING,
    }
}

/// The bits of keyUsage, as above; `None` if there is none or it is malformed.
pub(super) fn read_bits(template: &Template) -> Option<u16> {
    let tlv = Tlv::only(&find(template, KEY_USAGE)?.value).ok()?;
    match (tlv.tag, tlv.value) {
        (tag::BIT_STRING, [0..=7, first]) => Some(u16::from_be_bytes([*first, 0])),
        (tag::BIT_STRING, [0..=7, first, second]) => Some(u16::from_be_bytes([*first, *second])),
        (tag::BIT_STRING, [0]) => Some(0),
        _ => None,
    }
}
