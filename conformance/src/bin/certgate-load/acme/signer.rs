//! The key of an account. It signs by aws-lc-rs: a request is signed when its nonce is known, and the client must not be the slower side.

use anyhow::anyhow;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use certgate_conformance::acme::jws::{AccountKey, Draft, Jws, base64url};
use serde_json::Map;

/// Who signs requests, with ES256.
pub(crate) struct Signer {
    key: AccountKey,
    pair: EcdsaKeyPair,
    random: SystemRandom,
    /// URL of the account, once there is one.
    kid: Option<String>,
}

impl Signer {
    /// A new key, without an account.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let key = AccountKey::es256()?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.key().pkcs8()?)
            .map_err(|error| anyhow!("the key of an account: {error}"))?;
        Ok(Self { key, pair, random: SystemRandom::new(), kid: None })
    }

    /// Is the account of this URL from here on.
    pub(crate) fn is_called(&mut self, kid: String) {
        self.kid = Some(kid);
    }

    /// The thumbprint of its key (RFC 7638).
    pub(crate) fn thumbprint(&self) -> String {
        self.key.thumbprint()
    }

    /// The content of a request to `url` (RFC 8555 §6.2).
    pub(crate) fn sign(&self, url: &str, nonce: String, payload: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut protected = Map::new();
        protected.insert("alg".into(), self.key.algorithm().into());
        match &self.kid {
            Some(kid) => protected.insert("kid".into(), kid.clone().into()),
            None => protected.insert("jwk".into(), self.key.jwk().clone()),
        };
        protected.insert("nonce".into(), nonce.into());
        protected.insert("url".into(), url.into());
        let draft = Draft { protected, payload: Vec::new() };
        let (protected, payload) = (draft.protected(), base64url(payload));
        let message = format!("{protected}.{payload}");
        let signature = self.pair.sign(&self.random, message.as_bytes()).map_err(|_| anyhow!("no signature"))?;
        Ok(Jws { protected, payload, signature: base64url(signature.as_ref()) }.content())
    }
}
