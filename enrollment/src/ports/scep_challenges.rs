//! Challenges: secrets of SCEP that are given out for a certificate or a few (RFC 8894 §2.3).

use async_trait::async_trait;
use certgate_pki::{Name, Timestamp};

use super::LedgerError;
use super::audit::Event;

/// One challenge: good at one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScepChallenge {
    /// Tells it from every other; random, below 2^63.
    pub id: u64,
    /// The endpoint.
    pub endpoint: String,
    /// SHA-256 of its text, which certgate generated with 128 random bits: nothing to guess, so nothing to slow down.
    pub sha256: [u8; 32],
    /// The subject that a request with it has; `None` leaves it to the profile.
    pub subject: Option<Name>,
    /// Since when.
    pub created_at: Timestamp,
    /// From when on it begins nothing new.
    pub expires_at: Timestamp,
    /// For how many certificates more.
    pub uses: u64,
}

impl ScepChallenge {
    /// The principal of what it enrolls.
    #[must_use]
    pub fn principal(&self) -> String {
        format!("scep-{:016x}", self.id)
    }
}

/// The port.
#[async_trait]
pub trait ScepChallenges: Send + Sync {
    /// Adds a challenge. Others that ended 90 days ago go on this occasion, unless something waits that was asked for with them.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn add_challenge(&self, challenge: ScepChallenge, event: Event) -> Result<(), LedgerError>;

    /// The challenge at this endpoint whose text has this SHA-256, expired and used up or not.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_challenge(&self, endpoint: &str, sha256: &[u8; 32]) -> Result<Option<ScepChallenge>, LedgerError>;
}
