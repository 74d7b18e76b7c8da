//! SignerInfo (RFC 5652 §5.3), and whether it is right.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_CONTENT_TYPE, ID_MESSAGE_DIGEST};
use const_oid::db::rfc5912::RSA_ENCRYPTION;

use super::signed_data::elements;
use super::{CmsError, malformed};
use crate::algorithm::read_identifier;
use crate::asn1::{DerWriter, Tlv, tag};
use crate::limits::MAX_SIGNED_ATTRIBUTES;
use crate::{DigestAlgorithm, Provider, PublicKey, SignatureAlgorithm};

/// Whose key has signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerId<'a> {
    /// issuerAndSerialNumber.
    IssuerAndSerial {
        /// Name of the issuer, in DER.
        issuer: &'a [u8],
        /// Content octets of the serial number, whatever they are.
        serial: &'a [u8],
    },
    /// subjectKeyIdentifier.
    SubjectKeyIdentifier(&'a [u8]),
}

impl<'a> SignerId<'a> {
    /// Reads an issuerAndSerialNumber, or a key identifier under `[0]`.
    pub(super) fn read(tlv: Tlv<'a>) -> der::Result<Self> {
        match tlv.tag {
            tag::SEQUENCE => {
                let mut reader = tlv.contents()?;
                let issuer = reader.expect(tag::SEQUENCE)?.raw;
                let serial = reader.expect(tag::INTEGER)?.value;
                reader.finish().map(|()| Self::IssuerAndSerial { issuer, serial })
            }
            other if other == tag::context(0) => Ok(Self::SubjectKeyIdentifier(tlv.value)),
            _ => Err(der::ErrorKind::Failed.into()),
        }
    }
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// A digest or signature algorithm that is not taken, or that does not suit the key or the other one.
    #[error("the digest or signature algorithm is not supported, or does not suit the key")]
    Algorithm,
    /// A signature by this kind of key, or with these attributes, that is not over this content.
    #[error("the signature does not verify")]
    Broken,
}

/// A SignerInfo as it was received. One without signed attributes is not read: whoever signs a message of a protocol says in them what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerInfo<'a> {
    /// sid.
    pub id: SignerId<'a>,
    /// digestAlgorithm; `None` is one that is not known here.
    pub digest: Option<DigestAlgorithm>,
    /// signedAttrs.
    pub attributes: SignedAttributes<'a>,
    algorithm: Tlv<'a>,
    signature: &'a [u8],
}

impl<'a> SignerInfo<'a> {
    pub(super) fn read(tlv: Tlv<'a>) -> Result<Self, CmsError> {
        if tlv.tag != tag::SEQUENCE {
            return Err(CmsError::Malformed("SignerInfo"));
        }
        let mut reader = tlv.contents().map_err(malformed("SignerInfo"))?;
        let version = reader.expect(tag::INTEGER).map_err(malformed("version of a SignerInfo"))?;
        // 1 or 3, by the kind of sid (RFC 5652 §5.3); clients that send the other one are understood.
        if !matches!(version.value, [1 | 3]) {
            return Err(CmsError::Malformed("version of a SignerInfo"));
        }
        let id = reader.any().and_then(SignerId::read).map_err(malformed("sid"))?;
        let digest = reader.expect(tag::SEQUENCE).and_then(DigestAlgorithm::read).map_err(malformed("digestAlgorithm"))?;
        let attributes = reader.expect(tag::context_constructed(0)).map_err(malformed("signedAttrs"))?;
        let attributes = SignedAttributes::read(attributes).map_err(malformed("signedAttrs"))?;
        let algorithm = reader.expect(tag::SEQUENCE).map_err(malformed("signatureAlgorithm"))?;
        let signature = reader.expect(tag::OCTET_STRING).map_err(malformed("signature"))?.value;
        reader.optional(tag::context_constructed(1)).map_err(malformed("unsignedAttrs"))?;
        reader.finish().map_err(malformed("what follows a SignerInfo"))?;
        Ok(Self { id, digest, attributes, algorithm, signature })
    }

