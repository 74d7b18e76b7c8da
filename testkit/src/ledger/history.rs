//! What authorities did before they came here.

use std::collections::BTreeSet;

use async_trait::async_trait;
use certgate_enrollment::{
    CertificateImported, CertificateRecord, CertificateStatus, CommittedChange, CrlRecord, EntryImported, Event, History,
    LedgerError, ListedCertificate,
};
use certgate_pki::Serial;

use super::{MemoryLedger, State, number};

#[async_trait]
impl History for MemoryLedger {
    async fn import_certificates(
        &self,
        certificates: Vec<(CertificateRecord, Event)>,
    ) -> Result<Vec<CertificateImported>, LedgerError> {
        let mut state = self.write()?;
        let of =
            |one: &CertificateRecord, other: &CertificateRecord| one.serial == other.serial && one.authority == other.authority;
        for (place, (certificate, _)) in certificates.iter().enumerate() {
            let before = certificates[..place].iter().map(|(one, _)| one).chain(&state.certificates);
            if before.into_iter().any(|one| of(one, certificate) && one.der != certificate.der) {
                return Err(LedgerError::Conflict("a certificate of this serial number"));
            }
        }
        let (mut came, mut changes) = (Vec::new(), Vec::new());
        for (mut certificate, event) in certificates {
            if state.certificates.iter().any(|one| of(one, &certificate)) {
                came.push(CertificateImported::Known);
                continue;
            }
            let is_it = |one: &ListedCertificate| one.authority == certificate.authority && one.serial == certificate.serial;
            if let Some(place) = state.listed.iter().position(is_it) {
                certificate.status = state.listed.remove(place).status;
            }
            if certificate.status != CertificateStatus::Valid {
                changes.push(state.changed(&certificate.authority, certificate.state()));
            }
            state.certificates.push(CertificateRecord { is_ended: false, ..certificate });
            state.append(event);
            came.push(CertificateImported::Recorded);
        }
        self.tell(&changes, state);
        Ok(came)
    }

    async fn import_entries(&self, entries: Vec<(ListedCertificate, Event)>) -> Result<Vec<EntryImported>, LedgerError> {
        let mut state = self.write()?;
        let (mut came, mut changes) = (Vec::new(), Vec::new());
        for (entry, event) in entries {
            let outcome = state.take(&entry);
            if outcome != EntryImported::Stands {
                let is_it = |one: &&CertificateRecord| one.serial == entry.serial && one.authority == entry.authority;
                let recorded = state.certificates.iter().find(is_it).map(CertificateRecord::state);
                let next = recorded.unwrap_or_else(|| entry.state());
                changes.push(state.changed(&entry.authority, next));
                state.append(event);
            }
            came.push(outcome);
        }
        self.tell(&changes, state);
        Ok(came)
    }

    async fn import_crl(&self, authority: &str, crl: u64, crls: Vec<CrlRecord>, event: Event) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        if state.imported_crls.iter().any(|(of, last)| of == authority && *last >= crl) {
            return Ok(false);
        }
        state.imported_crls.push((authority.to_owned(), crl));
        for record in crls {
            if !state.crls.iter().any(|one| one.scope == record.scope && one.number >= record.number) {
                state.withdrawn.push((record.scope.clone(), record.number));
                state.crls.push(record);
            }
        }
        state.append(event);
        Ok(true)
    }

    async fn last_imported_crl(&self, authority: &str) -> Result<Option<u64>, LedgerError> {
        Ok(self.read().imported_crls.iter().filter(|(of, _)| of == authority).map(|(_, number)| *number).max())
    }

    async fn find_listed(&self, serial: &Serial) -> Result<Option<ListedCertificate>, LedgerError> {
        let state = self.read();
        let of_serial = state.listed.iter().filter(|one| one.serial == *serial);
        Ok(of_serial.min_by(|one, other| one.authority.cmp(&other.authority)).cloned())
    }

    async fn authorities_of(&self, serial: &Serial) -> Result<Vec<String>, LedgerError> {
        let state = self.read();
        let recorded = state.certificates.iter().filter(|one| one.serial == *serial).map(|one| &one.authority);
        let listed = state.listed.iter().filter(|one| one.serial == *serial).map(|one| &one.authority);
        Ok(recorded.chain(listed).cloned().collect::<BTreeSet<_>>().into_iter().collect())
    }

    async fn count_listed(&self, authority: &str) -> Result<u64, LedgerError> {
        Ok(number(self.read().listed.iter().filter(|one| one.authority == authority).count()))
    }
}

impl MemoryLedger {
    fn tell(&self, changes: &[CommittedChange], state: std::sync::MutexGuard<'_, State>) {
        changes.iter().for_each(|change| self.watchers.tell(|watcher| watcher.committing(change)));
        drop(state);
        changes.iter().for_each(|change| self.watchers.tell(|watcher| watcher.settled(change)));
    }
}

impl State {
    pub(super) fn listed(&self, authority: &str, serial: &Serial) -> Option<&ListedCertificate> {
        self.listed.iter().find(|one| one.authority == authority && one.serial == *serial)
    }

    fn take(&mut self, entry: &ListedCertificate) -> EntryImported {
        let recorded = self.certificates.iter_mut().find(|one| one.serial == entry.serial && one.authority == entry.authority);
        if let Some(certificate) = recorded {
            if !certificate.status.gives_way_to(entry.status) {
                return EntryImported::Stands;
            }
            certificate.status = entry.status;
            return EntryImported::Changed;
        }
        let is_it = |one: &ListedCertificate| one.serial == entry.serial && one.authority == entry.authority;
        match self.listed.iter_mut().find(|one| is_it(one)) {
            Some(listed) if !listed.status.gives_way_to(entry.status) => return EntryImported::Stands,
            Some(listed) => *listed = entry.clone(),
            None => self.listed.push(entry.clone()),
        }
        EntryImported::Listed
    }
}
