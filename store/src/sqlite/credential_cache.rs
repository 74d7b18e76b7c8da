//! Credentials that were looked up lately, parsed: every enrollment needs one, and they change seldom.
//!
//! A credential that was removed must not come back. What is removed is forgotten on the writer's thread after the commit and before
//! anyone hears of it, and a look-up that began before that is not remembered: each names the generation in which it began.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use certgate_enrollment::EstUser;

/// Most credentials that are remembered; one more makes all be forgotten, which costs a look-up each.
const MOST: usize = 64 * 1024;

/// The cache.
#[derive(Default)]
pub(super) struct CredentialCache(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    generation: u64,
    /// By name, then by endpoint.
    users: HashMap<String, Vec<EstUser>>,
}

/// When a look-up began.
#[derive(Clone, Copy)]
pub(super) struct Generation(u64);

impl CredentialCache {
    /// The credential, or when the look-up for it begins.
    pub(super) fn get(&self, name: &str, endpoint: &str) -> Result<EstUser, Generation> {
        let remembered = self.lock();
        let of_name = remembered.users.get(name);
        let found = of_name.and_then(|users| users.iter().find(|user| user.endpoint == endpoint));
        found.cloned().ok_or(Generation(remembered.generation))
    }

    /// Remembers what a look-up has found, unless anything was forgotten since it began.
    pub(super) fn remember(&self, began: Generation, user: &EstUser) {
        let mut remembered = self.lock();
        if remembered.generation != began.0 {
            return;
        }
        if remembered.users.len() >= MOST {
            remembered.users.clear();
        }
        let of_name = remembered.users.entry(user.name.clone()).or_default();
        if !of_name.iter().any(|known| known.endpoint == user.endpoint) {
            of_name.push(user.clone());
        }
    }

    /// Forgets all credentials of this name, and whatever is being looked up now.
    pub(super) fn forget(&self, name: &str) {
        let mut remembered = self.lock();
        remembered.generation += 1;
        remembered.users.remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // Nothing in here is half changed when a thread panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use certgate_enrollment::SecretHash;
    use certgate_pki::Timestamp;

    use super::*;

    fn user(name: &str) -> EstUser {
        let created_at = Timestamp::from_seconds(1);
        let secret = SecretHash::Sha256([1; 32]);
        let (endpoint, allow) = ("e".into(), Vec::new());
        EstUser { name: name.into(), endpoint, secret, allow, created_at, expires_at: None, uses: None, id: 1 }
    }

    #[test]
    fn what_was_removed_does_not_come_back() {
        let cache = CredentialCache::default();
        let Err(began) = cache.get("a", "e") else { panic!("nothing is there yet") };
        cache.forget("a");
        cache.remember(began, &user("a"));
        let Err(began) = cache.get("a", "e") else { panic!("a look-up from before the removal") };
        cache.remember(began, &user("a"));
        assert_eq!(cache.get("a", "e").ok(), Some(user("a")));
        assert!(cache.get("a", "other").is_err());
        cache.forget("a");
        assert!(cache.get("a", "e").is_err());
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let cache = CredentialCache::default();
        for number in 0..=MOST {
            let name = number.to_string();
            let Err(began) = cache.get(&name, "e") else { panic!("{name} is there already") };
            cache.remember(began, &user(&name));
        }
        assert!(cache.lock().users.len() <= MOST);
    }
}
