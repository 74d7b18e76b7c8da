//! No decoder panics, whatever it is given; what it takes, it keeps.

use std::sync::LazyLock;

use certgate_pki::{Certificate, CertificateOutline, Csr, Extensions, Name, PublicKey, RequestedExtensions, Serial, pem};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::fixtures::{names, read};

static FIXTURES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let of = |folder: &'static str| names(folder).into_iter().map(move |name| read(folder, &name));
    of("csr").chain(of("certificate")).filter(|der| !der.is_empty()).collect()
});

/// One change of a message.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Truncate(Index),
    Repeat(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let octet = || prop_oneof![any::<u8>(), Just(0), Just(0x80), Just(0xff), Just(0x30), Just(0x31), Just(0xa0)];
    prop_oneof![
        6 => (any::<Index>(), octet()).prop_map(|(at, octet)| Change::Set(at, octet)),
        2 => (any::<Index>(), octet()).prop_map(|(at, octet)| Change::Insert(at, octet)),
        2 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Truncate),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ]
}

fn apply(der: &mut Vec<u8>, change: &Change) {
    if der.is_empty() {
        return;
    }
    match change {
        Change::Set(at, octet) => {
            let at = at.index(der.len());
            der[at] = *octet;
        }
        Change::Insert(at, octet) => der.insert(at.index(der.len()), *octet),
        Change::Remove(at) => drop(der.remove(at.index(der.len()))),
        Change::Truncate(at) => der.truncate(at.index(der.len())),
        Change::Repeat(from, to) => {
            let (from, to) = (from.index(der.len()), to.index(der.len()));
            der.extend_from_within(from.min(to)..from.max(to));
        }
    }
}

fn decode_all(bytes: &[u8]) {
    if let Ok(csr) = Csr::from_der(bytes) {
        assert_eq!(csr.as_der(), bytes);
        let _ = (csr.info_without_challenge(), csr.challenge_password(), csr.change_subject_name(), csr.subject().as_set());
        let _ = csr.verify(&certgate_crypto::provider());
    }
    if let Ok(certificate) = Certificate::from_der(bytes) {
        assert_eq!(certificate.as_der(), bytes);
        let _ = certificate.verify_signed_by(certificate.public_key(), &certgate_crypto::provider());
        let _ = (certificate.extensions().subject_alt_names(), certificate.extensions().subject_key_identifier());
        let _ = (certificate.extensions().key_usage(), certificate.extensions().extended_key_usage());
        let outline = CertificateOutline::from_der(bytes).unwrap();
        assert_eq!(outline.public_key, certificate.public_key().spki());
        assert_eq!((outline.issuer, outline.subject), (certificate.issuer().as_der(), certificate.subject().as_der()));
    }
    if let Some(CertificateOutline { public_key: key, .. }) = CertificateOutline::from_der(bytes) {
        let at = key.as_ptr() as usize - bytes.as_ptr() as usize;
        assert_eq!(&bytes[at..at + key.len()], key, "a part of the certificate");
    }
    if let Ok(name) = Name::from_der(bytes) {
        assert_eq!(name.as_der(), bytes);
    }
    if let Ok(key) = PublicKey::from_der(bytes) {
        assert_eq!(key.spki(), bytes);
    }
    if let Ok(extensions) = Extensions::from_der(bytes) {
        let _ = RequestedExtensions::read(&extensions);
    }
    if let Some(serial) = Serial::from_octets(bytes) {
        assert_eq!(serial.as_octets(), bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = (text.parse::<Name>(), Serial::from_hex(&text), pem::decode_all(pem::CERTIFICATE, &text));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_octets(bytes in vec(any::<u8>(), 0..300)) {
        decode_all(&bytes);
    }

    #[test]
    fn messages_with_a_few_changes(fixture in any::<Index>(), changes in vec(change(), 1..5)) {
        let mut der = fixture.get(&FIXTURES).clone();
        for change in &changes {
            apply(&mut der, change);
        }
        decode_all(&der);
    }

    #[test]
    fn parts_of_messages(fixture in any::<Index>(), from in any::<Index>(), to in any::<Index>()) {
        let der = fixture.get(&FIXTURES);
        let (from, to) = (from.index(der.len()), to.index(der.len()));
        decode_all(&der[from.min(to)..from.max(to)]);
    }
}

/// A prefix of a message is none, and a message with something behind it neither.
#[test]
fn messages_are_whole() {
    let is_read = |der: &&Vec<u8>| Csr::from_der(der).is_ok() || Certificate::from_der(der).is_ok();
    for der in FIXTURES.iter().filter(is_read) {
        for end in 0..der.len() {
            assert!(Csr::from_der(&der[..end]).is_err() && Certificate::from_der(&der[..end]).is_err());
        }
        let longer = [der.as_slice(), &[0]].concat();
        assert!(Csr::from_der(&longer).is_err() && Certificate::from_der(&longer).is_err());
    }
}
