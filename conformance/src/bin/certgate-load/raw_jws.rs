//! What a request of ACME cannot do without: its JWS read, and its signature verified (RFC 7515 §5.2).

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, anyhow, ensure};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64ct::{Base64UrlUnpadded, Encoding};
use certgate_conformance::acme::payloads;
use serde::{Deserialize, Serialize};

use crate::{acme::Signer, raw_crypto::repeat};

/// The flattened JSON serialization (RFC 7515 §7.2.2).
#[derive(Deserialize)]
struct Flattened<'a> {
    protected: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// What a server has to know of the protected header.
#[derive(Deserialize)]
struct Header<'a> {
    alg: &'a str,
    nonce: &'a str,
    url: &'a str,
    kid: Option<&'a str>,
    #[serde(borrow)]
    jwk: Option<Jwk<'a>>,
}

/// RFC 7518 §6.2.1.
#[derive(Deserialize)]
struct Jwk<'a> {
    x: &'a str,
    y: &'a str,
}

/// CPU time in nanoseconds.
#[derive(Serialize)]
pub(crate) struct Costs {
    /// A JWS read by serde_json and base64ct, and verified by aws-lc-rs, ES256.
    jws_ns: f64,
    jws_bytes: usize,
}

/// Measures with a request for an order.
pub(crate) fn measure(seconds: f64) -> anyhow::Result<Costs> {
    let mut signer = Signer::new()?;
    let host = "https://127.0.0.1:40000/acme/default";
    let nonce = || "A".repeat(32);
    let verification = Verification::default();
    verification.payload(&signer.sign(&format!("{host}/new-account"), nonce(), b"{}")?)?;
    signer.is_called(format!("{host}/account/0123456789abcdef"));
    let names = ["0123456789ab-0000000.bench.example".to_owned()];
    let payload = payloads::identifiers(&names).to_string();
    let jws = signer.sign(&format!("{host}/new-order"), nonce(), payload.as_bytes())?;
    let jws_ns = repeat(seconds, || verification.payload(&jws).map(drop))?;
    Ok(Costs { jws_ns, jws_bytes: jws.len() })
}

/// Verifies requests of one account.
#[derive(Default)]
pub(crate) struct Verification {
    /// The account's key, as a point: that of the last request with a key in it.
    key: Mutex<Vec<u8>>,
}

impl Verification {
    /// The payload of a request, whose signature is right.
    pub(crate) fn payload(&self, content: &[u8]) -> anyhow::Result<Vec<u8>> {
        let jws: Flattened<'_> = serde_json::from_slice(content).context("a JWS")?;
        let protected = decode(jws.protected)?;
        let header: Header<'_> = serde_json::from_slice(&protected).context("a protected header")?;
        ensure!(header.alg == "ES256" && !header.nonce.is_empty() && header.url.starts_with("https://"), "another header");
        ensure!(header.kid.is_some() != header.jwk.is_some(), "`kid` or `jwk`");
        let payload = decode(jws.payload)?;
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jwk) = header.jwk {
            *key = [&[4][..], &decode(jwk.x)?, &decode(jwk.y)?].concat();
        }
        let (message, signature) = (format!("{}.{}", jws.protected, jws.payload), decode(jws.signature)?);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &*key)
            .verify(message.as_bytes(), &signature)
            .map_err(|_| anyhow!("a signature that is not valid"))?;
        Ok(payload)
    }
}

fn decode(text: &str) -> anyhow::Result<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).map_err(|error| anyhow!("base64url: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_verified_by_the_key_that_came_last() {
        let (mut signer, verification) = (Signer::new().unwrap(), Verification::default());
        let account = signer.sign("https://a/new-account", "n".to_owned(), b"{}").unwrap();
        signer.is_called("https://a/1".to_owned());
        let order = signer.sign("https://a/new-order", "n".to_owned(), b"payload").unwrap();
        verification.payload(&order).unwrap_err();
        verification.payload(&account).unwrap();
        assert_eq!(verification.payload(&order).unwrap(), b"payload");
        let stranger = Signer::new().unwrap().sign("https://a/new-account", "n".to_owned(), b"{}").unwrap();
        verification.payload(&stranger).unwrap();
        verification.payload(&order).unwrap_err();
    }
}
