//! Extensions: what is read agrees with itself and with another crate's reader, and no CA is overlooked.
//!
//! The first octet says whether the rest are Extensions, DER, or choices of which they are made.
#![no_main]

use certgate_fuzz::{Octets, der};
use certgate_pki::asn1::{Tlv, tag};
use certgate_pki::{ExtendedKeyUsage, Extensions, GeneralName, KeyUsage, ObjectIdentifier, RequestedExtensions, limits};
use libfuzzer_sys::fuzz_target;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix;

const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");

fuzz_target!(|data: &[u8]| {
    let mut octets = Octets::new(data);
    let der = if octets.flag() { der::extensions(&mut octets) } else { octets.rest().to_vec() };
    let Ok(extensions) = Extensions::from_der(&der) else { return };
    let kinds: Vec<_> = extensions.iter().map(|extension| extension.oid).collect();
    assert!(kinds.len() <= limits::MAX_EXTENSIONS);
    assert!(kinds.iter().enumerate().all(|(at, kind)| !kinds[..at].contains(kind)), "each kind comes once");
    if let Ok(theirs) = x509_cert::ext::Extensions::from_der(&der) {
        let theirs = theirs.iter().map(|theirs| (theirs.extn_id, theirs.critical, theirs.extn_value.as_bytes()));
        assert!(extensions.iter().map(|ours| (ours.oid, ours.critical, ours.value.as_slice())).eq(theirs));
    }
    assert_requested(&extensions, &kinds);
    assert_no_ca_overlooked(&extensions);
    assert_same_usage(&extensions);
    assert_same_purposes(&extensions);
    assert_same_names(&extensions);
});

/// What a request asks for is what its extensions say, one by one.
fn assert_requested(extensions: &Extensions, kinds: &[ObjectIdentifier]) {
    let (names, ca) = (extensions.subject_alt_names(), extensions.is_ca());
    let (usage, purposes) = (extensions.key_usage(), extensions.extended_key_usage());
    let Ok(requested) = RequestedExtensions::read(extensions) else {
        return assert!(names.is_err() || ca.is_err() || usage.is_err() || purposes.is_err());
    };
    assert_eq!((Ok(requested.subject_alt_names), Ok(requested.ca)), (names, ca));
    assert_eq!(usage.map(Option::unwrap_or_default), Ok(requested.key_usage));
    assert_eq!(purposes.map(Option::unwrap_or_default), Ok(requested.extended_key_usage));
    const JUDGED: [ObjectIdentifier; 4] = [der::SUBJECT_ALT_NAME, KEY_USAGE, EXTENDED_KEY_USAGE, BASIC_CONSTRAINTS];
    assert!(requested.others.iter().eq(kinds.iter().filter(|kind| !JUDGED.contains(kind))));
}

/// Where another reader could find cA TRUE, ours does, or reads nothing.
fn assert_no_ca_overlooked(extensions: &Extensions) {
    let (Ok(ca), value) = (extensions.is_ca(), extensions.value_of(BASIC_CONSTRAINTS).unwrap_or_default()) else { return };
    let is_true = |field: &[u8]| Tlv::only(field).is_ok_and(|field| field.tag == tag::BOOLEAN && field.value != [0]);
    assert_eq!(ca, der::elements(value).into_iter().any(is_true), "{value:02x?}");
    if let Ok(theirs) = pkix::BasicConstraints::from_der(value) {
        assert_eq!(ca, theirs.ca, "{value:02x?}");
    }
}

fn assert_same_usage(extensions: &Extensions) {
    let (Ok(Some(ours)), Some(value)) = (extensions.key_usage(), extensions.value_of(KEY_USAGE)) else { return };
    let Ok(theirs) = pkix::KeyUsage::from_der(value) else { return };
    for (bit, is_set) in [
        (KeyUsage::DIGITAL_SIGNATURE, theirs.digital_signature()),
        (KeyUsage::KEY_ENCIPHERMENT, theirs.key_encipherment()),
        (KeyUsage::KEY_CERT_SIGN, theirs.key_cert_sign()),
        (KeyUsage::CRL_SIGN, theirs.crl_sign()),
    ] {
        assert_eq!(ours.intersects(bit), is_set, "{bit:?} of {value:02x?}");
    }
    assert!(!ours.is_empty() || theirs.0.is_empty(), "{value:02x?}");
}

fn assert_same_purposes(extensions: &Extensions) {
    let value = extensions.value_of(EXTENDED_KEY_USAGE);
    let (Ok(Some(ours)), Some(value)) = (extensions.extended_key_usage(), value) else { return };
    assert!(ours.len() <= limits::MAX_PURPOSES);
    assert!(ours.iter().all(|purpose| ExtendedKeyUsage::from_oid(purpose.oid()) == *purpose));
    if let Ok(theirs) = pkix::ExtendedKeyUsage::from_der(value) {
        assert!(ours.iter().map(|purpose| purpose.oid()).eq(theirs.0));
    }
}

/// Names are written as they were read but for the case of letters, and another reader reads the same ones.
fn assert_same_names(extensions: &Extensions) {
    let value = extensions.value_of(der::SUBJECT_ALT_NAME);
    let (Ok(ours), Some(value)) = (extensions.subject_alt_names(), value) else { return };
    assert!((1..=limits::MAX_GENERAL_NAMES).contains(&ours.len()));
    let written: Vec<Vec<u8>> = ours.iter().map(|name| der::written(|w| name.write(w))).collect();
    let same = |ours: &GeneralName, written: &[u8], read: &[u8]| match ours {
        GeneralName::Dns(_) => written.eq_ignore_ascii_case(read),
        _ => written == read,
    };
    let read = der::elements(value);
    assert_eq!(read.len(), ours.len());
    assert!(ours.iter().zip(&written).zip(&read).all(|((ours, written), read)| same(ours, written, read)));
    let Ok(theirs) = pkix::SubjectAltName::from_der(value) else { return };
    assert_eq!(theirs.0.len(), ours.len());
    for ((ours, written), theirs) in ours.iter().zip(&written).zip(&theirs.0) {
        // The other reader puts the attributes of an RDN in order, which ours keeps as they came.
        if let pkix::name::GeneralName::DirectoryName(_) = theirs {
            assert!(matches!(ours, GeneralName::Other(der) if der.first() == Some(&0xa4)));
            continue;
        }
        let theirs = theirs.to_der().unwrap_or_default();
        assert!(same(ours, written, &theirs), "{ours:?} is {theirs:02x?} to another reader");
    }
}
