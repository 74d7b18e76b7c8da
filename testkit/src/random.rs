//! Randomness that a seed decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use certgate_pki::{CryptoError, Provider, Random};

/// SplitMix64: the same seed gives the same octets, in the order in which they are asked for.
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> [u8; 8] {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut word = self.0.fetch_add(GAMMA, Ordering::SeqCst).wrapping_add(GAMMA);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)).to_be_bytes()
    }
}

impl Random for SeededRandom {
    fn fill(&self, octets: &mut [u8]) -> Result<(), CryptoError> {
        for chunk in octets.chunks_mut(8) {
            chunk.iter_mut().zip(self.next()).for_each(|(octet, random)| *octet = random);
        }
        Ok(())
    }
}

/// The real provider, but for its randomness. (Signatures of ECDSA still differ from run to run.)
#[must_use]
pub fn provider(seed: u64) -> Provider {
    Provider { random: Arc::new(SeededRandom::new(seed)), ..certgate_crypto::provider() }
}
