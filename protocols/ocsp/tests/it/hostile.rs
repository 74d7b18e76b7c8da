//! Requests with one fault each, and any octets at all.

use certgate_ocsp::{CertId, MAX_CERT_IDS, MAX_EXTENSIONS, MAX_PREFERENCES, MAX_REQUEST, MalformedRequest, Nonce, OcspRequest};
use certgate_pki::ObjectIdentifier;
use certgate_pki::asn1::tag;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::client::{NULL, cert_id, explicit, extension, ocsp_oid, read, request, sequence, tlv};

const FIXTURES: [&str; 12] = [
    "sha1.der",
    "sha1-nonce.der",
    "sha224.der",
    "sha256.der",
    "sha384.der",
    "sha512.der",
    "three.der",
    "serial-zero.der",
    "serial-negative.der",
    "serial-21-octets.der",
    "signed.der",
    "python.der",
];

fn fault(der: &[u8]) -> &'static str {
    match OcspRequest::parse(der) {
        Err(MalformedRequest(part)) => part,
        Ok(request) => panic!("{der:02x?} is taken for {request:?}"),
    }
}

fn faulty_extension(last_arc: u8, value: &[u8]) -> &'static str {
    fault(&request(&cert_id(&[1]), Some(&[extension(&ocsp_oid(last_arc), None, value)])))
}

#[test]
fn what_is_not_exactly_one_request() {
    for der in [&[][..], &[0x30], &[0x30, 0x80], b"garbage", &NULL] {
        assert_eq!(fault(der), "OCSPRequest", "{der:02x?}");
    }
    for name in FIXTURES {
        let der = read(name);
        assert!(OcspRequest::parse(&der).is_ok(), "{name}");
        for end in 0..der.len() {
            assert!(OcspRequest::parse(&der[..end]).is_err(), "{name}, {end} octets");
        }
        assert!(OcspRequest::parse(&[&der[..], &[0]].concat()).is_err(), "{name} with an octet behind");
    }
    // BER: the length of the outer SEQUENCE in two octets.
    let der = read("sha1.der");
    assert_eq!(fault(&[&[0x30, 0x81], &der[1..]].concat()), "OCSPRequest");
}

#[test]
fn fields_of_the_request() {
    let one = sequence(&[&cert_id(&[1])]);
    let list = sequence(&[&one]);
    let tbs = |fields: &[&[u8]]| sequence(&[&sequence(fields)]);
    for (der, part) in [
        (tbs(&[&explicit(0, &[tag::INTEGER, 1, 1]), &list]), "version"),
        (tbs(&[&explicit(0, &[tag::INTEGER, 2, 0, 0]), &list]), "version"),
        (tbs(&[&explicit(0, &[]), &list]), "version"),
        (tbs(&[&explicit(1, &[]), &list]), "requestorName"),
        (tbs(&[&explicit(1, &tlv(0x89, b"x")), &list]), "requestorName"),
        (tbs(&[&explicit(1, &[tlv(0x82, b"x"), tlv(0x82, b"y")].concat()), &list]), "requestorName"),
        (tbs(&[]), "requestList"),
        (tbs(&[&list, &list]), "what follows requestExtensions"),
        (tbs(&[&sequence(&[])]), "Request"),
        (tbs(&[&sequence(&[&NULL])]), "Request"),
        (tbs(&[&sequence(&[&sequence(&[])])]), "CertID"),
        (tbs(&[&sequence(&[&sequence(&[&cert_id(&[1]), &NULL])])]), "what follows singleRequestExtensions"),
        (tbs(&[&list, &explicit(2, &[])]), "Extensions"),
        (tbs(&[&list, &explicit(2, &NULL)]), "Extensions"),
        (tbs(&[&sequence(&[&sequence(&[&cert_id(&[1]), &explicit(0, &sequence(&[&NULL]))])])]), "Extension"),
        (sequence(&[&sequence(&[&list]), &NULL]), "what follows optionalSignature"),
        (sequence(&[&NULL]), "tbsRequest"),
    ] {
        assert_eq!(fault(&der), part, "{der:02x?}");
    }
}

