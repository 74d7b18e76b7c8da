//! Fixed keys; `fixtures/keys/README.md` says which command made each.

use std::sync::Arc;

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{ObjectIdentifier, PublicKey, SigningKey, pem};

/// rsaEncryption, RFC 8017 §A.1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// PEM of [`device_key`].
pub const DEVICE_KEY: &str = include_str!("../fixtures/keys/p256-device.pem");
/// PEM of [`rsa_device_key`].
pub const RSA_DEVICE_KEY: &str = include_str!("../fixtures/keys/rsa2048-device.pem");

/// A device's key, P-256.
#[must_use]
pub fn device_key() -> Arc<dyn SigningKey> {
    load_key(DEVICE_KEY)
}

/// A device's key, RSA of 2048 bits.
#[must_use]
pub fn rsa_device_key() -> Arc<dyn SigningKey> {
    load_key(RSA_DEVICE_KEY)
}

/// A device's key, RSA of 3072 bits.
#[must_use]
pub fn rsa3072_device_key() -> Arc<dyn SigningKey> {
    load_key(include_str!("../fixtures/keys/rsa3072-device.pem"))
}

/// A device's key, RSA of 4096 bits.
#[must_use]
pub fn rsa4096_device_key() -> Arc<dyn SigningKey> {
    load_key(include_str!("../fixtures/keys/rsa4096-device.pem"))
}

/// An RSA key of 2048 bits with the public exponent 3.
#[must_use]
pub fn rsa_exponent_3_key() -> Arc<dyn SigningKey> {
    load_key(include_str!("../fixtures/keys/rsa2048-exponent-3.pem"))
}

/// An RSA key of 2048 bits whose primes are close to each other.
#[must_use]
pub fn rsa_close_primes_key() -> Arc<dyn SigningKey> {
    load_key(include_str!("../fixtures/keys/rsa2048-close-primes.pem"))
}

/// The public key of this modulus and this exponent, big-endian without leading zeros, whether or not they make one.
///
/// # Panics
/// When one of them is 0 or has leading zeros.
#[must_use]
pub fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> PublicKey {
    let mut key = DerWriter::default();
    key.sequence(|w| {
        for number in [modulus, exponent] {
            // An INTEGER is signed: a zero octet keeps it positive.
            let sign: &[u8] = if number.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
            w.tlv(tag::INTEGER, &[sign, number].concat());
        }
    });
    let mut spki = DerWriter::default();
    spki.sequence(|w| {
        w.sequence(|w| {
            w.oid(&RSA_ENCRYPTION).tlv(tag::NULL, &[]);
        });
        w.bit_string(&key.finish());
    });
    PublicKey::from_der(&spki.finish()).expect("two positive numbers")
}

/// A CA's key, P-256.
#[must_use]
pub fn ca_key() -> Arc<dyn SigningKey> {
    load_key(include_str!("../fixtures/keys/p256-ca.pem"))
}

/// The key in a PEM text.
///
/// # Panics
/// When it is no unencrypted PKCS#8 of a known type.
#[must_use]
pub fn load_key(pkcs8: &str) -> Arc<dyn SigningKey> {
    let der = pem::decode(pem::PRIVATE_KEY, pkcs8).expect("a PEM text");
    certgate_crypto::provider().sign.load(&der).expect("a key")
}
