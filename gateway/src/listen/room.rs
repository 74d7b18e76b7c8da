//! Room for connections. When none is left, those that ask for nothing and those whose bodies come too slowly make way for those that come: whoever
//! opens connections and holds them keeps nobody out.

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
/// How long a connection that has come may take to ask for something before it makes way ahead of slow bodies: a handshake is short.
const GRACE: Duration = Duration::from_secs(1);
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
    all: BTreeMap<u64, Occupant>,
}

/// A connection that has a place.
struct Occupant {
    came: Instant,
    under_way: InFlight,
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
        taken.all.insert(number, Occupant { came: Instant::now(), under_way: under_way.clone() });
        drop(taken);
        Some(Place { room: Arc::clone(self), number, under_way, _permit: permit })
    }

    /// Tells some to make way: those that came first of all that have not asked for anything in a second; if there are none, those whose bodies
    /// are behind the most; then those that came just now; then those that ask for nothing now. Says how many.
    fn displace(&self) -> u64 {
        let most = self.capacity.div_ceil(SHARE);
        let (taken, now) = (self.taken(), Instant::now());
        let here = || taken.all.values().filter(|one| !one.under_way.is_told());
        let unused = || here().filter(|one| one.under_way.is_unused());
        let told = tell(most, unused().filter(|one| now.saturating_duration_since(one.came) >= GRACE));
        if told > 0 {
            return told;
        }
        let told = tell(most, self.slowest(here(), now).into_iter());
        if told > 0 {
            return told;
        }
        let told = tell(most, unused());
        if told > 0 { told } else { tell(most, here().filter(|one| one.under_way.is_none())) }
    }

    /// Those of them whose bodies come too slowly, the slowest first.
    fn slowest<'t>(&self, all: impl Iterator<Item = &'t Occupant>, now: Instant) -> Vec<&'t Occupant> {
        let behind = |one: &'t Occupant| Some((one.under_way.arrears(self.body_rate, now)?, one));
        let mut slow: Vec<_> = all.filter_map(behind).collect();
        slow.sort_by_key(|(arrears, _)| Reverse(*arrears));
        slow.into_iter().map(|(_, one)| one).collect()
    }

    /// Is there one that was told and has not gone yet?
    fn is_anybody_leaving(&self) -> bool {
        self.taken().all.values().any(|one| one.under_way.is_told())
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell<'t>(most: usize, who: impl Iterator<Item = &'t Occupant>) -> u64 {
    who.take(most).map(|one| one.under_way.make_way()).map(|()| 1).sum()
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
    async fn whoever_comes_just_now_is_spared_while_a_body_is_behind() {
        let (room, displaced) = (Room::new(2, RATE), Counter::default());
        let (under_way, slow) = occupy(&room, &displaced).await;
        let (_request, _body) = (under_way.enter(), under_way.wait_for_body());
        tokio::time::sleep(Duration::from_millis(600)).await;
        let (_, shaking_hands) = occupy(&room, &displaced).await;
        let (_, newest) = occupy(&room, &displaced).await;
        assert_eq!([slow.is_finished(), shaking_hands.is_finished(), newest.is_finished()], [true, false, false]);
        drop(occupy(&room, &displaced).await);
        assert!(shaking_hands.is_finished(), "there was no body");
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
