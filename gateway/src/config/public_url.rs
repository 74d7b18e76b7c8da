//! Base URLs that others will use.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;
use serde::Deserialize;

/// `http(s)://HOST[:PORT][/PATH]`, kept without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    text: String,
    host: String,
}

/// The text is no base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a URL like http://pki.example.com or http://pki.example.com:8080/base")]
pub struct InvalidUrl(String);

impl PublicUrl {
    /// Its host: a name, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its host, read as an address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Is it `https`? Relying parties may not follow such a URL in a certificate: it could lead them in a circle (RFC 5280 §8).
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidUrl(text.to_owned());
        // RFC 3986 §2: it becomes an IA5String in certificates (RFC 5280 §4.2.1.6).
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)) {
            return Err(invalid());
        }
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme)).ok_or_else(invalid)?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(invalid)?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if host.is_empty() || uri.query().is_some() || text.contains('#') {
            return Err(invalid());
        }
        let path = uri.path().trim_end_matches('/');
        Ok(Self { text: format!("{scheme}://{authority}{path}"), host: host.to_owned() })
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = InvalidUrl;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        let url: PublicUrl = "http://pki.example.com:8080/base/".parse().unwrap();
        assert_eq!((url.to_string().as_str(), url.host()), ("http://pki.example.com:8080/base", "pki.example.com"));
        assert_eq!("http://[::1]:80".parse::<PublicUrl>().unwrap().address(), "::1".parse().ok());
        for wrong in [
            "",
            "pki.example.com",
            "ldap://a",
            "http://",
            "http://u:p@a",
            "http://a?b",
            "http://a/#b",
            "http://a b",
            "http://a/\u{fc}",
            "http://a/{",
        ] {
            assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong}");
        }
    }
}
