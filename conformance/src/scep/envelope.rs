//! EnvelopedData (RFC 5652 §6) with one recipient by RSA key transport: RFC 8894 §3.2.2.

use anyhow::{anyhow, bail};
use const_oid::ObjectIdentifier;
use rsa::pkcs8::DecodePublicKey;

use super::algorithm::{Cipher, RSA_ENCRYPTION, identifier, null};
use crate::{
    asn1::{Element, Fault, tag},
    certificate::Certificate,
    key::random,
};

/// `id-data` (RFC 5652 §4).
pub(super) const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
/// `id-signedData` (RFC 5652 §5.1).
pub(super) const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// `id-envelopedData` (RFC 5652 §6.1).
pub(super) const ID_ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");

/// An envelope as it is made; each part may be spoiled.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    /// `issuerAndSerialNumber` of the recipient.
    pub(super) recipient: Element,
    /// `encryptedKey`.
    pub(super) encrypted_key: Vec<u8>,
    /// `contentType`.
    pub(super) kind: ObjectIdentifier,
    pub(super) cipher: Cipher,
    pub(super) iv: Vec<u8>,
    /// `encryptedContent`.
    pub(super) contents: Vec<u8>,
}

impl Envelope {
    /// Contents for the key of a certificate.
    ///
    /// # Errors
    /// A certificate whose key is not RSA.
    pub(super) fn seal(contents: &[u8], cipher: Cipher, recipient: &Certificate) -> anyhow::Result<Self> {
        Self::seal_blocks(&cipher.pad(contents), cipher, recipient)
    }

    /// The same of whole blocks, whose padding is the caller's.
    pub(super) fn seal_blocks(blocks: &[u8], cipher: Cipher, recipient: &Certificate) -> anyhow::Result<Self> {
        let material: [u8; 32] = random()?;
        let key = material.get(..cipher.key_length()).unwrap_or_default();
        let material: [u8; 16] = random()?;
        let iv = material.get(..cipher.block()).unwrap_or_default();
        Ok(Self {
            recipient: issuer_and_serial(recipient),
            encrypted_key: transport(key, recipient)?,
            kind: ID_DATA,
            cipher,
            iv: iv.to_vec(),
            contents: cipher.encrypt((key, iv), blocks)?,
        })
    }

    /// The ContentInfo.
    pub(super) fn encode(&self) -> Element {
        let integer_0 = Element::primitive(tag::INTEGER, &[0]);
        let recipient = Element::sequence(vec![
            integer_0.clone(),
            self.recipient.clone(),
            identifier(RSA_ENCRYPTION, null()),
            Element::primitive(tag::OCTET_STRING, &self.encrypted_key),
        ]);
        let enclosed = Element::sequence(vec![
            Element::object_identifier(self.kind),
            identifier(self.cipher.oid(), Some(Element::primitive(tag::OCTET_STRING, &self.iv))),
            Element::primitive(tag::context_primitive(0), &self.contents),
        ]);
        let enveloped = Element::sequence(vec![integer_0, Element::constructed(tag::SET, vec![recipient]), enclosed]);
        content_info(ID_ENVELOPED_DATA, enveloped)
    }

    /// Reads a ContentInfo in DER: one recipient, by key transport, and AES or DES in CBC mode.
    ///
    /// # Errors
    /// The first departure from that.
    pub(super) fn read(message: &Element) -> Result<Self, Fault> {
        let enveloped = content(message, ID_ENVELOPED_DATA)?;
        let [version, recipients, enclosed] = enveloped.elements() else {
            return Err(Fault::new("EnvelopedData is not a version, recipients and contents"));
        };
        let [recipient] = recipients.expect_tag(tag::SET, "recipientInfos")?.elements() else {
            return Err(Fault::new("an envelope for more or less than one recipient"));
        };
        let [recipient_version, name, transport, key] =
            recipient.expect_tag(tag::SEQUENCE, "KeyTransRecipientInfo")?.elements()
        else {
            return Err(Fault::new("KeyTransRecipientInfo is a SEQUENCE of four"));
        };
        // RFC 5652 §6.1 and §6.2.1: no originatorInfo, the recipient by issuerAndSerialNumber: both versions are 0.
        if version.octets() != [0] || recipient_version.octets() != [0] {
            return Err(Fault::new("the version of EnvelopedData or of KeyTransRecipientInfo is not 0"));
        }
        if transport.elements().first().and_then(Element::oid) != Some(RSA_ENCRYPTION) {
            return Err(Fault::new("keyEncryptionAlgorithm is not rsaEncryption"));
        }
        let (kind, cipher, iv, contents) = read_enclosed(enclosed)?;
        let encrypted_key = key.expect_tag(tag::OCTET_STRING, "encryptedKey")?.octets().to_vec();
        Ok(Self { recipient: name.clone(), encrypted_key, kind, cipher, iv, contents })
    }

