//! What authorities have promised.

use async_trait::async_trait;
use certgate_pki::Timestamp;

use super::LedgerError;
use super::audit::Event;

/// The port.
#[async_trait]
pub trait Authorities: Send + Sync {
    /// Remembers that an authority writes this base URL into certificates. Every one it ever wrote is kept, so that older certificates
    /// still match. The event is recorded only when the URL was not the newest; says whether it was recorded.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn use_base_url(&self, authority: &str, url: &str, event: Event) -> Result<bool, LedgerError>;

    /// Every base URL of an authority, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn base_urls(&self, authority: &str) -> Result<Vec<String>, LedgerError>;

    /// Remembers the certificate of an authority, DER, that a CA outside of this ledger has signed. The one before it is kept too.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn import_certificate(&self, authority: &str, der: &[u8], event: Event) -> Result<(), LedgerError>;

    /// The last of them.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn imported_certificate(&self, authority: &str) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Remembers that the key of an authority is kept elsewhere from now on. The event, whose time counts, is recorded only when it was here;
    /// says whether it was.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn take_offline(&self, authority: &str, event: Event) -> Result<bool, LedgerError>;

    /// Remembers that it is here again. The event is recorded only when it was elsewhere; says whether it was.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn bring_back(&self, authority: &str, event: Event) -> Result<bool, LedgerError>;

    /// Since when the key of an authority is kept elsewhere; `None` where it is here.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn offline_since(&self, authority: &str) -> Result<Option<Timestamp>, LedgerError>;
}
