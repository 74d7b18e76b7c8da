//! What a client does: keys as JWK, headers, signatures as JOSE has them.

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use certgate_acme::Algorithm;
use certgate_pki::asn1::{Tlv, tag};
use certgate_pki::{KeyType, Provider, PublicKey, SigningKey};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "https://ca.example/acme/default/account/1";
pub(crate) const NONCE: &str = "6S8IqOGY7eL2lsGoTZYifg";
pub(crate) const URL: &str = "https://ca.example/acme/default/new-account";

pub(crate) fn provider() -> Provider {
    certgate_crypto::provider()
}

pub(crate) fn base64url(octets: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(octets.as_ref())
}

/// A key of each type that is accepted.
pub(crate) fn keys() -> Vec<Arc<dyn SigningKey>> {
    let made = [KeyType::P256, KeyType::P384, KeyType::P521, KeyType::Ed25519];
    let mut keys: Vec<_> = made.into_iter().map(generate).collect();
    keys.extend([certgate_testkit::rsa_device_key(), certgate_testkit::rsa4096_device_key()]);
    keys
}

pub(crate) fn generate(key_type: KeyType) -> Arc<dyn SigningKey> {
    provider().sign.generate(key_type).unwrap().key
}

/// The key as a JWK.
pub(crate) fn jwk(key: &PublicKey) -> Value {
    let point = |crv: &str| {
        let coordinates = &key.key_bits()[1..];
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        json!({"kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y)})
    };
    match key.key_type() {
        KeyType::P256 => point("P-256"),
        KeyType::P384 => point("P-384"),
        KeyType::P521 => point("P-521"),
        KeyType::Ed25519 => json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(key.key_bits())}),
        _ => rsa_jwk(key.rsa_modulus().unwrap(), key.rsa_exponent().unwrap()),
    }
}

pub(crate) fn rsa_jwk(modulus: &[u8], exponent: &[u8]) -> Value {
    json!({"kty": "RSA", "n": base64url(modulus), "e": base64url(exponent)})
}

/// The protected header of a request that has its key in it.
pub(crate) fn header(key: &dyn SigningKey) -> Value {
    json!({"alg": algorithm(key).name(), "jwk": jwk(key.public_key()), "nonce": NONCE, "url": URL})
}

/// The protected header of a request of an account.
pub(crate) fn account_header(key: &dyn SigningKey) -> Value {
    json!({"alg": algorithm(key).name(), "kid": ACCOUNT, "nonce": NONCE, "url": URL})
}

pub(crate) fn algorithm(key: &dyn SigningKey) -> Algorithm {
    Algorithm::of_key(key.public_key().key_type()).unwrap()
}

/// A request, signed.
pub(crate) fn signed(key: &dyn SigningKey, header: &Value, payload: &[u8]) -> Value {
    let (protected, payload) = (base64url(header.to_string()), base64url(payload));
    let signature = signature(key, format!("{protected}.{payload}").as_bytes());
    json!({"protected": protected, "payload": payload, "signature": base64url(signature)})
}

/// The signature of a JWS: for ECDSA, both numbers at full length (RFC 7518 §3.4).
pub(crate) fn signature(key: &dyn SigningKey, message: &[u8]) -> Vec<u8> {
    let signature = key.sign(message).unwrap();
    let octets = match key.public_key().key_type() {
        KeyType::P256 => 32,
        KeyType::P384 => 48,
        KeyType::P521 => 66,
        _ => return signature,
    };
    let mut numbers = Tlv::only(&signature).unwrap().contents().unwrap();
    let mut number = || {
        let value = numbers.expect(tag::INTEGER).unwrap().value;
        let value = value.strip_prefix(&[0]).unwrap_or(value);
        [&vec![0; octets - value.len()], value].concat()
    };
    [number(), number()].concat()
}
