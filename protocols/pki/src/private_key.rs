//! Files of private keys: PKCS#8 (RFC 5958), SEC1 (RFC 5915), PKCS#1 (RFC 8017 §A.1.2) and encrypted PKCS#8 (PBES2, RFC 8018 §6.2), in
//! PEM. All of them become unencrypted PKCS#8, which a [`Sign`](crate::Sign) loads.

mod encrypted;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912;
use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Encode};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

pub use encrypted::EncryptedPrivateKey;

use crate::limits::{MAX_KEY_ITERATIONS, MAX_KEY_MEMORY, MAX_PRIVATE_KEY};
use crate::pem::{self, PemError};

/// Labels of the blocks that hold a private key (RFC 7468 §10 and §11; those of SEC1 and PKCS#1 are what OpenSSL writes).
const LABELS: [&str; 4] = [pem::PRIVATE_KEY, pem::ENCRYPTED_PRIVATE_KEY, pem::EC_PRIVATE_KEY, pem::RSA_PRIVATE_KEY];

/// A private key as it is in a file.
pub enum PrivateKeyFile {
    /// Unencrypted; PKCS#8 DER.
    Plain(Zeroizing<Vec<u8>>),
    /// A passphrase opens it.
    Encrypted(EncryptedPrivateKey),
}

/// Why there is no private key. What to do about it is said too, as it is a person who reads this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    /// No block with a label of a private key.
    #[error(
        "there is no private key: a PEM block labelled PRIVATE KEY, ENCRYPTED PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY is looked for"
    )]
    NoKey,
    /// The text is no PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// More than [`MAX_PRIVATE_KEY`] octets.
    #[error("the private key is larger than {MAX_PRIVATE_KEY} octets")]
    TooLarge,
    /// The block is not what its label says.
    #[error("the block labelled {0} is malformed")]
    Malformed(&'static str),
    /// RFC 5915 §3 wants a named curve; here is none, or one that is written out.
    #[error(
        "the EC private key does not name its curve (RFC 5915 §3): write it anew with \
         `openssl ec -in FILE -param_enc named_curve -out NEW`"
    )]
    NoCurve,
    /// `Proc-Type: 4,ENCRYPTED` (RFC 1421 §4.6.1.1), whose key is one MD5 of the passphrase.
    #[error(
        "the key is encrypted in the way of old (Proc-Type: 4,ENCRYPTED), which is not read: write it anew with \
         `openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW`"
    )]
    LegacyEncryption,
    /// Not PBES2, or with an algorithm that is not read.
    #[error(
        "the key is encrypted by an algorithm that is not read: PBES2 with PBKDF2 or scrypt, and AES or 3DES, is. Write it anew with \
         `openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW`"
    )]
    UnsupportedEncryption,
    /// Its parameters are beyond what is computed.
    #[error(
        "opening the key would take more than {MAX_KEY_ITERATIONS} iterations of PBKDF2, or {} MiB for scrypt: write it anew with \
         `openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW`",
        MAX_KEY_MEMORY >> 20
    )]
    TooExpensive,
    /// The passphrase does not open it, or it is damaged.
    #[error("the passphrase does not open the key: it is another one, or the file is damaged")]
    WrongPassphrase,
}

impl PrivateKeyFile {
    /// The first private key in a PEM text. What is around it, such as the EC PARAMETERS of `openssl ecparam -genkey`, is passed over.
    ///
    /// # Errors
    /// [`PrivateKeyError`].
    pub fn read(text: &str) -> Result<Self, PrivateKeyError> {
        let (label, body) = pem::first(&LABELS, text)?.ok_or(PrivateKeyError::NoKey)?;
        // RFC 1421 §4.6.1.1: headers are before the base64, which has no colon.
        if body.contains("Proc-Type:") {
            return Err(PrivateKeyError::LegacyEncryption);
        }
        let der = pem::decode_body(body)?;
        if der.len() > MAX_PRIVATE_KEY {
            return Err(PrivateKeyError::TooLarge);
        }
        match label {
            pem::ENCRYPTED_PRIVATE_KEY => EncryptedPrivateKey::from_der(&der).map(Self::Encrypted),
            pem::EC_PRIVATE_KEY => from_sec1(&der).map(Self::Plain),
            pem::RSA_PRIVATE_KEY => from_pkcs1(&der).map(Self::Plain),
            _ => check_pkcs8(&der).map(|()| Self::Plain(der)),
        }
    }
}

/// Is it a PrivateKeyInfo (RFC 5208 §5) or a OneAsymmetricKey (RFC 5958 §2)?
fn check_pkcs8(der: &[u8]) -> Result<(), PrivateKeyError> {
    let read = PrivateKeyInfoRef::from_der(der);
    read.map(drop).map_err(|_| PrivateKeyError::Malformed(pem::PRIVATE_KEY))
}

/// PKCS#8 around an ECPrivateKey: RFC 5915 §3, RFC 5480 §2.1.1.
fn from_sec1(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    let key = match sec1::EcPrivateKey::from_der(der) {
        Ok(key) => key,
        // Of all its parts, the parameters alone are a CHOICE.
        Err(error) if is_written_out(&error) => return Err(PrivateKeyError::NoCurve),
        Err(_) => return Err(PrivateKeyError::Malformed(pem::EC_PRIVATE_KEY)),
    };
    let curve = key.parameters.and_then(sec1::EcParameters::named_curve).ok_or(PrivateKeyError::NoCurve)?;
    wrap(rfc5912::ID_EC_PUBLIC_KEY, AnyRef::from(&curve), der).map_err(|_| PrivateKeyError::Malformed(pem::EC_PRIVATE_KEY))
}

/// A SEQUENCE was found where the OBJECT IDENTIFIER of a curve is wanted: SpecifiedECDomain (RFC 3279 §2.3.5).
fn is_written_out(error: &der::Error) -> bool {
    let wanted = Some(der::Tag::ObjectIdentifier);
    matches!(error.kind(), der::ErrorKind::TagUnexpected { expected, actual: der::Tag::Sequence } if expected == wanted)
}

/// PKCS#8 around an RSAPrivateKey: RFC 8017 §A.1.2, RFC 5208 §5.
fn from_pkcs1(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    let malformed = |_| PrivateKeyError::Malformed(pem::RSA_PRIVATE_KEY);
    pkcs1::RsaPrivateKeyRef::from_der(der).map_err(malformed)?;
    wrap(rfc5912::RSA_ENCRYPTION, AnyRef::NULL, der).map_err(malformed)
}

/// PrivateKeyInfo, version 0, without attributes.
fn wrap(oid: ObjectIdentifier, parameters: AnyRef<'_>, key: &[u8]) -> der::Result<Zeroizing<Vec<u8>>> {
    let algorithm = AlgorithmIdentifierRef { oid, parameters: Some(parameters) };
    PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(key)?).to_der().map(Zeroizing::new)
}
