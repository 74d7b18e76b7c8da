use super::{extensions, fields, name, status};
use crate::{
    asn1::{Element, tag},
    certificate::{Certificate, Extension, Time, extension},
    csr::{attribute, encode_name},
    key::Key,
    pointers,
};

/// An end entity's certificate as a CA of P-256 would sign it. Its signature is of no concern to these checks.
fn good() -> Certificate {
    let algorithm =
        Element::sequence(vec![Element::primitive(tag::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])]);
    let extension = |oid, critical, value: Element| Extension { oid, critical, value: value.encode() };
    Certificate {
        der: Vec::new(),
        tbs: Vec::new(),
        version: Some(vec![2]),
        serial: vec![0x11; 16],
        tbs_algorithm: algorithm.encode(),
        issuer: encode_name(&[(attribute::COMMON_NAME, "issuer".into())]),
        not_before: Time { tag: tag::UTC_TIME, text: "261124000000Z".into() },
        not_after: Time { tag: tag::UTC_TIME, text: "270222000000Z".into() },
        subject: encode_name(&[(attribute::COMMON_NAME, "subject".into())]),
        spki: Key::p256().spki().expect("a key"),
        has_unique_identifier: false,
        extensions: vec![
            extension(
                extension::AUTHORITY_KEY_IDENTIFIER,
                false,
                Element::sequence(vec![Element::primitive(tag::context_primitive(0), &[1; 20])]),
            ),
            extension(extension::SUBJECT_KEY_IDENTIFIER, false, Element::primitive(tag::OCTET_STRING, &[2; 20])),
            extension(extension::KEY_USAGE, true, Element::primitive(tag::BIT_STRING, &[7, 0x80])),
            extension(extension::BASIC_CONSTRAINTS, true, Element::sequence(vec![])),
        ],
        algorithm,
        signature: Vec::new(),
    }
}

fn with(oid: const_oid::ObjectIdentifier, critical: bool, value: &Element) -> Certificate {
    let mut certificate = good();
    certificate.extensions.retain(|extension| extension.oid != oid);
    certificate.extensions.push(Extension { oid, critical, value: value.encode() });
    certificate
}

fn named(attributes: &[(const_oid::ObjectIdentifier, &str)]) -> Certificate {
    let attributes: Vec<_> = attributes.iter().map(|(oid, value)| (*oid, (*value).to_owned())).collect();
    Certificate { subject: encode_name(&attributes), ..good() }
}

fn alternative(kind: u8, octets: &[u8]) -> Certificate {
    with(extension::SUBJECT_ALT_NAME, false, &Element::sequence(vec![Element::primitive(tag::context_primitive(kind), octets)]))
}

#[test]
fn a_good_certificate_passes_every_check() {
    let good = good();
    for check in [
        fields::algorithms,
        fields::issuer_name,
        fields::validity,
        fields::empty_subject,
        fields::uniqueness,
        name::directory_strings,
        name::alternative_names,
        extensions::key_identifiers,
        extensions::key_usage,
        extensions::basic_constraints,
        extensions::extended_key_usage,
    ] {
        check(&good, None).expect("good");
    }
}

#[test]
fn names_are_bounded_and_of_the_right_type() {
    name::directory_strings(&named(&[(attribute::COMMON_NAME, &"x".repeat(64)), (attribute::COUNTRY, "NL")]), None)
        .expect("good");
    for wrong in [
        named(&[(attribute::COMMON_NAME, &"x".repeat(65))]),
        named(&[(attribute::COMMON_NAME, "")]),
        named(&[(attribute::COUNTRY, "NLD")]),
        named(&[(attribute::LOCALITY, &"x".repeat(129))]),
    ] {
        name::directory_strings(&wrong, None).expect_err("a name out of bounds");
    }
}

#[test]
fn alternative_names_are_well_formed() {
    for (kind, octets) in [
        (1, b"a@example.com".as_slice()),
        (2, b"example.com"),
        (2, b"*.example.com"),
        (6, b"urn:uuid:x"),
        (7, &[127, 0, 0, 1]),
        (7, &[0; 16]),
    ] {
        name::alternative_names(&alternative(kind, octets), None).expect("good");
    }
    for (kind, octets) in [
        (1, b"example.com".as_slice()),
        (2, b""),
        (2, b"a b"),
        (2, b"under_score"),
        (2, b"a..b"),
        (2, b"-a"),
        (6, b"/relative"),
        (7, &[127, 0, 0]),
        (7, &[0; 8]),
    ] {
        name::alternative_names(&alternative(kind, octets), None).expect_err("malformed");
    }
    name::alternative_names(&with(extension::SUBJECT_ALT_NAME, false, &Element::sequence(vec![])), None).expect_err("empty");
}

