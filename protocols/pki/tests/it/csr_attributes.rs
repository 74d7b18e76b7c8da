//! challengePassword and ChangeSubjectName, in every encoding in which they come.

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{Csr, CsrError, DnsName, GeneralName, Name, ObjectIdentifier};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::fixtures::read;

const CHALLENGE: &str = "1.2.840.113549.1.9.7";
const CHANGE: &str = "1.3.6.1.5.5.7.7.36";

fn der(write: impl FnOnce(&mut DerWriter)) -> Vec<u8> {
    let mut writer = DerWriter::default();
    write(&mut writer);
    writer.finish()
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    der(|w| {
        w.tlv(tag, contents);
    })
}

/// `Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET }`, with these values.
fn attribute(oid: &str, values: &[&[u8]]) -> Vec<u8> {
    der(|w| {
        w.sequence(|w| {
            w.oid(&ObjectIdentifier::new_unwrap(oid)).tlv(tag::SET, &values.concat());
        });
    })
}

fn challenge(string: u8, octets: &[u8]) -> Vec<u8> {
    attribute(CHALLENGE, &[&tlv(string, octets)])
}

/// A request of CN=device-1 with these attributes, in this order, signed by nobody.
fn request(attributes: &[Vec<u8>]) -> Vec<u8> {
    let p256 = Csr::from_der(&read("csr", "p256")).unwrap();
    der(|w| {
        w.sequence(|w| {
            w.sequence(|w| {
                w.tlv(tag::INTEGER, &[0]).raw(p256.subject().as_der()).raw(p256.public_key().spki());
                w.tlv(tag::context_constructed(0), &attributes.concat());
            });
            w.sequence(|w| {
                // ecdsa-with-SHA256.
                w.oid(&ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"));
            });
            w.bit_string(&[0; 8]);
        });
    })
}

fn csr(attributes: &[Vec<u8>]) -> Result<Csr, CsrError> {
    Csr::from_der(&request(attributes))
}

#[test]
fn a_challenge_password_is_read_in_every_string_type_that_clients_use() {
    for (string, octets, text) in [
        (tag::UTF8_STRING, "Gehäuse 7".as_bytes(), "Gehäuse 7"),
        (tag::PRINTABLE_STRING, b"dHlwZSA3+/=", "dHlwZSA3+/="),
        (tag::IA5_STRING, b"a_b@c", "a_b@c"),
        (tag::TELETEX_STRING, b"Geh\xe4use", "Gehäuse"),
        (tag::BMP_STRING, b"\0a\x03\xa9", "aΩ"),
        (tag::UTF8_STRING, b"", ""),
    ] {
        let csr = csr(&[challenge(string, octets)]).unwrap();
        assert_eq!(csr.challenge_password(), Some(text), "tag {string:#x}");
    }
    assert_eq!(csr(&[]).unwrap().challenge_password(), None);
    let fixture = Csr::from_der(&read("csr", "challenge-password")).unwrap();
    assert!(fixture.challenge_password().is_some_and(|text| !text.is_empty()));
}

#[test]
fn a_challenge_password_is_one_text() {
    let text = |text: &[u8]| tlv(tag::UTF8_STRING, text);
    for attributes in [
        attribute(CHALLENGE, &[]),
        attribute(CHALLENGE, &[&text(b"a"), &text(b"b")]),
        challenge(tag::OCTET_STRING, b"a"),
        challenge(tag::SEQUENCE, &text(b"a")),
        challenge(tag::UTF8_STRING, b"\xff"),
        challenge(tag::IA5_STRING, b"\xe4"),
        challenge(tag::BMP_STRING, b"\0a\0"),
    ] {
        assert_eq!(csr(&[attributes]), Err(CsrError::Malformed("challengePassword")));
    }
    let twice = csr(&[challenge(tag::UTF8_STRING, b"a"), challenge(tag::UTF8_STRING, b"b")]);
    assert_eq!(twice, Err(CsrError::Malformed("attributes")), "RFC 2986 §4.1: an attribute comes once");
}

#[test]
fn a_challenge_password_is_no_longer_than_it_may_be() {
    let of =
        |length| csr(&[challenge(tag::UTF8_STRING, &vec![b'a'; length])]).map(|csr| csr.challenge_password().map(str::len));
    let most = certgate_pki::limits::MAX_CHALLENGE_PASSWORD;
    assert_eq!(of(most), Ok(Some(most)));
    assert_eq!(of(most + 1), Err(CsrError::Malformed("challengePassword")));
    assert_eq!(of(30_000), Err(CsrError::Malformed("challengePassword")));
}

#[test]
fn what_it_says_is_in_no_log() {
    let csr = csr(&[challenge(tag::UTF8_STRING, b"opensesame")]).unwrap();
    let told = format!("{csr:?}");
    let octets = format!("{:?}", b"opensesame");
    assert!(told.contains("Secret(…)") && !told.contains("opensesame"), "{told}");
    assert!(!told.contains(octets.trim_matches(['[', ']'])), "nor octet by octet: {told}");
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn alternatives() -> Vec<GeneralName> {
    vec![GeneralName::Dns(DnsName::parse("b.example").unwrap()), GeneralName::Ip([192, 0, 2, 2].into())]
}

/// The contents of GeneralNames.
fn contents(names: &[GeneralName]) -> Vec<u8> {
    der(|w| names.iter().for_each(|name| name.write(w)))
}

/// A ChangeSubjectName of these fields, read.
fn change(fields: &[Vec<u8>]) -> Result<(Option<Name>, Option<Vec<GeneralName>>), CsrError> {
    let value = tlv(tag::SEQUENCE, &fields.concat());
    let csr = csr(&[attribute(CHANGE, &[&value])])?;
    let change = csr.change_subject_name().unwrap();
    Ok((change.subject.clone(), change.subject_alt_names.clone()))
}

/// RFC 6402 §2.8 as it was printed has no tag, erratum 3943 has `[1]`, and modules differ in what that means.
#[test]
fn other_names_are_read_tagged_and_untagged() {
    let subject = name("CN=device-2,O=Example").as_der().to_vec();
    let sequence = tlv(tag::SEQUENCE, &contents(&alternatives()));
    let implicit = tlv(tag::context_constructed(1), &contents(&alternatives()));
    let explicit = tlv(tag::context_constructed(1), &sequence);
    assert_eq!(change(std::slice::from_ref(&subject)), Ok((Some(name("CN=device-2,O=Example")), None)));
    for names in [sequence, implicit, explicit] {
        assert_eq!(change(std::slice::from_ref(&names)), Ok((None, Some(alternatives()))));
        let both = Ok((Some(name("CN=device-2,O=Example")), Some(alternatives())));
        assert_eq!(change(&[subject.clone(), names]), both);
    }
    // The empty SEQUENCE is a Name without attributes.
    assert_eq!(change(&[vec![0x30, 0]]), Ok((Some(Name::from_attributes(Vec::new())), None)));
}

#[test]
fn a_change_of_nothing_or_in_no_order_is_refused() {
    let subject = name("CN=device-2").as_der().to_vec();
    let implicit = tlv(tag::context_constructed(1), &contents(&alternatives()));
    for fields in [
        vec![],
        vec![vec![0xa1, 0]],
        vec![vec![0xa1, 2, 0x30, 0]],
        vec![vec![0xa2, 0]],
        vec![vec![2, 1, 0]],
        vec![vec![0x81, 3, b'a', b'@', b'b']],
        vec![implicit.clone(), subject.clone()],
        vec![implicit.clone(), implicit.clone()],
        vec![subject.clone(), implicit.clone(), implicit.clone()],
        vec![vec![0x30, 2, 0x31, 0]],
        vec![subject.clone(), subject.clone()],
        vec![subject.clone(), vec![0x30, 0]],
    ] {
        assert_eq!(change(&fields), Err(CsrError::Malformed("ChangeSubjectName")), "{fields:02x?}");
    }
    let two_values = attribute(CHANGE, &[&tlv(tag::SEQUENCE, &subject), &[0x30, 0]]);
    for attributes in [attribute(CHANGE, &[]), two_values, attribute(CHANGE, &[&tlv(tag::SET, &subject)])] {
        assert_eq!(csr(&[attributes]), Err(CsrError::Malformed("ChangeSubjectName")));
    }
}

/// What a request is recognized by.
fn without(attributes: &[Vec<u8>]) -> Vec<u8> {
    csr(attributes).unwrap().info_without_challenge()
}

#[test]
fn without_its_challenge_a_request_is_the_same_from_every_session() {
    let (unknown, change) = (attribute("1.3.6.1.4.1.99999.1", &[&[5, 0]]), attribute(CHANGE, &[&[0x30, 2, 0x30, 0]]));
    let plain = vec![unknown.clone(), change.clone()];
    let canonical = without(&plain);
    for bound in [challenge(tag::UTF8_STRING, b"one"), challenge(tag::IA5_STRING, b"another"), challenge(tag::UTF8_STRING, b"")]
    {
        for place in 0..=plain.len() {
            let mut attributes = plain.clone();
            attributes.insert(place, bound.clone());
            assert_eq!(without(&attributes), canonical, "in whatever place");
        }
    }
    assert_eq!(without(&[challenge(tag::UTF8_STRING, b"one")]), without(&[]));
    assert_ne!(without(std::slice::from_ref(&unknown)), canonical, "every other attribute counts");
    let other_change = attribute(CHANGE, &[&tlv(tag::SEQUENCE, name("CN=a").as_der())]);
    assert_ne!(without(&[unknown, other_change]), canonical, "and so does its value");
}

#[test]
fn a_canonical_request_without_a_challenge_is_recognized_by_what_is_signed() {
    for fixture in ["p256", "rsa2048", "gnutls-p256", "empty-subject", "utf8-subject", "multi-valued-rdn", "empty-attributes"] {
        let csr = Csr::from_der(&read("csr", fixture)).unwrap();
        assert_eq!(csr.info_without_challenge(), csr.info(), "{fixture}");
    }
    for fixture in ["challenge-password", "missing-attributes", "unsorted-attributes"] {
        let csr = Csr::from_der(&read("csr", fixture)).unwrap();
        assert_ne!(csr.info_without_challenge(), csr.info(), "{fixture}");
    }
}

proptest! {
    #[test]
    fn requests_that_differ_in_their_challenge_only_are_one(
        one in "\\PC{0,40}",
        other in "\\PC{0,40}",
        attributes in vec((0..1000_u32, vec(any::<u8>(), 0..20)), 0..5),
    ) {
        let mut others: Vec<Vec<u8>> = Vec::new();
        for (arc, octets) in &attributes {
            let value = tlv(tag::OCTET_STRING, octets);
            others.push(attribute(&format!("1.3.6.1.4.1.99999.{arc}"), &[&value]));
        }
        let with = |text: &str| {
            let mut all = others.clone();
            all.push(challenge(tag::UTF8_STRING, text.as_bytes()));
            csr(&all)
        };
        if let (Ok(one_csr), Ok(other_csr)) = (with(&one), with(&other)) {
            prop_assert_eq!(one_csr.info_without_challenge(), other_csr.info_without_challenge());
            prop_assert_eq!((one_csr.challenge_password(), other_csr.challenge_password()), (Some(&*one), Some(&*other)));
            others.sort();
            let plain = csr(&others).unwrap();
            prop_assert_eq!(plain.info(), one_csr.info_without_challenge());
        }
    }
}
