//! What certgate says about itself: logs on stderr, metrics on the ops listener, and the clocks.

mod clock;
mod crl_metrics;
mod logs;
mod metrics;

pub use clock::{Stopwatch, SystemClock};
pub use crl_metrics::{BuildMetrics, CrlMetrics, ListMetrics};
pub use logs::{LevelSwitch, Logs, start_logs};
pub use metrics::{EnrollmentMetrics, Metrics, OcspMetrics, OcspOutcome, Outcome, ValidationMetrics};
