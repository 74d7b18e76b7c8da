//! Fixed keys; `fixtures/keys/README.md` says which command made each.

use std::sync::Arc;

use certgate_pki::{SigningKey, pem};

/// A device's key, P-256.
#[must_use]
pub fn device_key() -> Arc<dyn SigningKey> {
    load_key(include_str!("../fixtures/keys/p256-device.pem"))
}

/// A device's key, RSA of 2048 bits.
#[must_use]
pub fn rsa_device_key() -> Arc<dyn SigningKey> {
    load_key(include_str!("../fixtures/keys/rsa2048-device.pem"))
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
