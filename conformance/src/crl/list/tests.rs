use super::{Number, RevocationList, extension};
use crate::{
    asn1::{Element, tag},
    certificate::Extension,
    csr::{attribute, encode_name},
};

fn utc(text: &str) -> Element {
    Element::primitive(tag::UTC_TIME, text.as_bytes())
}

fn integer(octets: &[u8]) -> Element {
    Element::primitive(tag::INTEGER, octets)
}

fn algorithm() -> Element {
    Element::sequence(vec![Element::primitive(tag::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])])
}

/// An entry for a serial number of one octet.
fn entry(serial: u8, reason: Option<u8>) -> Element {
    let mut parts = vec![integer(&[serial]), utc("261128120000Z")];
    parts.extend(reason.map(|code| {
        let value = Element::primitive(tag::ENUMERATED, &[code]).encode();
        Element::sequence(vec![Extension { oid: extension::REASON_CODE, critical: false, value }.encode()])
    }));
    Element::sequence(parts)
}

/// The fields of a TBSCertList: version, signature, issuer, thisUpdate, nextUpdate, then what is optional.
fn fields(optional: Vec<Element>) -> Vec<Element> {
    let issuer = encode_name(&[(attribute::COMMON_NAME, "issuer".into())]);
    let mut all = vec![integer(&[1]), algorithm(), issuer, utc("261128120000Z"), utc("261129120000Z")];
    all.extend(optional);
    all
}

fn extensions(list: &[(const_oid::ObjectIdentifier, bool, Element)]) -> Element {
    let list =
        list.iter().map(|(oid, critical, value)| Extension { oid: *oid, critical: *critical, value: value.encode() }.encode());
    Element::constructed(tag::context(0), vec![Element::sequence(list.collect())])
}

fn encode(fields: Vec<Element>) -> Vec<u8> {
    let signature = Element::primitive(tag::BIT_STRING, &[0, 7, 7]);
    Element::sequence(vec![Element::sequence(fields), algorithm(), signature]).encode()
}

fn numbered(octets: &[u8]) -> Element {
    extensions(&[(extension::CRL_NUMBER, false, integer(octets))])
}

#[test]
fn a_list_comes_apart() {
    let revoked = Element::sequence(vec![entry(1, None), entry(2, Some(4))]);
    let list = RevocationList::parse(&encode(fields(vec![revoked, numbered(&[5])]))).expect("a list");
    assert_eq!(list.version.as_deref(), Some(&[1][..]));
    assert_eq!(list.this_update.text, "261128120000Z");
    assert_eq!(list.next_update.as_ref().map(|time| time.text.as_str()), Some("261129120000Z"));
    assert_eq!(list.entries().len(), 2);
    assert_eq!(list.entry(&[2]).and_then(super::Entry::reason), Some(4));
    assert_eq!(list.entry(&[1]).and_then(super::Entry::reason), None);
    assert!(list.entry(&[3]).is_none());
    assert_eq!(list.number().expect("a number").to_string(), "5");
    assert_eq!(list.base().expect("none"), None);
    assert_eq!(list.signature, [7, 7]);
}

#[test]
fn what_is_optional_may_be_absent() {
    let mut bare = fields(Vec::new());
    bare.remove(4);
    let list = RevocationList::parse(&encode(bare)).expect("a list");
    assert!(list.next_update.is_none() && list.revoked.is_none() && list.extensions.is_empty());
    list.number().expect_err("no number");
    let empty = RevocationList::parse(&encode(fields(vec![Element::sequence(Vec::new())]))).expect("a list");
    assert!(empty.revoked.is_some_and(|entries| entries.is_empty()), "an empty list is not an absent one");
}

#[test]
fn a_delta_names_its_base_and_a_point_is_kept_raw() {
    let name = Element::constructed(tag::context(0), vec![Element::primitive(tag::context_primitive(6), b"http://h/a.crl")]);
    let point = Element::constructed(tag::context(0), vec![name]);
    let all = extensions(&[
        (extension::CRL_NUMBER, false, integer(&[0, 0x80])),
        (extension::DELTA_CRL_INDICATOR, true, integer(&[0x7f])),
        (extension::ISSUING_DISTRIBUTION_POINT, true, Element::sequence(vec![point.clone()])),
    ]);
    let list = RevocationList::parse(&encode(fields(vec![all]))).expect("a list");
    assert_eq!(list.distribution_point(), Some(point));
    assert!(list.base().expect("a number").expect("a base") < list.number().expect("a number"));
}

#[test]
fn numbers_are_compared_as_numbers() {
    let number = |octets: &[u8]| Number::new(octets).expect("not negative");
    assert!(number(&[0xff - 0x80]) < number(&[0, 0xff]));
    assert!(number(&[0, 0xff]) < number(&[1, 0]));
    assert_eq!(number(&[0]), number(&[0, 0]));
    assert_eq!(number(&[1, 0]).to_string(), "256");
    assert_eq!(number(&[1; 20]).to_string(), format!("0x{}", "01".repeat(20)));
    assert_eq!(Number::new(&[0x80]), None);
    assert_eq!(Number::new(&[]), None);
}

#[test]
fn what_is_no_list_is_refused() {
    let three = Element::sequence(vec![entry(1, None), entry(2, None), entry(3, None)]);
    let no_extensions = Element::sequence(vec![integer(&[1]), utc("261128120000Z"), Element::sequence(Vec::new())]);
    for (bad, why) in [
        (fields(vec![three, numbered(&[1]), numbered(&[1])]), "extensions twice"),
        (fields(vec![Element::constructed(tag::context(0), vec![Element::sequence(Vec::new())])]), "no extension within"),
        (fields(vec![Element::sequence(vec![no_extensions])]), "no entry extension within"),
        (fields(vec![Element::sequence(vec![integer(&[1])])]), "an entry that is a number"),
        (fields(vec![Element::primitive(tag::NULL, &[])]), "NULL"),
        (fields(Vec::new()).into_iter().take(3).collect(), "no thisUpdate"),
    ] {
        RevocationList::parse(&encode(bad)).expect_err(why);
    }
    let mut longer = encode(fields(Vec::new()));
    longer.push(0);
    RevocationList::parse(&longer).expect_err("an octet behind it");
    RevocationList::parse(b"-----BEGIN X509 CRL-----").expect_err("PEM");
}
