//! X.509 certificates that others made.

use certgate_pki::{Certificate, CertificateError, CertificateOutline, KeyType, Timestamp};

use crate::fixtures::{names, read};

/// What becomes of a fixture: the certificate that signed it, or why it is not read.
type Outcome = Result<Option<&'static str>, &'static str>;

const OUTCOMES: [(&str, Outcome); 20] = [
    ("bad-signature", Ok(None)),
    ("ends-before-it-begins", Ok(Some("root-p256"))),
    ("generalized-time", Ok(Some("generalized-time"))),
    ("gnutls-root", Ok(Some("gnutls-root"))),
    ("leaf-by-p256", Ok(Some("root-p256"))),
    ("leaf-by-rsa2048", Ok(Some("root-rsa2048"))),
    ("long-serial", Ok(Some("root-p256"))),
    ("negative-serial", Err("serialNumber")),
    ("outer-set", Err("Certificate")),
    ("repeated-extension", Err("extensions")),
    ("root-ed25519", Ok(Some("root-ed25519"))),
    ("root-p256", Ok(Some("root-p256"))),
    ("root-rsa2048", Ok(Some("root-rsa2048"))),
    ("root-rsa2048-pss", Ok(Some("root-rsa2048-pss"))),
    // SHA-1 is an algorithm of nothing that certgate believes.
    ("sha1-signature", Ok(None)),
    ("too-long-serial", Err("serialNumber")),
    ("trailing-bytes", Err("Certificate")),
    ("trailing-field", Err("what follows extensions")),
    ("two-algorithms", Err("signatureAlgorithm differs from signature")),
    ("version-1", Err("version")),
];

const ROOTS: [&str; 6] = ["root-p256", "root-rsa2048", "root-rsa2048-pss", "root-ed25519", "generalized-time", "gnutls-root"];

fn certificate(name: &str) -> Certificate {
    Certificate::from_der(&read("certificate", name)).unwrap()
}

#[test]
fn every_fixture_is_what_its_name_says() {
    assert_eq!(names("certificate"), OUTCOMES.map(|(name, _)| name), "every file is in the table");
    let provider = certgate_crypto::provider();
    for (name, expected) in OUTCOMES {
        let der = read("certificate", name);
        let outcome = Certificate::from_der(&der).map_err(|CertificateError(part)| part).map(|certificate| {
            assert_eq!(certificate.as_der(), der, "{name}");
            // `generalized-time` has the key of `root-p256`, as all P-256 fixtures do.
            let signed_by = |root: &&str| {
                let issuer = self::certificate(root);
                certificate.issuer() == issuer.subject() && certificate.verify_signed_by(issuer.public_key(), &provider).is_ok()
            };
            ROOTS.into_iter().find(signed_by)
        });
        assert_eq!(outcome, expected, "{name}");
    }
}

#[test]
fn fields_of_a_leaf() {
    let leaf = certificate("leaf-by-rsa2048");
    assert_eq!(leaf.subject().to_string(), "CN=device-1");
    assert_eq!(leaf.issuer().to_string(), "CN=root-rsa2048,O=Example");
    assert_eq!(leaf.public_key().key_type(), KeyType::P256);
    let names: Vec<String> = leaf.extensions().subject_alt_names().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["dns:device-1.example", "ip:192.0.2.1"]);
    let critical: Vec<(String, bool)> =
        leaf.extensions().iter().map(|extension| (extension.oid.to_string(), extension.critical)).collect();
    assert!(critical.contains(&("2.5.29.15".into(), true)) && critical.contains(&("2.5.29.37".into(), false)));
    let days = (leaf.validity().not_after.seconds() - leaf.validity().not_before.seconds()) / 86_400;
    assert_eq!(days, 90);
}

#[test]
fn identifiers_and_times_of_roots() {
    for root in ROOTS {
        let root = certificate(root);
        assert_eq!(root.issuer().as_der(), root.subject().as_der());
        assert_eq!(root.extensions().subject_key_identifier().unwrap().unwrap().len(), 20);
        assert!(root.validity().not_before < root.validity().not_after);
    }
    assert_eq!(certificate("gnutls-root").serial().to_string(), "07");
    assert_eq!(certificate("long-serial").serial().as_octets(), [0x7f; 20]);
    let year_2050 = Timestamp::from_seconds(2_524_608_000);
    assert!(certificate("generalized-time").validity().not_after > year_2050);
}

fn public_key(der: &[u8]) -> Option<Vec<u8>> {
    CertificateOutline::from_der(der).map(|outline| outline.public_key.to_vec())
}

#[test]
fn the_key_of_any_certificate_is_found() {
    let whole: Vec<String> = names("certificate").into_iter().filter(|name| read_whole(name)).collect();
    assert!(whole.len() > 10);
    for name in &whole {
        let key = certificate(name).public_key().spki().to_vec();
        assert_eq!(public_key(&read("certificate", name)).as_deref(), Some(key.as_slice()), "{name}");
    }
    // Of version 1, with an extension twice, with two algorithms: not read as certificates, and somebody's key all the same.
    for name in ["version-1", "repeated-extension", "two-algorithms", "negative-serial", "too-long-serial"] {
        assert!(!read_whole(name), "{name}");
        let der = read("certificate", name);
        let key = public_key(&der).unwrap_or_else(|| panic!("{name}"));
        assert!(certgate_pki::PublicKey::from_der(&key).is_ok(), "{name}");
    }
}

fn read_whole(name: &str) -> bool {
    Certificate::from_der(&read("certificate", name)).is_ok()
}

#[test]
fn what_is_no_certificate_has_no_key() {
    for name in ["outer-set", "trailing-bytes"] {
        assert_eq!(public_key(&read("certificate", name)), None, "{name}");
    }
    let request = read("csr", "p256");
    let huge = vec![0x30; certgate_pki::limits::MAX_CERTIFICATE + 1];
    for other in [&[][..], &[0x30, 0], &[0x30, 2, 0x30, 0], &request, &huge] {
        assert_eq!(public_key(other), None);
    }
}
