//! What became of certificates, as relying parties are told: by serial number, and as a sequence that caches and CRLs follow.

use std::sync::Arc;

use async_trait::async_trait;
use certgate_pki::{Serial, Timestamp};

use super::LedgerError;
use super::certificates::CertificateStatus;

/// What there is to be told about a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateState {
    /// Its serial number.
    pub serial: Serial,
    /// Which of the authority's CRLs lists it, as [`super::certificates::CertificateRecord::shard`].
    pub shard: u32,
    /// Its last second.
    pub not_after: Timestamp,
    /// It says of itself that nothing is told about it (RFC 9608): no CRL lists it, and OCSP has nothing to say.
    pub no_rev_avail: bool,
    /// What became of it.
    pub status: CertificateStatus,
}

/// A change of what became of a certificate, as it was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedChange {
    /// Its place among all changes of all authorities: in the order of commits, from 1. There may be gaps.
    pub sequence: u64,
    /// Who signed the certificate.
    pub authority: String,
    /// The certificate, as it became.
    pub state: CertificateState,
}

/// Told of every change that this ledger commits.
pub trait StatusWatcher: Send + Sync {
    /// The change is about to be committed. From when this has returned until [`Self::settled`] is called, some see it and some do not: who
    /// keeps what was read before does not give it meanwhile. It must not block, and reads nothing of the ledger.
    fn committing(&self, change: &CommittedChange) {
        let _ = change;
    }

    /// The commit is over, and nobody has heard of it yet: who asked for it waits until this returns, so it must not block. It may have failed:
    /// what is so is in the ledger.
    fn settled(&self, change: &CommittedChange);
}

/// The port.
#[async_trait]
pub trait Statuses: Send + Sync {
    /// What there is to be told about this authority's certificate of this serial number; `None` for one that it has not issued.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn state_of(&self, authority: &str, serial: &Serial) -> Result<Option<CertificateState>, LedgerError>;

    /// Changes of certificates of this authority that were committed after the one of this place, oldest first. A certificate may come
    /// several times: its last state counts. Whatever was committed before this is called is there.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn changes_after(&self, authority: &str, sequence: u64, limit: usize) -> Result<Vec<CommittedChange>, LedgerError>;

    /// The place of the last change of all, 0 before the first.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn last_change(&self) -> Result<u64, LedgerError>;

    /// The authority's certificates that are revoked or on hold and end at that time or later, in the order of their serial numbers, after
    /// the one that is given.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn not_good(
        &self,
        authority: &str,
        not_after: Timestamp,
        after: Option<&Serial>,
        limit: usize,
    ) -> Result<Vec<CertificateState>, LedgerError>;

    /// Has `watcher` told of every change from now on, whoever makes it through this ledger.
    fn watch(&self, watcher: Arc<dyn StatusWatcher>);
}
