//! Rows that were looked up lately, parsed: most requests need one, and they change seldom.
//!
//! What was removed must not come back. What is removed or changed is forgotten on the writer's thread after the commit and before
//! anyone hears of it, and a look-up that began before that is not remembered: each names the generation in which it began.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use certgate_enrollment::{Account, EstUser};

/// What is good at one endpoint.
pub(super) trait OfEndpoint: Clone {
    /// Which.
    fn endpoint(&self) -> &str;
}

impl OfEndpoint for EstUser {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl OfEndpoint for Account {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

/// The cache: rows by what they are looked up by, and by endpoint.
pub(super) struct Cache<K, V>(Mutex<Remembered<K, V>>);

struct Remembered<K, V> {
    most: usize,
    generation: u64,
    rows: HashMap<K, Vec<V>>,
}

/// When a look-up began.
#[derive(Clone, Copy)]
pub(super) struct Generation(u64);

impl<K: Eq + Hash, V: OfEndpoint> Cache<K, V> {
    /// For at most so many keys; one more makes all be forgotten, which costs a look-up each.
    pub(super) fn new(most: usize) -> Self {
        Self(Mutex::new(Remembered { most, generation: 0, rows: HashMap::new() }))
    }

    /// The row, or when the look-up for it begins.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q, endpoint: &str) -> Result<V, Generation>
    where
        K: Borrow<Q>,
    {
        let remembered = self.lock();
        let of_key = remembered.rows.get(key);
        let found = of_key.and_then(|rows| rows.iter().find(|row| row.endpoint() == endpoint));
        found.cloned().ok_or(Generation(remembered.generation))
    }

    /// Remembers what a look-up has found, unless anything was forgotten since it began.
    pub(super) fn remember(&self, began: Generation, key: K, row: &V) {
        let mut remembered = self.lock();
        if remembered.generation != began.0 {
            return;
        }
        if remembered.rows.len() >= remembered.most {
            remembered.rows.clear();
        }
        let of_key = remembered.rows.entry(key).or_default();
        if !of_key.iter().any(|known| known.endpoint() == row.endpoint()) {
            of_key.push(row.clone());
        }
    }

    /// Forgets all rows of this key, and whatever is being looked up now.
    pub(super) fn forget<Q: Eq + Hash + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let mut remembered = self.lock();
        remembered.generation += 1;
        remembered.rows.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Remembered<K, V>> {
        // Nothing in here is half changed when a thread panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use certgate_enrollment::SecretHash;
    use certgate_pki::Timestamp;

    use super::*;

    const MOST: usize = 100;

    fn user(name: &str) -> EstUser {
        let created_at = Timestamp::from_seconds(1);
        let secret = SecretHash::Sha256([1; 32]);
        let (endpoint, allow) = ("e".into(), Vec::new());
        EstUser { name: name.into(), endpoint, secret, allow, created_at, expires_at: None, uses: None, id: 1 }
    }

    #[test]
    fn what_was_removed_does_not_come_back() {
        let cache: Cache<String, EstUser> = Cache::new(MOST);
        let Err(began) = cache.get("a", "e") else { panic!("nothing is there yet") };
        cache.forget("a");
        cache.remember(began, "a".into(), &user("a"));
        let Err(began) = cache.get("a", "e") else { panic!("a look-up from before the removal") };
        cache.remember(began, "a".into(), &user("a"));
        assert_eq!(cache.get("a", "e").ok(), Some(user("a")));
        assert!(cache.get("a", "other").is_err());
        cache.forget("a");
        assert!(cache.get("a", "e").is_err());
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let cache: Cache<String, EstUser> = Cache::new(MOST);
        for number in 0..=MOST {
            let name = number.to_string();
            let Err(began) = cache.get(&name, "e") else { panic!("{name} is there already") };
            cache.remember(began, name.clone(), &user(&name));
        }
        assert!(cache.lock().rows.len() <= MOST);
    }
}
