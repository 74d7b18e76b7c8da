//! A ledger that remembers until it is dropped.

mod authorities;
mod credentials;
mod crls;
mod enrollments;
mod history;
mod orders;
mod statuses;
mod trail;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use certgate_enrollment::{
    Account, Along, AuthorizationRecord, CertificateQuery, CertificateRecord, CertificateRecorded, CertificateStatus,
    Certificates, CommittedChange, CrlRecord, CrlScope, Cursor, EnrollmentKey, EnrollmentRecord, EnrollmentState, EstUser,
    Event, Ledger, LedgerError, ListedCertificate, NewEnrollment, OrderRecord, Page, Proof, Protocol, ScepChallenge, Standing,
};
use certgate_pki::{Serial, Timestamp};

use statuses::Watchers;

/// All ports over vectors, in the order of recording.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    state: Mutex<State>,
    watchers: Watchers,
    failing: Failing,
}

/// From which write on they fail.
#[derive(Debug)]
struct Failing(AtomicU64);

impl Default for Failing {
    fn default() -> Self {
        Self(AtomicU64::new(Self::NEVER))
    }
}

impl Failing {
    /// Writes do not fail.
    const NEVER: u64 = u64::MAX;

    /// Whether the write that begins now fails.
    fn next(&self) -> bool {
        let left = |left: u64| (left != Self::NEVER).then(|| left.saturating_sub(1));
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok_and(|left| left == 0)
    }
}

#[derive(Debug, Default)]
struct State {
    certificates: Vec<CertificateRecord>,
    listed: Vec<ListedCertificate>,
    imported_crls: Vec<(String, u64)>,
    enrollments: Vec<EnrollmentRecord>,
    users: Vec<EstUser>,
    challenges: Vec<ScepChallenge>,
    accounts: Vec<Account>,
    orders: Vec<OrderRecord>,
    authorizations: Vec<AuthorizationRecord>,
    base_urls: Vec<(String, String)>,
    imported: Vec<(String, Vec<u8>)>,
    offline: BTreeMap<String, Timestamp>,
    changes: Vec<CommittedChange>,
    crls: Vec<CrlRecord>,
    withdrawn: Vec<(CrlScope, u64)>,
    trail: Vec<(Event, [u8; 32])>,
}

impl MemoryLedger {
    /// From now on writes fail, or do not fail any more. Reads always work.
    pub fn fail_writes(&self, fail: bool) {
        self.failing.0.store(if fail { 0 } else { Failing::NEVER }, Ordering::SeqCst);
    }

    /// So many writes do not fail yet, and all after them do, until [`Self::fail_writes`] says otherwise.
    pub fn fail_writes_after(&self, writes: u8) {
        self.failing.0.store(u64::from(writes), Ordering::SeqCst);
    }

    /// Every certificate, in the order of recording.
    #[must_use]
    pub fn certificates(&self) -> Vec<CertificateRecord> {
        self.read().certificates.clone()
    }

    /// Every event, in the order of recording.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.read().trail.iter().map(|(event, _)| event.clone()).collect()
    }

    fn read(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the lock")
    }

    fn write(&self) -> Result<MutexGuard<'_, State>, LedgerError> {
        if self.failing.next() {
            return Err(LedgerError::Unavailable("the test has writes fail".into()));
        }
        Ok(self.read())
    }
}

impl State {
    /// How the proof of a principal stands, at this endpoint and this authority.
    fn standing(&self, proof: &Proof, (principal, endpoint, authority): (&str, &str, &str)) -> Standing {
        if let Some(serial) = proof.certificate() {
            let is_it = |one: &CertificateRecord| one.serial == *serial && one.authority == authority;
            let is_good = |one: &CertificateRecord| one.status == CertificateStatus::Valid && !one.is_ended;
            if !self.certificates.iter().any(|one| is_it(one) && is_good(one)) {
                return Standing::Ended;
            }
        }
        let uses = match proof {
            Proof::Certificate(_) => return Standing::Good,
            Proof::Credential(id) | Proof::Both(_, id) => {
                let is_it = |user: &&EstUser| user.name == principal && user.endpoint == endpoint && user.id == *id;
                self.users.iter().find(is_it).map(|user| user.uses)
            }
            Proof::Account(id) => {
                let is_good = |one: &Account| one.id == *id && one.endpoint == endpoint && one.is_valid;
                return if self.accounts.iter().any(is_good) { Standing::Good } else { Standing::Ended };
            }
            Proof::Challenge(id) => {
                let is_it = |one: &&ScepChallenge| one.id == *id && one.endpoint == endpoint && one.principal() == principal;
                self.challenges.iter().find(is_it).map(|one| Some(one.uses))
            }
        };
        match uses {
            None => Standing::Ended,
            Some(Some(0)) if proof.spends_a_use() => Standing::UsedUp,
            Some(_) => Standing::Good,
        }
    }

