//! What the core is given.

use std::sync::Arc;

use certgate_pki::{CryptoError, Provider, Serial, Timestamp};

use crate::ports::certificates::Certificates;

/// The time. The gateway's is the system's; tests have one that they move.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Everything that the core does not do itself.
#[derive(Clone)]
pub struct Core {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Cryptography and randomness.
    pub provider: Provider,
    /// Where certificates are recorded.
    pub certificates: Arc<dyn Certificates>,
}

impl Core {
    /// A serial number for a certificate made `now`.
    pub(crate) fn new_serial(&self, now: Timestamp) -> Result<Serial, CryptoError> {
        let mut random = [0; Serial::RANDOM_OCTETS];
        self.provider.random.fill(&mut random)?;
        Ok(Serial::from_parts(now, random))
    }
}
