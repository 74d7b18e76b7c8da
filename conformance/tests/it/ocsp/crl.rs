//! The CRL of the responder's CA.

use certgate_conformance::{
    asn1::{Element, tag},
    certificate::Extension,
};
use const_oid::ObjectIdentifier;
use der::Encode;
use jiff::Timestamp;

use super::response::{Known, bit_string};
use crate::authority::Authority;

fn utc_time(seconds: i64) -> Element {
    let text = Timestamp::from_second(seconds).expect("a moment").strftime("%y%m%d%H%M%SZ").to_string();
    Element::primitive(tag::UTC_TIME, text.as_bytes())
}

/// A list of what is revoked.
pub(super) fn list(issuing: &Authority, records: &[(Vec<u8>, Known)], now: i64) -> Vec<u8> {
    let entry = |(serial, known): &(Vec<u8>, Known)| {
        let Known::Revoked(since, reason) = known else { return None };
        let mut parts = vec![Element::primitive(tag::INTEGER, serial), utc_time(*since)];
        if let Some(number) = reason {
            let value = Element::primitive(tag::ENUMERATED, &[*number]).encode();
            let code = Extension { oid: ObjectIdentifier::new_unwrap("2.5.29.21"), critical: false, value };
            parts.push(Element::sequence(vec![code.encode()]));
        }
        Some(Element::sequence(parts))
    };
    let entries: Vec<Element> = records.iter().filter_map(entry).collect();
    let algorithm = Element::sequence(vec![Element::object_identifier(ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"))]);
    let name = issuing.certificate.tbs_certificate().subject().to_der().expect("DER");
    let mut tbs = vec![
        Element::primitive(tag::INTEGER, &[1]),
        algorithm.clone(),
        Element::parse(&name).expect("DER"),
        utc_time(now),
        utc_time(now + 3600),
    ];
    if !entries.is_empty() {
        tbs.push(Element::sequence(entries));
    }
    let tbs = Element::sequence(tbs);
    let signature = bit_string(&issuing.sign(&tbs.encode()));
    Element::sequence(vec![tbs, algorithm, signature]).encode()
}
