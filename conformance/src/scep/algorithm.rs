//! The algorithms of SCEP messages, by RustCrypto: digests (RFC 5754), ciphers for contents (RFC 3565), those that are forbidden among
//! them.

use aes::{Aes128, Aes256};
use anyhow::{anyhow, ensure};
use cbc::{
    Decryptor, Encryptor,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};
use const_oid::ObjectIdentifier;
use des::Des;
use md5::Md5;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::asn1::{Element, tag};

/// `rsaEncryption` (RFC 8017 Appendix C): key transport, and signatures whose digest is told elsewhere.
pub(super) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A digest of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// RFC 8894 §2.9: "Implementations MUST NOT support the obsolete and/or insecure single DES and MD5 algorithms".
    Md5,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    const ALL: [Self; 4] = [Self::Md5, Self::Sha256, Self::Sha384, Self::Sha512];

    pub(super) const fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Md5 => "1.2.840.113549.2.5",
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
            Self::Sha512 => "2.16.840.1.101.3.4.2.3",
        })
    }

    /// The digest of this identifier, if it is known here.
    pub(super) fn by_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.oid() == oid)
    }

    /// `sha256WithRSAEncryption` and the like (RFC 4055 §5).
    pub(super) const fn with_rsa(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Md5 => "1.2.840.113549.1.1.4",
            Self::Sha256 => "1.2.840.113549.1.1.11",
            Self::Sha384 => "1.2.840.113549.1.1.12",
            Self::Sha512 => "1.2.840.113549.1.1.13",
        })
    }

    pub(super) fn of(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(octets).to_vec(),
            Self::Sha256 => Sha256::digest(octets).to_vec(),
            Self::Sha384 => Sha384::digest(octets).to_vec(),
            Self::Sha512 => Sha512::digest(octets).to_vec(),
        }
    }

    /// Signs with PKCS #1 v1.5.
    pub(super) fn sign(self, key: &rsa::PrivateKey, octets: &[u8]) -> anyhow::Result<Vec<u8>> {
        let signature = match self {
            Self::Md5 => key.pkcs1v15_sign::<Md5>(octets),
            Self::Sha256 => key.pkcs1v15_sign::<Sha256>(octets),
            Self::Sha384 => key.pkcs1v15_sign::<Sha384>(octets),
            Self::Sha512 => key.pkcs1v15_sign::<Sha512>(octets),
        };
        signature.map_err(|error| anyhow!("signing: {error}"))
    }
}

/// A cipher for contents, in CBC mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    /// Forbidden as MD5 is.
    Des,
    Aes128,
    Aes256,
}

impl Cipher {
    const ALL: [Self; 3] = [Self::Des, Self::Aes128, Self::Aes256];

