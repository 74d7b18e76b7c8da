//! Whatever is written is read again, field by field.

use std::collections::HashSet;
use std::net::IpAddr;

use certgate_pki::{
    AuthorityInfoAccess, Certificate, Csr, DnsName, ExtendedKeyUsage, Extension, GeneralName, KeyUsage, Name, NameAttribute,
    NameAttributeType, ObjectIdentifier, PublicKey, Serial, SignatureAlgorithm, Template, Timestamp, Validity,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::fixtures::read;

fn serial() -> impl Strategy<Value = Serial> {
    let high_bit = vec(any::<u8>(), 0..19).prop_map(|rest| [vec![0, 0x80], rest].concat());
    let plain = (1_u8..0x80, vec(any::<u8>(), 0..20)).prop_map(|(first, rest)| [vec![first], rest].concat());
    prop_oneof![plain, high_bit.prop_filter("20 octets", |octets| octets.len() <= 20)]
        .prop_map(|octets| Serial::from_octets(&octets).unwrap())
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![0..Timestamp::NO_EXPIRATION.seconds(), 2_524_607_990..2_524_608_010_u64].prop_map(Timestamp::from_seconds)
}

pub(crate) fn name() -> impl Strategy<Value = Name> {
    let value = prop_oneof!["[A-Za-z0-9 ,+#=;<>\"\\\\]{1,20}", "\\PC{1,20}", "[A-Z]{2}", "[ a]{1,3}", "\\p{Cc}{1,3}"];
    let attribute = (select(&NameAttributeType::KNOWN[..]), value).prop_map(|(kind, value)| NameAttribute::new(kind, value));
    vec(attribute.prop_filter("within RFC 5280", NameAttribute::is_well_formed), 0..6).prop_map(Name::from_attributes)
}

fn public_key() -> impl Strategy<Value = PublicKey> {
    let names = ["p256", "p384", "p521", "rsa2048", "ed25519", "ed448"];
    select(names.to_vec()).prop_map(|name| Csr::from_der(&read("csr", name)).unwrap().public_key().clone())
}

fn general_name() -> impl Strategy<Value = GeneralName> {
    let dns = "(\\*\\.)?[a-z0-9]{1,10}(\\.[a-z][a-z0-9]{0,10}){1,3}";
    prop_oneof![
        dns.prop_map(|name| GeneralName::Dns(DnsName::parse(&name).unwrap())),
        any::<IpAddr>().prop_map(GeneralName::Ip),
        "[a-z]{1,9}@[a-z]{1,9}".prop_map(GeneralName::Email),
        "[a-z]{1,9}:[a-z/]{0,20}".prop_map(GeneralName::Uri),
    ]
}

fn extension() -> impl Strategy<Value = Extension> {
    let bits = [KeyUsage::DIGITAL_SIGNATURE, KeyUsage::KEY_ENCIPHERMENT, KeyUsage::KEY_CERT_SIGN, KeyUsage::CRL_SIGN];
    let usage = subsequence(bits.to_vec(), 1..=4).prop_map(|bits| bits.into_iter().fold(KeyUsage::default(), |a, b| a | b));
    let identifier = || vec(any::<u8>(), 1..20);
    let unknown = (0..1000_u32, any::<bool>(), vec(any::<u8>(), 0..300)).prop_map(|(arc, critical, value)| Extension {
        oid: ObjectIdentifier::new(&format!("1.3.6.1.4.1.99999.{arc}")).unwrap(),
        critical,
        value,
    });
    prop_oneof![
        (vec(general_name(), 1..8), any::<bool>()).prop_map(|(names, alone)| Extension::subject_alt_name(&names, alone)),
        usage.prop_map(Extension::key_usage),
        subsequence(ExtendedKeyUsage::KNOWN.to_vec(), 1..=8).prop_map(|all| Extension::extended_key_usage(&all)),
        Just(Extension::basic_constraints_leaf()),
        proptest::option::of(0..128_u8).prop_map(Extension::basic_constraints_ca),
        identifier().prop_map(|octets| Extension::subject_key_identifier(&octets)),
        identifier().prop_map(|octets| Extension::authority_key_identifier(&octets)),
        "http://[a-z./]{1,40}".prop_map(|url| {
            let access = AuthorityInfoAccess { ca_issuers: vec![url], ..AuthorityInfoAccess::default() };
            Extension::authority_info_access(&access).unwrap()
        }),
        unknown,
    ]
}

pub(crate) fn template() -> impl Strategy<Value = Template> {
    let extensions = vec(extension(), 1..6).prop_map(|mut extensions| {
        let mut seen = HashSet::new();
        extensions.retain(|extension| seen.insert(extension.oid));
        extensions
    });
    let validity = (timestamp(), timestamp()).prop_map(|(not_before, not_after)| Validity { not_before, not_after });
    (serial(), name(), validity, name(), public_key(), extensions).prop_map(
        |(serial, issuer, validity, subject, public_key, extensions)| Template {
            serial,
            issuer,
            validity,
            subject,
            public_key,
            extensions,
        },
    )
}

pub(crate) fn algorithm() -> impl Strategy<Value = SignatureAlgorithm> {
    select(&SignatureAlgorithm::ALL[..])
}

proptest! {
    #[test]
    fn a_template_becomes_a_certificate_of_the_same_fields(
        template in template(),
        algorithm in algorithm(),
        signature in vec(any::<u8>(), 0..300),
    ) {
        let to_be_signed = template.to_be_signed(algorithm);
        let der = Template::assemble(&to_be_signed, algorithm, &signature);
        let read = Certificate::from_der(&der).unwrap();
        prop_assert_eq!(read.as_der(), der.as_slice());
        prop_assert_eq!(read.to_be_signed(), to_be_signed);
        prop_assert!(der.ends_with(&signature));
        prop_assert_eq!(read.serial(), &template.serial);
        prop_assert_eq!(read.issuer(), &template.issuer);
        prop_assert_eq!(read.validity(), template.validity);
        prop_assert_eq!(read.subject(), &template.subject);
        prop_assert_eq!(read.public_key(), &template.public_key);
        prop_assert!(read.extensions().iter().eq(&template.extensions));
    }

    #[test]
    fn names_are_the_same_in_text_and_der(name in name()) {
        prop_assert_eq!(Name::from_der(name.as_der()).unwrap(), name.clone());
        if !name.is_empty() {
            prop_assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
        }
    }

    #[test]
    fn alternative_names_are_read_as_they_were_written(names in vec(general_name(), 1..20)) {
        let extension = Extension::subject_alt_name(&names, false);
        let template = Template {
            serial: Serial::from_octets(&[1]).unwrap(),
            issuer: Name::from_attributes(Vec::new()),
            validity: Validity { not_before: Timestamp::from_seconds(0), not_after: Timestamp::NO_EXPIRATION },
            subject: Name::from_attributes(Vec::new()),
            public_key: Csr::from_der(&read("csr", "p256")).unwrap().public_key().clone(),
            extensions: vec![extension],
        };
        let algorithm = SignatureAlgorithm::Ed25519;
        let der = Template::assemble(&template.to_be_signed(algorithm), algorithm, &[]);
        prop_assert_eq!(Certificate::from_der(&der).unwrap().extensions().subject_alt_names().unwrap(), names);
    }

    #[test]
    fn serial_numbers_keep_the_order_of_their_moments(early in 0..1_u64 << 45, late in 0..1_u64 << 45, random in any::<[[u8; 10]; 2]>()) {
        // Before 2004 the guard against a leading zero octet is in the way; no clock that is set shows that.
        const SET: u64 = 1 << 40;
        let [early, late] = [early, late].map(|millis| Timestamp::from_millis(millis + SET));
        let serials = [Serial::from_parts(early, random[0]), Serial::from_parts(late, random[1])];
        prop_assert!(early == late || (early < late) == (serials[0] < serials[1]));
        for serial in serials {
            prop_assert_eq!(Serial::from_hex(&serial.to_string()), Some(serial));
        }
    }
}
