//! The `[acme]` table.

use serde::{Deserialize, Serialize};

/// An ACME server (RFC 8555), and where it looks for the answers to its challenges.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AcmeTarget {
    /// URL of the directory.
    pub directory: String,
    /// As `directory`, where a person approves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual_directory: Option<String>,
    /// The suite orders names under this one. All of them must lead the server to 127.0.0.1.
    #[serde(default = "default_domain")]
    pub domain: String,
    /// Port on 127.0.0.1 where the server validates http-01, and where the suite answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http01_port: Option<u16>,
    /// UDP port on 127.0.0.1 of the DNS server that the server under test asks: the suite's own, which knows each name as 127.0.0.1.
    /// Without it, somebody else answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_port: Option<u16>,
    /// Port where the server validates tls-alpn-01.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlsalpn01_port: Option<u16>,
    /// URL of the programming interface of the DNS server that the server under test asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_api: Option<String>,
    /// External account binding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eab: Option<ExternalAccountBinding>,
}

/// `eab` of the `[acme]` table (RFC 8555 §7.3.4).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalAccountBinding {
    /// Key identifier.
    pub kid: String,
    /// MAC key, base64url.
    pub key: String,
}

impl AcmeTarget {
    /// A server of which nothing is known but its directory.
    #[must_use]
    pub fn new(directory: String) -> Self {
        Self {
            directory,
            manual_directory: None,
            domain: default_domain(),
            http01_port: None,
            dns_port: None,
            tlsalpn01_port: None,
            dns_api: None,
            eab: None,
        }
    }
}

fn default_domain() -> String {
    "conformance.example".into()
}
