//! What certgate says about itself: logs on stderr, metrics on the ops listener, and the clocks.

mod audit_metrics;
mod clock;
mod crl_metrics;
mod daily;
mod logs;
mod metrics;

pub use audit_metrics::AuditMetrics;
pub use clock::{Stopwatch, SystemClock};
pub use crl_metrics::{BuildMetrics, CrlMetrics, ListMetrics};
pub(crate) use daily::Daily;
pub(crate) use logs::log_status_change;
pub use logs::{CHECKPOINT, LevelSwitch, Logs, start_logs};
pub use metrics::{
    BodyRefusal, ConnectionEnd, EnrollmentMetrics, Metrics, OcspMetrics, OcspOutcome, Outcome, Refusals, ValidationMetrics,
};
