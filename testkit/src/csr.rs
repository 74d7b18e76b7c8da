//! Requests as clients make them, and as they should not.

use std::net::IpAddr;
use std::sync::Arc;

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{
    Csr, DnsName, ExtendedKeyUsage, Extension, GeneralName, KeyUsage, Name, NameAttribute, NameAttributeType, ObjectIdentifier,
    SigningKey,
};

/// id-ExtensionReq, RFC 2985 §5.4.2.
const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
/// challengePassword, RFC 2985 §5.4.1.
const CHALLENGE_PASSWORD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");

/// Something that is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The signature's last octet is another.
    BadSignature,
    /// version is v2(1), which does not exist.
    Version,
    /// The attributes are absent, with all extensions; RFC 2986 §4.1 has them mandatory, living clients leave them out.
    MissingAttributes,
    /// The SET OF attributes is in descending order, which is BER.
    UnsortedAttributes,
    /// A second extensionRequest asks for `dns:smuggled.example`.
    TwoExtensionRequests,
    /// The first extension comes twice.
    RepeatedExtension,
    /// critical FALSE is written out, which is BER.
    ExplicitCriticalFalse,
    /// An octet follows.
    TrailingBytes,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::BadSignature,
        Self::Version,
        Self::MissingAttributes,
        Self::UnsortedAttributes,
        Self::TwoExtensionRequests,
        Self::RepeatedExtension,
        Self::ExplicitCriticalFalse,
        Self::TrailingBytes,
    ];
}

/// Builds a PKCS#10 request (RFC 2986).
#[derive(Clone, Debug)]
pub struct CsrBuilder {
    key: Arc<dyn SigningKey>,
    subject: Vec<NameAttribute>,
    names: Vec<GeneralName>,
    extensions: Vec<Extension>,
    faults: Vec<Fault>,
}

impl CsrBuilder {
    /// A request for this key, of nobody and with no names.
    #[must_use]
    pub fn new(key: &Arc<dyn SigningKey>) -> Self {
        Self { key: key.clone(), subject: Vec::new(), names: Vec::new(), extensions: Vec::new(), faults: Vec::new() }
    }

    /// One more attribute of the subject.
    #[must_use]
    pub fn attribute(mut self, kind: NameAttributeType, value: &str) -> Self {
        self.subject.push(NameAttribute { kind, value: value.to_owned() });
        self
    }

    /// One more common name.
    #[must_use]
    pub fn common_name(self, name: &str) -> Self {
        self.attribute(NameAttributeType::CommonName, name)
    }

    /// One more subjectAltName.
    #[must_use]
    pub fn general_name(mut self, name: GeneralName) -> Self {
        self.names.push(name);
        self
    }

    /// One more dNSName.
    ///
    /// # Panics
    /// When it is no host name.
    #[must_use]
    pub fn dns(self, name: &str) -> Self {
        self.general_name(GeneralName::Dns(DnsName::parse(name).expect("a host name")))
    }

    /// One more iPAddress.
    #[must_use]
    pub fn ip(self, address: impl Into<IpAddr>) -> Self {
        self.general_name(GeneralName::Ip(address.into()))
    }

    /// One more extension.
    #[must_use]
    pub fn extension(mut self, extension: Extension) -> Self {
        self.extensions.push(extension);
        self
    }

    /// Asks to be a CA.
    #[must_use]
    pub fn ca(self) -> Self {
        self.extension(Extension::basic_constraints_ca(None))
    }

    /// Asks for a keyUsage.
    #[must_use]
    pub fn key_usage(self, usage: KeyUsage) -> Self {
        self.extension(Extension::key_usage(usage))
    }

    /// Asks for purposes.
    #[must_use]
    pub fn extended_key_usage(self, purposes: &[ExtendedKeyUsage]) -> Self {
        self.extension(Extension::extended_key_usage(purposes))
    }

    /// Makes a mistake; several can be made at once.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The request, read.
    ///
    /// # Panics
    /// When its faults keep it from being read.
    #[must_use]
    pub fn csr(&self) -> Csr {
        Csr::from_der(&self.sign()).expect("a request that can be read")
    }

