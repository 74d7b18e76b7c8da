//! Algorithm identifiers (RFC 5280 §4.1.1.2, RFC 4055, RFC 5758, RFC 8410).

mod pss;

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};

use self::pss::PssParameters;
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

impl DigestAlgorithm {
    /// Its object identifier.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => rfc5912::ID_SHA_1,
            Self::Sha256 => rfc5912::ID_SHA_256,
            Self::Sha384 => rfc5912::ID_SHA_384,
            Self::Sha512 => rfc5912::ID_SHA_512,
        }
    }

    /// Reads an AlgorithmIdentifier. `Ok(None)` is a well-formed one of an algorithm that is not known here, or with parameters that it has
    /// not.
    ///
    /// # Errors
    /// When this is no AlgorithmIdentifier (RFC 5280 §4.1.1.2).
    pub fn read(tlv: Tlv<'_>) -> der::Result<Option<Self>> {
        let (oid, parameters) = split_identifier(tlv)?;
        let known = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|known| known.oid().as_bytes() == oid.value);
        if known.is_none() {
            oid.oid()?;
        }
        // RFC 4055 §2.1: "All implementations MUST accept both NULL and absent parameters as legal and equivalent encodings."
        let has_others = parameters.is_some_and(|parameters| parameters.raw != [tag::NULL, 0]);
        Ok(known.filter(|_| !has_others))
    }

    /// Writes the AlgorithmIdentifier: with NULL parameters, as sha256Identifier and its like have (RFC 4055 §2.1).
    pub fn write(self, writer: &mut DerWriter) {
        writer.sequence(|w| {
            w.oid(&self.oid()).tlv(tag::NULL, &[]);
        });
    }
}

/// The OID and the parameters of an AlgorithmIdentifier.
pub(crate) fn read_identifier<'a>(tlv: Tlv<'a>) -> der::Result<(ObjectIdentifier, Option<Tlv<'a>>)> {
    let (oid, parameters) = split_identifier(tlv)?;
    Ok((oid.oid()?, parameters))
}

/// The same, the OID as it came.
fn split_identifier<'a>(tlv: Tlv<'a>) -> der::Result<(Tlv<'a>, Option<Tlv<'a>>)> {
    if tlv.tag != tag::SEQUENCE {
        return Err(der::ErrorKind::Failed.into());
    }
    let mut reader = tlv.contents()?;
    let oid = reader.expect(tag::OID)?;
    let parameters = if reader.is_finished() { None } else { Some(reader.any()?) };
    reader.finish().map(|()| (oid, parameters))
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
    /// id-RSASSA-PSS with SHA-256 and MGF1 of the same, RFC 4055 §3.1.
    RsaPssSha256 {
        /// Octets of salt.
        salt: u16,
    },
    /// id-RSASSA-PSS with SHA-384 and MGF1 of the same, RFC 4055 §3.1.
    RsaPssSha384 {
        /// Octets of salt.
        salt: u16,
    },
    /// id-RSASSA-PSS with SHA-512 and MGF1 of the same, RFC 4055 §3.1.
    RsaPssSha512 {
        /// Octets of salt.
        salt: u16,
    },
    /// id-Ed25519, RFC 8410 §3.
    Ed25519,
}