#[test]
fn fields_of_a_cert_id() {
    let algorithm = sequence(&[&tlv(tag::OID, &[0x2b, 0x0e, 3, 2, 0x1a])]);
    let (hash, serial) = (tlv(tag::OCTET_STRING, &[1; 20]), tlv(tag::INTEGER, &[1]));
    for (id, part) in [
        (NULL.to_vec(), "CertID"),
        (sequence(&[&NULL, &hash, &hash, &serial]), "hashAlgorithm"),
        (sequence(&[&sequence(&[]), &hash, &hash, &serial]), "hashAlgorithm"),
        (sequence(&[&sequence(&[&tlv(tag::OID, &[])]), &hash, &hash, &serial]), "hashAlgorithm"),
        (sequence(&[&sequence(&[&tlv(tag::OID, &[0x2a]), &NULL, &NULL]), &hash, &hash, &serial]), "hashAlgorithm"),
        (sequence(&[&algorithm, &NULL, &hash, &serial]), "issuerNameHash"),
        (sequence(&[&algorithm, &hash, &serial]), "issuerKeyHash"),
        (sequence(&[&algorithm, &hash, &hash, &hash]), "serialNumber"),
        (sequence(&[&algorithm, &hash, &hash, &serial, &NULL]), "what follows serialNumber"),
        (cert_id(&[]), "serialNumber"),
        (cert_id(&[0, 1]), "serialNumber"),
        (cert_id(&[0, 0]), "serialNumber"),
        (cert_id(&[0xff, 0x80]), "serialNumber"),
    ] {
        assert_eq!(fault(&request(&id, None)), part, "{id:02x?}");
        assert_eq!(CertId::from_der(&id), Err(MalformedRequest(part)), "{id:02x?}");
    }
}

#[test]
fn nonces() {
    let octets = |length| tlv(tag::OCTET_STRING, &vec![7; length]);
    for value in [
        octets(0),
        octets(129),
        octets(4096),
        vec![7; 16],
        vec![],
        [octets(16), NULL.to_vec()].concat(),
        tlv(tag::INTEGER, &[7]),
    ] {
        assert_eq!(faulty_extension(2, &value), "nonce", "{value:02x?}");
    }
    let nonce = extension(&ocsp_oid(2), None, &octets(16));
    assert_eq!(fault(&request(&cert_id(&[1]), Some(&[nonce.clone(), nonce]))), "the same extension twice");
}

#[test]
fn other_extensions() {
    let types = |count: usize| tlv(tag::SEQUENCE, &[tag::OID, 1, 0x2a].repeat(count));
    assert_eq!(faulty_extension(4, &types(33)), "too many response types");
    for value in [vec![], NULL.to_vec(), sequence(&[&NULL]), sequence(&[&tlv(tag::OID, &[])])] {
        assert_eq!(faulty_extension(4, &value), "AcceptableResponses", "{value:02x?}");
    }
    let ed25519 = sequence(&[&tlv(tag::OID, &[0x2b, 0x65, 0x70])]);
    let preferences = |count| tlv(tag::SEQUENCE, &sequence(&[&ed25519]).repeat(count));
    assert_eq!(faulty_extension(8, &preferences(MAX_PREFERENCES + 1)), "too many preferred signature algorithms");
    for (value, part) in [
        (NULL.to_vec(), "PreferredSignatureAlgorithms"),
        (sequence(&[&NULL]), "PreferredSignatureAlgorithms"),
        (sequence(&[&sequence(&[&NULL])]), "sigIdentifier"),
        (sequence(&[&sequence(&[&ed25519, &sequence(&[])])]), "pubKeyAlgIdentifier"),
        (sequence(&[&sequence(&[&ed25519, &NULL])]), "PreferredSignatureAlgorithms"),
    ] {
        assert_eq!(faulty_extension(8, &value), part, "{value:02x?}");
    }
    let oid = ObjectIdentifier::new("1.2.3").unwrap();
    let id = tlv(tag::OID, oid.as_bytes());
    for (one, part) in [
        (sequence(&[&NULL]), "extnID"),
        (sequence(&[&id, &tlv(tag::BOOLEAN, &[]), &tlv(tag::OCTET_STRING, &[])]), "critical"),
        (sequence(&[&id, &NULL]), "extnValue"),
        (sequence(&[&id, &tlv(tag::OCTET_STRING, &[]), &NULL]), "what follows extnValue"),
    ] {
        assert_eq!(fault(&request(&cert_id(&[1]), Some(&[one]))), part);
    }
}

