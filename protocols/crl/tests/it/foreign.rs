//! Lists of openssl and of certtool: see the README beside them.

use certgate_crl::{Crl, CrlNumber, Entry, Listed, Scope};
use certgate_pki::{Certificate, CrlReason, DistributionPointName, Timestamp};
use certgate_testkit::provider;

/// 2026-01-02T03:04:05Z.
const INVALID_SINCE: Timestamp = Timestamp::from_seconds(1_767_323_045);

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}.der", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn ca() -> Certificate {
    Certificate::from_der(&fixture("ca")).unwrap()
}

fn entries(crl: &Crl<'_>) -> Vec<Entry> {
    let revoked = |listed| match listed {
        Listed::Revoked(entry) => entry,
        Listed::Removed(_) => panic!("nothing is removed"),
    };
    crl.entries().map(revoked).collect()
}

#[test]
fn signed_by_their_ca() {
    let ca = ca();
    for (name, number, count) in [
        ("empty", Some(1), 0),
        ("plain", Some(2), 5),
        ("point", Some(3), 5),
        ("delta", Some(4), 5),
        ("gnutls", Some(7), 1),
        ("bare", None, 5),
    ] {
        let der = fixture(name);
        let crl = Crl::parse(&der).unwrap();
        assert_eq!(crl.verify_signed_by(ca.public_key(), &provider(1)), Ok(()), "{name}");
        assert_eq!(crl.issuer.as_der(), ca.subject().as_der(), "{name}");
        assert_eq!((crl.number.clone(), crl.entry_count()), (number.map(CrlNumber::from), count), "{name}");
        let key = crl.authority_key.as_ref().map(|key| key.as_octets().to_vec());
        assert_eq!(key.is_some(), number.is_some(), "{name}");
        assert!(key.is_none() || key == ca.extensions().subject_key_identifier().unwrap(), "{name}");
        assert_eq!(crl.next_update.seconds() - crl.this_update.seconds(), 30 * 86_400, "{name}");
    }
}

/// Entries as they would be written here are those that openssl has written, but for the holdInstructionCode.
#[test]
fn entries_say_what_was_revoked() {
    let der = fixture("plain");
    let crl = Crl::parse(&der).unwrap();
    let entries = entries(&crl);
    let mut said: Vec<_> = entries.iter().map(|entry| (entry.reason.map(CrlReason::code), entry.invalidity_date)).collect();
    said.sort();
    assert_eq!(said, [(None, None), (Some(1), None), (Some(1), Some(INVALID_SINCE)), (Some(4), None), (Some(6), None)]);
    for entry in entries {
        let mut octets = Vec::new();
        entry.encode_into(&mut octets);
        let is_the_same = crl.encoded_entries().windows(octets.len()).any(|theirs| theirs == octets);
        assert_eq!(is_the_same, entry.reason != Some(CrlReason::CertificateHold), "{entry:?}");
    }
}

#[test]
fn scope_and_deltas() {
    let der = fixture("point");
    let crl = Crl::parse(&der).unwrap();
    let point = crl.distribution_point.unwrap();
    assert!(point.name().unwrap().urls().eq(["http://crl.example/1.crl", "ldap://ldap.example/cn=CA"]));
    assert_eq!(point.scope(), Scope::UserCertificates);
    assert!(crl.freshest.iter().flat_map(DistributionPointName::urls).eq(["http://crl.example/delta.crl"]));
    let der = fixture("delta");
    assert_eq!(Crl::parse(&der).unwrap().delta_base, Some(CrlNumber::from(1)));
}

#[test]
fn what_is_not_about_all_that_its_issuer_has_revoked_is_refused() {
    for (name, fault) in [("indirect", "indirectCRL"), ("some-reasons", "onlySomeReasons")] {
        let der = fixture(name);
        let refused = Crl::parse(&der).unwrap_err().0;
        assert!(refused.ends_with(fault), "{name}: {refused}");
    }
}
