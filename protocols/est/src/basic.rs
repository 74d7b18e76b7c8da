//! HTTP Basic authentication (RFC 7617), which RFC 7030 §3.2.3 allows within TLS.

use std::fmt;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

/// Longest Authorization header, in octets.
pub const MAX_BASIC: usize = 1024;

/// The header is no Basic authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBasic {
    /// Another scheme.
    #[error("the Authorization scheme is not Basic")]
    OtherScheme,
    /// Longer than [`MAX_BASIC`], no base64, no colon, or control characters (RFC 7617 §2).
    #[error("the Authorization header is not Basic base64(user:password)")]
    Malformed,
}

/// A user and a password as they were sent. `Debug` shows the user only; the password is zeroized when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicCredentials {
    /// Who.
    pub user: String,
    /// The proof.
    pub password: Zeroizing<String>,
}

impl BasicCredentials {
    /// Reads the value of an Authorization header. The charset is UTF-8 (RFC 7617 §2.1).
    ///
    /// # Errors
    /// [`InvalidBasic`].
    pub fn parse(header: &[u8]) -> Result<Self, InvalidBasic> {
        if header.len() > MAX_BASIC {
            return Err(InvalidBasic::Malformed);
        }
        let text = std::str::from_utf8(header).map_err(|_| InvalidBasic::Malformed)?;
        let (scheme, token) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        // RFC 9110 §11.1: the scheme is case-insensitive.
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(InvalidBasic::OtherScheme);
        }
        let decoded = Base64::decode_vec(token.trim()).map(Zeroizing::new).map_err(|_| InvalidBasic::Malformed)?;
        let decoded = std::str::from_utf8(&decoded).map_err(|_| InvalidBasic::Malformed)?;
        // RFC 7617 §2: "The user-id and password MUST NOT contain any control characters"; the first colon divides.
        let (user, password) = decoded.split_once(':').ok_or(InvalidBasic::Malformed)?;
        if decoded.chars().any(char::is_control) {
            return Err(InvalidBasic::Malformed);
        }
        Ok(Self { user: user.to_owned(), password: Zeroizing::new(password.to_owned()) })
    }
}

impl fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicCredentials").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Vec<u8> {
        format!("Basic {}", Base64::encode_string(text.as_bytes())).into_bytes()
    }

    #[test]
    fn user_and_password_divide_at_the_first_colon() {
        let credentials = BasicCredentials::parse(&header("first-device:a:b")).unwrap();
        assert_eq!((credentials.user.as_str(), credentials.password.as_str()), ("first-device", "a:b"));
        let credentials = BasicCredentials::parse(b"bAsIc   Og==").unwrap();
        assert_eq!((credentials.user.as_str(), credentials.password.as_str()), ("", ""));
    }

    #[test]
    fn what_is_no_basic_authentication() {
        assert_eq!(BasicCredentials::parse(b"Bearer x"), Err(InvalidBasic::OtherScheme));
        for wrong in [&b"Basic"[..], b"Basic %%%", b"Basic YQ==", &header("a:\x07"), &[b'a'; MAX_BASIC + 1], b"Basic /w=="] {
            assert_eq!(BasicCredentials::parse(wrong), Err(InvalidBasic::Malformed));
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let credentials = BasicCredentials::parse(&header("u:secret")).unwrap();
        assert!(!format!("{credentials:?}").contains("secret"));
    }
}
