//! Distinguished names: string types and comparison.

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{Name, NameAttribute, NameAttributeType, StringType};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use NameAttributeType::{CommonName, Country, Organization, SerialNumber};
use StringType::{Other, Printable, Utf8};

fn attribute(kind: NameAttributeType, value: &str, string_type: StringType) -> NameAttribute {
    NameAttribute { kind, value: value.into(), string_type }
}

/// A Name of RDNs, each of attributes with a tag for their values.
fn name(rdns: &[&[(NameAttributeType, u8, &str)]]) -> Name {
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        for rdn in rdns {
            w.nested(tag::SET, |w| {
                for (kind, string, value) in *rdn {
                    w.sequence(|w| {
                        w.oid(&kind.oid()).tlv(*string, value.as_bytes());
                    });
                }
            });
        }
    });
    Name::from_der(&writer.finish()).unwrap()
}

#[test]
fn a_value_is_written_in_the_string_type_of_its_requester_where_it_can_be() {
    for (kind, value, string_type, written) in [
        (CommonName, "device-1", Utf8, Utf8),
        (CommonName, "device-1", Printable, Printable),
        (CommonName, "device-1", Other, Utf8),
        // X.680 §41.4: neither `_` nor an umlaut is a PrintableString's.
        (CommonName, "device_1", Printable, Utf8),
        (CommonName, "gerät", Printable, Utf8),
        (CommonName, "", Printable, Printable),
        (Organization, "A (b) '+,-./:=?", Printable, Printable),
        // RFC 5280 Appendix A.1: always PrintableString.
        (Country, "DE", Utf8, Printable),
        (SerialNumber, "7", Other, Printable),
    ] {
        let attribute = attribute(kind, value, string_type);
        assert_eq!(attribute.written_type(), written, "{attribute:?}");
        let made = Name::from_attributes(vec![attribute]);
        let expected = if written == Printable { tag::PRINTABLE_STRING } else { tag::UTF8_STRING };
        assert_eq!(made, name(&[&[(kind, expected, value)]]), "read as it was written");
        assert_eq!(made.attributes()[0].string_type, written);
    }
}

#[test]
fn string_types_are_read() {
    for (string, string_type) in
        [(tag::UTF8_STRING, Utf8), (tag::PRINTABLE_STRING, Printable), (tag::TELETEX_STRING, Other), (tag::IA5_STRING, Other)]
    {
        let name = name(&[&[(CommonName, string, "a")]]);
        assert_eq!(name.attributes(), [attribute(CommonName, "a", string_type)]);
    }
}

#[test]
fn as_a_set_a_name_has_neither_order_nor_rdns() {
    let (cn, o) = ((CommonName, tag::UTF8_STRING, "a"), (Organization, tag::UTF8_STRING, "b"));
    let base = name(&[&[o], &[cn]]).as_set();
    for same in [name(&[&[cn], &[o]]), name(&[&[cn, o]]), name(&[&[o, cn]])] {
        assert_eq!(same.as_set(), base, "{same}");
    }
    for other in [
        name(&[&[o]]),
        name(&[&[cn]]),
        name(&[]),
        name(&[&[o], &[cn], &[cn]]),
        name(&[&[o], &[(CommonName, tag::PRINTABLE_STRING, "a")]]),
        name(&[&[o], &[(CommonName, tag::TELETEX_STRING, "a")]]),
        name(&[&[o], &[(CommonName, tag::UTF8_STRING, "A")]]),
        name(&[&[o], &[(CommonName, tag::UTF8_STRING, "a ")]]),
        name(&[&[(CommonName, tag::UTF8_STRING, "b")], &[(Organization, tag::UTF8_STRING, "a")]]),
        name(&[&[(Organization, tag::UTF8_STRING, "ba")], &[(CommonName, tag::UTF8_STRING, "")]]),
    ] {
        assert_ne!(other.as_set(), base, "{other}");
    }
}

fn attributes() -> impl Strategy<Value = Vec<NameAttribute>> {
    let kinds = [CommonName, Country, Organization, SerialNumber];
    let string_types = [Utf8, Printable, Other];
    let attribute = (select(kinds.to_vec()), "[ab_]{0,2}", select(string_types.to_vec()))
        .prop_map(|(kind, value, string_type)| attribute(kind, &value, string_type));
    vec(attribute, 0..5)
}

/// What is compared: kinds, values and string types, sorted.
fn sorted(name: &Name) -> Vec<(String, String, StringType)> {
    let of = |one: &NameAttribute| (one.kind.to_string(), one.value.clone(), one.string_type);
    let mut all: Vec<_> = name.attributes().iter().map(of).collect();
    all.sort();
    all
}

proptest! {
    #[test]
    fn what_is_made_is_read_the_same(attributes in attributes()) {
        let made = Name::from_attributes(attributes);
        prop_assert_eq!(Name::from_der(made.as_der()).unwrap(), made.clone());
        prop_assert_eq!(Name::from_attributes(made.attributes().to_vec()), made);
    }

    #[test]
    fn sets_are_the_same_exactly_when_their_elements_are(one in attributes(), other in attributes()) {
        let (one, other) = (Name::from_attributes(one), Name::from_attributes(other));
        prop_assert_eq!(one.as_set() == other.as_set(), sorted(&one) == sorted(&other));
    }

    #[test]
    fn shuffled_it_is_the_same_set((one, other) in attributes().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))) {
        prop_assert_eq!(Name::from_attributes(one).as_set(), Name::from_attributes(other).as_set());
    }
}
