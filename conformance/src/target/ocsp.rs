//! The `[ocsp]` table.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// An OCSP responder (RFC 6960), and the CA that it speaks for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OcspTarget {
    /// URL of the responder, `http`: requests are posted to it, or stand behind it and a slash.
    pub url: String,
    /// The CA that issues what EST gives, PEM.
    pub issuer_file: PathBuf,
    /// As `url`, where a serial number that was never issued is said to be revoked (RFC 6960 §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unissued_revoked_url: Option<String>,
    /// The CA that `unissued_revoked_url` speaks for, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unissued_revoked_issuer_file: Option<PathBuf>,
    /// Seconds within which answers tell that a certificate was revoked, held or released.
    #[serde(default)]
    pub delay_seconds: u64,
}

impl OcspTarget {
    /// A responder whose answers are always of the moment.
    #[must_use]
    pub const fn new(url: String, issuer_file: PathBuf) -> Self {
        Self { url, issuer_file, unissued_revoked_url: None, unissued_revoked_issuer_file: None, delay_seconds: 0 }
    }
}
