//! Verification of signatures, by RustCrypto: another implementation than the one that signed.

use p256::ecdsa::signature::{Verifier, hazmat::PrehashVerifier};
use rsa::pkcs1v15;
use sha2::{Digest, Sha256, Sha384, Sha512};
use spki::DecodePublicKey;

use crate::asn1::Element;

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// It was verified and is wrong, or key and algorithm do not belong together.
    #[error("{0}")]
    Wrong(String),
    /// The suite knows ECDSA on the NIST curves, RSA PKCS #1 v1.5 and Ed25519 only.
    #[error("the suite cannot verify {0}")]
    Unsupported(String),
}

const ECDSA_WITH_SHA256: &str = "1.2.840.10045.4.3.2";
const ECDSA_WITH_SHA384: &str = "1.2.840.10045.4.3.3";
const ECDSA_WITH_SHA512: &str = "1.2.840.10045.4.3.4";
const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";
const SHA384_WITH_RSA: &str = "1.2.840.113549.1.1.12";
const SHA512_WITH_RSA: &str = "1.2.840.113549.1.1.13";
const ED25519: &str = "1.3.101.112";

const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

/// ECDSA with the types of one curve's crate.
macro_rules! verify_on {
    ($curve:ident, $spki:expr, $digest:expr, $signature:expr) => {{
        let key = $curve::ecdsa::VerifyingKey::from_public_key_der(&$spki.encode())
            .map_err(|error| Unverified::Wrong(format!("EC key: {error}")))?;
        let signature = $curve::ecdsa::DerSignature::try_from($signature)
            .map_err(|error| Unverified::Wrong(format!("ECDSA signature: {error}")))?;
        key.verify_prehash($digest, &signature).map_err(|_| Unverified::Wrong("the ECDSA signature is wrong".into()))
    }};
}

/// Verifies `signature` over `message` with the key of a `SubjectPublicKeyInfo` (RFC 5758 §3.2, RFC 4055 §5, RFC 8410 §3).
///
/// # Errors
/// [`Unverified`].
pub fn verify(spki: &Element, algorithm: &Element, message: &[u8], signature: &[u8]) -> Result<(), Unverified> {
    let oid = algorithm.elements().first().and_then(Element::oid).map(|oid| oid.to_string()).unwrap_or_default();
    match oid.as_str() {
        ECDSA_WITH_SHA256 => verify_ecdsa(spki, &Sha256::digest(message), signature),
        ECDSA_WITH_SHA384 => verify_ecdsa(spki, &Sha384::digest(message), signature),
        ECDSA_WITH_SHA512 => verify_ecdsa(spki, &Sha512::digest(message), signature),
        SHA256_WITH_RSA => {
            verify_rsa(spki, |key| pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(message, &rsa_signature(signature)?))
        }
        SHA384_WITH_RSA => {
            verify_rsa(spki, |key| pkcs1v15::VerifyingKey::<Sha384>::new(key).verify(message, &rsa_signature(signature)?))
        }
        SHA512_WITH_RSA => {
            verify_rsa(spki, |key| pkcs1v15::VerifyingKey::<Sha512>::new(key).verify(message, &rsa_signature(signature)?))
        }
        ED25519 => verify_ed25519(spki, message, signature),
        _ => Err(Unverified::Unsupported(format!("signature algorithm {oid}"))),
    }
}

fn verify_ecdsa(spki: &Element, digest: &[u8], signature: &[u8]) -> Result<(), Unverified> {
    let parameters = spki.elements().first().and_then(|algorithm| algorithm.elements().get(1));
    let curve = parameters.and_then(Element::oid).map(|oid| oid.to_string()).unwrap_or_default();
    match curve.as_str() {
        P256 => verify_on!(p256, spki, digest, signature),
        P384 => verify_on!(p384, spki, digest, signature),
        // The crate takes no digest shorter than half the field.
        P521 if digest.len() < 33 => Err(Unverified::Unsupported("ECDSA on P-521 with SHA-256".into())),
        P521 => verify_on!(p521, spki, digest, signature),
        _ => Err(Unverified::Unsupported(format!("ECDSA on curve {curve:?}"))),
    }
}

fn verify_rsa(
    spki: &Element,
    check: impl FnOnce(rsa::PublicKey) -> Result<(), rsa::signature::Error>,
) -> Result<(), Unverified> {
    let key =
        rsa::PublicKey::from_public_key_der(&spki.encode()).map_err(|error| Unverified::Wrong(format!("RSA key: {error}")))?;
    check(key).map_err(|_| Unverified::Wrong("the RSA signature is wrong".into()))
}

fn rsa_signature(octets: &[u8]) -> Result<pkcs1v15::Signature, rsa::signature::Error> {
    pkcs1v15::Signature::try_from(octets)
}

fn verify_ed25519(spki: &Element, message: &[u8], signature: &[u8]) -> Result<(), Unverified> {
    let key = ed25519_dalek::VerifyingKey::from_public_key_der(&spki.encode())
        .map_err(|error| Unverified::Wrong(format!("Ed25519 key: {error}")))?;
    let signature = ed25519_dalek::Signature::from_slice(signature)
        .map_err(|error| Unverified::Wrong(format!("Ed25519 signature: {error}")))?;
    key.verify(message, &signature).map_err(|_| Unverified::Wrong("the Ed25519 signature is wrong".into()))
}
