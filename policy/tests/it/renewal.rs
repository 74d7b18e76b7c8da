//! Rules about re-enrollment, and what a certificate grants to its holder.

use certgate_pki::{Csr, DnsName, GeneralName, Name, NameAttribute, NameAttributeType, PublicKey};
use certgate_policy::{Asked, ChangeSubject, CompromisedKeys, NamePattern, Profile, RULES, Rekey, Renews, decide};
use certgate_testkit::{CsrBuilder, device_key, profile, rsa_device_key};
use proptest::collection::vec;
use proptest::prelude::*;

/// A certificate that is to be renewed.
struct Old {
    subject: Name,
    names: Vec<GeneralName>,
    key: PublicKey,
    is_asked_as_before: bool,
    may_omit_names: bool,
}

/// CN=device-1 with the dNSName a.fleet.example.
fn old() -> Old {
    let names = vec![GeneralName::Dns(DnsName::parse("a.fleet.example").unwrap())];
    let (subject, key) = ("CN=device-1".parse().unwrap(), device_key().public_key().clone());
    Old { subject, names, key, is_asked_as_before: false, may_omit_names: false }
}

/// What one rule says, to somebody without any grant.
fn check(rule: &str, csr: &Csr, profile: &Profile, old: Option<&Old>) -> Result<(), String> {
    let rule = RULES.iter().find(|known| known.name == rule).unwrap();
    with_asked(csr, profile, old, |asked| (rule.check)(asked))
}

