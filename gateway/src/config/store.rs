//! `[store]`: the ledger.

use serde::Deserialize;

/// The section.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Writes that may wait to be committed.
    pub queue: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { queue: 8192 }
    }
}
