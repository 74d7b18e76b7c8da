//! `[store]`: the ledger.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ConfigError, Source};

/// The section.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Writes that may wait to be committed; one more is answered 503.
    #[schemars(range(min = SHORTEST_QUEUE, max = LONGEST_QUEUE))]
    pub queue: usize,
}

/// Revocations in bulk, and restores, have 256 writes wait at once: room for a few of those, and for who enrolls meanwhile.
const SHORTEST_QUEUE: usize = 1024;
const _: () = assert!(SHORTEST_QUEUE >= 4 * crate::admin::revocations::BATCH);

/// More waiting writes than this are no queue but a leak.
const LONGEST_QUEUE: usize = 1_000_000;

impl StoreConfig {
    pub(super) fn check(&self, source: &Source) -> Result<(), ConfigError> {
        if (SHORTEST_QUEUE..=LONGEST_QUEUE).contains(&self.queue) {
            return Ok(());
        }
        Err(source.error_in_key("store", "queue", format!("queue is from {SHORTEST_QUEUE} to {LONGEST_QUEUE}")))
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { queue: 8192 }
    }
}
