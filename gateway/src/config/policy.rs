//! `[policy]`: what holds for every profile.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// The section.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// A file of keys that are known to be compromised: the SHA-256 of each SubjectPublicKeyInfo, 64 hex digits a line.
    pub compromised_keys: Option<PathBuf>,
}
