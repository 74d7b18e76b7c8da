//! From a request to a certificate with every signature taken for good: nothing is issued that was not granted (invariant 9).
//!
//! The first octet chooses how the CSR comes and who signs, the rest is the CSR.
#![no_main]

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use certgate_ca_backend_api::Locality;
use certgate_enrollment::{EnrollError, EnrollRequest, Principal, Protocol};
use certgate_est::{Reading, SimpleEnroll};
use certgate_fuzz::{Authority, Records, allowed_names, authority};
use certgate_pki::{Certificate, Csr, ExtendedKeyUsage, NameAttributeType};
use certgate_policy::{AllowedKey, Profile, SanKind};
use libfuzzer_sys::fuzz_target;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage as Purposes, KeyUsage, SubjectAltName};

/// Made by openssl: `root-p256.der` of the fixtures of certgate-pki.
const ROOT: &[u8] = include_bytes!("../../protocols/pki/tests/fixtures/certificate/root-p256.der");

type Parts = ([(Authority, Arc<Records>); 2], Profile);

static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    let root = Certificate::from_der(ROOT).unwrap_or_else(|error| panic!("{error}"));
    let authorities = [Locality::InProcess, Locality::Elsewhere].map(|locality| authority(root.clone(), locality));
    (authorities, profile())
});

fn profile() -> Profile {
    Profile {
        name: "default".into(),
        authority: "default".into(),
        validity: Duration::from_secs(90 * 86_400),
        backdate: Duration::from_secs(3600),
        key_types: AllowedKey::ALL.into(),
        subject_copy: vec![NameAttributeType::Organization, NameAttributeType::Country, NameAttributeType::SerialNumber],
        sans: vec![SanKind::Dns, SanKind::Ip],
        extended_key_usage: vec![ExtendedKeyUsage::ClientAuth],
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else { return };
    let csr = match choice & 1 {
        0 => Csr::from_der(body).ok(),
        _ => SimpleEnroll::decode(None, body, Reading::Compatible).ok().map(|request| request.csr),
    };
    let Some(csr) = csr else { return };
    let (authorities, profile) = &*PARTS;
    let (authority, records) = &authorities[usize::from(choice >> 1 & 1)];
    let grants = allowed_names().iter().filter_map(|grant| grant.parse().ok()).collect();
    let principal = Principal { name: "first-device".into(), grants };
    let request = EnrollRequest { protocol: Protocol::Est, endpoint: "default".into(), principal, csr: csr.clone() };
    match authority.authorize(profile, request) {
        Ok(authorized) => {
            let issued = match ready(authority.issue(authorized)) {
                Ok(issued) => issued,
                Err(error) => panic!("what is authorized is issued: {error}"),
            };
            let [record] = &records.take()[..] else { panic!("issued once, recorded once") };
            assert_eq!((&record.der, &record.serial), (&issued.der, &issued.serial));
            assert_eq!(issued.certificate().map(|made| made.public_key().clone()).as_ref(), Ok(csr.public_key()));
            assert_nothing_forbidden(&issued.der);
        }
        Err(EnrollError::Csr(_) | EnrollError::Refused(_)) => assert!(records.take().is_empty()),
        Err(error) => panic!("a CSR is never somebody else's fault: {error}"),
    }
});

/// Nothing here waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("there is nothing to wait for"),
    }
}

/// Judged by another crate's reader.
fn assert_nothing_forbidden(der: &[u8]) {
    let Ok(certificate) = x509_cert::Certificate::from_der(der) else { panic!("another reader takes it for a certificate") };
    let certificate = certificate.tbs_certificate();
    let constraints = certificate.get_extension::<BasicConstraints>();
    assert!(matches!(constraints, Ok(Some((true, BasicConstraints { ca: false, path_len_constraint: None })))));
    let Ok(Some((true, usage))) = certificate.get_extension::<KeyUsage>() else { panic!("keyUsage is there, and critical") };
    assert!(usage.digital_signature() && !usage.key_cert_sign() && !usage.crl_sign());
    let Ok(Some((_, purposes))) = certificate.get_extension::<Purposes>() else { panic!("extendedKeyUsage is there") };
    assert_eq!(
        purposes.0.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [ExtendedKeyUsage::ClientAuth.oid().to_string()]
    );
    const KINDS: [&str; 7] =
        ["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.14", "2.5.29.35", "2.5.29.17", "1.3.6.1.5.5.7.1.1"];
    let extensions = certificate.extensions().map(Vec::as_slice).unwrap_or_default();
    assert!(extensions.iter().all(|extension| KINDS.contains(&extension.extn_id.to_string().as_str())));
    let names = match certificate.get_extension::<SubjectAltName>() {
        Ok(names) => names.map_or_else(Vec::new, |(_, names)| names.0),
        Err(error) => panic!("subjectAltName: {error}"),
    };
    assert!(names.iter().all(is_granted), "{names:?}");
    assert!(!names.is_empty() || !certificate.subject().is_empty(), "it names somebody");
    for attribute in certificate.subject().iter() {
        let value = attribute.value.value();
        match attribute.oid.to_string().as_str() {
            "2.5.4.3" => assert!(value.starts_with(b"device-"), "{value:02x?}"),
            "2.5.4.10" | "2.5.4.6" | "2.5.4.5" => {}
            other => panic!("{other} is not copied"),
        }
    }
}

fn is_granted(name: &GeneralName) -> bool {
    match name {
        GeneralName::DnsName(name) => {
            let label = name.as_str().strip_suffix(".fleet.example");
            label.is_some_and(|label| {
                !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            })
        }
        GeneralName::IpAddress(address) => {
            matches!(address.as_bytes(), [192, 0, 2, _] | [0x20, 0x01, 0x0d, 0xb8, _, _, _, _, _, _, _, _, _, _, _, _])
        }
        _ => false,
    }
}
