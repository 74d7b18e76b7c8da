//! PKCS #10 requests (RFC 2986), well made or with one fault on purpose.
//!
//! The types of x509-cert are filled by hand: its builder adds an empty extensionRequest, which RFC 5272 §3.1 does not allow.

use anyhow::anyhow;
use const_oid::ObjectIdentifier;
use der::{
    Any, Decode, Encode,
    asn1::{BitString, OctetString, SetOfVec},
};
use x509_cert::{
    attr::Attribute,
    ext::Extension,
    name::Name,
    request::{CertReq, CertReqInfo, ExtensionReq, Version},
};

use crate::{
    asn1::{Element, tag},
    certificate::extension,
    key::Key,
};

/// Object identifiers of the attributes of a name (RFC 5280 Appendix A).
pub mod attribute {
    use const_oid::ObjectIdentifier;

    /// `CN`.
    pub const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
    /// `serialNumber`.
    pub const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
    /// `C`.
    pub const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
    /// `L`.
    pub const LOCALITY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.7");
    /// `ST`.
    pub const STATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.8");
}

/// `unstructuredName` (RFC 2985 §5.4.1): an attribute that asks for nothing.
const UNSTRUCTURED_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.2");
/// `challengePassword` (RFC 2985 §5.4.1), which RFC 7030 §3.5 puts the channel binding into.
pub const CHALLENGE_PASSWORD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");
/// `id-cmc-changeSubjectName` (RFC 6402 §2.8).
pub const CHANGE_SUBJECT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.7.36");

/// What a CSR asks for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    subject: Vec<Element>,
    extensions: Vec<Extension>,
    attributes: Vec<(ObjectIdentifier, Element)>,
    padding: usize,
}

impl Wish {
    /// Nothing: an empty subject, no extensions.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A subject of this common name.
    #[must_use]
    pub fn common_name(name: &str) -> Self {
        Self::empty().with_name(attribute::COMMON_NAME, name)
    }

    /// With one more attribute in the subject, behind those that are there.
    #[must_use]
    pub fn with_name(mut self, oid: ObjectIdentifier, value: &str) -> Self {
        self.subject.push(name_step(oid, string_type(oid), value));
        self
    }

    /// With this subject, octet for octet, instead of what was there.
    #[must_use]
    pub fn with_subject(mut self, name: &Element) -> Self {
        self.subject = name.elements().to_vec();
        self
    }

    /// With an extension, its value in DER.
    #[must_use]
    pub fn with_extension(mut self, oid: ObjectIdentifier, critical: bool, value: &Element) -> Self {
        if let Ok(extn_value) = OctetString::new(value.encode()) {
            self.extensions.push(Extension { extn_id: oid, critical, extn_value });
        }
        self
    }

    /// With these `dNSName`s in `subjectAltName`; critical when there is no subject (RFC 5280 §4.2.1.6).
    #[must_use]
    pub fn with_dns_names(self, names: &[&str]) -> Self {
        self.with_alternative_names(&encode_dns_names(names))
    }

    /// With this `subjectAltName`; critical when there is no subject.
    #[must_use]
    pub fn with_alternative_names(self, names: &Element) -> Self {
        let critical = self.subject.is_empty();
        self.with_extension(extension::SUBJECT_ALT_NAME, critical, names)
    }

    /// With a `challengePassword`, a UTF8String (RFC 2985 §5.4.1).
    #[must_use]
    pub fn with_challenge(mut self, password: &str) -> Self {
        self.attributes.push((CHALLENGE_PASSWORD, Element::primitive(tag::UTF8_STRING, password.as_bytes())));
        self
    }

    /// With a `ChangeSubjectName` (RFC 6402 §2.8): "subject Name OPTIONAL, subjectAlt SubjectAltName OPTIONAL", untagged both.
    #[must_use]
    pub fn with_changed_name(mut self, subject: &Element, alternative: &Element) -> Self {
        self.attributes.push((CHANGE_SUBJECT_NAME, Element::sequence(vec![subject.clone(), alternative.clone()])));
        self
    }

    /// With attributes that ask for nothing, of at least this many octets.
    #[must_use]
    pub const fn padded(mut self, octets: usize) -> Self {
        self.padding = octets;
        self
    }

    /// The CSR, signed by `key`.
    ///
    /// # Errors
    /// A value that its type cannot hold.
    pub fn sign(&self, key: &Key) -> anyhow::Result<Vec<u8>> {
        let info = self.request_info(key)?;
        let signature = key.sign(&info.to_der()?)?;
        assemble(info, key, &signature)
    }

    /// The CSR with a signature that is not over it: one bit of what was signed differs (RFC 2986 §4.2).
    ///
    /// # Errors
    /// As [`Wish::sign`].
    pub fn sign_wrongly(&self, key: &Key) -> anyhow::Result<Vec<u8>> {
        let info = self.request_info(key)?;
        let mut message = info.to_der()?;
        if let Some(last) = message.last_mut() {
            *last ^= 1;
        }
        let signature = key.sign(&message)?;
        assemble(info, key, &signature)
    }

