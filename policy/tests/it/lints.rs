//! Lints of what would be signed, one after the other.

use std::time::Duration;

use certgate_pki::{
    CaFields, Csr, ExtendedKeyUsage, Extension, GeneralName, KeyIdentifier, KeyUsage, LeafFields, Name, Pointers, Serial,
    Template, Validity,
};
use certgate_policy::{Circumstances, Holder, LINTS, lint};
use certgate_testkit::{NOW, ca_key, device_key, rsa_device_key};

const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);
const ISSUER: Validity = Validity { not_before: NOW, not_after: certgate_pki::Timestamp::NO_EXPIRATION };

fn leaf(subject: &str, names: &[GeneralName]) -> Template {
    let subject: Name = if subject.is_empty() { Name::from_attributes(Vec::new()) } else { subject.parse().unwrap() };
    let key = device_key();
    let fields = LeafFields {
        subject: &subject,
        public_key: key.public_key(),
        subject_key: &KeyIdentifier::from_octets(vec![1; 20]),
        authority_key: &KeyIdentifier::from_octets(vec![2; 20]),
        subject_alt_names: names,
        extended_key_usage: &[ExtendedKeyUsage::ClientAuth],
        pointers: &Pointers::default(),
    };
    let extensions = fields.extensions();
    Template {
        serial: Serial::from_octets(&[1]).unwrap(),
        issuer: "CN=Issuer".parse().unwrap(),
        validity: Validity { not_before: NOW, not_after: NOW.after(DAY) },
        subject,
        public_key: key.public_key().clone(),
        extensions,
    }
}

fn ca() -> Template {
    let fields = CaFields {
        subject_key: &KeyIdentifier::from_octets(vec![1; 20]),
        authority_key: &KeyIdentifier::from_octets(vec![2; 20]),
        path_len: Some(0),
        pointers: &Pointers::default(),
    };
    Template { extensions: fields.extensions(), public_key: ca_key().public_key().clone(), ..leaf("CN=Issuing", &[]) }
}

/// Which lint refuses.
fn refused(template: &Template) -> Option<&'static str> {
    refused_of(template, Holder::Anyone)
}

fn refused_of(template: &Template, holder: Holder) -> Option<&'static str> {
    lint(template, &Circumstances { issuer: ISSUER, holder }).err().map(|failure| failure.lint)
}

fn changed(mut template: Template, change: impl FnOnce(&mut Vec<Extension>)) -> Template {
    change(&mut template.extensions);
    template
}

fn address() -> GeneralName {
    GeneralName::Ip([192, 0, 2, 1].into())
}

#[test]
fn what_is_right_passes() {
    for template in [leaf("CN=device-1", &[]), leaf("CN=device-1", &[address()]), leaf("", &[address()]), ca()] {
        assert_eq!(refused(&template), None);
    }
}

#[test]
fn empty_subject() {
    assert_eq!(refused(&leaf("", &[])), Some("empty-subject"));
    let not_critical = changed(leaf("", &[address()]), |extensions| {
        extensions.iter_mut().filter(|extension| extension.oid.to_string() == "2.5.29.17").for_each(|san| san.critical = false);
    });
    assert_eq!(refused(&not_critical), Some("empty-subject"));
}

#[test]
fn ca_and_key_cert_sign() {
    let lint = Some("ca-and-key-cert-sign");
    let signing_leaf = changed(leaf("CN=a", &[]), |all| all[1] = Extension::key_usage(KeyUsage::KEY_CERT_SIGN));
    let signing_without_constraints = changed(signing_leaf.clone(), |all| drop(all.remove(0)));
    let ca_that_does_not_sign = changed(ca(), |all| all[1] = Extension::key_usage(KeyUsage::CRL_SIGN));
    let ca_without_usage = changed(ca(), |all| drop(all.remove(1)));
    let unlimited_ca = changed(leaf("CN=a", &[]), |all| all[0] = Extension::basic_constraints_ca(None));
    for template in [signing_leaf, signing_without_constraints, ca_that_does_not_sign, ca_without_usage, unlimited_ca] {
        assert_eq!(refused(&template), lint);
    }
}

