//! What is under way on a connection: requests, and those of their bodies that did not come at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a body is waited for before it counts how fast it comes: few of those that are sent at once take longer. It may be less than a round
/// trip by satellite, since those that are behind the most make way first, and only where there is no room; and the longer it is, the longer keeps
/// everybody else out who opens connections faster than that.
const GRACE: Duration = Duration::from_millis(250);

/// Counts the requests of one connection.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Counts>);

/// Of one connection.
#[derive(Default)]
struct Counts {
    /// Requests that are being answered.
    now: AtomicUsize,
    /// Requests that ever came.
    ever: AtomicUsize,
    /// Bodies that are waited for. A body that comes at once is none of them.
    arriving: Mutex<Arriving>,
    is_wanted: AtomicBool,
    wanted: Notify,
}

/// Bodies of one connection that are waited for.
#[derive(Default)]
struct Arriving {
    bodies: usize,
    /// Since when there has been any of them.
    since: Option<Instant>,
    /// What has come of them since then.
    octets: u64,
}

impl InFlight {
    /// One more, until what this returns is dropped.
    #[must_use]
    pub fn enter(&self) -> impl Drop + Send + use<> {
        struct Leave(InFlight);
        impl Drop for Leave {
            fn drop(&mut self) {
                self.0.0.now.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.0.now.fetch_add(1, Ordering::Relaxed);
        self.0.ever.fetch_add(1, Ordering::Relaxed);
        Leave(self.clone())
    }

    /// The body of a request that is under way is waited for, until what this returns is dropped.
    #[must_use]
    pub fn wait_for_body(&self) -> ArrivingBody {
        let mut arriving = self.arriving();
        if arriving.bodies == 0 {
            *arriving = Arriving { since: Some(Instant::now()), ..Arriving::default() };
        }
        arriving.bodies += 1;
        drop(arriving);
        ArrivingBody(self.clone())
    }

    /// Tells the connection, and whoever reads bodies from it, that its place is wanted for another.
    pub(crate) fn make_way(&self) {
        self.0.is_wanted.store(true, Ordering::SeqCst);
        self.0.wanted.notify_waiters();
    }

    /// Was it told to make way?
    pub(super) fn is_told(&self) -> bool {
        self.0.is_wanted.load(Ordering::SeqCst)
    }

    /// Returns once it was told to make way.
    pub(crate) async fn is_wanted(&self) {
        let told = self.0.wanted.notified();
        tokio::pin!(told);
        // Whoever is told from here on is woken; who was told before sees it.
        told.as_mut().enable();
        if !self.is_told() {
            told.await;
        }
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.now.load(Ordering::Relaxed) == 0
    }

    /// Has nothing ever come?
    pub(super) fn is_unused(&self) -> bool {
        self.0.ever.load(Ordering::Relaxed) == 0
    }

    /// How many octets its bodies are behind what so many a second would have brought, if it waits for bodies alone and has waited for some time.
    /// `None` if there is a request whose body is there.
    pub(super) fn arrears(&self, rate: u32, now: Instant) -> Option<u64> {
        let arriving = self.arriving();
        let waited = now.saturating_duration_since(arriving.since?);
        if arriving.bodies == 0 || arriving.bodies < self.0.now.load(Ordering::Relaxed) || waited < GRACE {
            return None;
        }
        let due = u64::try_from(waited.as_millis() * u128::from(rate) / 1000).unwrap_or(u64::MAX);
        due.checked_sub(arriving.octets).filter(|behind| *behind > 0)
    }

    /// Returns once nothing is being answered and nothing new has come for this long, give or take as much again.
    pub(super) async fn idle(&self, period: Duration) {
        let mut before = None;
        loop {
            let ever = self.0.ever.load(Ordering::Relaxed);
            if self.is_none() && before == Some(ever) {
                return;
            }
            before = Some(ever);
            tokio::time::sleep(period).await;
        }
    }

    fn arriving(&self) -> MutexGuard<'_, Arriving> {
        self.0.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that is waited for.
pub struct ArrivingBody(InFlight);

impl ArrivingBody {
    /// So many octets of it have come.
    pub fn came(&self, octets: usize) {
        let mut arriving = self.0.arriving();
        arriving.octets = arriving.octets.saturating_add(octets as u64);
    }
}

impl Drop for ArrivingBody {
    fn drop(&mut self) {
        self.0.arriving().bodies -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 250;

    fn after(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[test]
    fn a_body_is_behind_by_what_its_time_would_have_brought() {
        let connection = InFlight::default();
        let _request = connection.enter();
        assert_eq!(connection.arrears(RATE, after(60)), None, "nothing was waited for");
        let body = connection.wait_for_body();
        assert_eq!(connection.arrears(RATE, Instant::now()), None, "it has only begun");
        assert!(connection.arrears(RATE, after(4)).is_some_and(|behind| (1000..1010).contains(&behind)));
        body.came(600);
        assert!(connection.arrears(RATE, after(4)).is_some_and(|behind| (400..410).contains(&behind)));
        body.came(600);
        assert_eq!(connection.arrears(RATE, after(4)), None, "300 octets a second are enough");
        drop(body);
        assert_eq!(connection.arrears(RATE, after(60)), None, "it is there");
        let _next = connection.wait_for_body();
        assert!(connection.arrears(RATE, after(4)).is_some_and(|behind| behind >= 1000), "what came before is of another body");
    }

    #[test]
    fn a_request_whose_body_is_there_is_nothing_that_makes_way() {
        let connection = InFlight::default();
        let (_slow, whole) = (connection.enter(), connection.enter());
        let _body = connection.wait_for_body();
        assert_eq!(connection.arrears(RATE, after(60)), None);
        drop(whole);
        assert!(connection.arrears(RATE, after(60)).is_some());
    }

    #[tokio::test]
    async fn whoever_asks_late_is_told_too() {
        let connection = InFlight::default();
        connection.make_way();
        connection.is_wanted().await;
        connection.is_wanted().await;
    }
}
