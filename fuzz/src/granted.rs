//! What may be in a certificate, judged by another crate's reader.

use certgate_pki::ExtendedKeyUsage;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage as Purposes, KeyUsage, SubjectAltName};

/// Names that a requester is granted.
#[must_use]
pub const fn allowed_names() -> [&'static str; 4] {
    ["cn:device-*", "dns:*.fleet.example", "ip:192.0.2.0/24", "ip:2001:db8::/32"]
}

/// Is an alternative name one of [`allowed_names`]? By other means than patterns.
#[must_use]
pub fn is_allowed(name: &GeneralName) -> bool {
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

/// Is a common name one of [`allowed_names`]?
#[must_use]
pub fn is_allowed_common_name(name: &[u8]) -> bool {
    name.starts_with(b"device-")
}

/// The certificate is one of an end entity: no powers of a CA, the purposes of the profile and no others, no extension that was not made
/// here, and somebody's name. Returns its alternative names.
#[must_use]
pub fn assert_end_entity(certificate: &x509_cert::Certificate) -> Vec<GeneralName> {
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
    assert!(!names.is_empty() || !certificate.subject().is_empty(), "it names somebody");
    names
}

/// A certificate as the other reader has it.
#[must_use]
pub fn read_by_another(der: &[u8]) -> x509_cert::Certificate {
    x509_cert::Certificate::from_der(der).unwrap_or_else(|error| panic!("another reader takes it for a certificate: {error}"))
}
