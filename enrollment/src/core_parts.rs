//! What the core is given.

use std::sync::Arc;

use certgate_pki::{CryptoError, Provider, Serial, Timestamp, sha256};
use certgate_policy::CompromisedKeys;

use crate::ports::certificates::Certificates;
use crate::ports::crls::Crls;
use crate::ports::enrollments::{EnrollmentId, Enrollments};

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
    /// Where CRLs are recorded.
    pub crls: Arc<dyn Crls>,
    /// Where enrollments wait.
    pub enrollments: Arc<dyn Enrollments>,
    /// Keys that are never certified.
    pub compromised_keys: Arc<CompromisedKeys>,
}

impl Core {
    /// A serial number for a certificate made `now`.
    pub(crate) fn new_serial(&self, now: Timestamp) -> Result<Serial, CryptoError> {
        let mut random = [0; Serial::RANDOM_OCTETS];
        self.provider.random.fill(&mut random)?;
        Ok(Serial::from_parts(now, random))
    }

    /// A name for an enrollment that begins `now`.
    pub(crate) fn new_enrollment_id(&self, now: Timestamp) -> Result<EnrollmentId, CryptoError> {
        let mut random = [0; 10];
        self.provider.random.fill(&mut random)?;
        Ok(EnrollmentId::new(now, random))
    }

    /// SHA-256.
    pub(crate) fn sha256(&self, data: &[u8]) -> [u8; 32] {
        sha256(&*self.provider.digest, data)
    }
}
