//! Signature verification.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use certgate_pki::{BadSignature, KeyType, PublicKey, SignatureAlgorithm, VerifySignature};

/// Verifies with aws-lc-rs. RSA keys under 2048 bits verify nothing.
#[derive(Debug)]
pub(crate) struct AwsLcVerify;

impl VerifySignature for AwsLcVerify {
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let algorithm = verification_algorithm(key.key_type(), algorithm).ok_or(BadSignature)?;
        UnparsedPublicKey::new(algorithm, key.key_bits()).verify(message, signature).map_err(|_| BadSignature)
    }
}

fn verification_algorithm(key: KeyType, algorithm: SignatureAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    use SignatureAlgorithm as A;
    Some(match (key, algorithm) {
        (KeyType::P256, A::EcdsaSha256) => &ECDSA_P256_SHA256_ASN1,
        (KeyType::P256, A::EcdsaSha384) => &ECDSA_P256_SHA384_ASN1,
        (KeyType::P256, A::EcdsaSha512) => &ECDSA_P256_SHA512_ASN1,
        (KeyType::P384, A::EcdsaSha256) => &ECDSA_P384_SHA256_ASN1,
        (KeyType::P384, A::EcdsaSha384) => &ECDSA_P384_SHA384_ASN1,
        (KeyType::P384, A::EcdsaSha512) => &ECDSA_P384_SHA512_ASN1,
        (KeyType::P521, A::EcdsaSha256) => &ECDSA_P521_SHA256_ASN1,
        (KeyType::P521, A::EcdsaSha384) => &ECDSA_P521_SHA384_ASN1,
        (KeyType::P521, A::EcdsaSha512) => &ECDSA_P521_SHA512_ASN1,
        (KeyType::Rsa { .. }, A::RsaSha256) => &RSA_PKCS1_2048_8192_SHA256,
        (KeyType::Rsa { .. }, A::RsaSha384) => &RSA_PKCS1_2048_8192_SHA384,
        (KeyType::Rsa { .. }, A::RsaSha512) => &RSA_PKCS1_2048_8192_SHA512,
        (KeyType::Ed25519, A::Ed25519) => &ED25519,
        _ => return None,
    })
}
