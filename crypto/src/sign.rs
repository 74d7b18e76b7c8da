//! Signing keys in software.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding,
    RsaKeyPair,
};
use certgate_pki::{CryptoError, GeneratedKey, KeyType, PublicKey, Sign, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

/// Makes and loads keys with aws-lc-rs.
#[derive(Debug)]
pub(crate) struct AwsLcSign;

impl Sign for AwsLcSign {
    fn generate(&self, key_type: KeyType) -> Result<GeneratedKey, CryptoError> {
        let failed = |_| CryptoError::Failed("key generation");
        let pkcs8 = match key_type {
            KeyType::P256 => generate_ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING)?,
            KeyType::P384 => generate_ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING)?,
            KeyType::P521 => generate_ecdsa(&ECDSA_P521_SHA512_ASN1_SIGNING)?,
            KeyType::Rsa { bits: 2048 } => generate_rsa(KeySize::Rsa2048)?,
            KeyType::Rsa { bits: 3072 } => generate_rsa(KeySize::Rsa3072)?,
            KeyType::Rsa { bits: 4096 } => generate_rsa(KeySize::Rsa4096)?,
            KeyType::Ed25519 => {
                let document = Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1()).map_err(failed)?;
                Zeroizing::new(document.as_ref().to_vec())
            }
            KeyType::Rsa { .. } | KeyType::Unknown(_) => return Err(CryptoError::Unsupported("this type of key")),
        };
        Ok(GeneratedKey { key: self.load(&pkcs8)?, pkcs8 })
    }

    fn load(&self, pkcs8: &[u8]) -> Result<Arc<dyn SigningKey>, CryptoError> {
        let key = load_ecdsa(pkcs8)
            .or_else(|| RsaKeyPair::from_pkcs8(pkcs8).ok().map(PrivateKey::Rsa))
            .or_else(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok().map(PrivateKey::Ed25519))
            .ok_or(CryptoError::UnusableKey("not a PKCS#8 key of ECDSA, RSA or Ed25519"))?;
        SoftwareKey::new(key).map(|key| Arc::new(key) as Arc<dyn SigningKey>)
    }
}

fn generate_ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let document = EcdsaKeyPair::generate(algorithm)
        .and_then(|key| key.to_pkcs8v1())
        .map_err(|_| CryptoError::Failed("key generation"))?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

fn generate_rsa(size: KeySize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let key = RsaKeyPair::generate(size).map_err(|_| CryptoError::Failed("key generation"))?;
    let document = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).map_err(|_| CryptoError::Failed("key generation"))?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

fn load_ecdsa(pkcs8: &[u8]) -> Option<PrivateKey> {
    [
        (&ECDSA_P256_SHA256_ASN1_SIGNING, SignatureAlgorithm::EcdsaSha256),
        (&ECDSA_P384_SHA384_ASN1_SIGNING, SignatureAlgorithm::EcdsaSha384),
        (&ECDSA_P521_SHA512_ASN1_SIGNING, SignatureAlgorithm::EcdsaSha512),
    ]
    .into_iter()
    .find_map(|(curve, algorithm)| EcdsaKeyPair::from_pkcs8(curve, pkcs8).ok().map(|key| PrivateKey::Ecdsa(key, algorithm)))
}

enum PrivateKey {
    Ecdsa(EcdsaKeyPair, SignatureAlgorithm),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A private key in this process's memory; aws-lc zeroizes it when it is freed.
struct SoftwareKey {
    private: PrivateKey,
    public: PublicKey,
}

impl SoftwareKey {
    fn new(private: PrivateKey) -> Result<Self, CryptoError> {
        let spki = match &private {
            PrivateKey::Ecdsa(key, _) => AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key()),
            PrivateKey::Rsa(key) => AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key()),
            PrivateKey::Ed25519(key) => AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key()),
        };
        let unusable = CryptoError::UnusableKey("its public half cannot be encoded");
        let spki = spki.map_err(|_| unusable.clone())?;
        let public = PublicKey::from_der(spki.as_ref()).map_err(|_| unusable)?;
        Ok(Self { private, public })
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareKey({})", self.public.key_type())
    }
}

impl SigningKey for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match &self.private {
            PrivateKey::Ecdsa(_, algorithm) => *algorithm,
            PrivateKey::Rsa(_) => SignatureAlgorithm::RsaSha256,
            PrivateKey::Ed25519(_) => SignatureAlgorithm::Ed25519,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let failed = |_| CryptoError::Failed("signing");
        match &self.private {
            PrivateKey::Ecdsa(key, _) => {
                key.sign(&SystemRandom::new(), message).map(|signature| signature.as_ref().to_vec()).map_err(failed)
            }
            PrivateKey::Rsa(key) => sign_rsa(key, &RSA_PKCS1_SHA256, message),
            PrivateKey::Ed25519(key) => key.try_sign(message).map(|signature| signature.as_ref().to_vec()).map_err(failed),
        }
    }

    fn makes(&self, algorithm: SignatureAlgorithm) -> bool {
        match &self.private {
            PrivateKey::Rsa(_) => RSA_ALGORITHMS.contains(&algorithm),
            PrivateKey::Ecdsa(..) | PrivateKey::Ed25519(_) => algorithm == self.algorithm(),
        }
    }

    fn sign_as(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match (&self.private, algorithm) {
            (PrivateKey::Rsa(key), SignatureAlgorithm::RsaSha384) => sign_rsa(key, &RSA_PKCS1_SHA384, message),
            (PrivateKey::Rsa(key), SignatureAlgorithm::RsaSha512) => sign_rsa(key, &RSA_PKCS1_SHA512, message),
            _ if algorithm == self.algorithm() => self.sign(message),
            _ => Err(CryptoError::Unsupported("this signature algorithm with this key")),
        }
    }
}

/// What an RSA key makes, PKCS#1 v1.5.
const RSA_ALGORITHMS: [SignatureAlgorithm; 3] =
    [SignatureAlgorithm::RsaSha256, SignatureAlgorithm::RsaSha384, SignatureAlgorithm::RsaSha512];

fn sign_rsa(key: &RsaKeyPair, padding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(padding, &SystemRandom::new(), message, &mut signature).map_err(|_| CryptoError::Failed("signing"))?;
    Ok(signature)
}
