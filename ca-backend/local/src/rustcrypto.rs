//! Keys that RustCrypto signs with: a second implementation, which shares no code with the provider's.

use std::fmt;
use std::sync::Arc;

use certgate_pki::{CryptoError, PublicKey, SignatureAlgorithm, SigningKey};
use ed25519_dalek::Signer as _;
use getrandom::SysRng;
use p256::pkcs8::{DecodePrivateKey, Document, EncodePublicKey};
use rsa::pkcs1v15;
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use sha2::Sha256;

/// The key in this unencrypted PKCS#8: ECDSA on P-256, P-384 or P-521, RSA, or Ed25519.
///
/// ECDSA is hedged: its nonces are of the key, the message and fresh randomness (RFC 6979 §3.6). RSA is blinded, and its time still tells
/// of the key to whoever can measure it well (RUSTSEC-2023-0071).
///
/// # Errors
/// [`CryptoError::UnusableKey`] when it is malformed or of another type.
pub fn load(pkcs8: &[u8]) -> Result<Arc<dyn SigningKey>, CryptoError> {
    let private = PrivateKey::read(pkcs8).ok_or(CryptoError::UnusableKey("not a PKCS#8 key of ECDSA, RSA or Ed25519"))?;
    let unusable = || CryptoError::UnusableKey("its public half cannot be encoded");
    let spki = private.spki().ok_or_else(unusable)?;
    let public = PublicKey::from_der(spki.as_bytes()).map_err(|_| unusable())?;
    Ok(Arc::new(RustCryptoKey { private, public }))
}

/// Each is zeroized when it is dropped.
enum PrivateKey {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Rsa(Box<pkcs1v15::SigningKey<Sha256>>),
    Ed25519(ed25519_dalek::SigningKey),
}

impl PrivateKey {
    fn read(pkcs8: &[u8]) -> Option<Self> {
        let p256 = || p256::ecdsa::SigningKey::from_pkcs8_der(pkcs8).map(Self::P256);
        let p384 = || p384::ecdsa::SigningKey::from_pkcs8_der(pkcs8).map(Self::P384);
        let p521 = || p521::ecdsa::SigningKey::from_pkcs8_der(pkcs8).map(Self::P521);
        let ed25519 = || ed25519_dalek::SigningKey::from_pkcs8_der(pkcs8).map(Self::Ed25519);
        let rsa = || rsa::PrivateKey::from_pkcs8_der(pkcs8).map(|key| Self::Rsa(Box::new(pkcs1v15::SigningKey::new(key))));
        p256().or_else(|_| p384()).or_else(|_| p521()).or_else(|_| ed25519()).or_else(|_| rsa()).ok()
    }

    fn spki(&self) -> Option<Document> {
        let document = match self {
            Self::P256(key) => key.verifying_key().to_public_key_der(),
            Self::P384(key) => key.verifying_key().to_public_key_der(),
            Self::P521(key) => key.verifying_key().to_public_key_der(),
            Self::Rsa(key) => rsa::signature::Keypair::verifying_key(&**key).to_public_key_der(),
            Self::Ed25519(key) => key.verifying_key().to_public_key_der(),
        };
        document.ok()
    }
}

struct RustCryptoKey {
    private: PrivateKey,
    public: PublicKey,
}

impl fmt::Debug for RustCryptoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RustCryptoKey({})", self.public.key_type())
    }
}

impl SigningKey for RustCryptoKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match &self.private {
            PrivateKey::P256(_) => SignatureAlgorithm::EcdsaSha256,
            PrivateKey::P384(_) => SignatureAlgorithm::EcdsaSha384,
            PrivateKey::P521(_) => SignatureAlgorithm::EcdsaSha512,
            PrivateKey::Rsa(_) => SignatureAlgorithm::RsaSha256,
            PrivateKey::Ed25519(_) => SignatureAlgorithm::Ed25519,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let signature = match &self.private {
            PrivateKey::P256(key) => with_randomness::<p256::ecdsa::DerSignature>(key, message),
            PrivateKey::P384(key) => with_randomness::<p384::ecdsa::DerSignature>(key, message),
            PrivateKey::P521(key) => with_randomness::<p521::ecdsa::DerSignature>(key, message),
            PrivateKey::Rsa(key) => with_randomness::<pkcs1v15::Signature>(&**key, message),
            PrivateKey::Ed25519(key) => key.try_sign(message).ok().map(|signature| signature.to_vec()),
        };
        signature.ok_or(CryptoError::Failed("signing"))
    }
}

fn with_randomness<S: SignatureEncoding>(key: &impl RandomizedSigner<S>, message: &[u8]) -> Option<Vec<u8>> {
    key.try_sign_with_rng(&mut SysRng, message).ok().map(|signature| signature.to_vec())
}

#[cfg(test)]
mod tests {
    use certgate_pki::KeyType;

    use super::*;
    use crate::LocalBackend;

    const KINDS: [KeyType; 7] = [
        KeyType::P256,
        KeyType::P384,
        KeyType::P521,
        KeyType::Rsa { bits: 2048 },
        KeyType::Rsa { bits: 3072 },
        KeyType::Rsa { bits: 4096 },
        KeyType::Ed25519,
    ];

    #[tokio::test]
    async fn passes_the_contract_with_every_kind_of_key() {
        let provider = certgate_crypto::provider();
        for kind in KINDS {
            let made = provider.sign.generate(kind).unwrap();
            let key = load(&made.pkcs8).unwrap();
            assert_eq!(key.public_key(), made.key.public_key(), "{kind}");
            assert_eq!(key.algorithm(), made.key.algorithm(), "{kind}");
            assert_eq!(format!("{key:?}"), format!("RustCryptoKey({kind})"));
            certgate_ca_backend_contract::run(&LocalBackend::new(key), made.key.public_key(), &provider).await;
        }
    }

    #[test]
    fn signatures_of_ecdsa_are_hedged() {
        let provider = certgate_crypto::provider();
        for kind in [KeyType::P256, KeyType::P384, KeyType::P521] {
            let key = load(&provider.sign.generate(kind).unwrap().pkcs8).unwrap();
            assert_ne!(key.sign(b"the same").unwrap(), key.sign(b"the same").unwrap(), "{kind}");
        }
    }

    #[test]
    fn what_is_no_key() {
        assert_eq!(load(b"no key").unwrap_err(), CryptoError::UnusableKey("not a PKCS#8 key of ECDSA, RSA or Ed25519"));
    }
}
