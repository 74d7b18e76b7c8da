//! Encryption of contents, and of content-encryption keys to RSA recipients.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey,
    Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use certgate_pki::{ContentCipher, CryptoError, Decrypt, DecryptionKey, Encrypt, KeyTransport, PublicKey};
use zeroize::Zeroizing;

/// AES-CBC and RSA of aws-lc-rs.
#[derive(Debug)]
pub(crate) struct AwsLcCipher;

const DECRYPTION: CryptoError = CryptoError::Failed("decryption");
const ENCRYPTION: CryptoError = CryptoError::Failed("encryption");

fn content_key(cipher: ContentCipher, key: &[u8]) -> Result<UnboundCipherKey, CryptoError> {
    let algorithm = match cipher {
        ContentCipher::Aes128Cbc => &AES_128,
        ContentCipher::Aes256Cbc => &AES_256,
    };
    UnboundCipherKey::new(algorithm, key).map_err(|_| CryptoError::UnusableKey("not of the cipher's length"))
}

impl Decrypt for AwsLcCipher {
    fn load(&self, pkcs8: &[u8]) -> Result<Arc<dyn DecryptionKey>, CryptoError> {
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| CryptoError::UnusableKey("not a PKCS#8 RSA key"))?;
        Ok(Arc::new(RsaDecryptionKey(key)))
    }

    fn content(
        &self,
        cipher: ContentCipher,
        key: &[u8],
        iv: &[u8; 16],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(content_key(cipher, key)?).map_err(|_| DECRYPTION)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length = key
            .decrypt(&mut buffer, DecryptionContext::Iv128(FixedLength::from(iv)))
            .map(|plaintext| plaintext.len())
            .map_err(|_| DECRYPTION)?;
        buffer.truncate(length);
        Ok(buffer)
    }
}

impl Encrypt for AwsLcCipher {
    fn key_transport(&self, recipient: &PublicKey, scheme: KeyTransport, key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let recipient =
            PublicEncryptingKey::from_der(recipient.spki()).map_err(|_| CryptoError::UnusableKey("not an RSA key"))?;
        let mut ciphertext = vec![0; recipient.key_size_bytes()];
        match scheme {
            KeyTransport::RsaPkcs1 => {
                let recipient = Pkcs1PublicEncryptingKey::new(recipient).map_err(|_| ENCRYPTION)?;
                recipient.encrypt(key, &mut ciphertext).map_err(|_| ENCRYPTION)?;
            }
            KeyTransport::RsaOaepSha256 => {
                let recipient = OaepPublicEncryptingKey::new(recipient).map_err(|_| ENCRYPTION)?;
                recipient.encrypt(&OAEP_SHA256_MGF1SHA256, key, &mut ciphertext, None).map_err(|_| ENCRYPTION)?;
            }
        }
        Ok(ciphertext)
    }

    fn content(&self, cipher: ContentCipher, key: &[u8], iv: &[u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(content_key(cipher, key)?).map_err(|_| ENCRYPTION)?;
        let mut buffer = plaintext.to_vec();
        key.less_safe_encrypt(&mut buffer, EncryptionContext::Iv128(FixedLength::from(iv))).map_err(|_| ENCRYPTION)?;
        Ok(buffer)
    }
}

/// An RSA private key in this process's memory.
struct RsaDecryptionKey(PrivateDecryptingKey);

impl fmt::Debug for RsaDecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaDecryptionKey({} bits)", self.0.key_size_bits())
    }
}

impl DecryptionKey for RsaDecryptionKey {
    fn decrypt(&self, scheme: KeyTransport, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mut buffer = Zeroizing::new(vec![0; self.0.key_size_bytes()]);
        let length = match scheme {
            KeyTransport::RsaPkcs1 => {
                let key = Pkcs1PrivateDecryptingKey::new(self.0.clone()).map_err(|_| DECRYPTION)?;
                key.decrypt(ciphertext, &mut buffer).map(|plaintext| plaintext.len())
            }
            KeyTransport::RsaOaepSha256 => {
                let key = OaepPrivateDecryptingKey::new(self.0.clone()).map_err(|_| DECRYPTION)?;
                key.decrypt(&OAEP_SHA256_MGF1SHA256, ciphertext, &mut buffer, None).map(|plaintext| plaintext.len())
            }
        };
        let length = length.map_err(|_| DECRYPTION)?;
        buffer.truncate(length);
        Ok(buffer)
    }
}
