//! Algorithm identifiers (RFC 5280 §4.1.1.2, RFC 4055, RFC 5758, RFC 8410).

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};

use crate::KeyType;
use crate::asn1::{DerWriter, Tlv, tag};

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// SHA-1: for identifiers that protocols fix to it, never for signatures.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A signature algorithm that this gateway verifies or makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// ecdsa-with-SHA256, RFC 5758 §3.2.
    EcdsaSha256,
    /// ecdsa-with-SHA384, RFC 5758 §3.2.
    EcdsaSha384,
    /// ecdsa-with-SHA512, RFC 5758 §3.2.
    EcdsaSha512,
    /// sha256WithRSAEncryption, RFC 4055 §5.
    RsaSha256,
    /// sha384WithRSAEncryption, RFC 4055 §5.
    RsaSha384,
    /// sha512WithRSAEncryption, RFC 4055 §5.
    RsaSha512,
    /// id-Ed25519, RFC 8410 §3.
    Ed25519,
}

impl SignatureAlgorithm {
    /// Every algorithm there is.
    pub const ALL: [Self; 7] = [
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::RsaSha256,
        Self::RsaSha384,
        Self::RsaSha512,
        Self::Ed25519,
    ];

    /// Its object identifier.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::EcdsaSha256 => rfc5912::ECDSA_WITH_SHA_256,
            Self::EcdsaSha384 => rfc5912::ECDSA_WITH_SHA_384,
            Self::EcdsaSha512 => rfc5912::ECDSA_WITH_SHA_512,
            Self::RsaSha256 => rfc5912::SHA_256_WITH_RSA_ENCRYPTION,
            Self::RsaSha384 => rfc5912::SHA_384_WITH_RSA_ENCRYPTION,
            Self::RsaSha512 => rfc5912::SHA_512_WITH_RSA_ENCRYPTION,
            Self::Ed25519 => rfc8410::ID_ED_25519,
        }
    }

    /// Can a key of this type make it?
    #[must_use]
    pub const fn suits(self, key: KeyType) -> bool {
        match self {
            Self::EcdsaSha256 | Self::EcdsaSha384 | Self::EcdsaSha512 => {
                matches!(key, KeyType::P256 | KeyType::P384 | KeyType::P521)
            }
            Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512 => matches!(key, KeyType::Rsa { .. }),
            Self::Ed25519 => matches!(key, KeyType::Ed25519),
        }
    }

    /// Reads an AlgorithmIdentifier. `Ok(None)` is a well-formed one of an algorithm that is not known here.
    pub(crate) fn read(tlv: Tlv<'_>) -> der::Result<Option<Self>> {
        let mut reader = tlv.contents()?;
        let oid = reader.expect(tag::OID)?.oid()?;
        let parameters = if reader.is_finished() { None } else { Some(reader.any()?) };
        reader.finish()?;
        let algorithm = Self::ALL.into_iter().find(|algorithm| algorithm.oid() == oid);
        Ok(algorithm.filter(|algorithm| match (algorithm, parameters) {
            // RFC 4055 §5: parameters MUST be NULL; "implementations MUST accept the parameters being absent as well as present".
            (Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512, Some(parameters)) => parameters.raw == [tag::NULL, 0],
            // RFC 5758 §3.2, RFC 8410 §3: parameters MUST be absent.
            (_, Some(_)) => false,
            (_, None) => true,
        }))
    }

    /// Writes the AlgorithmIdentifier: NULL parameters for RSA (RFC 4055 §5), none for the others (RFC 5758 §3.2, RFC 8410 §3).
    pub fn write(self, writer: &mut DerWriter) {
        writer.sequence(|w| {
            w.oid(&self.oid());
            if matches!(self, Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512) {
                w.tlv(tag::NULL, &[]);
            }
        });
    }
}
