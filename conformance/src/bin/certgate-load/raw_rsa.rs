//! What a PKCSReq of SCEP cannot do without: RSA keys of 2048 bits that decrypt, sign and verify, and the signature of a certificate.

use anyhow::anyhow;
use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeySize, Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
        UnparsedPublicKey,
    },
};
use serde::Serialize;

use crate::raw_crypto::repeat;

/// Octets of a content-encryption key: AES-128.
const CONTENT_KEY: [u8; 16] = [7; 16];
/// Octets of what is signed: attributes or a CSR, and a certificate.
const SIGNED: [u8; 400] = [9; 400];
/// Signatures of a PKCSReq: that of the message, and that of the CSR in it.
const VERIFICATIONS: usize = 2;

/// CPU time of each, in nanoseconds.
#[derive(Serialize)]
pub(crate) struct Costs {
    /// A content-encryption key decrypted, PKCS #1 v1.5.
    decrypt_ns: f64,
    /// An answer signed, PKCS #1 v1.5 with SHA-256.
    rsa_sign_ns: f64,
    /// Both signatures of a request verified.
    verify_ns: f64,
    /// A certificate signed, ECDSA on P-256.
    sign_ns: f64,
}

/// Measures each in a loop.
pub(crate) fn measure(seconds: f64) -> anyhow::Result<Costs> {
    let work = PkcsReq::new()?;
    Ok(Costs {
        decrypt_ns: repeat(seconds, || work.decrypt())?,
        rsa_sign_ns: repeat(seconds, || work.sign_reply())?,
        verify_ns: repeat(seconds, || work.verify())?,
        sign_ns: repeat(seconds, || work.sign_certificate())?,
    })
}

/// The cryptography of one request, over objects of its own.
pub(crate) struct PkcsReq {
    decryption: Pkcs1PrivateDecryptingKey,
    signing: RsaKeyPair,
    issuing: EcdsaKeyPair,
    random: SystemRandom,
    encrypted: Vec<u8>,
    signature: Vec<u8>,
}

impl PkcsReq {
    /// With new keys.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let failed = |_| anyhow!("no RSA");
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(failed)?;
        let public = Pkcs1PublicEncryptingKey::new(private.public_key()).map_err(failed)?;
        let mut encrypted = vec![0; public.ciphertext_size()];
        public.encrypt(&CONTENT_KEY, &mut encrypted).map_err(failed)?;
        let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = private.as_der().map_err(failed)?;
        let signing = RsaKeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|error| anyhow!("RSA key: {error}"))?;
        let mut work = Self {
            decryption: Pkcs1PrivateDecryptingKey::new(private).map_err(failed)?,
            signing,
            issuing: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(failed)?,
            random: SystemRandom::new(),
            encrypted,
            signature: Vec::new(),
        };
        work.signature = work.reply_signature()?;
        Ok(work)
    }

    /// All of it, once.
    pub(crate) fn perform(&self) -> anyhow::Result<()> {
        self.verify()?;
        self.decrypt()?;
        self.sign_certificate()?;
        self.sign_reply()
    }

    fn decrypt(&self) -> anyhow::Result<()> {
        let mut key = vec![0; self.encrypted.len()];
        self.decryption.decrypt(&self.encrypted, &mut key).map(drop).map_err(|_| anyhow!("no key"))
    }

    fn verify(&self) -> anyhow::Result<()> {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.signing.public_key());
        for _ in 0..VERIFICATIONS {
            key.verify(&SIGNED, &self.signature).map_err(|_| anyhow!("a signature that is not valid"))?;
        }
        Ok(())
    }

    fn sign_reply(&self) -> anyhow::Result<()> {
        self.reply_signature().map(drop)
    }

    fn reply_signature(&self) -> anyhow::Result<Vec<u8>> {
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing.sign(&RSA_PKCS1_SHA256, &self.random, &SIGNED, &mut signature).map_err(|_| anyhow!("no signature"))?;
        Ok(signature)
    }

    fn sign_certificate(&self) -> anyhow::Result<()> {
        self.issuing.sign(&self.random, &SIGNED).map(drop).map_err(|_| anyhow!("no signature"))
    }
}
