//! Time that stands still until a test moves it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use certgate_enrollment::Clock;
use certgate_pki::Timestamp;

/// When tests take place: 2026-09-21T14:13:20Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// A clock that a test sets and moves; it starts at [`NOW`].
#[derive(Debug)]
pub struct MockClock(AtomicU64);

impl MockClock {
    /// A clock that shows this time.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicU64::new(time.millis()))
    }

    /// Shows another time from now on, earlier or later.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.millis(), Ordering::SeqCst);
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().after(by));
    }
}

impl Default for MockClock {
    fn default() -> Self {
        Self::at(NOW)
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