#[test]
fn an_empty_subject_needs_a_critical_name() {
    let names = Element::sequence(vec![Element::primitive(tag::context_primitive(2), b"a")]);
    let nameless =
        |critical| Certificate { subject: Element::sequence(vec![]), ..with(extension::SUBJECT_ALT_NAME, critical, &names) };
    fields::empty_subject(&nameless(true), None).expect("good");
    fields::empty_subject(&nameless(false), None).expect_err("not critical");
}

#[test]
fn usages_fit_each_other_and_the_key() {
    let usage = |critical, octets: &[u8]| with(extension::KEY_USAGE, critical, &Element::primitive(tag::BIT_STRING, octets));
    for (wrong, why) in [
        (usage(false, &[7, 0x80]), "not critical"),
        (usage(true, &[0]), "no bit"),
        (usage(true, &[5, 0x80]), "trailing zeros"),
        (usage(true, &[2, 0x84]), "keyCertSign without cA"),
        (usage(true, &[5, 0xa0]), "keyEncipherment with an EC key"),
    ] {
        extensions::key_usage(&wrong, None).expect_err(why);
    }
    let limit = Element::sequence(vec![Element::primitive(tag::INTEGER, &[0])]);
    extensions::basic_constraints(&with(extension::BASIC_CONSTRAINTS, true, &limit), None)
        .expect_err("pathLenConstraint without cA");
    extensions::extended_key_usage(&with(extension::EXTENDED_KEY_USAGE, false, &Element::sequence(vec![])), None)
        .expect_err("no purposes");
}

#[test]
fn times_are_of_the_right_type_and_within_the_issuer_s() {
    let late = Time { tag: tag::UTC_TIME, text: "991231235959Z".into() };
    fields::validity(&Certificate { not_after: late, ..good() }, None).expect_err("1999");
    let wrong = Time { tag: tag::GENERALIZED_TIME, text: "20491231235959Z".into() };
    fields::validity(&Certificate { not_after: wrong, ..good() }, None).expect_err("GeneralizedTime before 2050");
    let right = Time { tag: tag::GENERALIZED_TIME, text: "20500101000000Z".into() };
    fields::validity(&Certificate { not_after: right.clone(), ..good() }, None).expect("2050");
    fields::validity(&Certificate { not_after: right, ..good() }, Some(&good())).expect_err("later than the issuer's");
    let never = Time { tag: tag::UTC_TIME, text: "271332000000Z".into() };
    fields::validity(&Certificate { not_after: never, ..good() }, None).expect_err("no such month");
}

fn access(methods: &[const_oid::ObjectIdentifier]) -> Element {
    let location = Element::primitive(tag::context_primitive(6), b"http://h/x");
    let descriptions = methods.iter().map(|oid| Element::sequence(vec![Element::object_identifier(*oid), location.clone()]));
    Element::sequence(descriptions.collect())
}

fn points(fields: Vec<Element>) -> Element {
    Element::sequence(vec![Element::sequence(fields)])
}

#[test]
fn status_is_told_or_said_to_be_told_nowhere() {
    let uri = Element::primitive(tag::context_primitive(6), b"http://h/a.crl");
    let name = Element::constructed(tag::context(0), vec![Element::constructed(tag::context(0), vec![uri])]);
    let both = access(&[pointers::OCSP, pointers::CA_ISSUERS]);
    let add = |mut certificate: Certificate, oid, critical, value: &Element| {
        certificate.extensions.push(Extension { oid, critical, value: value.encode() });
        certificate
    };
    let listed = add(good(), pointers::CRL_DISTRIBUTION_POINTS, false, &points(vec![name.clone()]));
    let whole = add(listed.clone(), pointers::AUTHORITY_INFORMATION_ACCESS, false, &both);
    status::form(&whole).and_then(|()| status::presence(&whole)).expect("good");
    let none = Element::primitive(tag::NULL, &[]);
    let unavailable = add(good(), pointers::NO_REV_AVAIL, false, &none);
    status::form(&unavailable).and_then(|()| status::presence(&unavailable)).expect("said to be nowhere");

    for (wrong, why) in [
        (good(), "nothing at all"),
        (listed.clone(), "no AIA"),
        (add(listed.clone(), pointers::AUTHORITY_INFORMATION_ACCESS, false, &access(&[pointers::OCSP])), "no caIssuers"),
        (add(whole.clone(), pointers::NO_REV_AVAIL, false, &none), "noRevAvail beside them"),
    ] {
        status::presence(&wrong).expect_err(why);
    }
    let reasons = Element::primitive(tag::context_primitive(1), &[1, 0x40]);
    for (wrong, why) in [
        (add(good(), pointers::CRL_DISTRIBUTION_POINTS, true, &points(vec![name])), "critical"),
        (add(good(), pointers::CRL_DISTRIBUTION_POINTS, false, &points(vec![reasons])), "reasons only"),
        (add(good(), pointers::AUTHORITY_INFORMATION_ACCESS, true, &both), "critical"),
    ] {
        status::form(&wrong).expect_err(why);
    }
}