    /// A certificate spends a use of what has authenticated its principal.
    fn spend(&mut self, proof: Option<&Proof>, certificate: &CertificateRecord) {
        match proof {
            Some(Proof::Credential(id)) => {
                let is_it = |user: &&mut EstUser| {
                    user.id == *id && user.name == certificate.principal && user.endpoint == certificate.endpoint
                };
                for user in self.users.iter_mut().filter(is_it) {
                    user.uses = user.uses.map(|uses| uses - 1);
                }
            }
            Some(Proof::Challenge(id)) => {
                for challenge in self.challenges.iter_mut().filter(|one| one.id == *id) {
                    challenge.uses -= 1;
                }
            }
            Some(Proof::Certificate(_) | Proof::Both(..) | Proof::Account(_)) | None => {}
        }
    }

    /// Is the newest enrollment of its transaction the one that it says, or is there none?
    fn is_next(&self, new: &NewEnrollment) -> bool {
        let key = &new.record.key;
        let Some(transaction) = &key.transaction else { return true };
        self.of_transaction(key.protocol, &key.endpoint, transaction).map(|newest| &newest.id) == new.after.as_ref()
    }

    fn of_transaction(&self, protocol: Protocol, endpoint: &str, transaction: &str) -> Option<&EnrollmentRecord> {
        let is_it = |key: &EnrollmentKey| {
            key.protocol == protocol && key.endpoint == endpoint && key.transaction.as_deref() == Some(transaction)
        };
        self.enrollments.iter().rev().find(|one| is_it(&one.key))
    }
}

fn number(length: usize) -> u64 {
    u64::try_from(length).expect("fewer than 2^64")
}

#[async_trait]
impl Certificates for MemoryLedger {
    async fn record(
        &self,
        certificate: CertificateRecord,
        along: Along,
        event: Event,
    ) -> Result<CertificateRecorded, LedgerError> {
        let mut state = self.write()?;
        let is_awaited = |one: &EnrollmentRecord| {
            one.state == EnrollmentState::Approved && along.fulfils.as_ref().is_some_and(|id| one.id == *id)
        };
        let enrollment = state.enrollments.iter().position(is_awaited);
        if along.fulfils.is_some() && enrollment.is_none() || along.concludes.as_ref().is_some_and(|new| !state.is_next(new)) {
            return Ok(CertificateRecorded::NotAwaited);
        }
        let at = (certificate.principal.as_str(), certificate.endpoint.as_str(), certificate.authority.as_str());
        match along.proof.as_ref().map_or(Standing::Good, |proof| state.standing(proof, at)) {
            Standing::Good => {}
            Standing::UsedUp => return Ok(CertificateRecorded::CredentialUsedUp),
            Standing::Ended => return Ok(CertificateRecorded::ProofEnded),
        }
        let same = |other: &CertificateRecord| other.authority == certificate.authority && other.serial == certificate.serial;
        if state.certificates.iter().any(same) {
            return Err(LedgerError::Conflict("a certificate of this serial number"));
        }
        state.spend(along.proof.as_ref(), &certificate);
        let enrollment = match along.concludes {
            Some(new) => {
                state.enrollments.push(new.record);
                Some(state.enrollments.len() - 1)
            }
            None => enrollment,
        };
        if let Some(place) = enrollment {
            let enrollment = &mut state.enrollments[place];
            enrollment.state = EnrollmentState::Issued;
            enrollment.changed_at = certificate.issued_at;
            enrollment.reason = String::new();
            enrollment.serial = Some(certificate.serial.clone());
            enrollment.authority.clone_from(&certificate.authority);
        }
        if certificate.status != CertificateStatus::Valid {
            state.changed(&certificate.authority, certificate.state());
        }
        state.certificates.push(CertificateRecord { is_ended: false, ..certificate });
        state.append(event);
        Ok(CertificateRecorded::Recorded)
    }