    /// The request, DER.
    ///
    /// # Panics
    /// When the key does not sign.
    #[must_use]
    pub fn sign(&self) -> Vec<u8> {
        let info = self.info();
        let mut signature = self.key.sign(&info).expect("a key in memory signs");
        if self.has(Fault::BadSignature) {
            signature.last_mut().into_iter().for_each(|octet| *octet ^= 1);
        }
        let mut writer = DerWriter::default();
        writer.sequence(|w| {
            w.raw(&info);
            self.key.algorithm().write(w);
            w.bit_string(&signature);
        });
        let mut der = writer.finish();
        der.extend(self.has(Fault::TrailingBytes).then_some(0));
        der
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// The certificationRequestInfo.
    fn info(&self) -> Vec<u8> {
        let mut writer = DerWriter::default();
        writer.sequence(|w| {
            w.tlv(tag::INTEGER, &[u8::from(self.has(Fault::Version))]);
            w.raw(Name::from_attributes(self.subject.clone()).as_der());
            w.raw(self.key.public_key().spki());
            if !self.has(Fault::MissingAttributes) {
                w.nested(tag::context_constructed(0), |w| {
                    w.raw(&self.attributes().concat());
                });
            }
        });
        writer.finish()
    }

    /// The attributes, each DER, in the order in which they are written.
    fn attributes(&self) -> Vec<Vec<u8>> {
        let mut attributes = Vec::new();
        let mut extensions = self.extensions.clone();
        if !self.names.is_empty() {
            extensions.insert(0, Extension::subject_alt_name(&self.names, self.subject.is_empty()));
        }
        if self.has(Fault::RepeatedExtension) {
            extensions.extend(extensions.first().cloned());
        }
        if !extensions.is_empty() {
            attributes.push(self.extension_request(&extensions));
        }
        if self.has(Fault::TwoExtensionRequests) {
            let smuggled = DnsName::parse("smuggled.example").map(GeneralName::Dns).expect("a host name");
            attributes.push(self.extension_request(&[Extension::subject_alt_name(&[smuggled], false)]));
        }
        if self.has(Fault::UnsortedAttributes) {
            attributes.push(attribute(CHALLENGE_PASSWORD, |w| {
                w.tlv(tag::UTF8_STRING, b"challenge");
            }));
        }
        attributes.sort();
        if self.has(Fault::UnsortedAttributes) {
            attributes.reverse();
        }
        attributes
    }

    fn extension_request(&self, extensions: &[Extension]) -> Vec<u8> {
        attribute(EXTENSION_REQUEST, |w| {
            w.sequence(|w| extensions.iter().for_each(|extension| self.write_extension(extension, w)));
        })
    }

    fn write_extension(&self, extension: &Extension, writer: &mut DerWriter) {
        writer.sequence(|w| {
            w.oid(&extension.oid);
            if extension.critical {
                w.tlv(tag::BOOLEAN, &[0xff]);
            } else if self.has(Fault::ExplicitCriticalFalse) {
                w.tlv(tag::BOOLEAN, &[0]);
            }
            w.tlv(tag::OCTET_STRING, &extension.value);
        });
    }
}

fn attribute(oid: ObjectIdentifier, write_value: impl FnOnce(&mut DerWriter)) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        w.oid(&oid).nested(tag::SET, write_value);
    });
    writer.finish()
}

#[cfg(test)]
mod tests {
    use certgate_pki::CsrError;

    use super::*;
    use crate::{device_key, provider, rsa_device_key};

    #[test]
    fn good_requests_verify() {
        for key in [device_key(), rsa_device_key()] {
            let csr = CsrBuilder::new(&key).common_name("a").dns("a.example").ip([192, 0, 2, 1]).csr();
            assert_eq!(csr.requested().subject_alt_names.len(), 2);
            assert!(csr.verify(&provider(1)).is_ok());
        }
    }

    #[test]
    fn every_fault_is_as_bad_as_it_says() {
        let builder = CsrBuilder::new(&device_key()).common_name("a").dns("a.example");
        for fault in Fault::ALL {
            let read = Csr::from_der(&builder.clone().fault(fault).sign());
            let verified = read.clone().and_then(|csr| csr.verify(&provider(1)));
            match fault {
                Fault::BadSignature => assert_eq!(verified, Err(CsrError::BadSignature)),
                Fault::MissingAttributes => assert!(verified.unwrap().requested().subject_alt_names.is_empty()),
                Fault::UnsortedAttributes | Fault::ExplicitCriticalFalse => {
                    assert_eq!(verified.unwrap().requested(), builder.csr().requested());
                }
                Fault::Version | Fault::TwoExtensionRequests | Fault::RepeatedExtension | Fault::TrailingBytes => {
                    assert!(matches!(read, Err(CsrError::Malformed(_))), "{fault:?}");
                }
            }
        }
    }
}
