//! Where requests go: the URL of an endpoint, and a login that is good there.

use crate::{
    channel::Dial,
    http::{Request, basic, encode_body},
    target::Url,
};

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its URL.
    pub url: Url,
    /// A user who may enroll its own name as CN and dNSName.
    pub user: String,
    /// That user's password.
    pub password: String,
}

impl Endpoint {
    /// The path of an operation (RFC 7030 §3.2.2).
    #[must_use]
    pub fn path(&self, operation: &str) -> String {
        format!("{}/{operation}", self.url.path)
    }

    /// How to dial it.
    #[must_use]
    pub fn dial(&self) -> Dial {
        Dial { origin: Some(self.url.clone()), ..Dial::default() }
    }

    /// GET without credentials.
    #[must_use]
    pub fn get(&self, operation: &str) -> Request {
        Request::new("GET", &self.path(operation)).dialled(self.dial())
    }

    /// A request with a CSR in DER, and without credentials (RFC 7030 §4.2.1, RFC 8951 §3).
    #[must_use]
    pub fn anonymous(&self, operation: &str, csr: &[u8]) -> Request {
        Request::new("POST", &self.path(operation))
            .with_field("Content-Type", "application/pkcs10")
            .with_content(&encode_body(csr))
            .dialled(self.dial())
    }

    /// The same, authenticated by name and password.
    #[must_use]
    pub fn with_password(&self, operation: &str, csr: &[u8]) -> Request {
        self.anonymous(operation, csr).with_field("Authorization", &basic(&self.user, &self.password))
    }
}

/// The label in an EST URL (RFC 7030 §3.2.2); `default` without one.
#[must_use]
pub fn label(url: &Url) -> &str {
    let behind = url.path.split_once("/.well-known/est").map(|(_, rest)| rest.trim_matches('/'));
    behind.filter(|label| !label.is_empty()).unwrap_or("default")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_what_stands_behind_est() {
        for (url, wanted) in [
            ("https://h/.well-known/est", "default"),
            ("https://h/.well-known/est/manual/", "manual"),
            ("https://h/x/.well-known/est/manual", "manual"),
            ("https://h/elsewhere", "default"),
        ] {
            assert_eq!(label(&url.parse().expect("a URL")), wanted);
        }
    }
}
