//! Tokens of challenges, and key authorizations (RFC 8555 §8.1).

use std::fmt;

use serde::{Serialize, Serializer};

use crate::base64url;
use crate::jwk::Thumbprint;

/// Fewest octets of a token. RFC 8555 §8.3: "This value MUST have at least 128 bits of entropy."
pub const MIN_TOKEN: usize = 16;

/// A token: base64url of at least [`MIN_TOKEN`] octets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    /// The token of random octets; `None` if they are fewer than [`MIN_TOKEN`].
    #[must_use]
    pub fn new(random: &[u8]) -> Option<Self> {
        (random.len() >= MIN_TOKEN).then(|| Self(base64url::encode(random)))
    }

    /// Reads one that was kept. RFC 8555 §8.3: "It MUST NOT contain any characters outside the base64url alphabet and MUST NOT include
    /// base64 padding characters".
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode(text).filter(|octets| octets.len() >= MIN_TOKEN).map(|_| Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key authorization: `token || '.' || base64url(Thumbprint(accountKey))`.
    #[must_use]
    pub fn key_authorization(&self, account_key: &Thumbprint) -> String {
        format!("{self}.{account_key}")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The token of RFC 8555 §8.3 and the thumbprint of RFC 7638 §3.1.
    #[test]
    fn token_dot_thumbprint() {
        let token = Token::parse("LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0").unwrap();
        let thumbprint = Thumbprint::parse("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs").unwrap();
        assert_eq!(
            token.key_authorization(&thumbprint),
            "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0.NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn tokens_have_128_bits_in_base64url() {
        let token = Token::new(&[0xff; 16]).unwrap();
        assert_eq!((token.as_str(), Token::parse(token.as_str())), ("_____________________w", Some(token.clone())));
        assert_eq!(Token::new(&[0xff; 15]), None);
        for wrong in
            ["", "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAA.AA+"]
        {
            assert_eq!(Token::parse(wrong), None, "{wrong}");
        }
        for wrong in ["", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xt"] {
            assert_eq!(Thumbprint::parse(wrong), None, "{wrong}");
        }
    }
}
