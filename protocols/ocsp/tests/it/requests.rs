//! Requests as clients send them.

use certgate_ocsp::{CertId, HashAlgorithm, OcspRequest};
use certgate_pki::asn1::tag;
use certgate_pki::{DigestAlgorithm, ObjectIdentifier, SignatureAlgorithm};

use crate::client::{NULL, SERIAL, cert_id, der, explicit, extension, ocsp_oid, read, request, sequence, tlv};

const BASIC: [u8; 11] = [tag::OID, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];

fn only(der: &[u8]) -> CertId<'_> {
    let request = OcspRequest::parse(der).unwrap();
    assert_eq!(request.count(), 1);
    request.requests().next().unwrap().cert_id
}

/// As RFC 6960 §4.1.1 has it, octet by octet.
#[test]
fn the_request_of_openssl() {
    let expected = [
        &[0x30, 0x51, 0x30, 0x4f, 0x30, 0x4d][..],      // OCSPRequest, tbsRequest, requestList
        &[0x30, 0x4b, 0x30, 0x49],                      // Request, CertID
        &[0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0], // hashAlgorithm: SHA-1
        &[0x04, 20, 0xf7, 0x10, 0xd5, 0x55, 0x25, 0xb6, 0x07, 0xcd, 0xe1], // issuerNameHash
        &[0x3e, 0x98, 0x3e, 0xe0, 0x68, 0x1b, 0x34, 0xa1, 0xcb, 0x01, 0x59],
        &[0x04, 20, 0x15, 0x75, 0xa6, 0xa9, 0x0b, 0x6f, 0x82, 0xd2, 0xf1], // issuerKeyHash
        &[0xe6, 0xb6, 0x23, 0x61, 0x80, 0x6f, 0xbe, 0x18, 0x95, 0x6a, 0xb6],
        &[0x02, 16], // serialNumber
        &SERIAL,
    ]
    .concat();
    let der = read("sha1.der");
    assert_eq!(der, expected);
    let request = OcspRequest::parse(&der).unwrap();
    let id = only(&der);
    assert_eq!(id.as_der(), &der[8..]);
    assert_eq!(id.hash_algorithm(), HashAlgorithm::Known(DigestAlgorithm::Sha1));
    assert_eq!((id.issuer_name_hash(), id.issuer_key_hash()), (&der[23..43], &der[45..65]));
    assert_eq!(id.serial_octets(), SERIAL);
    assert_eq!(request.sole_cert_id().map(CertId::as_der), Some(&der[8..]), "a slice of the request");
    assert_eq!((request.nonce(), request.requestor_name(), request.is_signed()), (None, None, false));
    assert!(request.accepts_basic() && request.preferred_signature_algorithms().is_none());
}

#[test]
fn hash_algorithms() {
    let known = HashAlgorithm::Known;
    let sha224 = HashAlgorithm::Other(ObjectIdentifier::new("2.16.840.1.101.3.4.2.4").unwrap());
    for (name, algorithm, octets) in [
        ("sha1.der", known(DigestAlgorithm::Sha1), 20),
        ("sha224.der", sha224, 28),
        ("sha256.der", known(DigestAlgorithm::Sha256), 32),
        ("sha384.der", known(DigestAlgorithm::Sha384), 48),
        ("sha512.der", known(DigestAlgorithm::Sha512), 64),
    ] {
        let der = read(name);
        let id = only(&der);
        assert_eq!((id.hash_algorithm(), id.serial_octets()), (algorithm, &SERIAL[..]), "{name}");
        assert_eq!((id.issuer_name_hash().len(), id.issuer_key_hash().len()), (octets, octets), "{name}");
    }
    let sha1 = tlv(tag::OID, &[0x2b, 0x0e, 3, 2, 0x1a]);
    let rest = [tlv(tag::OCTET_STRING, &[1; 20]), tlv(tag::OCTET_STRING, &[]), tlv(tag::INTEGER, &[7])].concat();
    let absent = request(&sequence(&[&sequence(&[&sha1]), &rest]), None);
    assert_eq!(only(&absent).hash_algorithm(), known(DigestAlgorithm::Sha1), "absent parameters are as good as NULL");
    let strange = request(&sequence(&[&sequence(&[&sha1, &[tag::INTEGER, 1, 1]]), &rest]), None);
    assert_eq!(only(&strange).hash_algorithm(), HashAlgorithm::Other(DigestAlgorithm::Sha1.oid()));
}

#[test]
fn several_certificates_each_by_its_own_octets() {
    let der = read("three.der");
    let request = OcspRequest::parse(&der).unwrap();
    let ids: Vec<CertId<'_>> = request.requests().map(|request| request.cert_id).collect();
    assert_eq!((request.count(), ids.len()), (3, 3));
    let known = [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha384].map(HashAlgorithm::Known);
    assert_eq!(ids.iter().map(CertId::hash_algorithm).collect::<Vec<_>>(), known);
    assert_eq!(ids.iter().map(CertId::serial_octets).collect::<Vec<_>>(), [&[1][..], &[0, 0xff], &SERIAL]);
    for id in &ids {
        assert!(der.windows(id.as_der().len()).any(|window| window == id.as_der()));
        assert_eq!(CertId::from_der(id.as_der()).as_ref(), Ok(id));
    }
    assert_eq!((request.sole_cert_id().map(CertId::as_der), request.nonce().unwrap().as_octets().len()), (None, 16));
}

#[test]
fn serial_numbers_that_nobody_issues_are_there_to_be_unknown() {
    let long = [&[0x7f][..], &(1..=0x14).collect::<Vec<u8>>()].concat();
    for (name, serial) in
        [("serial-zero.der", &[0][..]), ("serial-negative.der", &[0x80]), ("serial-21-octets.der", long.as_slice())]
    {
        assert_eq!(only(&read(name)).serial_octets(), serial, "{name}");
    }
    assert_eq!(only(&request(&cert_id(&[0, 0x80]), None)).serial_octets(), [0, 0x80]);
}

