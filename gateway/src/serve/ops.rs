//! `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;

use certgate_enrollment::AuditTrail;
use hyper::{Method, StatusCode};
use tokio_util::sync::CancellationToken;

use super::answer::{self, Answer};
use crate::telemetry::Metrics;

/// What is asked instead of counted.
pub trait Gauges: Send + Sync {
    /// Writes that wait in the ledger.
    fn queued_writes(&self) -> u64;

    /// Can the ledger be written, as far as the last commit tells?
    fn is_writable(&self) -> bool;

    /// Lines of the log that were dropped.
    fn dropped_lines(&self) -> u64;
}

/// Health and metrics.
pub struct OpsService {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Asked whether the ledger can be read.
    pub trail: Arc<dyn AuditTrail>,
    /// What is asked at every scrape.
    pub gauges: Box<dyn Gauges>,
    /// Cancelled when certgate begins to stop.
    pub stopping: CancellationToken,
}

impl OpsService {
    pub(crate) async fn answer(&self, method: &Method, path: &str) -> Answer {
        if let Some(refusal) = answer::read_only(method) {
            return refusal;
        }
        match path {
            "/healthz" => answer::text(StatusCode::OK, "alive"),
            "/readyz" => self.ready().await,
            "/metrics" => self.scrape().await,
            _ => answer::text(StatusCode::NOT_FOUND, "there is nothing here; try /healthz, /readyz or /metrics"),
        }
    }

    /// Ready means: certificates can be issued, as far as can be told without issuing one.
    async fn ready(&self) -> Answer {
        if self.stopping.is_cancelled() {
            return answer::text(StatusCode::SERVICE_UNAVAILABLE, "stopping");
        }
        match self.trail.head().await {
            Ok(_) if self.gauges.is_writable() => answer::text(StatusCode::OK, "ready"),
            Ok(_) => answer::text(StatusCode::SERVICE_UNAVAILABLE, "the ledger cannot be written"),
            Err(error) => answer::text(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        }
    }

    async fn scrape(&self) -> Answer {
        self.metrics.ledger_queue.set(self.gauges.queued_writes());
        self.metrics.ledger_writable.set(i64::from(self.gauges.is_writable()));
        self.metrics.log_lines_dropped.set(self.gauges.dropped_lines());
        if let Ok(head) = self.trail.head().await {
            self.metrics.audit_events.set(head.events);
        }
        answer::ok("application/openmetrics-text; version=1.0.0; charset=utf-8", self.metrics.encode())
    }
}
