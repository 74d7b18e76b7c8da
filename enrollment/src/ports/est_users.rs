//! Credentials for EST with HTTP Basic.

use std::fmt;

use async_trait::async_trait;
use certgate_pki::Timestamp;
use certgate_policy::NamePattern;

use super::audit::Event;
use super::{Cursor, LedgerError, Page};

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretHash {
    /// SHA-256 of a password that certgate generated with 128 random bits: nothing to guess, so nothing to slow down.
    Sha256([u8; 32]),
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(_) => f.write_str("Sha256(…)"),
        }
    }
}

/// One credential: good at one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstUser {
    /// The user of HTTP Basic, and the principal of what it enrolls.
    pub name: String,
    /// The endpoint.
    pub endpoint: String,
    /// What is kept of its password.
    pub secret: SecretHash,
    /// Names that it may have.
    pub allow: Vec<NamePattern>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when; `None` is without end.
    pub expires_at: Option<Timestamp>,
}

/// What came of adding one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EstUserAdded {
    /// It is there now.
    Added,
    /// There was one of that name at that endpoint, and still is.
    Exists,
}

/// The port.
#[async_trait]
pub trait EstUsers: Send + Sync {
    /// Adds a credential.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn add(&self, user: EstUser, event: Event) -> Result<EstUserAdded, LedgerError>;

    /// The credential of this name at this endpoint, expired or not.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_user(&self, name: &str, endpoint: &str) -> Result<Option<EstUser>, LedgerError>;

    /// A page of credentials by name and endpoint, each with the number of certificates that its principal was issued.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn list_users(&self, limit: usize, cursor: Option<Cursor>) -> Result<Page<(EstUser, u64)>, LedgerError>;

    /// Removes the credentials of this name at every endpoint; says how many there were.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn remove(&self, name: &str, event: Event) -> Result<u64, LedgerError>;
}
