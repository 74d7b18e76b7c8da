//! How the responder writes an answer.

use certgate_conformance::{
    asn1::{Element, tag},
    certificate::Extension,
    key::Key,
};
use const_oid::ObjectIdentifier;
use der::Encode;
use jiff::Timestamp;

use super::request::ARC;

/// What is known of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Good,
    /// Since when, in seconds since 1970, and for what reason.
    Revoked(i64, Option<u8>),
    Unknown,
}

/// The parts of an answer.
pub(super) struct Answer {
    pub(super) singles: Vec<(Element, Known)>,
    pub(super) this_update: i64,
    pub(super) next_update: i64,
    pub(super) nonce: Option<Vec<u8>>,
    /// Whether the answer says that it says revoked of what was never issued.
    pub(super) is_extended: bool,
}

pub(super) fn generalized_time(seconds: i64) -> Element {
    let text = Timestamp::from_second(seconds).expect("a moment").strftime("%Y%m%d%H%M%SZ").to_string();
    Element::primitive(tag::GENERALIZED_TIME, text.as_bytes())
}

pub(super) fn algorithm(key: &Key) -> Element {
    Element::parse(&key.algorithm().expect("an algorithm").to_der().expect("DER")).expect("DER")
}

pub(super) fn bit_string(octets: &[u8]) -> Element {
    Element::primitive(tag::BIT_STRING, &[&[0], octets].concat())
}

fn explicit(number: u8, inner: Element) -> Element {
    Element::constructed(tag::context(number), vec![inner])
}

fn oid(number: u8) -> ObjectIdentifier {
    ObjectIdentifier::new(&format!("{ARC}.{number}")).expect("an OID")
}

/// An OCSPResponse of `responseStatus` alone.
pub(super) fn error(number: u8) -> Vec<u8> {
    Element::sequence(vec![Element::primitive(tag::ENUMERATED, &[number])]).encode()
}

fn single(id: &Element, known: Known, answer: &Answer) -> Element {
    let status = match known {
        Known::Good => Element::primitive(0x80, &[]),
        Known::Unknown => Element::primitive(0x82, &[]),
        Known::Revoked(since, reason) => {
            let reason = reason.map(|number| explicit(0, Element::primitive(tag::ENUMERATED, &[number])));
            Element::constructed(tag::context(1), std::iter::once(generalized_time(since)).chain(reason).collect())
        }
    };
    let next = explicit(0, generalized_time(answer.next_update));
    Element::sequence(vec![id.clone(), status, generalized_time(answer.this_update), next])
}

impl Answer {
    /// The OCSPResponse, signed; `certificate` goes with it, and `key_hash` says whose it is.
    pub(super) fn sign(&self, key: &Key, certificate: &[u8], key_hash: &[u8], now: i64) -> Vec<u8> {
        let mut extensions = Vec::new();
        extensions.extend(self.nonce.clone().map(|value| Extension { oid: oid(2), critical: false, value }));
        extensions.extend(self.is_extended.then(|| Extension { oid: oid(9), critical: false, value: vec![tag::NULL, 0] }));
        let mut data = vec![
            explicit(2, Element::primitive(tag::OCTET_STRING, key_hash)),
            generalized_time(now),
            Element::sequence(self.singles.iter().map(|(id, known)| single(id, *known, self)).collect()),
        ];
        if !extensions.is_empty() {
            data.push(explicit(1, Element::sequence(extensions.iter().map(Extension::encode).collect())));
        }
        let data = Element::sequence(data);
        let signature = bit_string(&key.sign(&data.encode()).expect("signed"));
        let certificates = Element::sequence(vec![Element::parse(certificate).expect("DER")]);
        let basic = Element::sequence(vec![data, algorithm(key), signature, explicit(0, certificates)]);
        let bytes =
            Element::sequence(vec![Element::object_identifier(oid(1)), Element::primitive(tag::OCTET_STRING, &basic.encode())]);
        Element::sequence(vec![Element::primitive(tag::ENUMERATED, &[0]), explicit(0, bytes)]).encode()
    }
}
