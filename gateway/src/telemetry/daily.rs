//! What is said once a day for as long as it is so.

use std::time::Duration;

use certgate_pki::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);

/// When it was said last, by the clock of the wall.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Daily(Option<Timestamp>);

impl Daily {
    /// Is it to be said now? Then it counts as said. A clock that was set back does not silence it.
    pub(crate) fn is_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.0.is_none_or(|last| now >= last.after(DAY) || now < last);
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_once_then_after_a_day_and_when_the_clock_was_set_back() {
        let first = Timestamp::from_millis(1_800_000_000_000);
        let mut daily = Daily::default();
        assert!(daily.is_due(first));
        assert!(!daily.is_due(first.after(DAY / 2)));
        assert!(daily.is_due(first.after(DAY)));
        assert!(daily.is_due(first));
        assert!(!daily.is_due(first));
    }
}
