//! CRLs as they were published.

use async_trait::async_trait;
use certgate_pki::Timestamp;

use super::LedgerError;
use super::audit::Event;

/// Which of an authority's certificates a CRL is about. Each scope has numbers of its own, which its complete lists and its deltas share
/// (RFC 5280 §5.2.3, §5.2.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrlScope {
    /// The authority.
    pub authority: String,
    /// The shard; 0 is all of them.
    pub shard: u32,
}

/// A CRL that was published, or is to be. The list itself is kept where it is served from; this is what must not be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlRecord {
    /// What it is about.
    pub scope: CrlScope,
    /// cRLNumber (RFC 5280 §5.2.3).
    pub number: u64,
    /// BaseCRLNumber of a delta; `None` is a complete list.
    pub base: Option<u64>,
    /// thisUpdate, whole seconds.
    pub this_update: Timestamp,
    /// nextUpdate, whole seconds.
    pub next_update: Timestamp,
    /// Every change up to this place of the sequence is in it ([`super::statuses::CommittedChange::sequence`]).
    pub sequence: u64,
    /// How many entries it has.
    pub entries: u64,
    /// SHA-256 of its DER.
    pub sha256: [u8; 32],
}

/// The port.
#[async_trait]
pub trait Crls: Send + Sync {
    /// Records CRLs of one moment that are about to be published, and their events; returns when that is committed and synced. False, and
    /// nothing is recorded, when the number of one is not above every number of its scope: somebody else was faster. A delta and a complete
    /// list of one scope that come together may share a number. Records of CRLs that were over when these were made may go.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn record_crls(&self, crls: Vec<(CrlRecord, Event)>) -> Result<bool, LedgerError>;

    /// The last complete list of a scope, or its last delta.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn last_crl(&self, scope: &CrlScope, is_delta: bool) -> Result<Option<CrlRecord>, LedgerError>;

    /// Remembers that a complete list was recorded and never served, since whoever made it was cut short: no delta is based on it. Its number
    /// stays taken.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn withdraw_crl(&self, scope: &CrlScope, number: u64, event: Event) -> Result<(), LedgerError>;

    /// What a delta of this moment is to be based on: the last complete list of a scope that was made at that time or before, else the
    /// first one that there is, but for those that were withdrawn. Whoever has fetched a complete list since can use such a delta.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn base_crl(&self, scope: &CrlScope, made_by: Timestamp) -> Result<Option<CrlRecord>, LedgerError>;

    /// The shards of this authority for which complete lists are recorded, in order; 0 among them stands for all.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn crl_shards(&self, authority: &str) -> Result<Vec<u32>, LedgerError>;
}