    /// Opens it.
    ///
    /// # Errors
    /// Another recipient's envelope.
    pub(super) fn open(&self, key: &rsa::PrivateKey) -> anyhow::Result<Vec<u8>> {
        let content_key =
            key.pkcs1v15_decrypt(&self.encrypted_key).map_err(|error| anyhow!("the content key does not decrypt: {error}"))?;
        if content_key.len() != self.cipher.key_length() {
            bail!("a content key of {} octets for {:?}", content_key.len(), self.cipher);
        }
        self.cipher.decrypt((&content_key, &self.iv), &self.contents)
    }
}

fn read_enclosed(enclosed: &Element) -> Result<(ObjectIdentifier, Cipher, Vec<u8>, Vec<u8>), Fault> {
    let [kind, algorithm, contents] = enclosed.elements() else {
        return Err(Fault::new("EncryptedContentInfo is a SEQUENCE of three"));
    };
    let [cipher, iv] = algorithm.elements() else { return Err(Fault::new("contentEncryptionAlgorithm without parameters")) };
    let cipher =
        cipher.oid().and_then(Cipher::by_oid).ok_or_else(|| Fault::new("a contentEncryptionAlgorithm unknown here"))?;
    let kind = kind.oid().ok_or_else(|| Fault::new("EncryptedContentInfo without contentType"))?;
    let iv = iv.expect_tag(tag::OCTET_STRING, "initialization vector")?.octets().to_vec();
    let contents = contents.expect_tag(tag::context_primitive(0), "encryptedContent")?.octets().to_vec();
    Ok((kind, cipher, iv, contents))
}

/// A key for the holder of a certificate (RFC 3370 §4.2.1).
pub(super) fn transport(key: &[u8], recipient: &Certificate) -> anyhow::Result<Vec<u8>> {
    let public = rsa::PublicKey::from_public_key_der(&recipient.spki.encode()).map_err(|error| anyhow!("RSA key: {error}"))?;
    public.pkcs1v15_encrypt(key).map_err(|error| anyhow!("key transport: {error}"))
}

/// IssuerAndSerialNumber (RFC 5652 §10.2.4).
pub(super) fn issuer_and_serial(certificate: &Certificate) -> Element {
    Element::sequence(vec![certificate.issuer.clone(), Element::primitive(tag::INTEGER, &certificate.serial)])
}

/// ContentInfo (RFC 5652 §3).
pub(super) fn content_info(kind: ObjectIdentifier, content: Element) -> Element {
    Element::sequence(vec![Element::object_identifier(kind), Element::constructed(tag::context(0), vec![content])])
}

/// The content of a ContentInfo of this kind.
///
/// # Errors
/// Another kind, or no ContentInfo.
pub(super) fn content(message: &Element, kind: ObjectIdentifier) -> Result<&Element, Fault> {
    let [found, wrapper] = message.elements() else { return Err(Fault::new("ContentInfo is a SEQUENCE of two")) };
    if found.oid() != Some(kind) {
        return Err(Fault(format!("contentType is not {kind}")));
    }
    let [content] = wrapper.expect_tag(tag::context(0), "content")?.elements() else {
        return Err(Fault::new("content [0] holds one value"));
    };
    Ok(content)
}