#[test]
fn nonces_come_back_as_they_were() {
    let der = read("sha1-nonce.der");
    let parsed = OcspRequest::parse(&der).unwrap();
    assert_eq!(
        (parsed.nonce().unwrap().as_octets(), parsed.sole_cert_id().map(CertId::as_der)),
        (&der[der.len() - 16..], None)
    );
    let der = read("python.der");
    let parsed = OcspRequest::parse(&der).unwrap();
    assert_eq!(parsed.nonce().unwrap().as_octets(), (0..32).collect::<Vec<u8>>());
    assert!(parsed.accepts_basic());
    for octets in [1, 15, 16, 32, 33, 127, 128] {
        let nonce = vec![7; octets];
        for critical in [None, Some(0), Some(0xff)] {
            let der = request(&cert_id(&[1]), Some(&[extension(&ocsp_oid(2), critical, &tlv(tag::OCTET_STRING, &nonce))]));
            let parsed = OcspRequest::parse(&der).unwrap();
            assert_eq!(parsed.nonce().unwrap().as_octets(), nonce, "{octets} octets");
            assert_eq!(parsed.unknown_critical(), None, "a nonce is known");
        }
    }
}

#[test]
fn a_signature_and_a_name_change_nothing() {
    let der = read("signed.der");
    let parsed = OcspRequest::parse(&der).unwrap();
    assert!(parsed.is_signed());
    assert_eq!(parsed.requestor_name().unwrap()[0], 0xa4, "a directoryName");
    let id = parsed.sole_cert_id().unwrap();
    assert_eq!((id.serial_octets(), parsed.sole_cert_id().map(CertId::as_der)), (&[5][..], Some(id.as_der())));
}

#[test]
fn a_version_1_that_is_written_out_is_version_1() {
    let list = sequence(&[&sequence(&[&cert_id(&[9])])]);
    let der = sequence(&[&sequence(&[&explicit(0, &[tag::INTEGER, 1, 0]), &list])]);
    assert_eq!(only(&der).serial_octets(), [9]);
}

#[test]
fn extensions_that_are_not_known_are_ignored_unless_they_are_critical() {
    let unknown = ObjectIdentifier::new("1.2.3.4").unwrap();
    for (critical, reported) in [(None, None), (Some(0), None), (Some(1), Some(unknown)), (Some(0xff), Some(unknown))] {
        let one = extension(&unknown, critical, b"no DER");
        let der = request(&cert_id(&[1]), Some(std::slice::from_ref(&one)));
        let parsed = OcspRequest::parse(&der).unwrap();
        assert_eq!(parsed.unknown_critical(), reported);
        assert_eq!(parsed.sole_cert_id().is_some(), reported.is_none());
        // Of the second of two certificates. A nonce there is none.
        let single = explicit(0, &sequence(&[&extension(&ocsp_oid(2), None, b""), &one]));
        let list = sequence(&[&sequence(&[&cert_id(&[1])]), &sequence(&[&cert_id(&[2]), &single])]);
        let der = sequence(&[&sequence(&[&list])]);
        let parsed = OcspRequest::parse(&der).unwrap();
        assert_eq!((parsed.unknown_critical(), parsed.nonce()), (reported, None));
        let each: Vec<_> = parsed.requests().map(|request| request.unknown_critical).collect();
        assert_eq!(each, [None, reported]);
    }
    let der = request(&cert_id(&[1]), Some(&[]));
    assert!(OcspRequest::parse(&der).unwrap().sole_cert_id().is_some(), "no extensions at all");
}

#[test]
fn acceptable_responses() {
    let other = [tag::OID, 3, 0x2a, 3, 4];
    for (types, accepts) in [(&[&BASIC[..]][..], true), (&[&other, &BASIC], true), (&[&other], false), (&[], false)] {
        let der = request(&cert_id(&[1]), Some(&[extension(&ocsp_oid(4), None, &sequence(types))]));
        let parsed = OcspRequest::parse(&der).unwrap();
        assert_eq!((parsed.accepts_basic(), parsed.sole_cert_id().is_some()), (accepts, accepts));
    }
}

#[test]
fn preferred_signature_algorithms_in_their_order() {
    let identifier = |algorithm: SignatureAlgorithm| der(|w| algorithm.write(w));
    let curve = sequence(&[&tlv(tag::OID, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]), &tlv(tag::OID, &[0x2b, 0x81, 4, 0, 0x22])]);
    let sha1 = sequence(&[&tlv(tag::OID, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5]), &NULL]);
    let preferences = [
        sequence(&[&identifier(SignatureAlgorithm::EcdsaSha384), &curve]),
        sequence(&[&sha1]),
        sequence(&[&identifier(SignatureAlgorithm::RsaSha256)]),
    ]
    .concat();
    let der = request(&cert_id(&[1]), Some(&[extension(&ocsp_oid(8), None, &tlv(tag::SEQUENCE, &preferences))]));
    let parsed = OcspRequest::parse(&der).unwrap();
    let preferred: Vec<_> = parsed.preferred_signature_algorithms().unwrap().iter().collect();
    let algorithms: Vec<_> = preferred.iter().map(|preference| preference.algorithm).collect();
    assert_eq!(algorithms, [Some(SignatureAlgorithm::EcdsaSha384), None, Some(SignatureAlgorithm::RsaSha256)]);
    assert_eq!(preferred.iter().map(|preference| preference.key).collect::<Vec<_>>(), [Some(curve.as_slice()), None, None]);
    assert_eq!(parsed.sole_cert_id().map(CertId::as_der), None);
}