    fn request_info(&self, key: &Key) -> anyhow::Result<CertReqInfo> {
        let mut attributes = SetOfVec::new();
        if !self.extensions.is_empty() {
            attributes.insert(ExtensionReq(self.extensions.clone()).try_into()?)?;
        }
        for (oid, value) in &self.attributes {
            let values = SetOfVec::try_from(vec![Any::from_der(&value.encode())?])?;
            attributes.insert(Attribute { oid: *oid, values })?;
        }
        if self.padding > 0 {
            attributes.insert(padding(self.padding)?)?;
        }
        Ok(CertReqInfo {
            version: Version::V1,
            subject: Name::from_der(&Element::sequence(self.subject.clone()).encode())?,
            public_key: Decode::from_der(&key.spki()?.encode())?,
            attributes,
        })
    }
}

/// Values of 255 characters, the most that RFC 2985 lets one have, each different from the others.
fn padding(octets: usize) -> anyhow::Result<Attribute> {
    let mut values = SetOfVec::new();
    for index in 0..octets.div_ceil(255) {
        values.insert(Any::new(der::Tag::Ia5String, format!("padding {index:0>247}").into_bytes())?)?;
    }
    Ok(Attribute { oid: UNSTRUCTURED_NAME, values })
}

fn assemble(info: CertReqInfo, key: &Key, signature: &[u8]) -> anyhow::Result<Vec<u8>> {
    let signature = BitString::from_bytes(signature).map_err(|error| anyhow!("signature: {error}"))?;
    Ok(CertReq { info, algorithm: key.algorithm()?, signature }.to_der()?)
}

/// A name of one attribute a step: PrintableString where RFC 5280 Appendix A wants it, UTF8String elsewhere.
#[must_use]
pub fn encode_name(attributes: &[(ObjectIdentifier, String)]) -> Element {
    Element::sequence(attributes.iter().map(|(oid, value)| name_step(*oid, string_type(*oid), value)).collect())
}

/// `dNSName`s as the value of a `subjectAltName` (RFC 5280 §4.2.1.6).
#[must_use]
pub fn encode_dns_names(names: &[&str]) -> Element {
    Element::sequence(names.iter().map(|name| Element::primitive(tag::context_primitive(2), name.as_bytes())).collect())
}

/// A RelativeDistinguishedName of one attribute.
fn name_step(oid: ObjectIdentifier, kind: u8, value: &str) -> Element {
    let pair = Element::sequence(vec![Element::object_identifier(oid), Element::primitive(kind, value.as_bytes())]);
    Element::constructed(tag::SET, vec![pair])
}

/// PrintableString where RFC 5280 Appendix A wants it, UTF8String elsewhere.
fn string_type(oid: ObjectIdentifier) -> u8 {
    match oid {
        attribute::COUNTRY | attribute::SERIAL_NUMBER => tag::PRINTABLE_STRING,
        _ => tag::UTF8_STRING,
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::{key::KeyKind, signature};

    fn parts(csr: &[u8]) -> [Element; 3] {
        Element::parse(csr).expect("DER").elements().to_vec().try_into().expect("three parts")
    }

    #[test]
    fn a_csr_is_signed_by_its_own_key() {
        for kind in KeyKind::value_variants() {
            let key = Key::of(*kind).expect("a key");
            let csr = Wish::common_name("a").with_dns_names(&["a"]).sign(&key).expect("made");
            let [info, algorithm, bits] = parts(&csr);
            signature::verify(&info.elements()[2], &algorithm, &info.encode(), &bits.octets()[1..]).expect("verifies");
            let csr = Wish::common_name("a").sign_wrongly(&key).expect("made");
            let [info, algorithm, bits] = parts(&csr);
            signature::verify(&info.elements()[2], &algorithm, &info.encode(), &bits.octets()[1..]).expect_err("is wrong");
        }
    }

    #[test]
    fn a_csr_that_asks_for_nothing_has_no_attributes() {
        let csr = Wish::empty().sign(&Key::p256()).expect("made");
        let [info, _, _] = parts(&csr);
        assert_eq!(info.elements()[1].encode(), [0x30, 0x00]);
        assert_eq!(info.elements()[3].encode(), [0xa0, 0x00]);
    }

    #[test]
    fn a_challenge_and_a_change_of_name_are_attributes() {
        let change = (encode_name(&[(attribute::COMMON_NAME, "b".into())]), encode_dns_names(&["b"]));
        let wish = Wish::common_name("a").with_dns_names(&["a"]).with_challenge("c").with_changed_name(&change.0, &change.1);
        let [info, _, _] = parts(&wish.sign(&Key::p256()).expect("made"));
        let value = |oid| info.elements()[3].elements().iter().find(|one| one.elements()[0].oid() == Some(oid)).cloned();
        let challenge = value(CHALLENGE_PASSWORD).expect("a challenge");
        assert_eq!(challenge.elements()[1].encode(), [0x31, 0x03, 0x0c, 0x01, b'c']);
        let changed = value(CHANGE_SUBJECT_NAME).expect("a change");
        assert_eq!(changed.elements()[1].elements()[0].elements(), [change.0, change.1]);
    }

    #[test]
    fn padding_makes_a_csr_long() {
        let csr = Wish::common_name("a").padded(1600).sign(&Key::p256()).expect("made");
        assert!(csr.len() * 4 / 3 >= 2000);
    }
}
