//! Keys that the suite asks certificates for, made and used by RustCrypto.

use std::sync::OnceLock;

use anyhow::{Context, anyhow};
use p256::{ecdsa::signature::Signer, elliptic_curve::Generate};
use sha2::Sha256;
use spki::{DynSignatureAlgorithmIdentifier, EncodePublicKey};

use crate::asn1::Element;

/// A key pair that signs a CSR.
#[derive(Clone)]
pub enum Key {
    /// ECDSA on P-256 with SHA-256.
    P256(p256::ecdsa::SigningKey),
    /// RSA PKCS #1 v1.5 with SHA-256.
    Rsa(Box<rsa::pkcs1v15::SigningKey<Sha256>>),
}

impl Key {
    /// A new P-256 key.
    #[must_use]
    pub fn p256() -> Self {
        Self::P256(p256::ecdsa::SigningKey::generate())
    }

    /// The RSA-2048 key of this run: made once, since making one takes long.
    ///
    /// # Errors
    /// A failure to make the key.
    pub fn rsa2048() -> anyhow::Result<Self> {
        static KEY: OnceLock<Option<Key>> = OnceLock::new();
        let make = || {
            let mut random = rsa::rand_core::UnwrapErr(p256::elliptic_curve::common::getrandom::SysRng);
            let key = rsa::PrivateKey::new(&mut random, 2048).ok()?;
            Some(Self::Rsa(Box::new(rsa::pkcs1v15::SigningKey::new(key))))
        };
        KEY.get_or_init(make).clone().ok_or_else(|| anyhow!("no RSA key could be made"))
    }

    /// The `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    ///
    /// # Errors
    /// A key that cannot be encoded.
    pub fn spki(&self) -> anyhow::Result<Element> {
        let document = match self {
            Self::P256(key) => key.verifying_key().to_public_key_der(),
            Self::Rsa(key) => rsa::signature::Keypair::verifying_key(key.as_ref()).to_public_key_der(),
        };
        Element::parse(document.map_err(|error| anyhow!("public key: {error}"))?.as_bytes()).context("public key")
    }

    /// The `AlgorithmIdentifier` of its signatures.
    ///
    /// # Errors
    /// None that is expected.
    pub fn algorithm(&self) -> anyhow::Result<spki::AlgorithmIdentifierOwned> {
        let algorithm = match self {
            Self::P256(key) => key.signature_algorithm_identifier(),
            Self::Rsa(key) => key.signature_algorithm_identifier(),
        };
        algorithm.map_err(|error| anyhow!("signature algorithm: {error}"))
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// A key too small for its digest.
    pub fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let failed = |error| anyhow!("signing: {error}");
        Ok(match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.try_sign(message).map_err(failed)?;
                signature.as_bytes().to_vec()
            }
            Self::Rsa(key) => rsa::signature::SignatureEncoding::to_vec(&key.try_sign(message).map_err(failed)?),
        })
    }
}