#[test]
fn signatures_of_no_form() {
    let tbs = sequence(&[&sequence(&[&sequence(&[&cert_id(&[1])])])]);
    let algorithm = sequence(&[&tlv(tag::OID, &[0x2b, 0x65, 0x70])]);
    let bits = tlv(tag::BIT_STRING, &[0, 1]);
    let certificates = |count: usize| explicit(0, &tlv(tag::SEQUENCE, &sequence(&[]).repeat(count)));
    let signed = |signature: &[u8]| sequence(&[&tbs, &explicit(0, signature)]);
    for good in [sequence(&[&algorithm, &bits]), sequence(&[&algorithm, &bits, &certificates(16)])] {
        assert!(OcspRequest::parse(&signed(&good)).unwrap().is_signed());
    }
    for (signature, part) in [
        (vec![], "optionalSignature"),
        (NULL.to_vec(), "optionalSignature"),
        (sequence(&[&NULL, &bits]), "signatureAlgorithm"),
        (sequence(&[&sequence(&[]), &bits]), "signatureAlgorithm"),
        (sequence(&[&algorithm]), "signature"),
        (sequence(&[&algorithm, &tlv(tag::BIT_STRING, &[])]), "signature"),
        (sequence(&[&algorithm, &tlv(tag::BIT_STRING, &[8, 0])]), "signature"),
        (sequence(&[&algorithm, &tlv(tag::BIT_STRING, &[1])]), "signature"),
        (sequence(&[&algorithm, &bits, &NULL]), "what follows certs"),
        (sequence(&[&algorithm, &bits, &explicit(0, &NULL)]), "certs"),
        (sequence(&[&algorithm, &bits, &explicit(0, &sequence(&[&NULL]))]), "certs"),
        (sequence(&[&algorithm, &bits, &certificates(17)]), "too many certificates"),
    ] {
        assert_eq!(fault(&signed(&signature)), part, "{signature:02x?}");
    }
}

#[test]
fn bounds() {
    let of = |count: usize| sequence(&[&sequence(&[&tlv(tag::SEQUENCE, &sequence(&[&cert_id(&[1])]).repeat(count))])]);
    let most = of(MAX_CERT_IDS);
    let parsed = OcspRequest::parse(&most).unwrap();
    assert_eq!((parsed.count(), parsed.requests().count()), (MAX_CERT_IDS, MAX_CERT_IDS));
    assert_eq!(fault(&of(MAX_CERT_IDS + 1)), "too many certificates asked for");
    assert_eq!(fault(&of(10_000)), "too large");
    assert_eq!(fault(&vec![0x30; 1 << 20]), "too large");
    let long = request(&cert_id(&vec![1; MAX_REQUEST - 100]), None);
    assert!(long.len() <= MAX_REQUEST && OcspRequest::parse(&long).is_ok());
    let extensions = |count: u8| (0..count).map(|arc| extension(&ocsp_oid(100 + arc), None, &[])).collect::<Vec<_>>();
    let most = u8::try_from(MAX_EXTENSIONS).unwrap();
    assert!(OcspRequest::parse(&request(&cert_id(&[1]), Some(&extensions(most)))).is_ok());
    assert_eq!(fault(&request(&cert_id(&[1]), Some(&extensions(most + 1)))), "too many extensions");
}

proptest! {
    #[test]
    fn any_octets(der in vec(any::<u8>(), 0..200)) {
        let _ = OcspRequest::parse(&der);
        let _ = CertId::from_der(&der);
    }

    #[test]
    fn requests_with_a_few_octets_changed(
        fixture in 0..FIXTURES.len(),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let mut der = read(FIXTURES[fixture]);
        for (at, octet) in changes {
            let at = at.index(der.len());
            der[at] = octet;
        }
        // What is still a request says the same of each certificate when it is read again.
        if let Ok(parsed) = OcspRequest::parse(&der) {
            prop_assert_eq!(parsed.requests().count(), parsed.count());
            for one in parsed.requests() {
                prop_assert_eq!(CertId::from_der(one.cert_id.as_der()), Ok(one.cert_id));
            }
        }
    }

    #[test]
    fn what_is_asked_is_read(
        serial in vec(any::<u8>(), 1..40),
        nonce in proptest::option::of(vec(any::<u8>(), 1..=128)),
    ) {
        let minimal = !matches!(serial[..], [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..]);
        let extensions = nonce.as_ref().map(|nonce| vec![extension(&ocsp_oid(2), None, &tlv(tag::OCTET_STRING, nonce))]);
        let id = cert_id(&serial);
        let der = request(&id, extensions.as_deref());
        let parsed = OcspRequest::parse(&der);
        prop_assert_eq!(parsed.is_ok(), minimal);
        if let Ok(parsed) = parsed {
            prop_assert_eq!(parsed.nonce().map(Nonce::as_octets), nonce.as_deref());
            prop_assert_eq!(parsed.requests().next().unwrap().cert_id.serial_octets(), &serial[..]);
            prop_assert_eq!(parsed.sole_cert_id().map(CertId::as_der), nonce.is_none().then_some(&id[..]));
        }
    }
}
