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
    /// Argon2id of a password that a person chose, in PHC string form, salt and costs included.
    Argon2id(String),
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(_) => f.write_str("Sha256(…)"),
            Self::Argon2id(_) => f.write_str("Argon2id(…)"),
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
    /// For how many certificates more; `None` is without bound.
    pub uses: Option<u64>,
    /// Tells it from every other that had or will have its name at this endpoint; random, below 2^63.
    pub id: u64,
}

/// What came of adding one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EstUserAdded {
    /// It is there now.
    Added,
    /// There was one of that name at that endpoint, and still is.
    Exists,
}

/// What came of removing a principal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrincipalRemoved {
    /// How many credentials it had, one an endpoint.
    pub credentials: u64,
    /// How many of its enrollments waited, and are denied now.
    pub enrollments: u64,
    /// Had it certificates? They end with it: none of them renews itself any more.
    pub had_certificates: bool,
}

/// The port.
#[async_trait]
pub trait EstUsers: Send + Sync {
    /// Adds a credential.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn add(&self, user: EstUser, event: Event) -> Result<EstUserAdded, LedgerError>;

    /// Puts a credential in the place of the one of this name at this endpoint: another password, other names, another end. What was
    /// issued to its principal stays as it is; what was asked for with the old one, and waits, is denied. False when there is none, and nothing was changed.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn replace(&self, user: EstUser, event: Event) -> Result<bool, LedgerError>;

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

    /// Removes the credentials of this name at every endpoint, denies what it has waiting, and ends its certificates: those that are
    /// recorded by now authenticate nobody any more. Nothing happens, and no event is recorded, when it has none of these.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn remove(&self, name: &str, event: Event) -> Result<PrincipalRemoved, LedgerError>;
}
