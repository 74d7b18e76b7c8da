//! What an authority did before it came here: certificates that it has signed, and what its last CRLs say.

use async_trait::async_trait;
use certgate_pki::{Serial, Timestamp};

use super::LedgerError;
use super::audit::Event;
use super::certificates::{CertificateRecord, CertificateStatus};
use super::crls::CrlRecord;
use super::statuses::CertificateState;

/// A certificate of which nothing is known but that its authority's CRL has named it: revoked or on hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCertificate {
    /// Who signed it.
    pub authority: String,
    /// Its serial number.
    pub serial: Serial,
    /// Until when CRLs have it: its own end is not known, and that of its authority is not before it.
    pub not_after: Timestamp,
    /// What the CRL says.
    pub status: CertificateStatus,
}

impl ListedCertificate {
    /// What there is to be told about it: like that of any certificate, in the list of all.
    #[must_use]
    pub fn state(&self) -> CertificateState {
        let Self { serial, not_after, status, .. } = self.clone();
        CertificateState { serial, shard: 0, not_after, no_rev_avail: false, status }
    }
}

/// What came of a certificate that was to be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateImported {
    /// It is recorded now; as what the CRL has said of it, if that was here before.
    Recorded,
    /// The ledger has it, to the octet, and stays as it is.
    Known,
}

/// What came of the entry of a CRL that was to be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryImported {
    /// A certificate of the ledger has become so.
    Changed,
    /// The ledger has no such certificate, and remembers what the CRL says of it.
    Listed,
    /// The ledger says so already, or has it revoked already, and stays as it is.
    Stands,
}

impl CertificateStatus {
    /// Does what a CRL says of a certificate take the place of this? A revocation is for good, whoever has made it; a hold may end in one.
    #[must_use]
    pub const fn gives_way_to(self, listed: Self) -> bool {
        matches!((self, listed), (Self::Valid, Self::Held(_) | Self::Revoked(_)) | (Self::Held(_), Self::Revoked(_)))
    }
}

/// The port. Both batches are one transaction each; the event of what stays as it is is not recorded. Whoever watches is told of what
/// changes, as of any change.
#[async_trait]
pub trait History: Send + Sync {
    /// Records certificates that their authorities have signed elsewhere; what came of each, in order. A certificate that was listed until
    /// now takes over its status, whatever the record says, and is listed no more.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when the ledger or the batch has another certificate of that authority and serial number: nothing is recorded.
    /// Else [`LedgerError`].
    async fn import_certificates(
        &self,
        certificates: Vec<(CertificateRecord, Event)>,
    ) -> Result<Vec<CertificateImported>, LedgerError>;

    /// Has certificates be as CRLs say, where that changes anything ([`CertificateStatus::gives_way_to`]); what came of each, in order.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn import_entries(&self, entries: Vec<(ListedCertificate, Event)>) -> Result<Vec<EntryImported>, LedgerError>;

    /// Remembers the number of the last CRL that an authority has made elsewhere, by records of that number of all scopes that there are to
    /// be: lists go on behind it where they are not further already, and none of these is what a delta is based on. False, and nothing is
    /// recorded, when the number is not above that of the last one that was imported.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn import_crl(&self, authority: &str, number: u64, crls: Vec<CrlRecord>, event: Event) -> Result<bool, LedgerError>;

    /// The number of the last CRL that was imported for this authority.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn last_imported_crl(&self, authority: &str) -> Result<Option<u64>, LedgerError>;

    /// What is known from a CRL alone of a certificate with this serial number, of whichever authority.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn find_listed(&self, serial: &Serial) -> Result<Option<ListedCertificate>, LedgerError>;

    /// The authorities that have a certificate with this serial number, or of which a CRL has named one, in order of their names: those that
    /// were taken over may share what they have counted from 1.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn authorities_of(&self, serial: &Serial) -> Result<Vec<String>, LedgerError>;

    /// Of how many certificates of this authority nothing is known but what a CRL says.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn count_listed(&self, authority: &str) -> Result<u64, LedgerError>;
}