fn with_asked<T>(csr: &Csr, profile: &Profile, old: Option<&Old>, then: impl FnOnce(&Asked<'_>) -> T) -> T {
    let renews = old.map(|old| Renews {
        subject: &old.subject,
        subject_alt_names: &old.names,
        public_key: &old.key,
        is_asked_as_before: old.is_asked_as_before,
        may_omit_names: old.may_omit_names,
    });
    then(&Asked { csr, profile, grants: &[], renews, spki_sha256: [0; 32], compromised: &CompromisedKeys::default() })
}

fn good() -> CsrBuilder {
    CsrBuilder::new(&device_key()).common_name("device-1").dns("a.fleet.example")
}

#[test]
fn same_names() {
    let check = |builder: &CsrBuilder, old: &Old| check("same-names", &builder.csr(), &profile(), Some(old));
    assert_eq!(check(&good(), &old()), Ok(()));
    let reason = check(&CsrBuilder::new(&device_key()).common_name("device-2").dns("a.fleet.example"), &old()).unwrap_err();
    assert!(reason.contains("CN=device-2") && reason.contains("CN=device-1") && reason.contains("string types"), "{reason}");
    let as_before = Old { is_asked_as_before: true, ..old() };
    assert_eq!(check(&CsrBuilder::new(&device_key()).dns("a.fleet.example"), &as_before), Ok(()));
    assert!(check(&CsrBuilder::new(&device_key()), &as_before).is_err(), "which says nothing of the alternative names");
    let compatible = Old { may_omit_names: true, ..old() };
    let without = CsrBuilder::new(&device_key()).common_name("device-1");
    assert_eq!(check(&without, &compatible), Ok(()));
    assert!(check(&without, &old()).unwrap_err().contains("lacks the subjectAltName dns:a.fleet.example"));
    let nameless = Old { names: Vec::new(), ..old() };
    assert_eq!(check(&without, &nameless), Ok(()));
    assert!(check(&good(), &nameless).unwrap_err().contains("has the subjectAltName dns:a.fleet.example"));
}

#[test]
fn rules_of_renewal_do_not_concern_a_new_enrollment() {
    let profile = Profile { rekey: Rekey::Forbid, ..profile() };
    for rule in ["same-names", "rekey", "change-subject-name"] {
        assert_eq!(check(rule, &good().csr(), &profile, None), Ok(()), "{rule}");
    }
}

#[test]
fn rekey() {
    let new_key = CsrBuilder::new(&rsa_device_key()).common_name("device-1").csr();
    let check = |csr: &Csr, rekey| check("rekey", csr, &Profile { rekey, ..profile() }, Some(&old()));
    for (rekey, same, new) in [(Rekey::Allow, true, true), (Rekey::Require, false, true), (Rekey::Forbid, true, false)] {
        assert_eq!((check(&good().csr(), rekey).is_ok(), check(&new_key, rekey).is_ok()), (same, new), "{rekey:?}");
    }
    assert!(check(&good().csr(), Rekey::Require).unwrap_err().contains("a new key"));
    assert!(check(&new_key, Rekey::Forbid).unwrap_err().contains("the same key"));
}

#[test]
fn change_subject_name() {
    let csr = good().change_subject_name(Some("CN=device-2".parse().unwrap()), None).csr();
    let check =
        |change_subject, old: Option<&Old>| check("change-subject-name", &csr, &Profile { change_subject, ..profile() }, old);
    assert_eq!(check(ChangeSubject::Honour, Some(&old())), Ok(()));
    assert!(check(ChangeSubject::Refuse, Some(&old())).unwrap_err().contains("no names change"));
    for change_subject in [ChangeSubject::Honour, ChangeSubject::Refuse] {
        assert!(check(change_subject, None).unwrap_err().contains("a new request names itself"));
    }
}

#[test]
fn a_decision_about_a_renewal_has_the_old_names() {
    let old = Old { is_asked_as_before: true, may_omit_names: true, ..old() };
    let csr = CsrBuilder::new(&device_key()).attribute(NameAttributeType::Organization, "Example").csr();
    let decision = with_asked(&csr, &profile(), Some(&old), decide).unwrap();
    assert_eq!((decision.subject, decision.subject_alt_names), (old.subject, old.names));
}

fn common_name() -> impl Strategy<Value = String> {
    prop_oneof!["[ab*]{1,4}", "\\PC{1,64}", Just("\u{1f600}".repeat(64))]
}

fn general_name() -> impl Strategy<Value = GeneralName> {
    prop_oneof![
        "(\\*\\.)?[ab]{1,2}(\\.[ab]{1,2}){0,2}".prop_map(|name| GeneralName::Dns(DnsName::parse(&name).unwrap())),
        any::<std::net::IpAddr>().prop_map(GeneralName::Ip),
        "[ab]{1,3}@[ab]{1,3}".prop_map(GeneralName::Email),
        "[ab]{1,3}:[ab]{0,3}".prop_map(GeneralName::Uri),
        vec(any::<u8>(), 0..4).prop_map(GeneralName::Other),
    ]
}

proptest! {
    #[test]
    fn a_certificate_grants_the_names_in_it_and_no_other(
        own in vec(common_name(), 0..3),
        names in vec(general_name(), 0..5),
        other in common_name(),
        others in vec(general_name(), 0..5),
    ) {
        let attributes = own.iter().map(|value| NameAttribute::new(NameAttributeType::CommonName, value.as_str()));
        let organization = NameAttribute::new(NameAttributeType::Organization, other.as_str());
        let subject = Name::from_attributes(attributes.chain([organization]).collect());
        let grants = NamePattern::of_certificate(&subject, &names);
        for value in own.iter().chain([&other]) {
            let is_granted = grants.iter().any(|grant| grant.grants_common_name(value));
            prop_assert_eq!(is_granted, own.contains(value) && !value.contains('*'), "{}", value);
        }
        for name in names.iter().chain(&others) {
            let is_issued = match name {
                GeneralName::Dns(name) => !name.is_wildcard(),
                GeneralName::Ip(_) => true,
                _ => false,
            };
            let is_granted = grants.iter().any(|grant| grant.grants(name));
            prop_assert_eq!(is_granted, names.contains(name) && is_issued, "{}", name);
        }
        // They wait in the ledger as text.
        for grant in grants {
            prop_assert_eq!(grant.to_string().parse::<NamePattern>(), Ok(grant));
        }
    }
}