#[test]
fn extensions_once() {
    for index in 0..4 {
        let twice = changed(leaf("CN=a", &[]), |all| all.push(Extension { value: vec![5, 0], ..all[index].clone() }));
        assert_eq!(refused(&twice), Some("extensions-once"));
    }
}

#[test]
fn validity_within_issuer() {
    let lasting = |not_before, not_after| Template { validity: Validity { not_before, not_after }, ..leaf("CN=a", &[]) };
    let issuer = Validity { not_before: NOW, not_after: NOW.after(DAY) };
    let end = issuer.not_after;
    let passes =
        |template: &Template| lint(template, &Circumstances { issuer, holder: Holder::Anyone }).map_err(|failure| failure.lint);
    assert_eq!(passes(&lasting(NOW, end)), Ok(()));
    assert_eq!(passes(&lasting(NOW, NOW)), Ok(()), "one second");
    for (not_before, not_after) in
        [(NOW.before(SECOND), end), (NOW, end.after(SECOND)), (end, NOW), (end.after(DAY), end.after(2 * DAY))]
    {
        assert_eq!(passes(&lasting(not_before, not_after)), Err("validity-within-issuer"), "{not_before} {not_after}");
    }
}

const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const KEY_USAGE: &str = "2.5.29.15";

/// The same with another value of one extension.
fn with(template: Template, oid: &str, value: &[u8]) -> Template {
    changed(template, |all| all.iter_mut().filter(|one| one.oid.to_string() == oid).for_each(|one| one.value = value.to_vec()))
}

fn without(template: Template, oid: &str) -> Template {
    changed(template, |all| all.retain(|one| one.oid.to_string() != oid))
}

fn and(template: Template, oid: &str, value: &[u8]) -> Template {
    let added = Extension { oid: oid.parse().unwrap(), critical: false, value: value.to_vec() };
    changed(template, |all| all.push(added))
}

#[test]
fn extended_key_usage() {
    use ExtendedKeyUsage::{Any, ClientAuth, CmcRa, CodeSigning, OcspSigning, ServerAuth};
    let having = |template, purposes: &[ExtendedKeyUsage]| {
        with(template, EXTENDED_KEY_USAGE, &Extension::extended_key_usage(purposes).value)
    };
    let leaf = || leaf("CN=a", &[]);
    assert_eq!(refused(&having(leaf(), &[ServerAuth, ClientAuth, CodeSigning])), None);
    assert_eq!(refused(&without(leaf(), EXTENDED_KEY_USAGE)), None);
    for purposes in [&[][..], &[Any], &[ClientAuth, Any], &[OcspSigning], &[ClientAuth, CmcRa, ServerAuth]] {
        assert_eq!(refused(&having(leaf(), purposes)), Some("extended-key-usage"), "{purposes:?}");
    }
    let responder = |purposes: &[ExtendedKeyUsage]| refused_of(&having(leaf(), purposes), Holder::OcspResponder);
    assert_eq!(responder(&[OcspSigning]), None);
    for purposes in [&[OcspSigning, ClientAuth][..], &[OcspSigning, Any], &[CmcRa], &[OcspSigning, OcspSigning]] {
        assert_eq!(responder(purposes), Some("extended-key-usage"), "{purposes:?}");
    }
    for malformed in [&[][..], &[0x30], &[0x31, 0], &[0x30, 2, 5, 0], &[0x30, 0, 0]] {
        assert_eq!(refused(&with(leaf(), EXTENDED_KEY_USAGE, malformed)), Some("extended-key-usage"), "{malformed:02x?}");
    }
    let delegating_ca = and(ca(), EXTENDED_KEY_USAGE, &Extension::extended_key_usage(&[Any]).value);
    assert_eq!(refused(&delegating_ca), None);
}

