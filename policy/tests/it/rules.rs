//! Rules about what is asked, one after the other.

use certgate_pki::{Csr, ExtendedKeyUsage, Extension, GeneralName, KeyUsage, NameAttributeType, ObjectIdentifier};
use certgate_policy::{AllowedKey, Asked, CompromisedKeys, NamePattern, Profile, RULES, Refusal, SanKind, decide};
use certgate_testkit::{CsrBuilder, device_key, profile, rsa_device_key};

/// What one rule says.
fn check(rule: &str, csr: &Csr, profile: &Profile, grants: &[&str]) -> Result<(), String> {
    let grants: Vec<NamePattern> = grants.iter().map(|grant| grant.parse().unwrap()).collect();
    let rule = RULES.iter().find(|known| known.name == rule).unwrap();
    (rule.check)(&asked(csr, profile, &grants, &CompromisedKeys::default()))
}

/// A new enrollment.
fn asked<'a>(csr: &'a Csr, profile: &'a Profile, grants: &'a [NamePattern], compromised: &'a CompromisedKeys) -> Asked<'a> {
    Asked { csr, profile, grants, renews: None, spki_sha256: [0; 32], compromised }
}

fn good() -> CsrBuilder {
    CsrBuilder::new(&device_key()).common_name("device-1")
}

#[test]
fn key_strength() {
    let check = |csr: &Csr, key_types: &[AllowedKey]| {
        check("key-strength", csr, &Profile { key_types: key_types.into(), ..profile() }, &[])
    };
    let rsa = CsrBuilder::new(&rsa_device_key()).common_name("device-1").csr();
    assert_eq!(check(&good().csr(), &[AllowedKey::Rsa2048, AllowedKey::P256]), Ok(()));
    assert_eq!(check(&rsa, &[AllowedKey::Rsa2048]), Ok(()));
    for allowed in [&[][..], &[AllowedKey::P384], &[AllowedKey::Rsa3072, AllowedKey::Rsa4096]] {
        assert!(check(&good().csr(), allowed).is_err() && check(&rsa, allowed).is_err(), "{allowed:?}");
    }
    let reason = check(&rsa, &[AllowedKey::P256, AllowedKey::Rsa3072]).unwrap_err();
    assert_eq!(reason, "the profile certifies no rsa2048 keys; use one of p256, rsa3072");
}

/// By openssl; see the README beside them.
#[test]
fn keys_that_no_profile_certifies() {
    let fixtures: [&[u8]; 3] = [
        include_bytes!("../../../protocols/pki/tests/fixtures/csr/rsa1024.der"),
        include_bytes!("../../../protocols/pki/tests/fixtures/csr/secp256k1.der"),
        include_bytes!("../../../protocols/pki/tests/fixtures/csr/ed448.der"),
    ];
    let profile = Profile { key_types: AllowedKey::ALL.into(), ..profile() };
    for der in fixtures {
        assert!(check("key-strength", &Csr::from_der(der).unwrap(), &profile, &[]).is_err());
    }
}

#[test]
fn forbidden_extensions() {
    let check = |builder: CsrBuilder| check("forbidden-extensions", &builder.csr(), &profile(), &[]);
    let other = |oid| Extension { oid: ObjectIdentifier::new_unwrap(oid), critical: true, value: vec![5, 0] };
    for harmless in [
        good(),
        good().extension(Extension::basic_constraints_leaf()),
        good().key_usage(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT),
        good().extended_key_usage(&[ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::CodeSigning]),
        good().extension(other("1.3.6.1.4.1.99999.1")),
    ] {
        assert_eq!(check(harmless), Ok(()));
    }
    for (asked, named) in [
        (good().ca(), "cA TRUE"),
        (good().extension(Extension { value: vec![0x30, 3, 1, 1, 1], ..Extension::basic_constraints_leaf() }), "cA TRUE"),
        (good().key_usage(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_CERT_SIGN), "keyCertSign"),
        (good().key_usage(KeyUsage::CRL_SIGN), "cRLSign"),
        (good().extended_key_usage(&[ExtendedKeyUsage::ClientAuth, ExtendedKeyUsage::OcspSigning]), "OCSPSigning"),
        (good().extended_key_usage(&[ExtendedKeyUsage::CmcRa]), "cmcRA"),
        (good().extended_key_usage(&[ExtendedKeyUsage::Any]), "anyExtendedKeyUsage"),
        (good().extension(other("2.5.29.30")), "nameConstraints"),
        (good().extension(other("2.5.29.33")), "policyMappings"),
        (good().extension(other("2.5.29.36")), "policyConstraints"),
        (good().extension(other("2.5.29.54")), "inhibitAnyPolicy"),
        (good().extension(other("1.3.6.1.5.5.7.48.1.5")), "ocsp-nocheck"),
    ] {
        let reason = check(asked).unwrap_err();
        assert!(reason.contains(named), "{named}: {reason}");
    }
}

