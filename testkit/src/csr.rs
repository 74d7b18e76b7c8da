//! Requests as clients make them, and as they should not.

mod fault;

use std::net::IpAddr;
use std::sync::Arc;

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{
    Csr, DnsName, ExtendedKeyUsage, Extension, GeneralName, KeyUsage, Name, NameAttribute, NameAttributeType, ObjectIdentifier,
    PublicKey, SigningKey, StringType,
};

pub use fault::Fault;

/// id-ExtensionReq, RFC 2985 §5.4.2.
const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
/// challengePassword, RFC 2985 §5.4.1.
const CHALLENGE_PASSWORD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");
/// id-cmc-changeSubjectName, RFC 6402 §2.8.
const CHANGE_SUBJECT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.7.36");

/// Builds a PKCS#10 request (RFC 2986).
#[derive(Clone, Debug)]
pub struct CsrBuilder {
    key: Arc<dyn SigningKey>,
    other_key: Option<PublicKey>,
    subject: Vec<NameAttribute>,
    names: Vec<GeneralName>,
    extensions: Vec<Extension>,
    challenge_password: Option<String>,
    change_subject_name: Option<(Option<Name>, Option<Vec<GeneralName>>)>,
    faults: Vec<Fault>,
}

impl CsrBuilder {
    /// A request for this key, of nobody and with no names.
    #[must_use]
    pub fn new(key: &Arc<dyn SigningKey>) -> Self {
        Self {
            key: key.clone(),
            other_key: None,
            subject: Vec::new(),
            names: Vec::new(),
            extensions: Vec::new(),
            challenge_password: None,
            change_subject_name: None,
            faults: Vec::new(),
        }
    }

    /// Asks for this key to be certified, while the other one goes on to sign: proves nothing, and shows to rules any key that there is.
    #[must_use]
    pub fn public_key(mut self, key: PublicKey) -> Self {
        self.other_key = Some(key);
        self
    }

    /// One more attribute of the subject.
    #[must_use]
    pub fn attribute(mut self, kind: NameAttributeType, value: &str) -> Self {
        self.subject.push(NameAttribute::new(kind, value));
        self
    }

    /// One more attribute of the subject, in a string type that it may not have; [`StringType::Other`] is TeletexString.
    #[must_use]
    pub fn attribute_as(mut self, kind: NameAttributeType, value: &str, string_type: StringType) -> Self {
        self.subject.push(NameAttribute { kind, value: value.to_owned(), string_type });
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

    /// A challengePassword (RFC 2985 §5.4.1), as UTF8String.
    #[must_use]
    pub fn challenge_password(mut self, text: &str) -> Self {
        self.challenge_password = Some(text.to_owned());
        self
    }

    /// A ChangeSubjectName (RFC 6402 §2.8), its alternative names under an IMPLICIT `[1]`; with neither it is malformed.
    #[must_use]
    pub fn change_subject_name(mut self, subject: Option<Name>, names: Option<Vec<GeneralName>>) -> Self {
        self.change_subject_name = Some((subject, names));
        self
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
            w.sequence(|w| self.subject.iter().for_each(|attribute| write_attribute(attribute, w)));
            w.raw(self.other_key.as_ref().unwrap_or(self.key.public_key()).spki());
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
        let unsorted = self.has(Fault::UnsortedAttributes).then_some("challenge");
        if let Some(text) = self.challenge_password.as_deref().or(unsorted) {
            attributes.push(attribute(CHALLENGE_PASSWORD, |w| {
                w.tlv(tag::UTF8_STRING, text.as_bytes());
            }));
        }
        attributes.extend(self.change_subject_name.as_ref().map(|(subject, names)| change_of_names(subject, names)));
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

/// A single-valued RDN, in whatever string type it is said to have.
fn write_attribute(attribute: &NameAttribute, writer: &mut DerWriter) {
    let latin1 =
        || attribute.value.chars().map(|character| u8::try_from(character).expect("a character of ISO 8859-1")).collect();
    let (string, octets) = match attribute.string_type {
        StringType::Utf8 => (tag::UTF8_STRING, attribute.value.clone().into_bytes()),
        StringType::Printable => (tag::PRINTABLE_STRING, attribute.value.clone().into_bytes()),
        StringType::Other => (tag::TELETEX_STRING, latin1()),
    };
    writer.nested(tag::SET, |w| {
        w.sequence(|w| {
            w.oid(&attribute.kind.oid()).tlv(string, &octets);
        });
    });
}

fn change_of_names(subject: &Option<Name>, names: &Option<Vec<GeneralName>>) -> Vec<u8> {
    attribute(CHANGE_SUBJECT_NAME, |w| {
        w.sequence(|w| {
            if let Some(subject) = subject {
                w.raw(subject.as_der());
            }
            if let Some(names) = names {
                w.nested(tag::context_constructed(1), |w| names.iter().for_each(|name| name.write(w)));
            }
        });
    })
}

fn attribute(oid: ObjectIdentifier, write_value: impl FnOnce(&mut DerWriter)) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        w.oid(&oid).nested(tag::SET, write_value);
    });
    writer.finish()
}

#[cfg(test)]
mod tests;
