//! pkiMessages as clients send them (RFC 8894 §3.2): SignedData over an envelope, the transaction in signed attributes. Well made, or
//! with one fault on purpose.

use anyhow::Context;
use const_oid::ObjectIdentifier;

use super::{
    algorithm::{Hash, RSA_ENCRYPTION, identifier, null},
    envelope::{ID_DATA, ID_SIGNED_DATA, content_info, issuer_and_serial},
};
use crate::{
    asn1::{Element, tag},
    certificate::Certificate,
    certificate::hex,
    key::{Key, random},
};

/// Object identifiers of signed attributes (RFC 8894 §3.2.1, RFC 5652 §11).
pub(super) mod attribute {
    use const_oid::ObjectIdentifier;

    pub(in crate::scep) const MESSAGE_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.2");
    pub(in crate::scep) const PKI_STATUS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.3");
    pub(in crate::scep) const FAIL_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.4");
    pub(in crate::scep) const SENDER_NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.5");
    pub(in crate::scep) const RECIPIENT_NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.6");
    pub(in crate::scep) const TRANSACTION_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.7");
    pub(in crate::scep) const FAIL_INFO_TEXT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.24.1");
    pub(in crate::scep) const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
    pub(in crate::scep) const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
}

/// What a message is (RFC 8894 §3.2.1.2).
pub(super) mod kind {
    pub(in crate::scep) const PKCS_REQ: &str = "19";
    pub(in crate::scep) const CERT_POLL: &str = "20";
}

/// Who signs messages: a key, and the certificate that says whose it is.
#[derive(Clone)]
pub(super) struct Signer {
    pub(super) key: Key,
    pub(super) certificate: Certificate,
}

/// What a message says beside its contents, and how it is signed. Each value is that of the attribute; `None` leaves it out.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) message_type: Option<Element>,
    pub(super) transaction: Option<Element>,
    pub(super) sender_nonce: Option<Element>,
    pub(super) hash: Hash,
    /// The pkcsPKIEnvelope.
    pub(super) content: Vec<u8>,
    pub(super) spoiled: Option<Spoiled>,
}

/// What of a signature is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoiled {
    /// One bit of it.
    Signature,
    /// `messageDigest` is another content's; the signature over it is right.
    Digest,
}

impl Draft {
    /// A message of this type over an envelope, in a new transaction.
    ///
    /// # Errors
    /// A machine without randomness.
    pub(super) fn new(kind: &str, content: Vec<u8>) -> anyhow::Result<Self> {
        Ok(Self {
            message_type: Some(printable(kind)),
            transaction: Some(printable(&hex(&random::<16>()?))),
            sender_nonce: Some(new_nonce()?),
            hash: Hash::Sha256,
            content,
            spoiled: None,
        })
    }

    /// The message, signed.
    ///
    /// # Errors
    /// A key that does not sign.
    pub(super) fn sign(&self, signer: &Signer) -> anyhow::Result<Element> {
        let attributes = self.attributes();
        let mut signature = self.signature(signer, &Element::constructed(tag::SET, attributes.clone()).encode())?;
        if self.spoiled == Some(Spoiled::Signature)
            && let Some(last) = signature.last_mut()
        {
            *last ^= 1;
        }
        let digest = identifier(self.hash.oid(), null());
        let info = Element::sequence(vec![
            Element::primitive(tag::INTEGER, &[1]),
            issuer_and_serial(&signer.certificate),
            digest.clone(),
            Element::constructed(tag::context(0), attributes),
            signature_algorithm(&signer.key)?,
            Element::primitive(tag::OCTET_STRING, &signature),
        ]);
        let enclosed = Element::constructed(tag::context(0), vec![Element::primitive(tag::OCTET_STRING, &self.content)]);
        let certificate = Element::parse(&signer.certificate.der).context("certificate")?;
        let signed = Element::sequence(vec![
            Element::primitive(tag::INTEGER, &[1]),
            Element::constructed(tag::SET, vec![digest]),
            Element::sequence(vec![Element::object_identifier(ID_DATA), enclosed]),
            Element::constructed(tag::context(0), vec![certificate]),
            Element::constructed(tag::SET, vec![info]),
        ]);
        Ok(content_info(ID_SIGNED_DATA, signed))
    }

    /// In the order of their encodings (X.690 §11.6).
    fn attributes(&self) -> Vec<Element> {
        let mut digest = self.hash.of(&self.content);
        if self.spoiled == Some(Spoiled::Digest) {
            digest.reverse();
        }
        let given = [
            (attribute::MESSAGE_TYPE, self.message_type.clone()),
            (attribute::TRANSACTION_ID, self.transaction.clone()),
            (attribute::SENDER_NONCE, self.sender_nonce.clone()),
            (attribute::CONTENT_TYPE, Some(Element::object_identifier(ID_DATA))),
            (attribute::MESSAGE_DIGEST, Some(Element::primitive(tag::OCTET_STRING, &digest))),
        ];
        let mut attributes: Vec<Element> =
            given.into_iter().filter_map(|(oid, value)| value.map(|value| encode_attribute(oid, value))).collect();
        attributes.sort_by_key(Element::encode);
        attributes
    }

    fn signature(&self, signer: &Signer, attributes: &[u8]) -> anyhow::Result<Vec<u8>> {
        match &signer.key {
            Key::Rsa(key) => self.hash.sign((**key).as_ref(), attributes),
            other => other.sign(attributes),
        }
    }
}

/// RFC 3370 §3.2: "rsaEncryption", which every receiver knows; that of the key where the key is another.
fn signature_algorithm(key: &Key) -> anyhow::Result<Element> {
    match key {
        Key::Rsa(_) => Ok(identifier(RSA_ENCRYPTION, null())),
        other => Ok(Element::parse(&der::Encode::to_der(&other.algorithm()?)?)?),
    }
}

fn encode_attribute(oid: ObjectIdentifier, value: Element) -> Element {
    Element::sequence(vec![Element::object_identifier(oid), Element::constructed(tag::SET, vec![value])])
}

/// A PrintableString.
pub(super) fn printable(text: &str) -> Element {
    Element::primitive(tag::PRINTABLE_STRING, text.as_bytes())
}

/// RFC 8894 §3.2.1.5: "a 16-byte random number generated for each transaction".
pub(super) fn new_nonce() -> anyhow::Result<Element> {
    Ok(Element::primitive(tag::OCTET_STRING, &random::<16>()?))
}
