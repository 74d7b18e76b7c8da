//! Signature verification.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPssSaltLength, UnparsedPublicKey,
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
        if let Some(parameters) = pss(key.key_type(), algorithm) {
            return parameters.verify_sig(key.key_bits(), message, signature).map_err(|_| BadSignature);
        }
        let algorithm = verification_algorithm(key.key_type(), algorithm).ok_or(BadSignature)?;
        UnparsedPublicKey::new(algorithm, key.key_bits()).verify(message, signature).map_err(|_| BadSignature)
    }
}

/// RSASSA-PSS with exactly the salt that the parameters state (RFC 8017 §9.1.2 step 10 wants it so): OpenSSL up to 3.0 takes as much as
/// fits into the key, everyone else as much as the hash has octets.
fn pss(key: KeyType, algorithm: SignatureAlgorithm) -> Option<RsaParameters> {
    let (parameters, salt) = match (key, algorithm) {
        (KeyType::Rsa { .. }, SignatureAlgorithm::RsaPssSha256 { salt }) => (RSA_PSS_2048_8192_SHA256, salt),
        (KeyType::Rsa { .. }, SignatureAlgorithm::RsaPssSha384 { salt }) => (RSA_PSS_2048_8192_SHA384, salt),
        (KeyType::Rsa { .. }, SignatureAlgorithm::RsaPssSha512 { salt }) => (RSA_PSS_2048_8192_SHA512, salt),
        _ => return None,
    };
    Some(parameters.with_pss_salt_length(RsaPssSaltLength::Custom(salt)))
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
