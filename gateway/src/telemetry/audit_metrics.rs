//! Metrics of the audit trail's signed heads.

use std::sync::atomic::AtomicU64;

use certgate_pki::Timestamp;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// What there is to be seen of them.
#[derive(Clone, Debug, Default)]
pub struct AuditMetrics {
    checkpoint_events: Gauge<u64, AtomicU64>,
    checkpoint_seconds: Gauge<u64, AtomicU64>,
    /// 1 when a head that was signed is not in the trail.
    pub behind: Gauge,
}

impl AuditMetrics {
    /// All of them, registered.
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let help = "Events in the audit trail when its head was signed last";
        registry.register("audit_checkpoint_events", help, metrics.checkpoint_events.clone());
        let help = "When the head of the audit trail was signed last, seconds since 1970";
        registry.register_with_unit("audit_checkpoint", help, Unit::Seconds, metrics.checkpoint_seconds.clone());
        let help = "1 when a head that was signed is not in the audit trail: the ledger is an older one, or was changed";
        registry.register("audit_behind", help, metrics.behind.clone());
        metrics
    }

    /// This is the head that was signed last.
    pub fn signed(&self, events: u64, at: Timestamp) {
        self.checkpoint_events.set(events);
        self.checkpoint_seconds.set(at.seconds());
    }
}
