//! The cryptography that codecs and back ends are given: a plain struct of `dyn` parts.

use std::fmt::Debug;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::{DigestAlgorithm, KeyType, PublicKey, SignatureAlgorithm};

/// Everything cryptographic that the rest of certgate uses. A part can be replaced by itself: a PKCS#11 key is a [`SigningKey`] or a
/// [`DecryptionKey`] of its own, a fuzzer brings a [`VerifySignature`] that says yes.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Verifies signatures.
    pub verify: Arc<dyn VerifySignature>,
    /// Makes and loads signing keys.
    pub sign: Arc<dyn Sign>,
    /// Opens what was encrypted to us.
    pub decrypt: Arc<dyn Decrypt>,
    /// Encrypts to others.
    pub encrypt: Arc<dyn Encrypt>,
    /// Hashes.
    pub digest: Arc<dyn Digest>,
    /// Random octets.
    pub random: Arc<dyn Random>,
}

/// The signature does not verify. Why is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// A cryptographic operation failed. What failed is said, never with what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The key cannot be used: malformed, or of a type that this provider does not know.
    #[error("unusable key: {0}")]
    UnusableKey(&'static str),
    /// The algorithm is not implemented, or does not suit the key.
    #[error("unsupported algorithm: {0}")]
    Unsupported(&'static str),
    /// The operation failed; for decryption all causes look the same.
    #[error("{0} failed")]
    Failed(&'static str),
}

/// Verifies signatures.
pub trait VerifySignature: Debug + Send + Sync {
    /// Is `signature` the key's over `message`?
    ///
    /// # Errors
    /// [`BadSignature`] when it is not, or the algorithm does not suit the key.
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature>;
}

/// Makes and loads signing keys.
pub trait Sign: Debug + Send + Sync {
    /// A new key, and its PKCS#8 (RFC 5208, unencrypted) to be kept.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for a key type that this provider does not make.
    fn generate(&self, key_type: KeyType) -> Result<GeneratedKey, CryptoError>;

    /// The key in this unencrypted PKCS#8.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] when it is malformed or of an unknown type.
    fn load(&self, pkcs8: &[u8]) -> Result<Arc<dyn SigningKey>, CryptoError>;
}

/// A key just made. It has no `Debug`: the PKCS#8 is not for logs.
pub struct GeneratedKey {
    /// Ready to sign.
    pub key: Arc<dyn SigningKey>,
    /// Unencrypted PKCS#8, DER; zeroized when dropped.
    pub pkcs8: Zeroizing<Vec<u8>>,
}

/// A private key that signs, wherever it lives. `Debug` shows the public half only.
pub trait SigningKey: Debug + Send + Sync {
    /// Its public half.
    fn public_key(&self) -> &PublicKey;

    /// The algorithm of what [`Self::sign`] makes.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs `message` (not its digest).
    ///
    /// # Errors
    /// [`CryptoError::Failed`] when the key's device or library fails.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Does [`Self::sign_as`] make signatures by this algorithm?
    fn makes(&self, algorithm: SignatureAlgorithm) -> bool {
        algorithm == self.algorithm()
    }

    /// Signs by another algorithm than [`Self::algorithm`], where it is for the other side to choose the digest.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for an algorithm that this key does not make; else as [`Self::sign`].
    fn sign_as(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if algorithm == self.algorithm() {
            self.sign(message)
        } else {
            Err(CryptoError::Unsupported("this signature algorithm with this key"))
        }
    }
}

/// How a content-encryption key is encrypted to an RSA recipient (RFC 5652 §6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyTransport {
    /// RSAES-PKCS1-v1_5, RFC 3370 §4.2.1. Errors of [`DecryptionKey::decrypt`] must not reach the sender distinguishably.
    RsaPkcs1,
    /// RSAES-OAEP with SHA-256 and MGF1, RFC 3560.
    RsaOaepSha256,
}

/// How contents are encrypted (RFC 3565).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCipher {
    /// AES-128 in CBC mode, PKCS#7 padding.
    Aes128Cbc,
    /// AES-256 in CBC mode, PKCS#7 padding.
    Aes256Cbc,
}

impl ContentCipher {
    /// Octets of its key.
    #[must_use]
    pub const fn key_octets(self) -> usize {
        match self {
            Self::Aes128Cbc => 16,
            Self::Aes256Cbc => 32,
        }
    }
}

/// Opens what was encrypted to us.
pub trait Decrypt: Debug + Send + Sync {
    /// The RSA key in this unencrypted PKCS#8.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] when it is malformed or no RSA key.
    fn load(&self, pkcs8: &[u8]) -> Result<Arc<dyn DecryptionKey>, CryptoError>;

    /// Decrypts contents and removes their padding.
    ///
    /// # Errors
    /// [`CryptoError::Failed`], the same for a wrong key and for wrong padding.
    fn content(
        &self,
        cipher: ContentCipher,
        key: &[u8],
        iv: &[u8; 16],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError>;
}

/// A private key that decrypts content-encryption keys, wherever it lives.
pub trait DecryptionKey: Debug + Send + Sync {
    /// Decrypts one encryptedKey (RFC 5652 §6.2.1).
    ///
    /// # Errors
    /// [`CryptoError::Failed`]; see [`KeyTransport::RsaPkcs1`].
    fn decrypt(&self, scheme: KeyTransport, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError>;
}

/// Encrypts to others.
pub trait Encrypt: Debug + Send + Sync {
    /// Encrypts a content-encryption key to its recipient.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] when the recipient's key is not RSA.
    fn key_transport(&self, recipient: &PublicKey, scheme: KeyTransport, key: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Pads and encrypts contents.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] when the key is not of the cipher's length.
    fn content(&self, cipher: ContentCipher, key: &[u8], iv: &[u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError>;
}

/// Hashes.
pub trait Digest: Debug + Send + Sync {
    /// The digest of `data`, as long as the algorithm makes it.
    fn digest(&self, algorithm: DigestAlgorithm, data: &[u8]) -> Vec<u8>;
}

/// SHA-256.
#[must_use]
pub fn sha256(digests: &dyn Digest, data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (octet, made) in hash.iter_mut().zip(digests.digest(DigestAlgorithm::Sha256, data)) {
        *octet = made;
    }
    hash
}

/// Random octets that nobody can guess.
pub trait Random: Debug + Send + Sync {
    /// Fills `octets`.
    ///
    /// # Errors
    /// [`CryptoError::Failed`] when the source of randomness fails: nothing may be issued then.
    fn fill(&self, octets: &mut [u8]) -> Result<(), CryptoError>;
}
