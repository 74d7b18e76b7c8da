//! Room for connections. When none is left, those that ask for nothing make way for those that come: whoever opens connections and holds them
//! keeps nobody out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::InFlight;

/// How long a connection that comes waits for another that was told to make way. It does so at once, if it is let.
const MOST_WAITED: Duration = Duration::from_millis(100);
/// One in so many places is made free at a time: the search for them looks at all.
const SHARE: usize = 64;

/// Places for a number of connections.
pub struct Room {
    capacity: usize,
    permits: Arc<Semaphore>,
    taken: Mutex<Taken>,
}

/// Places that are taken, by the order in which they were.
#[derive(Default)]
struct Taken {
    next: u64,
    all: BTreeMap<u64, Arc<Occupant>>,
}

/// A connection, as far as others know it.
#[derive(Default)]
struct Occupant {
    under_way: InFlight,
    is_told: AtomicBool,
    told: Notify,
}

/// The place of one connection, until it is dropped.
pub struct Place {
    room: Arc<Room>,
    number: u64,
    occupant: Arc<Occupant>,
    _permit: OwnedSemaphorePermit,
}

impl Room {
    /// For so many.
    #[must_use]
    pub fn new(capacity: usize) -> Arc<Self> {
        let capacity = capacity.min(Semaphore::MAX_PERMITS);
        Arc::new(Self { capacity, permits: Arc::new(Semaphore::new(capacity)), taken: Mutex::default() })
    }

    /// A place for one that comes, if there is one or can be made: whoever makes way is counted. `None` while all others have requests under
    /// way.
    pub(super) async fn enter(self: &Arc<Self>, displaced: &Counter) -> Option<Place> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let told = self.displace();
                displaced.inc_by(told);
                if told == 0 && !self.is_anybody_leaving() {
                    return None;
                }
                let freed = Arc::clone(&self.permits).acquire_owned();
                tokio::time::timeout(MOST_WAITED, freed).await.ok()?.ok()?
            }
        };
        let (occupant, mut taken) = (Arc::<Occupant>::default(), self.taken());
        let number = taken.next;
        taken.next += 1;
        taken.all.insert(number, Arc::clone(&occupant));
        drop(taken);
        Some(Place { room: Arc::clone(self), number, occupant, _permit: permit })
    }

    /// Tells some to make way: those that came first of all that have never asked for anything; if there are none, of those that ask for
    /// nothing now. Says how many.
    fn displace(&self) -> u64 {
        let most = self.capacity.div_ceil(SHARE);
        let told = self.tell(most, InFlight::is_unused);
        if told > 0 { told } else { self.tell(most, InFlight::is_none) }
    }

    fn tell(&self, most: usize, goes: impl Fn(&InFlight) -> bool) -> u64 {
        let taken = self.taken();
        let idle = taken.all.values().filter(|one| goes(&one.under_way) && !one.is_told.load(Ordering::Relaxed));
        let told = idle.take(most).map(|one| {
            one.is_told.store(true, Ordering::Relaxed);
            one.told.notify_one();
        });
        told.map(|()| 1).sum()
    }

    /// Is there one that was told and has not gone yet?
    fn is_anybody_leaving(&self) -> bool {
        self.taken().all.values().any(|one| one.is_told.load(Ordering::Relaxed))
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// What is under way there.
    pub(super) fn under_way(&self) -> &InFlight {
        &self.occupant.under_way
    }

    /// Returns once the place is wanted for another.
    pub(super) async fn is_wanted(&self) {
        self.occupant.told.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.taken().all.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::task::TaskTracker;

    use super::*;

    /// Takes a place as a connection does: until it is wanted.
    async fn occupy(room: &Arc<Room>, displaced: &Counter) -> (InFlight, tokio::task::JoinHandle<()>) {
        let place = room.enter(displaced).await.unwrap();
        let under_way = place.under_way().clone();
        (under_way, TaskTracker::new().spawn(async move { place.is_wanted().await }))
    }

    #[tokio::test]
    async fn the_first_that_never_asked_makes_way() {
        let (room, displaced) = (Room::new(3), Counter::default());
        let (asked, kept) = occupy(&room, &displaced).await;
        drop(asked.enter());
        let ((_, first), (_, second)) = (occupy(&room, &displaced).await, occupy(&room, &displaced).await);
        assert_eq!(displaced.get(), 0, "there was room");
        let _newest = room.enter(&displaced).await.unwrap();
        first.await.unwrap();
        assert_eq!((displaced.get(), second.is_finished(), kept.is_finished()), (1, false, false));
    }

    #[tokio::test]
    async fn whoever_asks_for_nothing_now_makes_way_then_and_nobody_else_does() {
        let (room, displaced) = (Room::new(2), Counter::default());
        let ((busy, served), (asked, kept)) = (occupy(&room, &displaced).await, occupy(&room, &displaced).await);
        drop(asked.enter());
        let request = busy.enter();
        let newest = room.enter(&displaced).await.unwrap();
        kept.await.unwrap();
        let _request = newest.under_way().enter();
        let begun = tokio::time::Instant::now();
        assert!(room.enter(&displaced).await.is_none(), "all have something under way");
        assert!(begun.elapsed() < MOST_WAITED, "and nobody is waited for");
        assert_eq!((displaced.get(), served.is_finished()), (1, false));
        drop(request);
        assert!(room.enter(&displaced).await.is_some());
        served.await.unwrap();
    }

    #[tokio::test]
    async fn some_are_told_at_a_time_and_a_place_is_given_once() {
        let (room, displaced) = (Room::new(SHARE * 2), Counter::default());
        for _ in 0..SHARE * 2 {
            occupy(&room, &displaced).await;
        }
        let newer = [room.enter(&displaced).await, room.enter(&displaced).await];
        assert!(newer.iter().all(Option::is_some));
        assert_eq!((displaced.get(), room.permits.available_permits()), (2, 0), "two at once, for two that came");
        drop(newer);
        assert_eq!(room.permits.available_permits(), 2);
    }
}