#[test]
fn subject() {
    use NameAttributeType::{CommonName, Country, Organization, SerialNumber};
    let check = |builder: CsrBuilder| check("subject", &builder.csr(), &profile(), &[]);
    let builder = CsrBuilder::new(&device_key());
    let (longest, too_long) = ("ö".repeat(64), "ö".repeat(65));
    for fine in [
        builder.clone(),
        builder.clone().common_name(&longest).attribute(SerialNumber, "A-7 (b)"),
        // The profile does not copy the country, so nobody minds what it is.
        builder.clone().common_name("a").attribute(Country, "Deutschland"),
    ] {
        assert_eq!(check(fine), Ok(()));
    }
    for (kind, value) in [
        (CommonName, ""),
        (CommonName, "a\0.example"),
        (CommonName, too_long.as_str()),
        (Organization, ""),
        (Organization, too_long.as_str()),
        (SerialNumber, "a_b"),
    ] {
        let reason = check(builder.clone().attribute(kind, value)).unwrap_err();
        assert!(reason.contains(&format!("the value of {kind} ")), "{reason}");
    }
    assert!(check(builder.common_name("a").common_name("a")).unwrap_err().contains("more than one CN"));
}

#[test]
fn names() {
    const GRANTS: [&str; 3] = ["cn:device-*", "dns:*.fleet.example", "ip:192.0.2.0/24"];
    let check = |builder: &CsrBuilder| check("names", &builder.csr(), &profile(), &GRANTS);
    let nobody = CsrBuilder::new(&device_key());
    for fine in [
        good(),
        nobody.clone().dns("a.fleet.example"),
        nobody.clone().ip([192, 0, 2, 9]),
        good().dns("A.Fleet.example").dns("b.fleet.example").ip([192, 0, 2, 9]),
    ] {
        assert_eq!(check(&fine), Ok(()));
    }
    for (asked, part) in [
        (nobody.clone(), "names nobody"),
        (nobody.clone().attribute(NameAttributeType::Organization, "Example"), "names nobody"),
        (nobody.clone().common_name("admin"), "the common name \"admin\""),
        (good().common_name("admin"), "the common name \"admin\""),
        (nobody.clone().common_name("a.fleet.example"), "the common name"),
        (good().dns("fleet.example"), "dns:fleet.example"),
        (good().dns("a.fleet.example").dns("a.b.fleet.example"), "dns:a.b.fleet.example"),
        (good().dns("*.fleet.example"), "dns:*.fleet.example"),
        (good().dns("device-1"), "dns:device-1"),
        (good().ip([192, 0, 3, 1]), "ip:192.0.3.1"),
        (good().ip("::ffff:192.0.2.1".parse::<std::net::IpAddr>().unwrap()), "ip:::ffff:192.0.2.1"),
        (good().general_name(GeneralName::Email("a@fleet.example".into())), "of this kind: email:a@fleet.example"),
        (good().general_name(GeneralName::Uri("https://a.fleet.example".into())), "of this kind: uri:"),
        (good().general_name(GeneralName::Other(vec![0x82, 1, b'_'])), "of this kind: other"),
    ] {
        let reason = check(&asked).unwrap_err();
        assert!(reason.contains(part), "{part}: {reason}");
    }
}

#[test]
fn kinds_of_names_that_the_profile_does_not_issue() {
    let asked = good().dns("a.fleet.example").csr();
    let grants = ["cn:*", "dns:*.fleet.example"];
    for sans in [vec![], vec![SanKind::Ip]] {
        let reason = check("names", &asked, &Profile { sans, ..profile() }, &grants).unwrap_err();
        assert!(reason.contains("of this kind: dns:a.fleet.example"), "{reason}");
    }
}

#[test]
fn a_decision_is_what_was_granted_and_copied() {
    let builder = good().attribute(NameAttributeType::Country, "DE").attribute(NameAttributeType::Organization, "Example");
    let csr = builder.dns("B.fleet.example").ip([192, 0, 2, 1]).csr();
    let grants = ["cn:device-1", "dns:*.fleet.example", "ip:192.0.2.1"].map(|grant| grant.parse().unwrap());
    let decision = decide(&asked(&csr, &profile(), &grants, &CompromisedKeys::default())).unwrap();
    assert_eq!(decision.subject.to_string(), "O=Example,CN=device-1", "in the order asked, without the country");
    let names: Vec<String> = decision.subject_alt_names.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["dns:b.fleet.example", "ip:192.0.2.1"]);
}

#[test]
fn a_refusal_names_its_rule_and_where_that_comes_from() {
    let csr = good().ca().csr();
    let refusal = decide(&asked(&csr, &profile(), &[], &CompromisedKeys::default())).unwrap_err();
    assert_eq!((refusal.rule, refusal.citation.is_empty()), ("forbidden-extensions", false));
    let Refusal { rule, citation, reason } = refusal.clone();
    assert_eq!(refusal.to_string(), format!("{reason} (rule {rule}, {citation})"));
}
