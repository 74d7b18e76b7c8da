//! The `[scep]` table.

use serde::{Deserialize, Serialize};

/// A SCEP server (RFC 8894).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ScepTarget {
    /// URL of the server's endpoint, `http` or `https`.
    pub url: String,
    /// A challenge password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// As `url`, where a person approves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual_url: Option<String>,
}
