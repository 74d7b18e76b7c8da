//! Accounts: requesters that sign what they send with a key of their own (RFC 8555 §7.1.2).

use async_trait::async_trait;
use certgate_pki::Timestamp;

use super::LedgerError;
use super::audit::Event;

/// One account: good at one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Tells it from every other; random, below 2^63.
    pub id: u64,
    /// The endpoint.
    pub endpoint: String,
    /// The thumbprint of its key (RFC 7638), in base64url: an endpoint has one account of it.
    pub thumbprint: String,
    /// Its key: SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// Where its holder can be reached, as URLs.
    pub contact: Vec<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// May it ask for anything?
    pub is_valid: bool,
}

impl Account {
    /// The principal of what it enrolls.
    #[must_use]
    pub fn principal(&self) -> String {
        format!("acme-{:016x}", self.id)
    }
}

/// What came of adding one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountAdded {
    /// It is there now.
    Added,
    /// Its endpoint has one of this key: that one.
    Exists(Box<Account>),
}

/// The port.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Adds an account.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn add_account(&self, account: Account, event: Event) -> Result<AccountAdded, LedgerError>;

    /// The account of this id at this endpoint.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_account(&self, endpoint: &str, id: u64) -> Result<Option<Account>, LedgerError>;

    /// The account of the key with this thumbprint at this endpoint.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_account_by_key(&self, endpoint: &str, thumbprint: &str) -> Result<Option<Account>, LedgerError>;
}