    pub(super) const fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Des => "1.3.14.3.2.7",
            Self::Aes128 => "2.16.840.1.101.3.4.1.2",
            Self::Aes256 => "2.16.840.1.101.3.4.1.42",
        })
    }

    /// The cipher of this identifier, if it is known here.
    pub(super) fn by_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.oid() == oid)
    }

    /// Octets of a key.
    pub(super) const fn key_length(self) -> usize {
        match self {
            Self::Des => 8,
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }

    /// Octets of a block, and of an initialization vector.
    pub(super) const fn block(self) -> usize {
        match self {
            Self::Des => 8,
            Self::Aes128 | Self::Aes256 => 16,
        }
    }

    /// RFC 5652 §6.3: "the input shall be padded at the trailing end with k-(lth mod k) octets all having value k-(lth mod k)".
    pub(super) fn pad(self, octets: &[u8]) -> Vec<u8> {
        let count = self.block() - octets.len() % self.block();
        let padding = vec![u8::try_from(count).unwrap_or(0); count];
        [octets, &padding].concat()
    }

    /// Takes the padding away.
    fn unpad(self, mut octets: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let count = usize::from(*octets.last().ok_or_else(|| anyhow!("no padding"))?);
        let length = octets.len().checked_sub(count).ok_or_else(|| anyhow!("wrong padding"))?;
        let is_padding = octets.iter().skip(length).all(|octet| usize::from(*octet) == count);
        ensure!((1..=self.block()).contains(&count) && is_padding, "wrong padding");
        octets.truncate(length);
        Ok(octets)
    }

    /// Encrypts whole blocks, which [`Self::pad`] makes.
    pub(super) fn encrypt(self, (key, iv): (&[u8], &[u8]), blocks: &[u8]) -> anyhow::Result<Vec<u8>> {
        ensure!(blocks.len().is_multiple_of(self.block()), "no whole blocks");
        let wrong = |_| anyhow!("a key or an initialization vector of another length");
        Ok(match self {
            Self::Des => Encryptor::<Des>::new_from_slices(key, iv).map_err(wrong)?.encrypt_padded_vec::<NoPadding>(blocks),
            Self::Aes128 => {
                Encryptor::<Aes128>::new_from_slices(key, iv).map_err(wrong)?.encrypt_padded_vec::<NoPadding>(blocks)
            }
            Self::Aes256 => {
                Encryptor::<Aes256>::new_from_slices(key, iv).map_err(wrong)?.encrypt_padded_vec::<NoPadding>(blocks)
            }
        })
    }

    /// Decrypts, and takes the padding away.
    pub(super) fn decrypt(self, (key, iv): (&[u8], &[u8]), octets: &[u8]) -> anyhow::Result<Vec<u8>> {
        let wrong = |_| anyhow!("a key or an initialization vector of another length");
        let blocks = match self {
            Self::Des => Decryptor::<Des>::new_from_slices(key, iv).map_err(wrong)?.decrypt_padded_vec::<NoPadding>(octets),
            Self::Aes128 => {
                Decryptor::<Aes128>::new_from_slices(key, iv).map_err(wrong)?.decrypt_padded_vec::<NoPadding>(octets)
            }
            Self::Aes256 => {
                Decryptor::<Aes256>::new_from_slices(key, iv).map_err(wrong)?.decrypt_padded_vec::<NoPadding>(octets)
            }
        };
        self.unpad(blocks.map_err(|_| anyhow!("no whole blocks"))?)
    }
}

/// An AlgorithmIdentifier.
pub(super) fn identifier(oid: ObjectIdentifier, parameters: Option<Element>) -> Element {
    Element::sequence(std::iter::once(Element::object_identifier(oid)).chain(parameters).collect())
}

/// NULL, as the parameters of digests and of RSA.
pub(super) fn null() -> Option<Element> {
    Some(Element::primitive(tag::NULL, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_decrypts() {
        for cipher in Cipher::ALL {
            let (key, iv) = (vec![7; cipher.key_length()], vec![9; cipher.block()]);
            for length in [0, 1, 15, 16, 17] {
                let octets = vec![3; length];
                let sealed = cipher.encrypt((&key, &iv), &cipher.pad(&octets)).expect("sealed");
                assert_eq!(cipher.decrypt((&key, &iv), &sealed).expect("opened"), octets);
            }
            let sealed = cipher.encrypt((&key, &iv), &vec![0; cipher.block()]).expect("sealed");
            cipher.decrypt((&key, &iv), &sealed).expect_err("padding of zeros");
        }
    }

    #[test]
    fn aes_is_that_of_nist() {
        // NIST SP 800-38A §F.2.1, the first block.
        let key = [0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c];
        let iv: Vec<u8> = (0..16).collect();
        let text = [0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a];
        let sealed = [0x76, 0x49, 0xab, 0xac, 0x81, 0x19, 0xb2, 0x46, 0xce, 0xe9, 0x8e, 0x9b, 0x12, 0xe9, 0x19, 0x7d];
        assert_eq!(Cipher::Aes128.encrypt((&key, &iv), &text).expect("sealed"), sealed);
    }
}
