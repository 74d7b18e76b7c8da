//! What relying parties are told of certificates.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use certgate_enrollment::{
    CertificateRecord, CertificateState, CertificateStatus, CommittedChange, LedgerError, ListedCertificate, StatusWatcher,
    Statuses,
};
use certgate_pki::{Serial, Timestamp};

use super::{MemoryLedger, State, number};

#[async_trait]
impl Statuses for MemoryLedger {
    async fn state_of(&self, authority: &str, serial: &Serial) -> Result<Option<CertificateState>, LedgerError> {
        let ledger = self.read();
        let is_it = |record: &&CertificateRecord| record.serial == *serial && record.authority == authority;
        let recorded = ledger.certificates.iter().find(is_it).map(CertificateRecord::state);
        Ok(recorded.or_else(|| ledger.listed(authority, serial).map(ListedCertificate::state)))
    }

    async fn changes_after(&self, authority: &str, sequence: u64, limit: usize) -> Result<Vec<CommittedChange>, LedgerError> {
        let state = self.read();
        let later = |change: &&CommittedChange| change.authority == authority && change.sequence > sequence;
        Ok(state.changes.iter().filter(later).take(limit).cloned().collect())
    }

    async fn last_change(&self) -> Result<u64, LedgerError> {
        Ok(number(self.read().changes.len()))
    }

    async fn not_good(
        &self,
        authority: &str,
        not_after: Timestamp,
        after: Option<&Serial>,
        limit: usize,
    ) -> Result<Vec<CertificateState>, LedgerError> {
        let ledger = self.read();
        let is_one = |record: &&CertificateRecord| {
            record.authority == authority
                && record.status != CertificateStatus::Valid
                && record.validity.not_after.seconds() >= not_after.seconds()
                && after.is_none_or(|after| record.serial > *after)
        };
        let is_listed = |listed: &&ListedCertificate| {
            listed.authority == authority
                && listed.not_after.seconds() >= not_after.seconds()
                && after.is_none_or(|after| listed.serial > *after)
        };
        let recorded = ledger.certificates.iter().filter(is_one).map(CertificateRecord::state);
        let mut found: Vec<CertificateState> =
            recorded.chain(ledger.listed.iter().filter(is_listed).map(ListedCertificate::state)).collect();
        found.sort_by(|one, other| one.serial.cmp(&other.serial));
        found.truncate(limit);
        Ok(found)
    }

    fn watch(&self, watcher: Arc<dyn StatusWatcher>) {
        self.watchers.0.lock().expect("no test panics while it holds the lock").push(watcher);
    }
}

impl State {
    /// Appends to the sequence what this has become.
    pub(super) fn changed(&mut self, authority: &str, state: CertificateState) -> CommittedChange {
        let sequence = number(self.changes.len()) + 1;
        let change = CommittedChange { sequence, authority: authority.to_owned(), state };
        self.changes.push(change.clone());
        change
    }
}

/// Those who are told of changes.
#[derive(Default)]
pub(super) struct Watchers(Mutex<Vec<Arc<dyn StatusWatcher>>>);

impl Watchers {
    pub(super) fn tell(&self, what: impl Fn(&dyn StatusWatcher)) {
        let watchers = self.0.lock().expect("no test panics while it holds the lock").clone();
        watchers.iter().for_each(|watcher| what(&**watcher));
    }
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers").finish_non_exhaustive()
    }
}
