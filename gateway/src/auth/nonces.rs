//! Anti-replay nonces (RFC 8555 §6.5): each is made here, good once, and unpredictable.
//!
//! A nonce is a number and its HMAC, by a key that lives as long as the process: nothing is kept of those that are out but which of the
//! newest numbers have come back, one bit each. After a restart no older one is good; clients then take the nonce of the refusal.

use std::sync::{Mutex, PoisonError};

use base64ct::{Base64UrlUnpadded, Encoding};
use certgate_pki::{CryptoError, Random};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How many nonces are good at one time: whoever asks for that many pushes out those of all others.
const WINDOW: u64 = 1 << 20;
/// Octets of the HMAC that go into a nonce.
const TAG: usize = 16;

/// The nonces of this process.
pub struct Nonces {
    mac: Hmac<Sha256>,
    window: Mutex<Window>,
}

/// The newest [`WINDOW`] numbers.
struct Window {
    /// The number that comes next.
    next: u64,
    /// Which have come back; the bit of a number is that of all that differ from it by a multiple of [`WINDOW`].
    used: Vec<u64>,
}

impl Nonces {
    /// With a new key.
    ///
    /// # Errors
    /// [`CryptoError`] without randomness.
    pub fn new(random: &dyn Random) -> Result<Self, CryptoError> {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        random.fill(&mut *key)?;
        let mac = Hmac::new_from_slice(&*key).map_err(|_| CryptoError::UnusableKey("for nonces"))?;
        let used = vec![0; usize::try_from(WINDOW / 64).unwrap_or_default()];
        Ok(Self { mac, window: Mutex::new(Window { next: 0, used }) })
    }

    /// A new one, in base64url.
    #[must_use]
    pub fn issue(&self) -> String {
        let number = self.with_window(|window| {
            let number = window.next;
            window.next += 1;
            if let Some((word, bit)) = window.bit(number) {
                *word &= !bit;
            }
            number
        });
        let octets = number.to_be_bytes();
        let tag = self.mac.clone().chain_update(octets).finalize().into_bytes();
        Base64UrlUnpadded::encode_string(&[&octets, tag.get(..TAG).unwrap_or_default()].concat())
    }

    /// Is it one of ours that has not come back? It has now.
    #[must_use]
    pub fn redeem(&self, nonce: &str) -> bool {
        let Ok(octets) = Base64UrlUnpadded::decode_vec(nonce) else { return false };
        let Some((number, tag)) = octets.split_first_chunk::<8>().filter(|(_, tag)| tag.len() == TAG) else { return false };
        if self.mac.clone().chain_update(number).verify_truncated_left(tag).is_err() {
            return false;
        }
        let number = u64::from_be_bytes(*number);
        self.with_window(|window| {
            let is_in = number < window.next && window.next - number <= WINDOW;
            match window.bit(number) {
                Some((word, bit)) if is_in && *word & bit == 0 => {
                    *word |= bit;
                    true
                }
                _ => false,
            }
        })
    }

    fn with_window<T>(&self, look: impl FnOnce(&mut Window) -> T) -> T {
        look(&mut self.window.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Window {
    /// The word with the bit of a number, and that bit.
    fn bit(&mut self, number: u64) -> Option<(&mut u64, u64)> {
        let place = number % WINDOW;
        let word = self.used.get_mut(usize::try_from(place / 64).ok()?)?;
        Some((word, 1 << (place % 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces() -> Nonces {
        Nonces::new(&*certgate_crypto::provider().random).unwrap()
    }

    #[test]
    fn each_is_good_once() {
        let nonces = nonces();
        let (first, second) = (nonces.issue(), nonces.issue());
        assert_ne!(first, second);
        assert_eq!(first.len(), 32);
        assert!(nonces.redeem(&second) && !nonces.redeem(&second));
        assert!(nonces.redeem(&first) && !nonces.redeem(&first));
    }

    #[test]
    fn nobody_else_makes_them() {
        let (ours, others) = (nonces(), nonces());
        let good = ours.issue();
        for wrong in ["", "AAAA", "oFvnlFP1wIhRlYS2jTaXbA", &others.issue(), &good[1..], &format!("{good}AAAA")] {
            assert!(!ours.redeem(wrong), "{wrong}");
        }
        for place in 0..good.len() {
            let other = if &good[place..=place] == "A" { "B" } else { "A" };
            let changed = [&good[..place], other, &good[place + 1..]].concat();
            assert!(!ours.redeem(&changed), "{changed}");
        }
        assert!(ours.redeem(&good));
    }

    #[test]
    fn the_oldest_go_and_their_places_are_taken_anew() {
        let nonces = nonces();
        let (oldest, used) = (nonces.issue(), nonces.issue());
        assert!(nonces.redeem(&used));
        let kept = nonces.issue();
        for _ in 3..=WINDOW {
            let _ = nonces.issue();
        }
        let newest = nonces.issue();
        assert!(!nonces.redeem(&oldest) && !nonces.redeem(&used));
        assert!(nonces.redeem(&kept));
        assert!(nonces.redeem(&newest) && !nonces.redeem(&newest));
    }
}
