//! PKCS#10 requests.

use certgate_pki::{Csr, CsrDraft, CsrError, ExtendedKeyUsage, Extension, GeneralName, KeyType, KeyUsage, NameAttributeType};

use crate::fixtures::{names, read};

/// What becomes of a fixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Read, and its signature verifies.
    Good,
    /// Read, but there is no proof of possession.
    Unproven(Proof),
    /// Not read: this part is malformed.
    Malformed(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    Bad,
    Unsupported,
    UnsupportedKey,
}

use Outcome::{Good, Malformed, Unproven};

const OUTCOMES: [(&str, Outcome); 54] = [
    ("bad-signature", Unproven(Proof::Bad)),
    ("bmp-subject", Good),
    ("ca-true", Good),
    ("challenge-password", Good),
    ("compressed-point", Malformed("subjectPKInfo")),
    ("ecdsa-with-null-parameters", Unproven(Proof::Unsupported)),
    ("ed25519", Good),
    ("ed448", Unproven(Proof::UnsupportedKey)),
    ("empty", Malformed("the outer SEQUENCE")),
    ("empty-attributes", Good),
    ("empty-rdn", Malformed("subject")),
    ("empty-subject", Good),
    ("explicit-critical-false", Good),
    ("explicit-curve", Malformed("subjectPKInfo")),
    ("gnutls-p256", Good),
    ("gnutls-rsa2048", Good),
    ("indefinite-length", Malformed("the outer SEQUENCE")),
    ("key-cert-sign", Good),
    ("long-length", Malformed("the outer SEQUENCE")),
    ("missing-attributes", Good),
    ("multi-valued-rdn", Good),
    ("negative-exponent", Malformed("subjectPKInfo")),
    ("negative-modulus", Malformed("subjectPKInfo")),
    ("no-extensions", Good),
    ("ocsp-signing", Good),
    ("other-names", Good),
    ("outer-set", Malformed("the outer SEQUENCE")),
    ("p256", Good),
    ("p384", Good),
    ("p521", Good),
    ("pss-bad-signature", Unproven(Proof::Bad)),
    ("pss-key", Unproven(Proof::UnsupportedKey)),
    ("pss-other-salt", Unproven(Proof::Bad)),
    ("pss-sha1", Unproven(Proof::Unsupported)),
    ("pss-sha256", Good),
    ("pss-sha384", Good),
    ("pss-sha512", Good),
    ("pss-signature", Good),
    ("pss-two-hashes", Unproven(Proof::Unsupported)),
    ("repeated-extension", Malformed("attributes")),
    ("rsa1024", Unproven(Proof::UnsupportedKey)),
    ("rsa2048", Good),
    ("secp256k1", Unproven(Proof::UnsupportedKey)),
    ("sha1-signature", Unproven(Proof::Unsupported)),
    ("signature-with-unused-bits", Malformed("signature")),
    ("subject-of-an-integer", Malformed("subject")),
    ("trailing-bytes", Malformed("the outer SEQUENCE")),
    ("trailing-bytes-inside", Malformed("what follows the signature")),
    ("truncated", Malformed("the outer SEQUENCE")),
    ("two-extension-requests", Malformed("attributes")),
    ("two-values-in-extension-request", Malformed("attributes")),
    ("unsorted-attributes", Good),
    ("utf8-subject", Good),
    ("version-1", Malformed("version")),
];

#[test]
fn every_fixture_is_what_its_name_says() {
    assert_eq!(names("csr"), OUTCOMES.map(|(name, _)| name), "every file is in the table");
    let provider = certgate_crypto::provider();
    for (name, expected) in OUTCOMES {
        let der = read("csr", name);
        let outcome = match Csr::from_der(&der) {
            Err(CsrError::Malformed(part)) => Malformed(part),
            Err(other) => panic!("{name}: {other}"),
            Ok(csr) => {
                assert_eq!(csr.as_der(), der, "{name}");
                match csr.verify(&provider) {
                    Ok(_) => Good,
                    Err(CsrError::BadSignature) => Unproven(Proof::Bad),
                    Err(CsrError::UnsupportedKey(_)) => Unproven(Proof::UnsupportedKey),
                    Err(CsrError::UnsupportedSignature) => Unproven(Proof::Unsupported),
                    Err(other) => panic!("{name}: {other}"),
                }
            }
        };
        assert_eq!(outcome, expected, "{name}");
    }
}

