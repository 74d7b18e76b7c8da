//! PKCS#10 certification requests (RFC 2986).

use std::fmt;
use std::ops::Range;

use crate::asn1::{DerWriter, Tlv, tag};
use crate::csr_attributes::{CsrAttributes, read_attributes};
use crate::limits::{MAX_CSR, MIN_RSA_BITS};
use crate::provider::Provider;
use crate::{ChangeSubjectName, KeyType, Name, PublicKey, RequestedExtensions, SignatureAlgorithm};

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
    #[error(
        "the CSR's signature algorithm is not supported; use Ed25519, ECDSA, or RSA with PKCS#1 v1.5 or PSS padding, all but the first \
         with SHA-256, SHA-384 or SHA-512, in PSS the same for MGF1"
    )]
    UnsupportedSignature,
    /// The key is of a kind that nothing is verified with.
    #[error("no requests with a key of this kind are verified: {0}")]
    UnsupportedKey(KeyType),
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
#[derive(Clone, PartialEq, Eq)]
pub struct Csr {
    raw: Vec<u8>,
    info: Range<usize>,
    signature: Range<usize>,
    algorithm: Option<SignatureAlgorithm>,
    subject: Name,
    public_key: PublicKey,
    attributes: CsrAttributes,
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
        let attributes = fields.optional(tag::context_constructed(0)).map_err(malformed("attributes"))?;
        fields.finish().map_err(malformed("what follows the attributes"))?;
        let attributes = attributes.map_or_else(|| Ok(CsrAttributes::default()), read_attributes)?;

        // `info` starts where the contents of the outer SEQUENCE start; the signature ends the whole.
        let info_start = der.len() - outer.value.len();
        Ok(Self {
            raw: der.to_vec(),
            info: info_start..info_start + info.raw.len(),
            signature: der.len() - signature.len()..der.len(),
            algorithm,
            subject,
            public_key,
            attributes,
        })
    }

    /// Verifies the request's signature with the key in it, over the bytes as received.
    ///
    /// # Errors
    /// [`CsrError::UnsupportedKey`], [`CsrError::UnsupportedSignature`] or [`CsrError::BadSignature`].
    pub fn verify(self, provider: &Provider) -> Result<VerifiedCsr, CsrError> {
        let key = self.public_key.key_type();
        if matches!(key, KeyType::Unknown(_) | KeyType::Rsa { bits: ..MIN_RSA_BITS }) {
            return Err(CsrError::UnsupportedKey(key));
        }
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
        &self.attributes.requested
    }

    /// Its challengePassword (RFC 2985 §5.4.1): EST binds the request to its TLS session with it (RFC 7030 §3.5).
    #[must_use]
    pub fn challenge_password(&self) -> Option<&str> {
        self.attributes.challenge_password.as_deref().map(String::as_str)
    }

    /// Its ChangeSubjectName (RFC 6402 §2.8), which asks for other names than its subject and subjectAltName say.
    #[must_use]
    pub const fn change_subject_name(&self) -> Option<&ChangeSubjectName> {
        self.attributes.change_subject_name.as_ref()
    }

    /// The certificationRequestInfo as it would be without its challengePassword, in DER: what stays the same when a client asks again
    /// from another TLS session, for which it has to make that attribute, and so the signature, anew (RFC 7030 §4.2.3, §3.5).
    #[must_use]
    pub fn info_without_challenge(&self) -> Vec<u8> {
        let mut writer = DerWriter::with_capacity(self.info.len());
        writer.sequence(|w| {
            w.tlv(tag::INTEGER, &[0]).raw(self.subject.as_der()).raw(self.public_key.spki());
            w.set_of(tag::context_constructed(0), self.attributes.others().collect());
        });
        writer.finish()
    }
}

/// Without the octets: a challengePassword would be in them.
impl fmt::Debug for Csr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, public_key, attributes, .. } = self;
        let mut told = f.debug_struct("Csr");
        told.field("subject", subject).field("public_key", &public_key.key_type()).field("attributes", attributes);
        told.finish_non_exhaustive()
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