    async fn find(&self, serial: &Serial) -> Result<Option<CertificateRecord>, LedgerError> {
        Ok(self.read().certificates.iter().find(|record| record.serial == *serial).cloned())
    }

    async fn find_issued(&self, authority: &str, serial: &Serial) -> Result<Option<CertificateRecord>, LedgerError> {
        let is_it = |record: &&CertificateRecord| record.serial == *serial && record.authority == authority;
        Ok(self.read().certificates.iter().find(is_it).cloned())
    }

    async fn change_status(
        &self,
        certificate: &CertificateRecord,
        next: CertificateStatus,
        event: Event,
    ) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        let is_it = |record: &&mut CertificateRecord| {
            record.serial == certificate.serial
                && record.authority == certificate.authority
                && record.status == certificate.status
        };
        let Some(record) = state.certificates.iter_mut().find(is_it) else { return Ok(false) };
        record.status = next;
        let record = record.clone();
        let change = state.changed(&record.authority, record.state());
        state.append(event);
        self.watchers.tell(|watcher| watcher.committing(&change));
        drop(state);
        self.watchers.tell(|watcher| watcher.settled(&change));
        Ok(true)
    }

    async fn list(&self, query: CertificateQuery) -> Result<Page<CertificateRecord>, LedgerError> {
        let state = self.read();
        let newest_first = state.certificates.iter().enumerate().rev().filter(|(_, record)| matches(record, &query));
        page(newest_first.map(|(place, record)| (place, record.clone())), query.limit, query.cursor.as_ref())
    }
}

fn matches(record: &CertificateRecord, query: &CertificateQuery) -> bool {
    let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
    is(&query.authority, &record.authority)
        && is(&query.profile, &record.profile)
        && is(&query.principal, &record.principal)
        && query.status.is_none_or(|wanted| record.status_name(query.now) == wanted)
        && query.expires_before.is_none_or(|time| record.validity.not_after < time.floor_to_second())
}

/// A page of items that have a place of their own each. The cursor is the place of the last item of the page before.
fn page<T>(items: impl Iterator<Item = (usize, T)>, limit: usize, cursor: Option<&Cursor>) -> Result<Page<T>, LedgerError> {
    let after = cursor.map(|cursor| cursor.0.parse::<usize>().map_err(|_| LedgerError::BadCursor)).transpose()?;
    let mut items =
        items.skip_while(|(place, _)| after.is_some_and(|after| *place != after)).skip(usize::from(after.is_some()));
    let page: Vec<(usize, T)> = items.by_ref().take(limit).collect();
    let next = items.next().and_then(|_| page.last()).map(|(place, _)| Cursor(place.to_string()));
    Ok(Page { items: page.into_iter().map(|(_, item)| item).collect(), next })
}

impl Ledger for MemoryLedger {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use certgate_enrollment::{AuditTrail, EventKind};

    use super::*;

    #[tokio::test]
    async fn passes_the_contract() {
        crate::ledger_contract::run(async || Arc::new(MemoryLedger::default()) as Arc<dyn Ledger>).await;
    }

    #[tokio::test]
    async fn writes_fail_when_they_are_told_to() {
        let ledger = MemoryLedger::default();
        let event = || Event { at: crate::NOW, kind: EventKind::AuditKeyMade, actor: String::new(), details: Vec::new() };
        ledger.fail_writes(true);
        assert!(matches!(ledger.append(event()).await, Err(LedgerError::Unavailable(_))));
        assert!(ledger.events().is_empty());
        ledger.fail_writes(false);
        assert_eq!((ledger.append(event()).await, ledger.events().len()), (Ok(()), 1));
        ledger.fail_writes_after(1);
        assert!(ledger.append(event()).await.is_ok() && ledger.append(event()).await.is_err());
        assert!(ledger.append(event()).await.is_err());
    }
}
