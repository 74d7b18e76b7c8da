//! X.509 certificates as certgate reads them back: its own CAs', what a back end returned, what a client presents.

mod outline;

use std::ops::Range;

use crate::asn1::{Tlv, tag};
use crate::limits::MAX_CERTIFICATE;
use crate::provider::Provider;
use crate::{BadSignature, Extensions, Name, PublicKey, Serial, SignatureAlgorithm, Timestamp, Validity};

pub use outline::CertificateOutline;

/// Not a certificate, or not one that certgate can read; says which part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an X.509 v3 certificate (RFC 5280 §4.1): {0}")]
pub struct CertificateError(pub &'static str);

/// A certificate with the bytes it came as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    raw: Vec<u8>,
    to_be_signed: Range<usize>,
    signature: Range<usize>,
    algorithm: Option<SignatureAlgorithm>,
    serial: Serial,
    issuer: Name,
    validity: Validity,
    subject: Name,
    public_key: PublicKey,
    extensions: Extensions,
}

impl Certificate {
    /// Reads a certificate. Its signature is not looked at: see [`Self::verify_signed_by`].
    ///
    /// # Errors
    /// [`CertificateError`] with the part that is malformed.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE {
            return Err(CertificateError("too large"));
        }
        let malformed = |part: &'static str| move |_: der::Error| CertificateError(part);
        let outer = Tlv::only(der).map_err(malformed("Certificate"))?;
        if outer.tag != tag::SEQUENCE {
            return Err(CertificateError("Certificate"));
        }
        let mut reader = outer.contents().map_err(malformed("Certificate"))?;
        let tbs = reader.expect(tag::SEQUENCE).map_err(malformed("tbsCertificate"))?;
        let outer_algorithm = reader.expect(tag::SEQUENCE).map_err(malformed("signatureAlgorithm"))?;
        let signature = reader.expect(tag::BIT_STRING).map_err(malformed("signatureValue"))?;
        reader.finish().map_err(malformed("what follows signatureValue"))?;
        let [0, signature @ ..] = signature.value else { return Err(CertificateError("signatureValue")) };

        let mut fields = tbs.contents().map_err(malformed("tbsCertificate"))?;
        let version = fields.expect(tag::context_constructed(0)).map_err(malformed("version"))?;
        if version.value != [tag::INTEGER, 1, 2] {
            return Err(CertificateError("version"));
        }
        let serial = fields.any().map_err(malformed("serialNumber"))?;
        let serial = Serial::read(serial).ok_or(CertificateError("serialNumber"))?;
        let inner_algorithm = fields.expect(tag::SEQUENCE).map_err(malformed("signature"))?;
        // RFC 5280 §4.1.1.2: "MUST contain the same algorithm identifier as the signature field in the sequence tbsCertificate".
        if inner_algorithm.raw != outer_algorithm.raw {
            return Err(CertificateError("signatureAlgorithm differs from signature"));
        }
        let algorithm = SignatureAlgorithm::read(inner_algorithm).map_err(malformed("signature"))?;
        let issuer = fields.any().and_then(Name::read).map_err(malformed("issuer"))?;
        let validity = fields.expect(tag::SEQUENCE).and_then(read_validity).map_err(malformed("validity"))?;
        let subject = fields.any().and_then(Name::read).map_err(malformed("subject"))?;
        let public_key = fields.any().and_then(PublicKey::read).map_err(malformed("subjectPublicKeyInfo"))?;
        let extensions = fields.optional(tag::context_constructed(3)).map_err(malformed("extensions"))?;
        fields.finish().map_err(malformed("what follows extensions"))?;
        let extensions = extensions.map_or_else(|| Ok(Extensions::default()), |tlv| Extensions::from_der(tlv.value));

        let tbs_start = der.len() - outer.value.len();
        Ok(Self {
            raw: der.to_vec(),
            to_be_signed: tbs_start..tbs_start + tbs.raw.len(),
            signature: der.len() - signature.len()..der.len(),
            algorithm,
            serial,
            issuer,
            validity,
            subject,
            public_key,
            extensions: extensions.map_err(malformed("extensions"))?,
        })
    }

    /// Is the signature that key's?
    ///
    /// # Errors
    /// [`BadSignature`] when it is not, or is of an algorithm that is not supported.
    pub fn verify_signed_by(&self, key: &PublicKey, provider: &Provider) -> Result<(), BadSignature> {
        let signature = self.raw.get(self.signature.clone()).ok_or(BadSignature)?;
        provider.verify.verify(key, self.algorithm.ok_or(BadSignature)?, self.to_be_signed(), signature)
    }

    /// The TBSCertificate as received.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        self.raw.get(self.to_be_signed.clone()).unwrap_or_default()
    }

    /// DER, byte for byte as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.raw
    }

    /// Serial number.
    #[must_use]
    pub const fn serial(&self) -> &Serial {
        &self.serial
    }

    /// Who signed it, by name.
    #[must_use]
    pub const fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// From when to when.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// Whose it is.
    #[must_use]
    pub const fn subject(&self) -> &Name {
        &self.subject
    }

    /// The certified key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Its extensions.
    #[must_use]
    pub const fn extensions(&self) -> &Extensions {
        &self.extensions
    }
}

fn read_validity(tlv: Tlv<'_>) -> der::Result<Validity> {
    let mut reader = tlv.contents()?;
    let not_before = Timestamp::read_time(reader.any()?)?;
    let not_after = Timestamp::read_time(reader.any()?)?;
    reader.finish()?;
    Ok(Validity { not_before, not_after })
}