fn csr(name: &str) -> Csr {
    Csr::from_der(&read("csr", name)).unwrap()
}

#[test]
fn kinds_of_keys() {
    let kinds = [
        ("p256", KeyType::P256),
        ("p384", KeyType::P384),
        ("p521", KeyType::P521),
        ("rsa1024", KeyType::Rsa { bits: 1024 }),
        ("rsa2048", KeyType::Rsa { bits: 2048 }),
        ("ed25519", KeyType::Ed25519),
    ];
    for (name, kind) in kinds {
        assert_eq!(csr(name).public_key().key_type(), kind);
    }
    for unknown in ["ed448", "pss-key", "secp256k1"] {
        assert!(matches!(csr(unknown).public_key().key_type(), KeyType::Unknown(_)), "{unknown}");
    }
}

#[test]
fn names_that_are_asked_for() {
    let names = |name| csr(name).requested().subject_alt_names.iter().map(ToString::to_string).collect::<Vec<_>>();
    for name in ["p256", "rsa2048", "gnutls-p256", "empty-subject", "unsorted-attributes", "challenge-password"] {
        assert_eq!(names(name), ["dns:device-1.example", "ip:192.0.2.1"], "{name}");
    }
    for name in ["no-extensions", "missing-attributes", "empty-attributes"] {
        assert!(names(name).is_empty(), "{name}");
    }
    assert_eq!(names("other-names"), ["email:a@b.example", "uri:urn:x", "other", "other"]);
    let csr = csr("other-names");
    let others = &csr.requested().subject_alt_names[2..];
    assert!(matches!(others, [GeneralName::Other(id), GeneralName::Other(host)] if id[0] == 0x88 && host[0] == 0x82));
}

#[test]
fn subjects() {
    let subject = |name| csr(name).subject().to_string();
    assert_eq!(subject("p256"), "CN=device-1");
    assert_eq!(subject("empty-subject"), "");
    assert_eq!(subject("gnutls-p256"), "CN=device-1,O=Example");
    assert_eq!(subject("utf8-subject"), "CN=gerät-1,O=Prüfstand,C=DE");
    assert_eq!(subject("bmp-subject"), "CN=device-1,O=Prüfstand Ω");
    let multi_valued = csr("multi-valued-rdn");
    let kinds: Vec<_> = multi_valued.subject().attributes().iter().map(|attribute| attribute.kind).collect();
    // As they lie in the SET OF: the shorter first.
    assert_eq!(kinds, [NameAttributeType::Organization, NameAttributeType::SerialNumber, NameAttributeType::CommonName]);
}

#[test]
fn what_is_asked_for_and_never_given() {
    assert!(csr("ca-true").requested().ca && !csr("p256").requested().ca);
    assert!(csr("key-cert-sign").requested().key_usage.intersects(KeyUsage::KEY_CERT_SIGN));
    let purposes = [ExtendedKeyUsage::ClientAuth, ExtendedKeyUsage::OcspSigning];
    assert_eq!(csr("ocsp-signing").requested().extended_key_usage, purposes);
}

#[test]
fn a_request_that_is_too_large() {
    let size = certgate_pki::limits::MAX_CSR + 1;
    assert_eq!(Csr::from_der(&vec![0x30; size]), Err(CsrError::TooLarge));
}

#[test]
fn requests_of_our_own_are_read_back() {
    let provider = certgate_crypto::provider();
    for key_type in [KeyType::P256, KeyType::P384, KeyType::Ed25519] {
        let key = provider.sign.generate(key_type).unwrap().key;
        let subject = "CN=Issuing,O=Example".parse().unwrap();
        let extensions = [Extension::basic_constraints_ca(Some(0)), Extension::key_usage(KeyUsage::KEY_CERT_SIGN)];
        for extensions in [&extensions[..], &[]] {
            let draft = CsrDraft { subject: &subject, public_key: key.public_key(), extensions };
            let to_be_signed = draft.to_be_signed();
            let der = CsrDraft::assemble(&to_be_signed, key.algorithm(), &key.sign(&to_be_signed).unwrap());
            let csr = Csr::from_der(&der).unwrap().verify(&provider).unwrap();
            assert_eq!((csr.subject(), csr.public_key()), (&subject, key.public_key()));
        }
    }
}
