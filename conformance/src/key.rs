//! Keys that the suite asks certificates for: made and used by RustCrypto, RSA keys made by aws-lc-rs, which takes less long.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, anyhow};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use p256::{
    ecdsa::signature::{SignatureEncoding, Signer},
    elliptic_curve::Generate,
    pkcs8::{DecodePrivateKey, EncodePrivateKey},
};
use sha2::Sha256;
use spki::{DynSignatureAlgorithmIdentifier, EncodePublicKey};

use crate::asn1::Element;

/// A kind of key that devices have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum KeyKind {
    /// ECDSA on P-256.
    #[default]
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits.
    Rsa4096,
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// Whether it encrypts as well as signs.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }
}

/// A key pair that signs a CSR.
#[derive(Clone)]
pub enum Key {
    /// ECDSA on P-256 with SHA-256.
    P256(p256::ecdsa::SigningKey),
    /// ECDSA on P-384 with SHA-384.
    P384(p384::ecdsa::SigningKey),
    /// ECDSA on P-521 with SHA-512.
    P521(p521::ecdsa::SigningKey),
    /// RSA PKCS #1 v1.5 with SHA-256.
    Rsa(Box<rsa::pkcs1v15::SigningKey<Sha256>>),
    /// Ed25519 (RFC 8032).
    Ed25519(ed25519_dalek::SigningKey),
}

impl Key {
    /// A new key of this kind. An RSA key of 4096 bits takes about a second.
    ///
    /// # Errors
    /// A failure to make the key.
    pub fn new(kind: KeyKind) -> anyhow::Result<Self> {
        Ok(match kind {
            KeyKind::P256 => Self::p256(),
            KeyKind::P384 => Self::P384(p384::ecdsa::SigningKey::generate()),
            KeyKind::P521 => Self::P521(p521::ecdsa::SigningKey::generate()),
            KeyKind::Rsa2048 => Self::rsa(KeySize::Rsa2048)?,
            KeyKind::Rsa3072 => Self::rsa(KeySize::Rsa3072)?,
            KeyKind::Rsa4096 => Self::rsa(KeySize::Rsa4096)?,
            KeyKind::Ed25519 => Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&random::<32>()?)),
        })
    }

    /// A key of this kind for a check that does not mind whether another has it too: RSA keys are made once a run.
    ///
    /// # Errors
    /// As [`Key::new`].
    pub fn of(kind: KeyKind) -> anyhow::Result<Self> {
        static MADE: Mutex<Vec<(KeyKind, Key)>> = Mutex::new(Vec::new());
        if !kind.is_rsa() {
            return Self::new(kind);
        }
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = made.iter().find(|(known, _)| *known == kind) {
            return Ok(key.clone());
        }
        let key = Self::new(kind)?;
        made.push((kind, key.clone()));
        Ok(key)
    }

    /// A new P-256 key.
    #[must_use]
    pub fn p256() -> Self {
        Self::P256(p256::ecdsa::SigningKey::generate())
    }

    /// An RSA key of 1024 bits, which nobody should certify. Made with
    /// `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 | openssl pkcs8 -topk8 -nocrypt -outform DER`.
    ///
    /// # Errors
    /// None that is expected.
    pub fn weak() -> anyhow::Result<Self> {
        let document = include_bytes!("../fixtures/rsa1024.pk8");
        let key = rsa::PrivateKey::from_pkcs8_der(document).map_err(|error| anyhow!("RSA key: {error}"))?;
        Ok(Self::Rsa(Box::new(rsa::pkcs1v15::SigningKey::new(key))))
    }

    fn rsa(size: KeySize) -> anyhow::Result<Self> {
        let pair = KeyPair::generate(size).map_err(|_| anyhow!("no RSA key could be made"))?;
        let document: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| anyhow!("an RSA key that does not encode"))?;
        let key = rsa::PrivateKey::from_pkcs8_der(document.as_ref()).map_err(|error| anyhow!("RSA key: {error}"))?;
        Ok(Self::Rsa(Box::new(rsa::pkcs1v15::SigningKey::new(key))))
    }

    /// The `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    ///
    /// # Errors
    /// A key that cannot be encoded.
    pub fn spki(&self) -> anyhow::Result<Element> {
        let document = match self {
            Self::P256(key) => key.verifying_key().to_public_key_der(),
            Self::P384(key) => key.verifying_key().to_public_key_der(),
            Self::P521(key) => key.verifying_key().to_public_key_der(),
            Self::Rsa(key) => rsa::signature::Keypair::verifying_key(key.as_ref()).to_public_key_der(),
            Self::Ed25519(key) => key.verifying_key().to_public_key_der(),
        };
        Element::parse(document.map_err(|error| anyhow!("public key: {error}"))?.as_bytes()).context("public key")
    }

    /// The private key as PKCS #8 (RFC 5958) in DER.
    ///
    /// # Errors
    /// A key that cannot be encoded.
    pub fn pkcs8(&self) -> anyhow::Result<Vec<u8>> {
        let document = match self {
            Self::P256(key) => key.to_pkcs8_der(),
            Self::P384(key) => key.to_pkcs8_der(),
            Self::P521(key) => key.to_pkcs8_der(),
            Self::Rsa(key) => key.to_pkcs8_der(),
            Self::Ed25519(key) => key.to_pkcs8_der(),
        };
        Ok(document.map_err(|error| anyhow!("private key: {error}"))?.as_bytes().to_vec())
    }

    /// The `AlgorithmIdentifier` of its signatures.
    ///
    /// # Errors
    /// None that is expected.
    pub fn algorithm(&self) -> anyhow::Result<spki::AlgorithmIdentifierOwned> {
        let algorithm = match self {
            Self::P256(key) => key.signature_algorithm_identifier(),
            Self::P384(key) => key.signature_algorithm_identifier(),
            Self::P521(key) => key.signature_algorithm_identifier(),
            Self::Rsa(key) => key.signature_algorithm_identifier(),
            Self::Ed25519(key) => key.signature_algorithm_identifier(),
        };
        algorithm.map_err(|error| anyhow!("signature algorithm: {error}"))
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// A key too small for its digest.
    pub fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let signature = match self {
            Self::P256(key) => key.try_sign(message).map(|made: p256::ecdsa::DerSignature| made.as_bytes().to_vec()),
            Self::P384(key) => key.try_sign(message).map(|made: p384::ecdsa::DerSignature| made.as_bytes().to_vec()),
            Self::P521(key) => key.try_sign(message).map(|made: p521::ecdsa::DerSignature| made.as_bytes().to_vec()),
            Self::Rsa(key) => key.try_sign(message).map(|made| made.to_vec()),
            Self::Ed25519(key) => key.try_sign(message).map(|made| made.to_vec()),
        };
        signature.map_err(|error| anyhow!("signing: {error}"))
    }
}

/// Random octets.
///
/// # Errors
/// A machine without randomness.
pub fn random<const LENGTH: usize>() -> anyhow::Result<[u8; LENGTH]> {
    let mut octets = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| anyhow!("no random octets"))?;
    Ok(octets)
}
