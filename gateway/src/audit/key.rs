//! The key that signs heads, and those that did before it.

use std::fmt;
use std::sync::Arc;

use certgate_pki::{CryptoError, Provider, PublicKey, SignatureAlgorithm, SigningKey, sha256};

/// What statements are signed by: ECDSA with SHA-256, the signature a DER SEQUENCE of two INTEGERs (RFC 3279 §2.2.3).
const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::EcdsaSha256;

/// SHA-256 of a SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId(pub [u8; 32]);

impl KeyId {
    /// Of this key.
    #[must_use]
    pub fn of(key: &PublicKey, provider: &Provider) -> Self {
        Self(sha256(&*provider.digest, key.spki()))
    }
}

/// Lowercase hex.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

/// A P-256 key that signs, and the public halves of all that did.
#[derive(Clone, Debug)]
pub struct AuditKey {
    signing: Arc<dyn SigningKey>,
    id: KeyId,
    known: Vec<(KeyId, PublicKey)>,
    provider: Provider,
}

impl AuditKey {
    /// A key, and the public keys of those before it.
    #[must_use]
    pub fn new(signing: Arc<dyn SigningKey>, earlier: &[PublicKey], provider: Provider) -> Self {
        let of = |key: &PublicKey| (KeyId::of(key, &provider), key.clone());
        let known: Vec<_> = std::iter::once(signing.public_key()).chain(earlier).map(of).collect();
        Self { id: KeyId::of(signing.public_key(), &provider), known, signing, provider }
    }

    /// Which key signs.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Its public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.signing.public_key()
    }

    /// Signs a text.
    ///
    /// # Errors
    /// When the key fails.
    pub(super) fn sign(&self, text: &str) -> Result<Vec<u8>, CryptoError> {
        self.signing.sign_as(ALGORITHM, text.as_bytes())
    }

    /// Is this the signature of one of the keys over a text? `None` when no such key is known.
    pub(super) fn verifies(&self, by: KeyId, text: &str, signature: &[u8]) -> Option<bool> {
        let (_, key) = self.known.iter().find(|(id, _)| *id == by)?;
        Some(self.provider.verify.verify(key, ALGORITHM, text.as_bytes(), signature).is_ok())
    }
}
