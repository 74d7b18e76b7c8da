//! EncryptedPrivateKeyInfo, RFC 5958 §3.

use std::fmt;

use const_oid::ObjectIdentifier;
use der::Encode;
use der::asn1::OctetStringRef;
use pkcs8::pkcs5;
use pkcs8::pkcs5::pbes2::{self, Kdf, Parameters};
use pkcs8::{EncryptedPrivateKeyInfoOwned, EncryptedPrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::{PrivateKeyError, check_pkcs8};
use crate::algorithm::read_identifier;
use crate::asn1::Tlv;
use crate::limits::{MAX_KEY_ITERATIONS, MAX_KEY_MEMORY, MAX_KEY_PASSES};
use crate::pem;

/// Iterations of PBKDF2 with HMAC-SHA-256 for keys that are written: what OWASP recommends since 2023.
const ITERATIONS: u32 = 600_000;

/// A PKCS#8 key that a passphrase opens, with parameters that are within bounds.
pub struct EncryptedPrivateKey {
    parameters: Parameters,
    ciphertext: Vec<u8>,
}

/// Which algorithms; neither salt nor contents.
impl fmt::Debug for EncryptedPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptedPrivateKey({}, {})", self.parameters.kdf.oid(), self.parameters.encryption.oid())
    }
}

impl EncryptedPrivateKey {
    /// Octets of the random salt that [`Self::encrypt`] takes.
    pub const SALT: usize = 16;
    /// Octets of the random initialization vector that [`Self::encrypt`] takes.
    pub const IV: usize = 16;

    pub(super) fn from_der(der: &[u8]) -> Result<Self, PrivateKeyError> {
        let malformed = || PrivateKeyError::Malformed(pem::ENCRYPTED_PRIVATE_KEY);
        if scheme(der).map_err(|_| malformed())? != pbes2::PBES2_OID {
            return Err(PrivateKeyError::UnsupportedEncryption);
        }
        let read = EncryptedPrivateKeyInfoOwned::try_from(der).map_err(|error| match error {
            pkcs8::Error::Asn1(error) if matches!(error.kind(), der::ErrorKind::OidUnknown { .. }) => {
                PrivateKeyError::UnsupportedEncryption
            }
            _ => malformed(),
        })?;
        let parameters = read.encryption_algorithm.pbes2().ok_or(PrivateKeyError::UnsupportedEncryption)?.clone();
        check_bounds(&parameters.kdf)?;
        Ok(Self { parameters, ciphertext: read.encrypted_data.as_bytes().to_vec() })
    }

    /// How long [`Self::decrypt`] takes, as iterations of PBKDF2 or as blocks that scrypt mixes.
    #[must_use]
    pub fn work(&self) -> u64 {
        match &self.parameters.kdf {
            Kdf::Pbkdf2(pbkdf2) => u64::from(pbkdf2.iteration_count),
            Kdf::Scrypt(scrypt) => {
                let blocks = scrypt.cost_parameter.saturating_mul(scrypt.block_size.into());
                blocks.saturating_mul(scrypt.parallelization.into())
            }
            _ => u64::MAX,
        }
    }

    /// The key as unencrypted PKCS#8.
    ///
    /// # Errors
    /// [`PrivateKeyError::WrongPassphrase`], or [`PrivateKeyError::UnsupportedEncryption`].
    pub fn decrypt(&self, passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        let mut buffer = Zeroizing::new(self.ciphertext.clone());
        let opened = self.parameters.decrypt_in_place(passphrase, &mut buffer).map_err(|error| match error {
            pkcs5::Error::DecryptFailed => PrivateKeyError::WrongPassphrase,
            _ => PrivateKeyError::UnsupportedEncryption,
        })?;
        let length = opened.len();
        buffer.truncate(length);
        // One wrong key in 256 finds a padding that looks right.
        check_pkcs8(&buffer).map_err(|_| PrivateKeyError::WrongPassphrase)?;
        Ok(buffer)
    }

    /// A PKCS#8 key, encrypted: PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC (RFC 8018 §6.2), in PEM. Salt and initialization vector are
    /// random, and used once.
    ///
    /// # Errors
    /// [`PrivateKeyError::Malformed`] when this is no PKCS#8.
    pub fn encrypt(
        pkcs8: &[u8],
        passphrase: &[u8],
        salt: &[u8; Self::SALT],
        iv: [u8; Self::IV],
    ) -> Result<String, PrivateKeyError> {
        check_pkcs8(pkcs8)?;
        let malformed = |_| PrivateKeyError::Malformed(pem::PRIVATE_KEY);
        let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, salt, iv).map_err(malformed)?;
        let ciphertext = parameters.encrypt(passphrase, pkcs8).map_err(malformed)?;
        let malformed = |_| PrivateKeyError::Malformed(pem::PRIVATE_KEY);
        let encrypted_data = OctetStringRef::new(&ciphertext).map_err(malformed)?;
        let der = EncryptedPrivateKeyInfoRef { encryption_algorithm: parameters.into(), encrypted_data }.to_der();
        der.map(|der| pem::encode(pem::ENCRYPTED_PRIVATE_KEY, &der)).map_err(malformed)
    }
}

/// The algorithm of an EncryptedPrivateKeyInfo.
fn scheme(der: &[u8]) -> der::Result<ObjectIdentifier> {
    let mut reader = Tlv::only(der)?.contents()?;
    read_identifier(reader.any()?).map(|(oid, _)| oid)
}

/// A file says how much is to be computed before anything of it can be authenticated.
fn check_bounds(kdf: &Kdf) -> Result<(), PrivateKeyError> {
    let is_bounded = match kdf {
        Kdf::Pbkdf2(pbkdf2) => (1..=MAX_KEY_ITERATIONS).contains(&pbkdf2.iteration_count),
        Kdf::Scrypt(scrypt) => {
            // RFC 7914 §2: a block is 128 octets times the block size, and N of them are kept. None of the three is 0.
            let memory = scrypt.cost_parameter.checked_mul(128).and_then(|octets| octets.checked_mul(scrypt.block_size.into()));
            memory.is_some_and(|memory| (1..=MAX_KEY_MEMORY).contains(&memory))
                && (1..=MAX_KEY_PASSES).contains(&scrypt.parallelization)
        }
        _ => return Err(PrivateKeyError::UnsupportedEncryption),
    };
    if is_bounded { Ok(()) } else { Err(PrivateKeyError::TooExpensive) }
}
