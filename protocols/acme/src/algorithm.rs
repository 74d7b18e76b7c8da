//! Signature algorithms of JWS (RFC 7518 §3.1, RFC 8037 §3.1).

use certgate_pki::{KeyType, SignatureAlgorithm};
use serde::{Serialize, Serializer};

/// An `alg` that is supported. RFC 8555 §6.2: a server "MUST implement the "ES256" signature algorithm [RFC7518] and SHOULD implement the
/// "EdDSA" signature algorithm using the "Ed25519" variant".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256, RFC 7518 §3.4.
    Es256,
    /// ECDSA with P-384 and SHA-384, RFC 7518 §3.4.
    Es384,
    /// ECDSA with P-521 and SHA-512, RFC 7518 §3.4.
    Es512,
    /// RSASSA-PKCS1-v1_5 with SHA-256, RFC 7518 §3.3.
    Rs256,
    /// EdDSA, with Ed25519 alone, RFC 8037 §3.1.
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Es256, Self::Es384, Self::Es512, Self::Rs256, Self::EdDsa];

    /// Its value of `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this `alg`, which is case-sensitive (RFC 7515 §4.1.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The only one by which a key of this type signs here. RFC 7518 §3.4 ties each curve to one hash.
    #[must_use]
    pub const fn of_key(key: KeyType) -> Option<Self> {
        match key {
            KeyType::P256 => Some(Self::Es256),
            KeyType::P384 => Some(Self::Es384),
            KeyType::P521 => Some(Self::Es512),
            KeyType::Rsa { .. } => Some(Self::Rs256),
            KeyType::Ed25519 => Some(Self::EdDsa),
            KeyType::Unknown(_) => None,
        }
    }

    /// As the crypto provider knows it.
    #[must_use]
    pub const fn signature_algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Es256 => SignatureAlgorithm::EcdsaSha256,
            Self::Es384 => SignatureAlgorithm::EcdsaSha384,
            Self::Es512 => SignatureAlgorithm::EcdsaSha512,
            Self::Rs256 => SignatureAlgorithm::RsaSha256,
            Self::EdDsa => SignatureAlgorithm::Ed25519,
        }
    }

    /// Octets of one of the two numbers of an ECDSA signature (RFC 7518 §3.4); `None` for other algorithms.
    pub(crate) const fn ecdsa_octets(self) -> Option<usize> {
        match self {
            Self::Es256 => Some(32),
            Self::Es384 => Some(48),
            Self::Es512 => Some(66),
            Self::Rs256 | Self::EdDsa => None,
        }
    }
}

/// As in the `algorithms` of a problem.
impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
