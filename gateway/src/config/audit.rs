//! `[audit]`: signed heads of the audit trail.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ConfigError, Period, Source};

/// The section.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// How often the head of the trail is signed, where something was appended since.
    pub checkpoint: Period,
    /// After so many events it is signed sooner.
    #[schemars(range(min = 1))]
    pub checkpoint_events: u64,
}

impl AuditConfig {
    pub(super) fn check(&self, source: &Source) -> Result<(), ConfigError> {
        if self.checkpoint_events == 0 {
            return Err(source.error_in_key("audit", "checkpoint_events", "checkpoint_events is 1 at the least"));
        }
        Ok(())
    }
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { checkpoint: Period::seconds(3600), checkpoint_events: 10_000 }
    }
}