impl SignatureAlgorithm {
    /// Every algorithm there is, RSASSA-PSS with as much salt as RFC 4055 §3.1 recommends: as many octets as the hash has.
    pub const ALL: [Self; 10] = [
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::RsaSha256,
        Self::RsaSha384,
        Self::RsaSha512,
        Self::RsaPssSha256 { salt: 32 },
        Self::RsaPssSha384 { salt: 48 },
        Self::RsaPssSha512 { salt: 64 },
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
            Self::RsaPssSha256 { .. } | Self::RsaPssSha384 { .. } | Self::RsaPssSha512 { .. } => rfc5912::ID_RSASSA_PSS,
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
            // RFC 4055 §3.1: a key under rsaEncryption makes both. One under id-RSASSA-PSS is none that is known here.
            Self::RsaSha256
            | Self::RsaSha384
            | Self::RsaSha512
            | Self::RsaPssSha256 { .. }
            | Self::RsaPssSha384 { .. }
            | Self::RsaPssSha512 { .. } => matches!(key, KeyType::Rsa { .. }),
            Self::Ed25519 => matches!(key, KeyType::Ed25519),
        }
    }

    /// Reads an AlgorithmIdentifier. `Ok(None)` is a well-formed one of an algorithm that is not known here.
    ///
    /// # Errors
    /// When this is no AlgorithmIdentifier (RFC 5280 §4.1.1.2), or the parameters of id-RSASSA-PSS are malformed (RFC 4055 §3.1).
    pub fn read(tlv: Tlv<'_>) -> der::Result<Option<Self>> {
        let (oid, parameters) = read_identifier(tlv)?;
        if oid == rfc5912::ID_RSASSA_PSS {
            // RFC 4055 §3.1: "The parameters MUST be present when used in the algorithm identifier associated with a signature value."
            return parameters.map_or(Ok(None), |parameters| Ok(PssParameters::read(parameters)?.and_then(Self::of_pss)));
        }
        let algorithm = Self::ALL.into_iter().find(|algorithm| algorithm.oid() == oid);
        Ok(algorithm.filter(|algorithm| match (algorithm, parameters) {
            // RFC 4055 §5: parameters MUST be NULL; "implementations MUST accept the parameters being absent as well as present".
            (Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512, Some(parameters)) => parameters.raw == [tag::NULL, 0],
            // RFC 5758 §3.2, RFC 8410 §3: parameters MUST be absent.
            (_, Some(_)) => false,
            (_, None) => true,
        }))
    }

    /// Writes the AlgorithmIdentifier: NULL parameters for RSA with PKCS#1 v1.5 padding (RFC 4055 §5), hash, mask and salt for RSASSA-PSS
    /// (RFC 4055 §3.1), none for the others (RFC 5758 §3.2, RFC 8410 §3).
    pub fn write(self, writer: &mut DerWriter) {
        writer.sequence(|w| {
            w.oid(&self.oid());
            if let Some(parameters) = self.pss() {
                parameters.write(w);
            } else if self.is_pkcs1() {
                w.tlv(tag::NULL, &[]);
            }
        });
    }

    /// What it hashes with; Ed25519 by itself (RFC 8419 §2.3).
    #[must_use]
    pub const fn digest(self) -> DigestAlgorithm {
        match self {
            Self::EcdsaSha256 | Self::RsaSha256 | Self::RsaPssSha256 { .. } => DigestAlgorithm::Sha256,
            Self::EcdsaSha384 | Self::RsaSha384 | Self::RsaPssSha384 { .. } => DigestAlgorithm::Sha384,
            Self::EcdsaSha512 | Self::RsaSha512 | Self::RsaPssSha512 { .. } | Self::Ed25519 => DigestAlgorithm::Sha512,
        }
    }

    /// Is it RSA with PKCS#1 v1.5 padding?
    #[must_use]
    pub const fn is_pkcs1(self) -> bool {
        matches!(self, Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512)
    }

    const fn of_pss(PssParameters { hash, salt }: PssParameters) -> Option<Self> {
        match hash {
            DigestAlgorithm::Sha1 => None,
            DigestAlgorithm::Sha256 => Some(Self::RsaPssSha256 { salt }),
            DigestAlgorithm::Sha384 => Some(Self::RsaPssSha384 { salt }),
            DigestAlgorithm::Sha512 => Some(Self::RsaPssSha512 { salt }),
        }
    }

    const fn pss(self) -> Option<PssParameters> {
        let (hash, salt) = match self {
            Self::RsaPssSha256 { salt } => (DigestAlgorithm::Sha256, salt),
            Self::RsaPssSha384 { salt } => (DigestAlgorithm::Sha384, salt),
            Self::RsaPssSha512 { salt } => (DigestAlgorithm::Sha512, salt),
            _ => return None,
        };
        Some(PssParameters { hash, salt })
    }
}

#[cfg(test)]
mod tests;
