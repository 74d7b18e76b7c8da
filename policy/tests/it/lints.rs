//! Lints of what would be signed, one after the other.

use std::time::Duration;

use certgate_pki::{
    CaFields, ExtendedKeyUsage, Extension, GeneralName, KeyIdentifier, KeyUsage, LeafFields, Name, Serial, Template, Validity,
};
use certgate_policy::{LINTS, lint};
use certgate_testkit::{NOW, ca_key, device_key};

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
        ca_issuers: None,
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
        ca_issuers: None,
    };
    Template { extensions: fields.extensions(), public_key: ca_key().public_key().clone(), ..leaf("CN=Issuing", &[]) }
}

/// Which lint refuses.
fn refused(template: &Template) -> Option<&'static str> {
    lint(template, ISSUER).err().map(|failure| failure.lint)
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
    let passes = |template: &Template| lint(template, issuer).map_err(|failure| failure.lint);
    assert_eq!(passes(&lasting(NOW, end)), Ok(()));
    assert_eq!(passes(&lasting(NOW, NOW)), Ok(()), "one second");
    for (not_before, not_after) in
        [(NOW.before(SECOND), end), (NOW, end.after(SECOND)), (end, NOW), (end.after(DAY), end.after(2 * DAY))]
    {
        assert_eq!(passes(&lasting(not_before, not_after)), Err("validity-within-issuer"), "{not_before} {not_after}");
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
