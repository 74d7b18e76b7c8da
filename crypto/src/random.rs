//! Randomness.

use certgate_pki::{CryptoError, Random};

/// The CSPRNG of aws-lc-rs, seeded by the operating system.
#[derive(Debug)]
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, octets: &mut [u8]) -> Result<(), CryptoError> {
        aws_lc_rs::rand::fill(octets).map_err(|_| CryptoError::Failed("the random number generator"))
    }
}
