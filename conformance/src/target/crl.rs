//! The `[crl]` table.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A publisher of CRLs (RFC 5280 §5). The certificates on them are enrolled for over EST.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CrlTarget {
    /// URL of the complete list of the authority that issues at `[est] url`.
    pub url: String,
    /// That authority's certificate, PEM.
    pub issuer_file: PathBuf,
    /// As `[est] url`, where the issuing authority's lists are sharded: its certificates name lists of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharded_est_url: Option<String>,
    /// Seconds that may pass between a revocation and the first list that has it.
    #[serde(default = "default_delay_seconds")]
    pub delay_seconds: u64,
}

impl CrlTarget {
    /// A publisher that is given the usual time.
    #[must_use]
    pub const fn new(url: String, issuer_file: PathBuf) -> Self {
        Self { url, issuer_file, sharded_est_url: None, delay_seconds: default_delay_seconds() }
    }
}

const fn default_delay_seconds() -> u64 {
    15
}
