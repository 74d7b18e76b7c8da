//! Lists, element by element (RFC 5280 §5.1).

use certgate_conformance::{
    asn1::{Element, tag},
    certificate::{Certificate, Extension, extension::AUTHORITY_KEY_IDENTIFIER},
    crl::list::extension,
    pointers::FRESHEST_CRL,
};
use const_oid::ObjectIdentifier;
use der::Encode;

use crate::authority::Authority;

/// What a list says of a certificate.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Content octets of the serial number.
    pub(super) serial: Vec<u8>,
    /// Seconds since 1970.
    pub(super) date: i64,
    pub(super) reason: Option<u8>,
    /// Seconds since 1970.
    pub(super) invalid_since: Option<i64>,
}

/// What a list says beside its entries.
pub(super) struct Head<'h> {
    pub(super) number: u64,
    /// Of a delta.
    pub(super) base: Option<u64>,
    /// Seconds since 1970: thisUpdate and nextUpdate.
    pub(super) period: (i64, i64),
    /// The URL of its distribution point, of a shard.
    pub(super) point: Option<&'h str>,
    /// The URL of its deltas, of a complete list that has some.
    pub(super) freshest: Option<&'h str>,
}

fn utc(seconds: i64) -> Element {
    let moment = jiff::Timestamp::from_second(seconds).expect("a moment");
    Element::primitive(tag::UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").to_string().as_bytes())
}

fn integer(number: u64) -> Element {
    let octets: Vec<u8> = std::iter::once(0).chain(number.to_be_bytes()).collect();
    let needless = octets.windows(2).take_while(|pair| pair[0] == 0 && pair[1] < 0x80).count();
    Element::primitive(tag::INTEGER, &octets[needless..])
}

/// `distributionPoint` with one URL, its tag and all.
pub(super) fn point_name(url: &str) -> Element {
    let name = Element::primitive(tag::context_primitive(6), url.as_bytes());
    Element::constructed(tag::context(0), vec![Element::constructed(tag::context(0), vec![name])])
}

/// A CRLDistributionPoints of one URL.
pub(super) fn points(url: &str) -> Element {
    Element::sequence(vec![Element::sequence(vec![point_name(url)])])
}

impl Entry {
    fn encode(&self) -> Element {
        let mut parts = vec![Element::primitive(tag::INTEGER, &self.serial), utc(self.date)];
        let mut extensions = Vec::new();
        if let Some(code) = self.reason {
            extensions.push(encode_extension(extension::REASON_CODE, false, &Element::primitive(tag::ENUMERATED, &[code])));
        }
        if let Some(since) = self.invalid_since {
            let text = jiff::Timestamp::from_second(since).expect("a moment").strftime("%Y%m%d%H%M%SZ").to_string();
            let date = Element::primitive(tag::GENERALIZED_TIME, text.as_bytes());
            extensions.push(encode_extension(extension::INVALIDITY_DATE, false, &date));
        }
        if !extensions.is_empty() {
            parts.push(Element::sequence(extensions));
        }
        Element::sequence(parts)
    }
}

fn encode_extension(oid: ObjectIdentifier, critical: bool, value: &Element) -> Element {
    Extension { oid, critical, value: value.encode() }.encode()
}

fn extensions(head: &Head<'_>, key_identifier: &[u8]) -> Element {
    let key = Element::sequence(vec![Element::primitive(tag::context_primitive(0), key_identifier)]);
    let mut all = vec![
        encode_extension(AUTHORITY_KEY_IDENTIFIER, false, &key),
        encode_extension(extension::CRL_NUMBER, false, &integer(head.number)),
    ];
    if let Some(base) = head.base {
        all.push(encode_extension(extension::DELTA_CRL_INDICATOR, true, &integer(base)));
    }
    if let Some(url) = head.point {
        let value = Element::sequence(vec![point_name(url)]);
        all.push(encode_extension(extension::ISSUING_DISTRIBUTION_POINT, true, &value));
    }
    if let Some(url) = head.freshest {
        all.push(encode_extension(FRESHEST_CRL, false, &points(url)));
    }
    Element::constructed(tag::context(0), vec![Element::sequence(all)])
}

/// A list, signed.
pub(super) fn encode(head: &Head<'_>, entries: &[Entry], authority: &Authority) -> Vec<u8> {
    let issuer = Certificate::parse(&authority.certificate.to_der().expect("DER")).expect("a certificate");
    let mut fields = vec![integer(1), issuer.algorithm.clone(), issuer.subject, utc(head.period.0), utc(head.period.1)];
    if !entries.is_empty() {
        fields.push(Element::sequence(entries.iter().map(Entry::encode).collect()));
    }
    fields.push(extensions(head, &authority.key_identifier));
    let tbs = Element::sequence(fields);
    let signature = Element::primitive(tag::BIT_STRING, &[&[0], &authority.sign(&tbs.encode())[..]].concat());
    Element::sequence(vec![tbs, issuer.algorithm, signature]).encode()
}
