//! Invariant 9: whatever a CSR asks for, nothing is issued that policy did not authorize. Judged by another crate's reader.

use std::sync::LazyLock;

use certgate_enrollment::EnrollError;
use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{Csr, ExtendedKeyUsage, Extension, GeneralName, KeyUsage, NameAttributeType, ObjectIdentifier};
use certgate_testkit::{CaFixture, CsrBuilder, Fault, device_key, profile, rsa_device_key};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use tokio::runtime::Runtime;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::name::GeneralName as TheirName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage as TheirPurposes, KeyUsage as TheirUsage, SubjectAltName};

const GRANTS: [&str; 3] = ["cn:device-*", "dns:*.fleet.example", "ip:192.0.2.0/24"];

static CA: LazyLock<(Runtime, CaFixture)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ca = runtime.block_on(CaFixture::founded());
    (runtime, ca)
});

/// A request with one thing after the other put into it, most of them good.
fn request() -> impl Strategy<Value = CsrBuilder> {
    let key = any::<bool>().prop_map(|rsa| if rsa { rsa_device_key() } else { device_key() });
    let attributes = vec(attribute(), 0..3);
    let names = vec(general_name(), 0..4);
    let extensions = vec(extension(), 0..3);
    let faults = prop_oneof![5 => Just(Vec::new()), 1 => vec(select(&Fault::ALL[..]), 1..3)];
    (key, attributes, names, extensions, faults).prop_map(|(key, attributes, names, extensions, faults)| {
        let builder = CsrBuilder::new(&key);
        let builder = attributes.iter().fold(builder, |builder, (kind, value)| builder.attribute(*kind, value));
        let builder = names.into_iter().fold(builder, CsrBuilder::general_name);
        let builder = extensions.into_iter().fold(builder, CsrBuilder::extension);
        faults.into_iter().fold(builder, CsrBuilder::fault)
    })
}

fn attribute() -> impl Strategy<Value = (NameAttributeType, String)> {
    let good = (Just(NameAttributeType::CommonName), select(&["device-1", "device-", "device-ö"][..]).prop_map(str::to_owned));
    let bad = (
        Just(NameAttributeType::CommonName),
        select(&["admin", "", "a.fleet.example", "device-\0", "Device-1"][..]).prop_map(str::to_owned),
    );
    let other = (select(&NameAttributeType::KNOWN[..]), select(&["DE", "Example", "", "7\0"][..]).prop_map(str::to_owned));
    prop_oneof![6 => good, 1 => bad, 3 => other]
}

fn general_name() -> impl Strategy<Value = GeneralName> {
    let dns = |octets: &[u8]| {
        let mut writer = DerWriter::default();
        writer.tlv(tag::context(2), octets);
        GeneralName::Other(writer.finish())
    };
    let good = [dns(b"a.fleet.example"), dns(b"B.fleet.EXAMPLE"), GeneralName::Ip([192, 0, 2, 7].into())];
    let bad = [
        dns(b"*.fleet.example"),
        dns(b"a.b.fleet.example"),
        dns(b"fleet.example"),
        dns(b"a.fleet.example\0.evil.example"),
        dns(b"a.fleet.example."),
        dns(b"evil.example"),
        dns(b""),
        GeneralName::Ip([192, 0, 3, 7].into()),
        GeneralName::Ip("::ffff:192.0.2.7".parse().unwrap()),
        GeneralName::Email("root@fleet.example".into()),
        GeneralName::Uri("spiffe://fleet.example/a".into()),
        GeneralName::Other(vec![0x87, 8, 192, 0, 2, 0, 255, 255, 255, 0]),
        GeneralName::Other(vec![0xa4, 2, 0x30, 0]),
    ];
    prop_oneof![4 => select(good.to_vec()), 1 => select(bad.to_vec())]
}

