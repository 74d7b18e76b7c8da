//! Certificates that the suite makes itself, to be refused: well formed and signed, by keys that nobody trusts.

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use crate::{
    asn1::{Element, tag},
    certificate::{Extension, extension},
    key::{Key, random},
};

/// `id-kp-clientAuth` (RFC 5280 §4.2.1.12).
const CLIENT_AUTH: const_oid::ObjectIdentifier = const_oid::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
/// How long a forged certificate is valid on either side of its making, in seconds.
const SPAN: i64 = 24 * 60 * 60;

/// What a certificate says of its subject, and in whose name.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Content octets of the serial number.
    pub serial: Vec<u8>,
    /// The name of the issuer.
    pub issuer: Element,
    /// `keyIdentifier` of the authority key identifier.
    pub authority_key: Vec<u8>,
    /// The subject's name.
    pub subject: Element,
    /// The value of its `subjectAltName`.
    pub names: Option<Element>,
    /// Whether `basicConstraints` says `cA TRUE`.
    pub is_authority: bool,
    /// Whether its key encrypts keys, beside signing.
    pub is_for_messages: bool,
}

impl Draft {
    /// A draft with a random serial number, issued by its own subject.
    ///
    /// # Errors
    /// A machine without randomness.
    pub fn new(subject: &Element) -> anyhow::Result<Self> {
        let mut serial = random::<16>()?.to_vec();
        if let Some(first) = serial.first_mut() {
            *first = *first & 0x7f | 0x40;
        }
        Ok(Self {
            serial,
            issuer: subject.clone(),
            authority_key: Vec::new(),
            subject: subject.clone(),
            names: None,
            is_authority: false,
            is_for_messages: false,
        })
    }

    /// Issued in this name, by a key of this identifier.
    #[must_use]
    pub fn issued_by(mut self, issuer: &Element, authority_key: &[u8]) -> Self {
        self.issuer = issuer.clone();
        self.authority_key = authority_key.to_vec();
        self
    }

    /// With this `subjectAltName`.
    #[must_use]
    pub fn named(mut self, names: &Element) -> Self {
        self.names = Some(names.clone());
        self
    }

    /// For a CA.
    #[must_use]
    pub const fn for_authority(mut self) -> Self {
        self.is_authority = true;
        self
    }

    /// For a client of SCEP (RFC 8894 §2.3): `digitalSignature` and `keyEncipherment`.
    #[must_use]
    pub const fn for_messages(mut self) -> Self {
        self.is_for_messages = true;
        self
    }

    /// The certificate for `subject_key`, signed by `signer`, in DER. `now` are seconds since 1970.
    ///
    /// # Errors
    /// A key that does not encode or sign.
    pub fn sign(&self, subject_key: &Key, signer: &Key, now: i64) -> anyhow::Result<Vec<u8>> {
        let algorithm = Element::parse(&der::Encode::to_der(&signer.algorithm()?)?).map_err(|fault| anyhow!("{fault}"))?;
        let version = Element::constructed(tag::context(0), vec![Element::primitive(tag::INTEGER, &[2])]);
        let extensions = self.extensions(subject_key)?.iter().map(Extension::encode).collect();
        let tbs = Element::sequence(vec![
            version,
            Element::primitive(tag::INTEGER, &self.serial),
            algorithm.clone(),
            self.issuer.clone(),
            Element::sequence(vec![utc_time(now - SPAN)?, utc_time(now + SPAN)?]),
            self.subject.clone(),
            subject_key.spki()?,
            Element::constructed(tag::context(3), vec![Element::sequence(extensions)]),
        ]);
        let signature = bit_string(&signer.sign(&tbs.encode())?);
        Ok(Element::sequence(vec![tbs, algorithm, signature]).encode())
    }

    fn extensions(&self, subject_key: &Key) -> anyhow::Result<Vec<Extension>> {
        let extension = |oid, critical, value: &Element| Extension { oid, critical, value: value.encode() };
        let (constraints, usage) = if self.is_authority {
            // keyCertSign and cRLSign.
            (vec![Element::primitive(tag::BOOLEAN, &[0xff])], [1, 0x06])
        } else {
            (Vec::new(), if self.is_for_messages { [5, 0xa0] } else { [7, 0x80] })
        };
        let purposes = Element::sequence(vec![Element::object_identifier(CLIENT_AUTH)]);
        let own = Element::primitive(tag::OCTET_STRING, &key_identifier(subject_key)?);
        let mut all = vec![
            extension(extension::BASIC_CONSTRAINTS, true, &Element::sequence(constraints)),
            extension(extension::KEY_USAGE, true, &Element::primitive(tag::BIT_STRING, &usage)),
            extension(extension::EXTENDED_KEY_USAGE, false, &purposes),
            extension(extension::SUBJECT_KEY_IDENTIFIER, false, &own),
        ];
        if !self.authority_key.is_empty() {
            let issuer = Element::primitive(tag::context_primitive(0), &self.authority_key);
            all.push(extension(extension::AUTHORITY_KEY_IDENTIFIER, false, &Element::sequence(vec![issuer])));
        }
        if let Some(names) = &self.names {
            all.push(extension(extension::SUBJECT_ALT_NAME, false, names));
        }
        Ok(all)
    }
}

/// A key identifier by method 1 of RFC 7093 §2: "the leftmost 160-bits of the SHA-256 hash of the value of the BIT STRING
/// subjectPublicKey (excluding the tag, length, and number of unused bits)".
///
/// # Errors
/// A key that does not encode.
pub fn key_identifier(key: &Key) -> anyhow::Result<Vec<u8>> {
    let spki = key.spki()?;
    let bits = spki.elements().get(1).and_then(|bits| bits.octets().get(1..)).context("a key without bits")?;
    Ok(sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(bits)).iter().copied().take(20).collect())
}

fn bit_string(octets: &[u8]) -> Element {
    Element::primitive(tag::BIT_STRING, &[&[0], octets].concat())
}

/// RFC 5280 §4.1.2.5.1, for years before 2050.
fn utc_time(seconds: i64) -> anyhow::Result<Element> {
    let text = Timestamp::from_second(seconds)?.strftime("%y%m%d%H%M%SZ").to_string();
    Ok(Element::primitive(tag::UTC_TIME, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        certificate::Certificate,
        chain,
        csr::{attribute, encode_dns_names, encode_name},
    };

    #[test]
    fn what_is_forged_is_well_formed_and_signed() {
        let now = crate::clock::unix_now();
        let (root, leaf) = (Key::p256(), Key::p256());
        let name = |text: &str| encode_name(&[(attribute::COMMON_NAME, text.into())]);
        let anchor = Draft::new(&name("root")).expect("a draft").for_authority().sign(&root, &root, now).expect("made");
        let draft = Draft::new(&name("leaf")).expect("a draft").named(&encode_dns_names(&["leaf"]));
        let draft = draft.issued_by(&name("root"), &key_identifier(&root).expect("a key"));
        let device = Certificate::parse(&draft.sign(&leaf, &root, now).expect("made")).expect("DER");
        let pool = [Certificate::parse(&anchor).expect("DER")];
        assert_eq!(chain::validate(&device, &pool, now).expect("a chain").len(), 2);
        assert_eq!(device.dns_names(), ["leaf"]);
    }
}
