//! How long a client is to wait before it asks again for what a person has to approve (RFC 7030 §4.2.3).

use std::time::Duration;

use certgate_enrollment::Pending;

/// The wait grows to this part of the time that the request has waited already…
const SHARE_OF_AGE: u32 = 4;
/// …and to this many times the first wait at the most.
const MOST: u32 = 60;

/// Seconds for Retry-After: `first` for a new request, more as it gets older, so that devices whose requests lie for days do not ask every
/// minute. A quarter is spread by the request's id: a fleet that has asked at the same moment does not come back at the same moment.
pub(super) fn seconds(first: Duration, pending: &Pending) -> u64 {
    let wait = (pending.waited / SHARE_OF_AGE).clamp(first, first.saturating_mul(MOST));
    let last = pending.id.as_str().bytes().next_back().map_or(0, |digit| char::from(digit).to_digit(16).unwrap_or(0));
    let spread = wait.mul_f64(f64::from(last) / 64.0);
    (wait + spread).as_secs().max(1)
}

#[cfg(test)]
mod tests {
    use certgate_enrollment::EnrollmentId;

    use super::*;

    fn after(waited: u64, last: char) -> u64 {
        let id = EnrollmentId::parse(&format!("{}{last}", "0".repeat(31))).unwrap();
        seconds(Duration::from_secs(60), &Pending { id, waited: Duration::from_secs(waited) })
    }

    #[test]
    fn the_wait_grows_with_age_and_has_an_end() {
        assert_eq!(after(0, '0'), 60);
        assert_eq!(after(600, '0'), 150);
        assert_eq!(after(10 * 86_400, '0'), 3600);
        assert!((60..=75).contains(&after(0, 'f')), "{}", after(0, 'f'));
    }
}
