//! Requests (RFC 6960 §4.1.1), element by element, so that a check may ask what no client would.

use aws_lc_rs::digest::{self, Algorithm};
use base64ct::{Base64, Encoding};
use const_oid::ObjectIdentifier;

use crate::{
    asn1::{Element, tag},
    certificate::{Certificate, Extension},
    key::Key,
    verdict::Stop,
};

/// Object identifiers of extensions (RFC 6960 §4.4).
pub(super) mod extension {
    use const_oid::ObjectIdentifier;

    pub(in crate::ocsp) const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
    pub(in crate::ocsp) const CRL_REFERENCES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.3");
    pub(in crate::ocsp) const ACCEPTABLE_RESPONSES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.4");
    pub(in crate::ocsp) const NO_CHECK: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");
    pub(in crate::ocsp) const ARCHIVE_CUTOFF: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.6");
    pub(in crate::ocsp) const SERVICE_LOCATOR: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.7");
    pub(in crate::ocsp) const PREFERRED_ALGORITHMS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.8");
    pub(in crate::ocsp) const EXTENDED_REVOKE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.9");
    /// An extension that nobody knows: the enterprise number for examples (RFC 5612).
    pub(in crate::ocsp) const UNKNOWN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1");
}

/// How a CertID hashes.
#[derive(Clone, Copy)]
pub(super) struct Hash {
    oid: ObjectIdentifier,
    algorithm: &'static Algorithm,
    /// Whether `parameters` is NULL or absent: both are found (RFC 5754 §2), and the answer repeats what was asked.
    has_null: bool,
}

/// RFC 5019 §2.1.1, which clients in the field still follow.
pub(super) const SHA1: Hash =
    Hash { oid: ObjectIdentifier::new_unwrap("1.3.14.3.2.26"), algorithm: &digest::SHA1_FOR_LEGACY_USE_ONLY, has_null: true };
