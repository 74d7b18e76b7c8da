//! `[store]`: the ledger.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ConfigError, Source};

/// The section.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Writes that may wait to be committed; one more is answered 503.
    #[schemars(range(min = 1, max = LONGEST_QUEUE))]
    pub queue: usize,
}

/// More waiting writes than this are no queue but a leak.
const LONGEST_QUEUE: usize = 1_000_000;

impl StoreConfig {
    pub(super) fn check(&self, source: &Source) -> Result<(), ConfigError> {
        if (1..=LONGEST_QUEUE).contains(&self.queue) {
            return Ok(());
        }
        Err(source.error_in_key("store", "queue", format!("queue is from 1 to {LONGEST_QUEUE}")))
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { queue: 8192 }
    }
}
