//! A root, an issuing CA and a server certificate, built with x509-cert.

use std::{str::FromStr, time::Duration};

use certgate_conformance::{asn1::Element, clock, key::Key};
use der::{
    Decode, Encode,
    asn1::{OctetString, UtcTime},
};
use p256::{
    ecdsa::{DerSignature, SigningKey},
    elliptic_curve::Generate,
};
use sha2::{Digest, Sha256};
use x509_cert::{
    Certificate, TbsCertificate,
    builder::{Builder, CertificateBuilder, profile::BuilderProfile},
    ext::{
        Extension, ToExtension,
        pkix::{
            AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
            name::GeneralName,
        },
    },
    name::Name,
    serial_number::SerialNumber,
    spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef},
    time::{Time, Validity},
};

/// Seconds.
pub(crate) const DAY: i64 = 86_400;

/// Issuer and subject as they are given, and these extensions.
struct Given {
    issuer: Name,
    subject: Name,
    extensions: Vec<Extension>,
}

impl BuilderProfile for Given {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        Ok(self.extensions.clone())
    }
}

/// A CA.
pub(crate) struct Authority {
    pub(crate) certificate: Certificate,
    key: SigningKey,
    name: Name,
    pub(crate) key_identifier: Vec<u8>,
}

/// What an end entity gets.
pub(crate) struct Order<'o> {
    pub(crate) subject: &'o Element,
    pub(crate) spki: &'o Element,
    pub(crate) dns_names: Vec<String>,
    pub(crate) more: Vec<Extension>,
    /// Seconds since 1970, first and last.
    pub(crate) period: (i64, i64),
}

fn serial() -> SerialNumber {
    let chance = SigningKey::generate().to_bytes();
    let mut octets = chance[..16].to_vec();
    octets[0] = octets[0] & 0x7f | 0x40;
    SerialNumber::new(&octets).expect("a serial number")
}

fn key_identifier(spki: &[u8]) -> Vec<u8> {
    Sha256::digest(spki)[..20].to_vec()
}

fn extension<E>(value: E) -> Extension
where
    E: ToExtension<Error = der::Error>,
{
    value.to_extension(&Name::default(), &[]).expect("an extension")
}

fn authority_extensions(own: &[u8], issuer: &[u8], path_length: Option<u8>) -> Vec<Extension> {
    let usages = KeyUsages::KeyCertSign | KeyUsages::CRLSign;
    vec![
        extension((true, &BasicConstraints { ca: true, path_len_constraint: path_length })),
        extension((true, &KeyUsage(usages))),
        extension((false, &SubjectKeyIdentifier(OctetString::new(own).expect("octets")))),
        extension((
            false,
            &AuthorityKeyIdentifier { key_identifier: Some(OctetString::new(issuer).expect("octets")), ..Default::default() },
        )),
    ]
}

fn validity((begin, end): (i64, i64)) -> Validity {
    let time = |seconds: i64| {
        let since = Duration::from_secs(seconds.try_into().expect("after 1970"));
        Time::UtcTime(UtcTime::from_unix_duration(since).expect("before 2050"))
    };
    Validity::new(time(begin), time(end))
}

/// From a day ago, for this many days.
fn days(count: i64) -> (i64, i64) {
    let begin = clock::unix_now() - DAY;
    (begin, begin + count * DAY)
}

fn build(given: Given, period: Validity, spki: SubjectPublicKeyInfoOwned, signer: &SigningKey) -> Certificate {
    let builder = CertificateBuilder::new(given, serial(), period, spki).expect("a builder");
    builder.build::<_, DerSignature>(signer).expect("a certificate")
}

impl Authority {
    /// A self-signed root.
    pub(crate) fn root() -> Self {
        Self::make("CN=Root", None, 3650)
    }

    /// A CA under this one.
    pub(crate) fn subordinate(&self) -> Self {
        Self::make("CN=Issuing", Some(self), 1825)
    }

    fn make(name: &str, issuer: Option<&Self>, count: i64) -> Self {
        let key = SigningKey::generate();
        let name = Name::from_str(name).expect("a name");
        let spki = SubjectPublicKeyInfoOwned::from_key(key.verifying_key()).expect("a key");
        let own = key_identifier(&spki.to_der().expect("DER"));
        let (issuer_name, issuer_identifier, signer) =
            issuer.map_or((&name, &own, &key), |issuer| (&issuer.name, &issuer.key_identifier, &issuer.key));
        let extensions = authority_extensions(&own, issuer_identifier, issuer.map(|_| 0));
        let given = Given { issuer: issuer_name.clone(), subject: name.clone(), extensions };
        let certificate = build(given, validity(days(count)), spki, signer);
        Self { certificate, key, name, key_identifier: own }
    }

    /// Signs an end entity's certificate; what `more` says replaces what it would have had.
    pub(crate) fn issue(&self, order: &Order<'_>) -> Certificate {
        let spki = order.spki.encode();
        let mut extensions = vec![
            extension((true, &KeyUsage(KeyUsages::DigitalSignature.into()))),
            extension((false, &SubjectKeyIdentifier(OctetString::new(key_identifier(&spki)).expect("octets")))),
            extension((
                false,
                &AuthorityKeyIdentifier {
                    key_identifier: Some(OctetString::new(self.key_identifier.clone()).expect("octets")),
                    ..Default::default()
                },
            )),
        ];
        if !order.dns_names.is_empty() {
            let names = order
                .dns_names
                .iter()
                .map(|name| GeneralName::DnsName(der::asn1::Ia5String::new(name).expect("IA5")))
                .collect();
            extensions.push(extension((order.subject.elements().is_empty(), &SubjectAltName(names))));
        }
        extensions.retain(|one| order.more.iter().all(|other| other.extn_id != one.extn_id));
        extensions.extend(order.more.iter().cloned());
        let subject = Name::from_der(&order.subject.encode()).expect("a name");
        let given = Given { issuer: self.name.clone(), subject, extensions };
        build(given, validity(order.period), SubjectPublicKeyInfoOwned::from_der(&spki).expect("a key"), &self.key)
    }

    /// Signs whatever it is.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        Key::P256(self.key.clone()).sign(message).expect("signed")
    }

    /// A TLS server certificate for `localhost`, and its key.
    pub(crate) fn server(&self) -> (Certificate, SigningKey) {
        let key = SigningKey::generate();
        let spki = Key::P256(key.clone()).spki().expect("a key");
        let subject = Element::sequence(vec![]);
        let order =
            Order { subject: &subject, spki: &spki, dns_names: vec!["localhost".into()], more: Vec::new(), period: days(90) };
        (self.issue(&order), key)
    }
}
