//! JSON Web Signatures (RFC 7515) as RFC 8555 §6.2 wants them; their parts can be changed before they go out.

use anyhow::{Context, anyhow};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{
    asn1::Element,
    key::{Key, KeyKind},
};

/// Octets of a coordinate and of half a signature on P-256 (RFC 7518 §3.4, §6.2.1.2).
const COORDINATE: usize = 32;

/// base64url without padding (RFC 7515 §2).
#[must_use]
pub fn base64url(octets: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(octets)
}

/// The key of an account: ES256 or RS256.
#[derive(Clone)]
pub struct AccountKey {
    key: Key,
    jwk: Value,
    algorithm: &'static str,
}

impl AccountKey {
    /// A new key on P-256, for ES256 (RFC 7518 §3.4).
    ///
    /// # Errors
    /// None that is expected.
    pub fn es256() -> anyhow::Result<Self> {
        Self::of(Key::p256())
    }

    /// A new key of RSA, for RS256 (RFC 7518 §3.3).
    ///
    /// # Errors
    /// A failure to make it.
    pub fn rs256() -> anyhow::Result<Self> {
        Self::of(Key::new(KeyKind::Rsa2048)?)
    }

    fn of(key: Key) -> anyhow::Result<Self> {
        let spki = key.spki()?;
        let bits = spki.elements().get(1).map(Element::octets).unwrap_or_default();
        let (jwk, algorithm) = match key {
            Key::P256(_) => (elliptic_jwk(bits)?, "ES256"),
            Key::Rsa(_) => (rsa_jwk(bits)?, "RS256"),
            _ => return Err(anyhow!("no account has such a key")),
        };
        Ok(Self { key, jwk, algorithm })
    }

    /// The `alg` of its signatures.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// The key itself, to make a CSR of it that must not be taken.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// The public key (RFC 7517), its members in the order that RFC 7638 §3.3 wants.
    #[must_use]
    pub const fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// The thumbprint (RFC 7638), base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        base64url(&Sha256::digest(self.jwk.to_string()))
    }

    /// The key authorization of a challenge (RFC 8555 §8.1).
    #[must_use]
    pub fn authorize(&self, token: &str) -> String {
        format!("{token}.{}", self.thumbprint())
    }

    /// Signs; ECDSA as both integers side by side (RFC 7518 §3.4).
    ///
    /// # Errors
    /// None that is expected.
    pub fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let signature = self.key.sign(message)?;
        if self.algorithm == "RS256" {
            return Ok(signature);
        }
        let pair = Element::parse(&signature).context("an ECDSA signature")?;
        Ok(pair.elements().iter().flat_map(|integer| fixed(integer.octets())).collect())
    }
}

/// An integer in as many octets as a coordinate has.
fn fixed(integer: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = integer.iter().copied().skip_while(|octet| *octet == 0).collect();
    let mut octets = vec![0; COORDINATE.saturating_sub(digits.len())];
    octets.extend(digits);
    octets
}

/// RFC 7518 §6.2.1, from the BIT STRING of a point: no unused bits, uncompressed.
fn elliptic_jwk(bits: &[u8]) -> anyhow::Result<Value> {
    let [0, 4, point @ ..] = bits else { return Err(anyhow!("a point that is compressed")) };
    let (x, y) = point.split_at(COORDINATE.min(point.len()));
    Ok(json!({"crv": "P-256", "kty": "EC", "x": base64url(x), "y": base64url(y)}))
}

/// RFC 7518 §6.3.1, from the BIT STRING of an RSAPublicKey (RFC 8017 A.1.1).
fn rsa_jwk(bits: &[u8]) -> anyhow::Result<Value> {
    let key = Element::parse(bits.get(1..).unwrap_or_default()).context("an RSA key")?;
    let [n, e] = key.elements() else { return Err(anyhow!("an RSA key of other than two integers")) };
    let integer = |element: &Element| {
        let digits: Vec<u8> = element.octets().iter().copied().skip_while(|octet| *octet == 0).collect();
        base64url(&digits)
    };
    Ok(json!({"e": integer(e), "kty": "RSA", "n": integer(n)}))
}

/// A message that is not signed yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The protected header.
    pub protected: Map<String, Value>,
    /// The payload.
    pub payload: Vec<u8>,
}

impl Draft {
    /// With this member of the protected header.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.protected.insert(name.into(), value);
        self
    }

    /// Without this member of the protected header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.protected.remove(name);
        self
    }

    /// The protected header as it is sent.
    #[must_use]
    pub fn protected(&self) -> String {
        base64url(Value::Object(self.protected.clone()).to_string().as_bytes())
    }

    /// Signs it.
    ///
    /// # Errors
    /// None that is expected.
    pub fn sign(&self, key: &AccountKey) -> anyhow::Result<Jws> {
        Jws::sign(self.protected(), base64url(&self.payload), key)
    }
}

/// A message with its signature.
#[derive(Clone, Debug)]
pub struct Jws {
    /// The protected header, base64url.
    pub protected: String,
    /// The payload, base64url.
    pub payload: String,
    /// The signature, base64url.
    pub signature: String,
}

impl Jws {
    /// Signs texts as they are (RFC 7515 §5.1).
    ///
    /// # Errors
    /// None that is expected.
    pub fn sign(protected: String, payload: String, key: &AccountKey) -> anyhow::Result<Self> {
        let signature = base64url(&key.sign(format!("{protected}.{payload}").as_bytes())?);
        Ok(Self { protected, payload, signature })
    }

    /// The flattened JSON serialization (RFC 7515 §7.2.2).
    #[must_use]
    pub fn flattened(&self) -> Value {
        json!({"protected": self.protected, "payload": self.payload, "signature": self.signature})
    }

    /// The same as content of a request.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        self.flattened().to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::{Signature, signature::Verifier};

    use super::*;

    #[test]
    fn a_thumbprint_is_the_one_of_rfc_7638() {
        // RFC 7638 §3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ\
                 _2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI\
                 SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = AccountKey { jwk: json!({"e": "AQAB", "kty": "RSA", "n": n}), ..AccountKey::es256().expect("a key") };
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn a_signature_on_p256_is_two_integers_side_by_side() {
        let account = AccountKey::es256().expect("a key");
        let signature = account.sign(b"message").expect("signed");
        let Key::P256(key) = account.key() else { panic!("another key") };
        let signature = Signature::from_slice(&signature).expect("64 octets");
        key.verifying_key().verify(b"message", &signature).expect("verifies");
        assert_eq!(fixed(&[0, 1]).len(), COORDINATE);
    }
}