    /// Verifies that `key` has signed `content` with these attributes (RFC 5652 §5.4, §5.6).
    ///
    /// A messageDigest has to be there and to be that of the content; a contentType has to be `content_type` if it is there, since some
    /// clients leave it out. The signature is over the attributes as a SET OF: as they came, or else in the order of DER, in which some
    /// clients sign them and not send them.
    ///
    /// # Errors
    /// [`SignatureFault`].
    pub fn verify(
        &self,
        key: &PublicKey,
        content_type: &ObjectIdentifier,
        content: &[u8],
        provider: &Provider,
    ) -> Result<(), SignatureFault> {
        let digest = self.digest.filter(|digest| *digest != DigestAlgorithm::Sha1).ok_or(SignatureFault::Algorithm)?;
        let algorithm = self.signature_algorithm(digest).filter(|algorithm| algorithm.suits(key.key_type()));
        let algorithm = algorithm.ok_or(SignatureFault::Algorithm)?;
        let attribute = |oid: &ObjectIdentifier| self.attributes.get(oid).map_err(|_| SignatureFault::Broken);
        let claimed = attribute(&ID_MESSAGE_DIGEST)?.filter(|claimed| claimed.tag == tag::OCTET_STRING);
        if claimed.is_none_or(|claimed| claimed.value != provider.digest.digest(digest, content)) {
            return Err(SignatureFault::Broken);
        }
        if let Some(claimed) = attribute(&ID_CONTENT_TYPE)?
            && claimed.oid().ok().as_ref() != Some(content_type)
        {
            return Err(SignatureFault::Broken);
        }
        let is_signed = |attributes: &[u8]| provider.verify.verify(key, algorithm, attributes, self.signature).is_ok();
        if is_signed(&self.attributes.as_received()) || self.attributes.sorted().is_some_and(|sorted| is_signed(&sorted)) {
            return Ok(());
        }
        Err(SignatureFault::Broken)
    }

    /// RFC 3370 §3.2: rsaEncryption, with the digest beside it, or the algorithm of both; the digest has to be the same.
    fn signature_algorithm(&self, digest: DigestAlgorithm) -> Option<SignatureAlgorithm> {
        let (oid, parameters) = read_identifier(self.algorithm).ok()?;
        if oid == RSA_ENCRYPTION && parameters.is_none_or(|parameters| parameters.raw == [tag::NULL, 0]) {
            return match digest {
                DigestAlgorithm::Sha1 => None,
                DigestAlgorithm::Sha256 => Some(SignatureAlgorithm::RsaSha256),
                DigestAlgorithm::Sha384 => Some(SignatureAlgorithm::RsaSha384),
                DigestAlgorithm::Sha512 => Some(SignatureAlgorithm::RsaSha512),
            };
        }
        let algorithm = SignatureAlgorithm::read(self.algorithm).ok().flatten()?;
        (algorithm.digest() == digest).then_some(algorithm)
    }
}

/// signedAttrs as they were received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAttributes<'a> {
    /// Each with its tag, length and contents.
    all: Vec<(ObjectIdentifier, Tlv<'a>)>,
    /// Contents of the SET.
    value: &'a [u8],
}

impl<'a> SignedAttributes<'a> {
    fn read(set: Tlv<'a>) -> der::Result<Self> {
        let mut all: Vec<(ObjectIdentifier, Tlv<'a>)> = Vec::new();
        for attribute in elements(set, MAX_SIGNED_ATTRIBUTES)? {
            let oid = attribute.contents()?.expect(tag::OID)?.oid()?;
            // RFC 5652 §5.3: "The SET OF signedAttrs MUST NOT include multiple instances of" an attribute of the protocols here.
            if attribute.tag != tag::SEQUENCE || all.iter().any(|(other, _)| *other == oid) {
                return Err(der::ErrorKind::Failed.into());
            }
            all.push((oid, attribute));
        }
        Ok(Self { all, value: set.value })
    }

    /// The value of an attribute that has one; `None` when there is no such attribute.
    ///
    /// # Errors
    /// When the attribute has no value, or several.
    pub fn get(&self, oid: &ObjectIdentifier) -> der::Result<Option<Tlv<'a>>> {
        let Some((_, attribute)) = self.all.iter().find(|(other, _)| other == oid) else { return Ok(None) };
        let mut reader = attribute.contents()?;
        reader.expect(tag::OID)?;
        let values = reader.expect(tag::SET)?;
        reader.finish()?;
        Tlv::only(values.value).map(Some)
    }

    /// RFC 5652 §5.4: "A separate encoding of the signedAttrs field is performed for message digest calculation. The IMPLICIT `[0]` tag in
    /// the signedAttrs is not used for the DER encoding, rather an EXPLICIT SET OF tag is used."
    fn as_received(&self) -> Vec<u8> {
        let mut writer = DerWriter::with_capacity(self.value.len() + 8);
        writer.tlv(tag::SET, self.value);
        writer.finish()
    }

    /// The same in the order of DER; `None` when it was in that order.
    fn sorted(&self) -> Option<Vec<u8>> {
        let raw: Vec<&[u8]> = self.all.iter().map(|(_, attribute)| attribute.raw).collect();
        if raw.is_sorted() {
            return None;
        }
        let mut writer = DerWriter::with_capacity(self.value.len() + 8);
        writer.set_of(tag::SET, raw);
        Some(writer.finish())
    }
}
