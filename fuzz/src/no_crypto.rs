//! A provider without cryptography: every signature verifies, digests are checksums, randomness is zeros.

use std::sync::{Arc, Mutex};

use certgate_pki::limits::MIN_RSA_BITS;
use certgate_pki::{
    BadSignature, ContentCipher, CryptoError, Csr, CsrError, Decrypt, DecryptionKey, Digest, DigestAlgorithm, Encrypt,
    GeneratedKey, KeyTransport, KeyType, Provider, PublicKey, Random, Sign, SignatureAlgorithm, SigningKey, VerifySignature,
};
use zeroize::Zeroizing;

/// All parts without cryptography.
#[must_use]
pub fn provider() -> Provider {
    let none = Arc::new(NoCrypto);
    Provider {
        verify: none.clone(),
        sign: none.clone(),
        decrypt: none.clone(),
        encrypt: none.clone(),
        digest: none.clone(),
        random: none,
    }
}

/// The same, with a witness of what it was asked to verify.
#[must_use]
pub fn witness() -> (Provider, Arc<Witness>) {
    let witness = Arc::new(Witness::default());
    (Provider { verify: witness.clone(), ..provider() }, witness)
}

/// What verification must say of the key of a request before it comes to its signature, if anything.
#[must_use]
pub fn unsupported_key(csr: &Csr) -> Option<CsrError> {
    match csr.public_key().key_type() {
        KeyType::Rsa { bits } if bits >= MIN_RSA_BITS => None,
        key @ (KeyType::Rsa { .. } | KeyType::Unknown(_)) => Some(CsrError::UnsupportedKey(key)),
        _ => None,
    }
}

/// Takes every signature for good, and remembers by which algorithm the last one was to be verified.
#[derive(Debug, Default)]
pub struct Witness(Mutex<Option<SignatureAlgorithm>>);

impl Witness {
    /// Takes the algorithm.
    #[must_use]
    pub fn take(&self) -> Option<SignatureAlgorithm> {
        self.0.lock().ok()?.take()
    }
}

impl VerifySignature for Witness {
    fn verify(&self, _: &PublicKey, algorithm: SignatureAlgorithm, _: &[u8], _: &[u8]) -> Result<(), BadSignature> {
        *self.0.lock().map_err(|_| BadSignature)? = Some(algorithm);
        Ok(())
    }
}

#[derive(Debug)]
struct NoCrypto;

const NONE: CryptoError = CryptoError::Unsupported("there is no cryptography");

impl VerifySignature for NoCrypto {
    fn verify(&self, _: &PublicKey, _: SignatureAlgorithm, _: &[u8], _: &[u8]) -> Result<(), BadSignature> {
        Ok(())
    }
}

impl Sign for NoCrypto {
    fn generate(&self, _: KeyType) -> Result<GeneratedKey, CryptoError> {
        Err(NONE)
    }

    fn load(&self, _: &[u8]) -> Result<Arc<dyn SigningKey>, CryptoError> {
        Err(NONE)
    }
}

impl Decrypt for NoCrypto {
    fn load(&self, _: &[u8]) -> Result<Arc<dyn DecryptionKey>, CryptoError> {
        Err(NONE)
    }

    fn content(&self, _: ContentCipher, _: &[u8], _: &[u8; 16], _: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        Err(NONE)
    }
}

impl Encrypt for NoCrypto {
    fn key_transport(&self, _: &PublicKey, _: KeyTransport, _: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Err(NONE)
    }

    fn content(&self, _: ContentCipher, _: &[u8], _: &[u8; 16], _: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Err(NONE)
    }
}

impl Digest for NoCrypto {
    /// FNV-1a, spread over 32 octets.
    fn digest(&self, _: DigestAlgorithm, data: &[u8]) -> Vec<u8> {
        let hash =
            data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        hash.to_be_bytes().repeat(4)
    }
}

impl Random for NoCrypto {
    fn fill(&self, octets: &mut [u8]) -> Result<(), CryptoError> {
        octets.fill(0);
        Ok(())
    }
}
