//! Room for connections. When none is left, those that ask for nothing make way for those that come, and if there are none, those whose bodies come
//! too slowly: whoever opens connections and holds them keeps nobody out.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::InFlight;

/// How long a connection that comes waits for another that was told to make way. It does so at once, if it is let.
const MOST_WAITED: Duration = Duration::from_millis(100);
/// One in so many places is made free at a time: the search for them looks at all.
const SHARE: usize = 64;

/// Places for a number of connections.
pub struct Room {
    capacity: usize,
    /// Octets a second.
    body_rate: u32,
    permits: Arc<Semaphore>,
    taken: Mutex<Taken>,
}

/// Places that are taken, by the order in which they were.
#[derive(Default)]
struct Taken {
    next: u64,
    all: BTreeMap<u64, InFlight>,
}

/// The place of one connection, until it is dropped.
pub struct Place {
    room: Arc<Room>,
    number: u64,
    under_way: InFlight,
    _permit: OwnedSemaphorePermit,
}

impl Room {
    /// For so many; bodies that come with fewer octets a second make way. No body does if that is 0.
    #[must_use]
    pub fn new(capacity: usize, body_rate: u32) -> Arc<Self> {
        let capacity = capacity.min(Semaphore::MAX_PERMITS);
        Arc::new(Self { capacity, body_rate, permits: Arc::new(Semaphore::new(capacity)), taken: Mutex::default() })
    }

    /// A place for one that comes, if there is one or can be made: whoever makes way is counted. `None` while all others have requests under
    /// way whose bodies are there, or come fast enough.
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
        let (under_way, mut taken) = (InFlight::default(), self.taken());
        let number = taken.next;
        taken.next += 1;
        taken.all.insert(number, under_way.clone());
        drop(taken);
        Some(Place { room: Arc::clone(self), number, under_way, _permit: permit })
    }

    /// Tells some to make way: those that came first of all that have never asked for anything; if there are none, of those that ask for
    /// nothing now; if there are none of these either, those whose bodies are behind the most. Says how many.
    fn displace(&self) -> u64 {
        let most = self.capacity.div_ceil(SHARE);
        let taken = self.taken();
        let here = || taken.all.values().filter(|one| !one.is_told());
        let unused = tell(most, here().filter(|one| one.is_unused()));
        if unused > 0 {
            return unused;
        }
        let idle = tell(most, here().filter(|one| one.is_none()));
        if idle > 0 {
            return idle;
        }
        tell(most, self.slowest(here()).into_iter())
    }

    /// Those of them whose bodies come too slowly, the slowest first.
    fn slowest<'t>(&self, all: impl Iterator<Item = &'t InFlight>) -> Vec<&'t InFlight> {
        let now = Instant::now();
        let behind = |one: &'t InFlight| Some((one.arrears(self.body_rate, now)?, one));
        let mut slow: Vec<_> = all.filter_map(behind).collect();
        slow.sort_by_key(|(arrears, _)| Reverse(*arrears));
        slow.into_iter().map(|(_, one)| one).collect()
    }

    /// Is there one that was told and has not gone yet?
    fn is_anybody_leaving(&self) -> bool {
        self.taken().all.values().any(InFlight::is_told)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell<'t>(most: usize, who: impl Iterator<Item = &'t InFlight>) -> u64 {
    who.take(most).map(InFlight::make_way).map(|()| 1).sum()
}

impl Place {
    /// What is under way there.
    pub(super) fn under_way(&self) -> &InFlight {
        &self.under_way
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

    const RATE: u32 = 250;

    /// Takes a place as a connection does: until it is wanted.
    async fn occupy(room: &Arc<Room>, displaced: &Counter) -> (InFlight, tokio::task::JoinHandle<()>) {
        let place = room.enter(displaced).await.unwrap();
        let under_way = place.under_way().clone();
        (under_way, TaskTracker::new().spawn(async move { place.under_way().is_wanted().await }))
    }

    #[tokio::test]
    async fn the_first_that_never_asked_makes_way() {
        let (room, displaced) = (Room::new(3, RATE), Counter::default());
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
        let (room, displaced) = (Room::new(2, RATE), Counter::default());
        let ((busy, served), (asked, kept)) = (occupy(&room, &displaced).await, occupy(&room, &displaced).await);
        drop(asked.enter());
        let request = busy.enter();
        let newest = room.enter(&displaced).await.unwrap();
        kept.await.unwrap();
        let _request = newest.under_way().enter();
        let begun = Instant::now();
        assert!(room.enter(&displaced).await.is_none(), "all have something under way");
        assert!(begun.elapsed() < MOST_WAITED, "and nobody is waited for");
        assert_eq!((displaced.get(), served.is_finished()), (1, false));
        drop(request);
        assert!(room.enter(&displaced).await.is_some());
        served.await.unwrap();
    }

    #[tokio::test]
    async fn the_slowest_body_makes_way_and_no_request_that_is_there() {
        let (room, displaced) = (Room::new(3, RATE), Counter::default());
        let mut held = Vec::new();
        for _ in 0..3 {
            let (under_way, served) = occupy(&room, &displaced).await;
            held.push((under_way.clone(), under_way.enter(), served));
        }
        let (slow, slower) = (held[1].0.wait_for_body(), held[2].0.wait_for_body());
        assert!(room.enter(&displaced).await.is_none(), "they have only begun");
        tokio::time::sleep(Duration::from_millis(600)).await;
        slow.came(20);
        slower.came(1);
        let newest = room.enter(&displaced).await.unwrap();
        let _request = newest.under_way().enter();
        assert_eq!(held.iter().map(|(.., served)| served.is_finished()).collect::<Vec<_>>(), [false, false, true]);
        slow.came(1000);
        assert!(room.enter(&displaced).await.is_none(), "it came fast enough");
        assert_eq!(displaced.get(), 1);
    }

    #[tokio::test]
    async fn some_are_told_at_a_time_and_a_place_is_given_once() {
        let (room, displaced) = (Room::new(SHARE * 2, RATE), Counter::default());
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