/// RFC 9919 §3.1.1.
pub(super) const SHA256: Hash =
    Hash { oid: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"), algorithm: &digest::SHA256, has_null: false };
pub(super) const SHA384: Hash =
    Hash { oid: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"), algorithm: &digest::SHA384, has_null: false };
/// An algorithm that nobody knows.
pub(super) const UNKNOWN_HASH: Hash =
    Hash { oid: ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.2"), algorithm: &digest::SHA256, has_null: false };

impl Hash {
    /// The digest of octets.
    pub(super) fn digest(self, octets: &[u8]) -> Vec<u8> {
        digest::digest(self.algorithm, octets).as_ref().to_vec()
    }
}

/// The bits of a key, "excluding the tag, length, and number of unused bits" (RFC 6960 §4.1.1).
pub(super) fn key_bits(spki: &Element) -> &[u8] {
    spki.elements().get(1).and_then(|bits| bits.octets().get(1..)).unwrap_or_default()
}

/// What a CertID is made of.
#[derive(Clone)]
pub(super) struct CertId {
    pub(super) hash: Hash,
    /// What `issuerNameHash` is the hash of.
    pub(super) name: Vec<u8>,
    /// What `issuerKeyHash` is the hash of.
    pub(super) key: Vec<u8>,
    /// Content octets of the serial number.
    pub(super) serial: Vec<u8>,
}

impl CertId {
    pub(super) fn new(hash: Hash, issuer: &Certificate, serial: &[u8]) -> Self {
        Self { hash, name: issuer.subject.encode(), key: key_bits(&issuer.spki).to_vec(), serial: serial.to_vec() }
    }

    pub(super) fn encode(&self) -> Element {
        let mut algorithm = vec![Element::object_identifier(self.hash.oid)];
        if self.hash.has_null {
            algorithm.push(Element::primitive(tag::NULL, &[]));
        }
        Element::sequence(vec![
            Element::sequence(algorithm),
            Element::primitive(tag::OCTET_STRING, &self.hash.digest(&self.name)),
            Element::primitive(tag::OCTET_STRING, &self.hash.digest(&self.key)),
            Element::primitive(tag::INTEGER, &self.serial),
        ])
    }
}

/// A request: about each CertID, with its `singleRequestExtensions`.
#[derive(Clone, Default)]
pub(super) struct Ask {
    version: Option<u8>,
    requestor: Option<Element>,
    about: Vec<(Element, Vec<Extension>)>,
    extensions: Vec<Extension>,
}

impl Ask {
    /// About one certificate.
    pub(super) fn about(id: &CertId) -> Self {
        Self::default().and(id)
    }

    /// About one more.
    pub(super) fn and(self, id: &CertId) -> Self {
        self.and_with(id, Vec::new())
    }

    /// About one more, with extensions of its own.
    pub(super) fn and_with(mut self, id: &CertId, extensions: Vec<Extension>) -> Self {
        self.about.push((id.encode(), extensions));
        self
    }

    /// With `version`, counted from zero.
    pub(super) const fn of_version(mut self, version: u8) -> Self {
        self.version = Some(version);
        self
    }

    /// With a `requestorName`.
    pub(super) fn with_requestor(mut self, name: &Element) -> Self {
        self.requestor = Some(name.clone());
        self
    }

    /// With one more of `requestExtensions`, its value whatever these octets are.
    pub(super) fn with_extension(mut self, oid: ObjectIdentifier, critical: bool, value: &[u8]) -> Self {
        self.extensions.push(Extension { oid, critical, value: value.to_vec() });
        self
    }

    /// With a nonce: an OCTET STRING of 1 to 128 octets (RFC 9654 §2.1).
    pub(super) fn with_nonce(self, nonce: &[u8]) -> Self {
        self.with_extension(extension::NONCE, false, &Element::primitive(tag::OCTET_STRING, nonce).encode())
    }

    /// The CertIDs, as they are encoded.
    pub(super) fn ids(&self) -> impl Iterator<Item = &Element> {
        self.about.iter().map(|(id, _)| id)
    }

    fn tbs(&self) -> Element {
        let explicit = |number, inner: Element| Element::constructed(tag::context(number), vec![inner]);
        let list = |extensions: &[Extension]| Element::sequence(extensions.iter().map(Extension::encode).collect());
        let mut parts = Vec::new();
        parts.extend(self.version.map(|version| explicit(0, Element::primitive(tag::INTEGER, &[version]))));
        parts.extend(self.requestor.clone().map(|name| explicit(1, name)));
        let single = |(id, extensions): &(Element, Vec<Extension>)| {
            let mut parts = vec![id.clone()];
            if !extensions.is_empty() {
                parts.push(explicit(0, list(extensions)));
            }
            Element::sequence(parts)
        };
        parts.push(Element::sequence(self.about.iter().map(single).collect()));
        if !self.extensions.is_empty() {
            parts.push(explicit(2, list(&self.extensions)));
        }
        Element::sequence(parts)
    }

    /// The request in DER, unsigned.
    pub(super) fn encode(&self) -> Vec<u8> {
        Element::sequence(vec![self.tbs()]).encode()
    }

    /// The request in base64, as it stands behind the URL in a GET (RFC 6960 Appendix A.1).
    pub(super) fn path(&self) -> String {
        escape(&Base64::encode_string(&self.encode()))
    }

    /// The request in DER, signed; `certificate` goes with it.
    pub(super) fn sign(&self, key: &Key, certificate: &Certificate, is_right: bool) -> Result<Vec<u8>, Stop> {
        let tbs = self.tbs();
        let algorithm = der::Encode::to_der(&key.algorithm()?).map_err(Stop::fail)?;
        let mut bits = vec![0];
        bits.extend(key.sign(&if is_right { tbs.encode() } else { b"another message".to_vec() })?);
        let certificates = Element::sequence(vec![Element::parse(&certificate.der)?]);
        let signature = Element::sequence(vec![
            Element::parse(&algorithm)?,
            Element::primitive(tag::BIT_STRING, &bits),
            Element::constructed(tag::context(0), vec![certificates]),
        ]);
        Ok(Element::sequence(vec![tbs, Element::constructed(tag::context(0), vec![signature])]).encode())
    }
}

/// What is special in a URL, escaped.
pub(super) fn escape(base64: &str) -> String {
    base64.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_the_module_says() {
        let id = CertId { hash: SHA1, name: b"n".to_vec(), key: b"k".to_vec(), serial: vec![5] };
        let plain = Ask::about(&id).encode();
        // OCSPRequest { TBSRequest { requestList { Request { CertID … } } } }
        assert_eq!(plain[..9], [0x30, 0x42, 0x30, 0x40, 0x30, 0x3e, 0x30, 0x3c, 0x30]);
        assert_eq!(plain[plain.len() - 3..], [0x02, 0x01, 0x05]);
        let nonce = Ask::about(&id).of_version(0).with_nonce(&[7]).encode();
        let end = [0xa2, 0x14, 0x30, 0x12, 0x30, 0x10, 0x06, 0x09];
        assert!(nonce.windows(end.len()).any(|window| window == end));
        assert!(nonce.ends_with(&[0x04, 0x03, 0x04, 0x01, 0x07]));
        assert_eq!(nonce[4..9], [0xa0, 0x03, 0x02, 0x01, 0x00]);
    }
}
