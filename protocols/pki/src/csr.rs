//! PKCS#10 certification requests (RFC 2986).

use std::ops::Range;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::ID_EXTENSION_REQ;

use crate::asn1::{DerReader, Tlv, tag};
use crate::limits::{MAX_CSR, MAX_CSR_ATTRIBUTES};
use crate::provider::Provider;
use crate::{Extensions, Name, PublicKey, RequestedExtensions, SignatureAlgorithm};

/// Why a request was not read or not believed. All of these are the client's doing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// More than [`MAX_CSR`] octets.
    #[error("the CSR is larger than {MAX_CSR} octets")]
    TooLarge,
    /// Not a CertificationRequest; says in which part.
    #[error("the CSR is not a DER CertificationRequest (RFC 2986 §4.2): {0} is malformed")]
    Malformed(&'static str),
    /// The signature algorithm is not one that certgate verifies.
    #[error("the CSR's signature algorithm is not supported; use ECDSA, RSA or Ed25519 with SHA-256 or better")]
    UnsupportedSignature,
    /// The signature is not the requested key's: no proof that the requester has the private key.
    #[error("the CSR's signature does not verify with the public key in it (proof of possession, RFC 2986 §4.2)")]
    BadSignature,
}

/// A certification request as it was received, read as far as certgate judges it.
///
/// ```text
/// CertificationRequest ::= SEQUENCE {                      RFC 2986 §4.2
///     certificationRequestInfo  SEQUENCE {                 §4.1
///         version INTEGER { v1(0) }, subject Name, subjectPKInfo SubjectPublicKeyInfo,
///         attributes [0] IMPLICIT SET OF Attribute },
///     signatureAlgorithm  AlgorithmIdentifier,
///     signature           BIT STRING }
/// ```
///
/// Taken beyond the letter: absent attributes and attributes out of order, both of which living clients send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csr {
    raw: Vec<u8>,
    info: Range<usize>,
    signature: Range<usize>,
    algorithm: Option<SignatureAlgorithm>,
    subject: Name,
    public_key: PublicKey,
    requested: RequestedExtensions,
}

impl Csr {
    /// Reads a request. Its signature is not looked at: see [`Self::verify`].
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] or [`CsrError::Malformed`].
    pub fn from_der(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > MAX_CSR {
            return Err(CsrError::TooLarge);
        }
        let malformed = |part: &'static str| move |_: der::Error| CsrError::Malformed(part);
        let outer = Tlv::only(der).map_err(malformed("the outer SEQUENCE"))?;
        let mut reader = outer.contents().map_err(malformed("the outer SEQUENCE"))?;
        let info = reader.expect(tag::SEQUENCE).map_err(malformed("certificationRequestInfo"))?;
        let algorithm = reader.expect(tag::SEQUENCE).and_then(SignatureAlgorithm::read);
        let algorithm = algorithm.map_err(malformed("signatureAlgorithm"))?;
        let signature = reader.expect(tag::BIT_STRING).map_err(malformed("signature"))?;
        reader.finish().map_err(malformed("what follows the signature"))?;
        let [0, signature @ ..] = signature.value else { return Err(CsrError::Malformed("signature")) };
        if outer.tag != tag::SEQUENCE {
            return Err(CsrError::Malformed("the outer SEQUENCE"));
        }

        let mut fields = info.contents().map_err(malformed("certificationRequestInfo"))?;
        let version = fields.expect(tag::INTEGER).map_err(malformed("version"))?;
        if version.value != [0] {
            return Err(CsrError::Malformed("version"));
        }
        let subject = fields.any().and_then(Name::read).map_err(malformed("subject"))?;
        let public_key = fields.any().and_then(PublicKey::read).map_err(malformed("subjectPKInfo"))?;
        let extensions = read_attributes(&mut fields).map_err(malformed("attributes"))?;
        fields.finish().map_err(malformed("what follows the attributes"))?;
        let requested = RequestedExtensions::read(&extensions).map_err(malformed("a requested extension"))?;

        // `info` starts where the contents of the outer SEQUENCE start; the signature ends the whole.
        let info_start = der.len() - outer.value.len();
        Ok(Self {
            raw: der.to_vec(),
            info: info_start..info_start + info.raw.len(),
            signature: der.len() - signature.len()..der.len(),
            algorithm,
            subject,
            public_key,
            requested,
        })
    }

    /// Verifies the request's signature with the key in it, over the bytes as received.
    ///
    /// # Errors
    /// [`CsrError::UnsupportedSignature`] or [`CsrError::BadSignature`].
    pub fn verify(self, provider: &Provider) -> Result<VerifiedCsr, CsrError> {
        let algorithm = self.algorithm.ok_or(CsrError::UnsupportedSignature)?;
        let info = self.raw.get(self.info.clone()).unwrap_or_default();
        let signature = self.raw.get(self.signature.clone()).unwrap_or_default();
        provider.verify.verify(&self.public_key, algorithm, info, signature).map_err(|_| CsrError::BadSignature)?;
        Ok(VerifiedCsr(self))
    }

    /// DER, byte for byte as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.raw
    }

    /// The certificationRequestInfo: what is signed.
    #[must_use]
    pub fn info(&self) -> &[u8] {
        self.raw.get(self.info.clone()).unwrap_or_default()
    }

    /// Who the requester says it is.
    #[must_use]
    pub const fn subject(&self) -> &Name {
        &self.subject
    }

    /// The key to certify.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// What its extensionRequest (RFC 2985 §5.4.2) asks for.
    #[must_use]
    pub const fn requested(&self) -> &RequestedExtensions {
        &self.requested
    }
}

/// A request whose sender has shown that it holds the private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCsr(Csr);

impl std::ops::Deref for VerifiedCsr {
    type Target = Csr;

    fn deref(&self) -> &Csr {
        &self.0
    }
}

/// Reads `[0] IMPLICIT SET OF Attribute` and finds the one extensionRequest.
fn read_attributes(fields: &mut DerReader<'_>) -> der::Result<Extensions> {
    let Some(attributes) = fields.optional(tag::context_constructed(0))? else { return Ok(Extensions::default()) };
    let mut reader = attributes.contents()?;
    let mut seen: Vec<ObjectIdentifier> = Vec::new();
    let mut extensions = Extensions::default();
    while !reader.is_finished() {
        let mut attribute = reader.expect(tag::SEQUENCE)?.contents()?;
        let oid = attribute.expect(tag::OID)?.oid()?;
        let values = attribute.expect(tag::SET)?;
        attribute.finish()?;
        // RFC 2986 §4.1: an attribute type occurs once; two extension requests would let the reader choose.
        if seen.len() == MAX_CSR_ATTRIBUTES || seen.contains(&oid) {
            return Err(der::ErrorKind::Failed.into());
        }
        seen.push(oid);
        if oid == ID_EXTENSION_REQ {
            extensions = Extensions::from_der(values.value)?;
        }
    }
    Ok(extensions)
}
