//! Verification of signatures, by RustCrypto: another implementation than the one that signed.

use p256::ecdsa::signature::Verifier;
use rsa::pkcs1v15;
use sha2::{Sha256, Sha384, Sha512};
use spki::DecodePublicKey;

use crate::asn1::Element;

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// It was verified and is wrong, or key and algorithm do not belong together.
    #[error("{0}")]
    Wrong(String),
    /// The suite knows P-256 and RSA only.
    #[error("the suite cannot verify {0}")]
    Unsupported(String),
}

const ECDSA_WITH_SHA256: &str = "1.2.840.10045.4.3.2";
const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";
const SHA384_WITH_RSA: &str = "1.2.840.113549.1.1.12";
const SHA512_WITH_RSA: &str = "1.2.840.113549.1.1.13";

/// Verifies `signature` over `message` with the key of a `SubjectPublicKeyInfo` (RFC 5758 §3.2, RFC 4055 §5).
///
/// # Errors
/// [`Unverified`].
pub fn verify(spki: &Element, algorithm: &Element, message: &[u8], signature: &[u8]) -> Result<(), Unverified> {
    let oid = algorithm.elements().first().and_then(Element::oid).map(|oid| oid.to_string()).unwrap_or_default();
    let spki = spki.encode();
    match oid.as_str() {
        ECDSA_WITH_SHA256 => {
            let key = p256::ecdsa::VerifyingKey::from_public_key_der(&spki)
                .map_err(|_| Unverified::Unsupported("ECDSA on a curve other than P-256".into()))?;
            let signature = p256::ecdsa::DerSignature::try_from(signature)
                .map_err(|error| Unverified::Wrong(format!("ECDSA signature: {error}")))?;
            key.verify(message, &signature).map_err(|_| Unverified::Wrong("the ECDSA signature is wrong".into()))
        }
        SHA256_WITH_RSA => {
            verify_rsa(&spki, |key| pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(message, &rsa_signature(signature)?))
        }
        SHA384_WITH_RSA => {
            verify_rsa(&spki, |key| pkcs1v15::VerifyingKey::<Sha384>::new(key).verify(message, &rsa_signature(signature)?))
        }
        SHA512_WITH_RSA => {
            verify_rsa(&spki, |key| pkcs1v15::VerifyingKey::<Sha512>::new(key).verify(message, &rsa_signature(signature)?))
        }
        _ => Err(Unverified::Unsupported(format!("signature algorithm {oid}"))),
    }
}

fn verify_rsa(spki: &[u8], check: impl FnOnce(rsa::PublicKey) -> Result<(), rsa::signature::Error>) -> Result<(), Unverified> {
    let key = rsa::PublicKey::from_public_key_der(spki).map_err(|error| Unverified::Wrong(format!("RSA key: {error}")))?;
    check(key).map_err(|_| Unverified::Wrong("the RSA signature is wrong".into()))
}

fn rsa_signature(octets: &[u8]) -> Result<pkcs1v15::Signature, rsa::signature::Error> {
    pkcs1v15::Signature::try_from(octets)
}
