//! What the bytes of a public key infrastructure mean: PKCS#10 requests, X.509 certificates, CMS, files of private keys, and PEM.
//!
//! Pure: no clock, no randomness, no files, no network. Cryptography comes in as a [`Provider`], a plain struct of `dyn` parts, so that
//! a software key, a PKCS#11 token and a fuzzer's no-crypto provider plug into the same codecs. Every decoder is bounded by [`limits`]
//! and keeps the bytes it was given: a signature is verified over what arrived, never over what was encoded again.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod algorithm;
pub mod asn1;
mod certificate;
pub mod cms;
mod crl_reason;
mod csr;
mod csr_attributes;
mod csr_draft;
mod extension;
mod general_name;
pub mod limits;
mod name;
mod name_string;
pub mod pem;
mod private_key;
mod provider;
mod public_key;
mod reading;
mod serial;
mod template;
mod timestamp;

pub use algorithm::{DigestAlgorithm, SignatureAlgorithm};
pub use certificate::{Certificate, CertificateError, CertificateOutline};
pub use crl_reason::CrlReason;
pub use csr::{Csr, CsrError, VerifiedCsr};
pub use csr_attributes::ChangeSubjectName;
pub use csr_draft::CsrDraft;
pub use extension::{
    AuthorityInfoAccess, DistributionPointName, ExtendedKeyUsage, Extension, Extensions, KeyUsage, Pointers,
    RequestedExtensions,
};
pub use general_name::{DnsName, GeneralName, InvalidDnsName};
pub use name::{Name, NameAttribute, NameAttributeType, StringType};
pub use name_string::{InvalidNameString, is_invisible};
pub use private_key::{EncryptedPrivateKey, PrivateKeyError, PrivateKeyFile};
pub use provider::{
    BadSignature, ContentCipher, CryptoError, Decrypt, DecryptionKey, Digest, Encrypt, GeneratedKey, KeyTransport, Provider,
    Random, Sign, SigningKey, VerifySignature, sha256,
};
pub use public_key::{KeyType, PublicKey};
pub use reading::Reading;
pub use serial::Serial;
pub use template::{CaFields, KeyIdentifier, LeafFields, Template, Validity};
pub use timestamp::Timestamp;

pub use const_oid::ObjectIdentifier;