fn extension() -> impl Strategy<Value = Extension> {
    const BITS: [KeyUsage; 4] =
        [KeyUsage::DIGITAL_SIGNATURE, KeyUsage::KEY_ENCIPHERMENT, KeyUsage::KEY_CERT_SIGN, KeyUsage::CRL_SIGN];
    let usage = vec(select(&BITS[..]), 1..3)
        .prop_map(|bits| Extension::key_usage(bits.into_iter().fold(KeyUsage::default(), |all, bit| all | bit)));
    let purposes = vec(select(&ExtendedKeyUsage::KNOWN[..]), 1..3).prop_map(|all| Extension::extended_key_usage(&all));
    let constraints = prop_oneof![
        Just(Extension::basic_constraints_leaf()),
        any::<Option<u8>>().prop_map(Extension::basic_constraints_ca),
        // cA TRUE in BER.
        any::<u8>().prop_map(|octet| Extension { value: vec![0x30, 3, 1, 1, octet], ..Extension::basic_constraints_leaf() }),
    ];
    const OTHERS: [&str; 5] = ["2.5.29.30", "2.5.29.36", "1.3.6.1.5.5.7.48.1.5", "2.5.29.14", "1.3.6.1.4.1.99999.1"];
    let other = (select(&OTHERS[..]), any::<bool>(), vec(any::<u8>(), 0..8)).prop_map(|(oid, critical, value)| Extension {
        oid: ObjectIdentifier::new_unwrap(oid),
        critical,
        value,
    });
    prop_oneof![usage, purposes, constraints, other]
}

#[test]
fn no_request_smuggles_anything_in() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 1500, ..ProptestConfig::default() });
    let (issued, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let outcome = runner.run(&request(), |builder| {
        match enroll(&builder) {
            Some(Ok(der)) => {
                issued.set(issued.get() + 1);
                assert_nothing_forbidden(&der)?;
            }
            Some(Err(EnrollError::Csr(_) | EnrollError::Refused(_))) => refused.set(refused.get() + 1),
            Some(Err(other)) => return Err(TestCaseError::fail(format!("not the requester's fault: {other}"))),
            None => {}
        }
        Ok(())
    });
    outcome.unwrap();
    assert!(
        issued.get() > 50 && refused.get() > 50,
        "{} issued, {} refused: the test tests something",
        issued.get(),
        refused.get()
    );
}

/// `None` when the request cannot even be read.
fn enroll(builder: &CsrBuilder) -> Option<Result<Vec<u8>, EnrollError>> {
    let (runtime, ca) = &*CA;
    let request = CaFixture::request(Csr::from_der(&builder.sign()).ok()?, &GRANTS);
    let authorized = match ca.authority.authorize(&profile(), request) {
        Ok(authorized) => authorized,
        Err(error) => return Some(Err(error)),
    };
    Some(runtime.block_on(ca.authority.issue(authorized)).map(|issued| issued.der.clone()))
}

fn assert_nothing_forbidden(der: &[u8]) -> Result<(), TestCaseError> {
    let certificate = x509_cert::Certificate::from_der(der).unwrap();
    let certificate = certificate.tbs_certificate();
    let (critical, constraints) = certificate.get_extension::<BasicConstraints>().unwrap().unwrap();
    prop_assert!(critical && !constraints.ca && constraints.path_len_constraint.is_none());
    let (_, usage) = certificate.get_extension::<TheirUsage>().unwrap().unwrap();
    prop_assert!(!usage.key_cert_sign() && !usage.crl_sign());
    let (_, purposes) = certificate.get_extension::<TheirPurposes>().unwrap().unwrap();
    let expected: Vec<String> = profile().extended_key_usage.iter().map(|purpose| purpose.oid().to_string()).collect();
    prop_assert_eq!(purposes.0.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    let kinds = ["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.14", "2.5.29.35", "2.5.29.17"];
    for extension in certificate.extensions().unwrap() {
        prop_assert!(kinds.contains(&extension.extn_id.to_string().as_str()), "{}", extension.extn_id);
    }
    for name in certificate.get_extension::<SubjectAltName>().unwrap().map_or_else(Vec::new, |(_, names)| names.0) {
        let granted = match &name {
            TheirName::DnsName(name) => ["a.fleet.example", "b.fleet.example"].contains(&name.as_str()),
            TheirName::IpAddress(address) => address.as_bytes() == [192, 0, 2, 7],
            _ => false,
        };
        prop_assert!(granted, "{name:?}");
    }
    for attribute in certificate.subject().iter() {
        let value = String::from_utf8_lossy(attribute.value.value());
        match attribute.oid.to_string().as_str() {
            "2.5.4.3" => prop_assert!(["device-1", "device-", "device-ö"].contains(&&*value), "CN={value}"),
            "2.5.4.10" | "2.5.4.5" => {}
            other => return Err(TestCaseError::fail(format!("{other} is not copied by the profile"))),
        }
    }
    Ok(())
}