#[test]
fn key_usage() {
    let rsa = Template { public_key: rsa_device_key().public_key().clone(), ..leaf("CN=a", &[]) };
    let ed25519 = include_bytes!("../../../protocols/pki/tests/fixtures/csr/ed25519.der");
    let ed25519 = Template { public_key: Csr::from_der(ed25519).unwrap().public_key().clone(), ..leaf("CN=a", &[]) };
    let p256 = leaf("CN=a", &[]);
    let lint = Some("key-usage");
    // First octet of the bits, in the order of RFC 5280 from the top; who may have them: RSA, P-256, Ed25519.
    for (bits, [by_rsa, by_p256, by_ed25519]) in [
        (&[0x80][..], [true, true, true]),      // digitalSignature
        (&[0xc0], [true, true, true]),          // nonRepudiation too
        (&[0xa0], [true, false, false]),        // keyEncipherment
        (&[0x90], [true, false, false]),        // dataEncipherment
        (&[0x88], [false, true, false]),        // keyAgreement
        (&[0x88 | 1], [false, true, false]),    // encipherOnly
        (&[0x88, 0x80], [false, true, false]),  // decipherOnly
        (&[0x80, 0x40], [false, false, false]), // there is no such bit
        (&[0], [false, false, false]),
        (&[], [false, false, false]),
    ] {
        let value = [&[3, u8::try_from(bits.len() + 1).unwrap(), 0], bits].concat();
        for (template, fine) in [(&rsa, by_rsa), (&p256, by_p256), (&ed25519, by_ed25519)] {
            let refused = refused(&with(template.clone(), KEY_USAGE, &value));
            assert_eq!(refused, lint.filter(|_| !fine), "{bits:02x?} {}", template.public_key.key_type());
        }
    }
    for malformed in [&[][..], &[3, 1], &[3, 0], &[4, 2, 0, 0x80], &[3, 2, 8, 0x80], &[3, 4, 0, 0x80, 0, 0]] {
        assert_eq!(refused(&with(rsa.clone(), KEY_USAGE, malformed)), lint, "{malformed:02x?}");
    }
    assert_eq!(refused(&without(rsa, KEY_USAGE)), lint);
}

#[test]
fn serial_number() {
    let numbered = |octets: &[u8]| Template { serial: Serial::from_octets(octets).unwrap(), ..leaf("CN=a", &[]) };
    for fine in [&[1][..], &[0, 0x80], &[0x7f; 20], &[&[0, 0xff][..], &[0; 18]].concat()] {
        assert_eq!(refused(&numbered(fine)), None, "{fine:02x?}");
    }
    // 20 octets of number and one for the sign: certgate reads it from others, and issues it never.
    assert_eq!(refused(&numbered(&[&[0, 0xff][..], &[0; 19]].concat())), Some("serial-number"));
}

#[test]
fn key_identifiers() {
    for (oid, lint) in [("2.5.29.14", "subject-key-identifier"), ("2.5.29.35", "authority-key-identifier")] {
        for template in [leaf("CN=a", &[]), ca()] {
            let critical = changed(template.clone(), |all| {
                all.iter_mut().filter(|one| one.oid.to_string() == oid).for_each(|one| one.critical = true);
            });
            assert_eq!((refused(&without(template, oid)), refused(&critical)), (Some(lint), Some(lint)));
        }
    }
}

#[test]
fn ca_only_extensions() {
    for oid in ["2.5.29.30", "2.5.29.33", "2.5.29.36", "2.5.29.54"] {
        assert_eq!(refused(&and(leaf("CN=a", &[]), oid, &[0x30, 0])), Some("ca-only-extensions"), "{oid}");
        assert_eq!(refused(&and(ca(), oid, &[0x30, 0])), None, "{oid}");
    }
    assert_eq!(refused(&and(leaf("CN=a", &[]), "2.5.29.32", &[0x30, 0])), None, "certificatePolicies");
}

#[test]
fn subject_alt_name() {
    for wrong in [&[][..], &[0x30, 0], &[0x30], &[0x31, 2, 0x82, 0], &[0x30, 0, 0]] {
        assert_eq!(refused(&with(leaf("CN=a", &[address()]), "2.5.29.17", wrong)), Some("subject-alt-name"), "{wrong:02x?}");
        // Where the subject is empty too, nobody is named.
        assert_eq!(refused(&with(leaf("", &[address()]), "2.5.29.17", wrong)), Some("subject-alt-name"), "{wrong:02x?}");
    }
}

#[test]
fn every_lint_has_a_citation_and_a_name_of_its_own() {
    let mut names: Vec<&str> = LINTS.iter().map(|lint| lint.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), LINTS.len());
    assert!(LINTS.iter().all(|lint| lint.citation.starts_with("RFC ")));
}
