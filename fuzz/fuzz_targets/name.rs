//! Distinguished names: as DER, as text, as sets, and made of the fuzzer's choices.
#![no_main]

use certgate_fuzz::{Octets, der};
use certgate_pki::asn1::{Tlv, tag};
use certgate_pki::{Name, NameAttribute, NameAttributeType, StringType, limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for der in [data, &der::name(&mut Octets::new(data))] {
        let Ok(name) = Name::from_der(der) else { continue };
        assert_eq!(name.as_der(), der);
        assert!(name.attributes().len() <= limits::MAX_NAME_ATTRIBUTES);
        assert_eq!(name.is_empty(), der == [0x30, 0]);
        assert_issued_again(&name);
        assert_is_set(&name);
        assert_string_types(&name);
    }
    if let Ok(name) = std::str::from_utf8(data).unwrap_or_default().parse::<Name>() {
        assert!(name.attributes().iter().all(NameAttribute::is_well_formed));
        assert_eq!(Name::from_der(name.as_der()).as_ref(), Ok(&name));
        assert_issued_again(&name);
    }
});

/// Of attributes that may be issued, a name is made that reads the same, and its text says the same.
fn assert_issued_again(name: &Name) {
    let may_be_issued = |kind| !matches!(kind, NameAttributeType::Other(_));
    let attributes: Vec<_> = name
        .attributes()
        .iter()
        .filter(|attribute| may_be_issued(attribute.kind) && attribute.is_well_formed())
        .cloned()
        .collect();
    let made = Name::from_attributes(attributes.clone());
    let Ok(read) = Name::from_der(made.as_der()) else { panic!("what was written is read") };
    let written = |attribute: &NameAttribute| NameAttribute { string_type: attribute.written_type(), ..attribute.clone() };
    assert!(read.attributes().iter().eq(&attributes.iter().map(written).collect::<Vec<_>>()));
    assert_eq!((&read, read.as_set()), (&made, made.as_set()));
    assert_eq!(Name::from_attributes(read.attributes().to_vec()), read, "made of what was read it is the same octets");
    let text = made.to_string();
    if !attributes.is_empty() {
        match text.parse::<Name>() {
            Ok(parsed) => {
                let same = |(a, b): (&NameAttribute, &NameAttribute)| a.kind == b.kind && a.value == b.value;
                assert!(parsed.attributes().len() == attributes.len(), "{text}");
                assert!(parsed.attributes().iter().zip(&attributes).all(same), "{text}");
                assert_eq!(parsed.to_string(), text);
            }
            Err(error) => panic!("{text}: {error}"),
        }
    }
}

/// A string type that is written is one of RFC 5280's two, the requester's own where that is one of them and holds the value.
fn assert_string_types(name: &Name) {
    for attribute in name.attributes() {
        let written = attribute.written_type();
        let is_fixed = matches!(attribute.kind, NameAttributeType::Country | NameAttributeType::SerialNumber);
        let is_printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
        let holds = attribute.value.bytes().all(is_printable);
        let expected = match attribute.string_type {
            _ if is_fixed => StringType::Printable,
            StringType::Printable if holds => StringType::Printable,
            _ => StringType::Utf8,
        };
        assert_eq!(written, expected, "{attribute:?}");
    }
}

/// A Name of these RDNs.
fn of_rdns<'r>(rdns: impl Iterator<Item = &'r [u8]>) -> Option<Name> {
    let all: Vec<&[u8]> = rdns.collect();
    Name::from_der(&der::sequence(&all)).ok()
}

/// As a set it is the same in whatever order and in whatever RDNs, and another one when an attribute, a value or a string type is.
fn assert_is_set(name: &Name) {
    let (set, rdns) = (name.as_set(), der::elements(name.as_der()));
    let is_same = |other: Option<Name>| other.is_some_and(|other| other.as_set() == set);
    assert!(is_same(of_rdns(rdns.iter().copied().rev())));
    let half = rdns.len() / 2;
    assert!(is_same(of_rdns(rdns[half..].iter().chain(&rdns[..half]).copied())));
    let attributes: Vec<&[u8]> = rdns.iter().flat_map(|rdn| der::elements(rdn)).collect();
    let rdn = |attributes: &[u8]| der::tlv(tag::SET, attributes);
    let single: Vec<Vec<u8>> = attributes.iter().map(|attribute| rdn(attribute)).collect();
    assert!(is_same(of_rdns(single.iter().map(Vec::as_slice))));
    let together = rdn(&attributes.concat());
    assert!(attributes.is_empty() || is_same(of_rdns([together.as_slice()].into_iter())));
    for (at, attribute) in attributes.iter().enumerate() {
        let (before, after) = (&single[..at], &single[at + 1..]);
        assert!(!is_same(of_rdns(before.iter().chain(after).map(Vec::as_slice))), "one less");
        for changed in changed(attribute) {
            let changed = [rdn(&changed)];
            let other = of_rdns(before.iter().chain(&changed).chain(after).map(Vec::as_slice));
            assert!(other.is_none() || !is_same(other), "another one");
        }
    }
    let elements = der::elements(&set);
    assert!(Tlv::only(&set).is_ok_and(|set| set.tag == tag::SET) && elements.len() == attributes.len());
    assert!(elements.is_sorted());
}

/// The attribute with the other one of RFC 5280's string types, with a longer value, and of another kind.
fn changed(attribute: &[u8]) -> Vec<Vec<u8>> {
    let [kind, value] = der::elements(attribute)[..] else { panic!("a type and a value") };
    let Ok(text) = Tlv::only(value) else { panic!("it was read") };
    let other = if text.tag == tag::UTF8_STRING { tag::PRINTABLE_STRING } else { tag::UTF8_STRING };
    let another = certgate_pki::asn1::oid_tlv(&certgate_pki::ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.4"));
    let make = |kind: &[u8], tag, value: &[u8]| der::sequence(&[kind, &der::tlv(tag, value)]);
    let longer = [text.value, b"xx"].concat();
    let kinds = if kind == another { Vec::new() } else { vec![make(&another, text.tag, text.value)] };
    [vec![make(kind, other, text.value), make(kind, text.tag, &longer)], kinds].concat()
}
