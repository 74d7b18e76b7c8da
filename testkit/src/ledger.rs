//! A ledger that remembers until it is dropped.

mod crls;
mod enrollments;
mod history;
mod orders;
mod statuses;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use certgate_enrollment::{
    Account, Along, AuditHead, AuditReport, AuditTrail, AuditWalk, Authorities, AuthorizationRecord, CertificateQuery,
    CertificateRecord, CertificateRecorded, CertificateStatus, Certificates, CommittedChange, CrlRecord, CrlScope, Cursor,
    EnrollmentKey, EnrollmentRecord, EnrollmentState, EstUser, EstUserAdded, EstUsers, Event, ExpectedHeads, Ledger,
    LedgerError, ListedCertificate, NewEnrollment, OrderRecord, Page, PrincipalRemoved, Proof, Protocol, ScepChallenge,
    ScepChallenges, Standing,
};
use certgate_pki::{DigestAlgorithm, Serial, Timestamp};

use enrollments::is_waiting;
use statuses::Watchers;

/// For how long after its end a challenge is kept.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

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

    fn head(&self) -> AuditHead {
        AuditHead { events: number(self.trail.len()), hash: self.trail.last().map_or([0; 32], |(_, hash)| *hash) }
    }

    fn append(&mut self, event: Event) {
        let hash = link(self.head().hash, &event);
        self.trail.push((event, hash));
    }
}

/// The hash of an event that follows one of this hash.
fn link(previous: [u8; 32], event: &Event) -> [u8; 32] {
    let text = format!("{} {} {} {:?}", event.at.millis(), event.kind.name(), event.actor, event.details);
    let digest = certgate_crypto::provider().digest.digest(DigestAlgorithm::Sha256, &[&previous, text.as_bytes()].concat());
    digest.try_into().expect("32 octets")
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
        self.watchers.tell(|watcher| watcher.committed(&change));
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

#[async_trait]
impl EstUsers for MemoryLedger {
    async fn add(&self, user: EstUser, event: Event) -> Result<EstUserAdded, LedgerError> {
        let mut state = self.write()?;
        if state.users.iter().any(|other| other.name == user.name && other.endpoint == user.endpoint) {
            return Ok(EstUserAdded::Exists);
        }
        state.users.push(user);
        state.append(event);
        Ok(EstUserAdded::Added)
    }

    async fn replace(&self, user: EstUser, event: Event) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        let is_it = |other: &&mut EstUser| other.name == user.name && other.endpoint == user.endpoint;
        let Some(found) = state.users.iter_mut().find(is_it) else { return Ok(false) };
        *found = user.clone();
        let of_old = |one: &&mut EnrollmentRecord| {
            one.key.principal == user.name
                && one.key.endpoint == user.endpoint
                && is_waiting(one)
                && one.proof.credential().is_some()
        };
        for enrollment in state.enrollments.iter_mut().filter(of_old) {
            enrollment.state = EnrollmentState::Denied;
            enrollment.changed_at = event.at;
            enrollment.reason = "the credential was replaced; ask again with the new one".to_owned();
        }
        state.append(event);
        Ok(true)
    }

    async fn find_user(&self, name: &str, endpoint: &str) -> Result<Option<EstUser>, LedgerError> {
        Ok(self.read().users.iter().find(|user| user.name == name && user.endpoint == endpoint).cloned())
    }

    async fn list_users(&self, limit: usize, cursor: Option<Cursor>) -> Result<Page<(EstUser, u64)>, LedgerError> {
        let state = self.read();
        let count =
            |user: &EstUser| number(state.certificates.iter().filter(|certificate| certificate.principal == user.name).count());
        let mut users: Vec<(usize, &EstUser)> = state.users.iter().enumerate().collect();
        users.sort_by_key(|(_, user)| (&user.name, &user.endpoint));
        page(users.into_iter().map(|(place, user)| (place, (user.clone(), count(user)))), limit, cursor.as_ref())
    }

    async fn remove(&self, name: &str, event: Event) -> Result<PrincipalRemoved, LedgerError> {
        let mut state = self.write()?;
        let before = state.users.len();
        let challenges_before = state.challenges.len();
        state.users.retain(|user| user.name != name);
        state.challenges.retain(|challenge| challenge.principal() != name);
        let mut removed = PrincipalRemoved {
            credentials: number(before - state.users.len() + challenges_before - state.challenges.len()),
            enrollments: 0,
            had_certificates: state.certificates.iter().any(|certificate| certificate.principal == name),
        };
        for enrollment in state.enrollments.iter_mut().filter(|one| one.key.principal == name && is_waiting(one)) {
            enrollment.state = EnrollmentState::Denied;
            enrollment.changed_at = event.at;
            enrollment.reason = "the principal was removed".to_owned();
            removed.enrollments += 1;
        }
        for certificate in state.certificates.iter_mut().filter(|certificate| certificate.principal == name) {
            certificate.is_ended = true;
        }
        if removed != PrincipalRemoved::default() {
            state.append(event);
        }
        Ok(removed)
    }
}

#[async_trait]
impl ScepChallenges for MemoryLedger {
    async fn add_challenge(&self, challenge: ScepChallenge, event: Event) -> Result<(), LedgerError> {
        let mut state = self.write()?;
        let long_ago = event.at.before(KEPT);
        let waiting: Vec<String> =
            state.enrollments.iter().filter(|one| is_waiting(one)).map(|one| one.key.principal.clone()).collect();
        state.challenges.retain(|one| one.expires_at >= long_ago || waiting.contains(&one.principal()));
        state.challenges.push(challenge);
        state.append(event);
        Ok(())
    }

    async fn find_challenge(&self, endpoint: &str, sha256: &[u8; 32]) -> Result<Option<ScepChallenge>, LedgerError> {
        let is_it = |one: &&ScepChallenge| one.endpoint == endpoint && one.sha256 == *sha256;
        Ok(self.read().challenges.iter().find(is_it).cloned())
    }
}

#[async_trait]
impl Authorities for MemoryLedger {
    async fn use_base_url(&self, authority: &str, url: &str, event: Event) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        let newest = state.base_urls.iter().rev().find(|(name, _)| name == authority);
        if newest.is_some_and(|(_, newest)| newest == url) {
            return Ok(false);
        }
        state.base_urls.push((authority.to_owned(), url.to_owned()));
        state.append(event);
        Ok(true)
    }

    async fn base_urls(&self, authority: &str) -> Result<Vec<String>, LedgerError> {
        let mut urls: Vec<String> = Vec::new();
        for (_, url) in self.read().base_urls.iter().filter(|(name, _)| name == authority) {
            if !urls.contains(url) {
                urls.push(url.clone());
            }
        }
        Ok(urls)
    }

    async fn import_certificate(&self, authority: &str, der: &[u8], event: Event) -> Result<(), LedgerError> {
        let mut state = self.write()?;
        state.imported.push((authority.to_owned(), der.to_owned()));
        state.append(event);
        Ok(())
    }

    async fn imported_certificate(&self, authority: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.read().imported.iter().rev().find(|(name, _)| name == authority).map(|(_, der)| der.clone()))
    }

    async fn take_offline(&self, authority: &str, event: Event) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        if state.offline.contains_key(authority) {
            return Ok(false);
        }
        state.offline.insert(authority.to_owned(), event.at);
        state.append(event);
        Ok(true)
    }

    async fn bring_back(&self, authority: &str, event: Event) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        let was_offline = state.offline.remove(authority).is_some();
        if was_offline {
            state.append(event);
        }
        Ok(was_offline)
    }

    async fn offline_since(&self, authority: &str) -> Result<Option<Timestamp>, LedgerError> {
        Ok(self.read().offline.get(authority).copied())
    }
}

#[async_trait]
impl AuditTrail for MemoryLedger {
    async fn head(&self) -> Result<AuditHead, LedgerError> {
        Ok(self.read().head())
    }

    async fn append(&self, event: Event) -> Result<(), LedgerError> {
        self.write()?.append(event);
        Ok(())
    }

    async fn first_missing(&self, heads: Vec<AuditHead>) -> Result<Option<usize>, LedgerError> {
        let state = self.read();
        let hash_of = |events: u64| match usize::try_from(events).ok()?.checked_sub(1) {
            None => Some(AuditHead::NOTHING.hash),
            Some(index) => state.trail.get(index).map(|(_, hash)| *hash),
        };
        Ok(heads.iter().position(|head| hash_of(head.events) != Some(head.hash)))
    }

    async fn verify(&self, expected: ExpectedHeads, walked: Arc<AtomicU64>) -> Result<AuditReport, LedgerError> {
        let state = self.read();
        let mut walk = AuditWalk::new(expected);
        for (event, hash) in &state.trail {
            if link(walk.head().hash, event) != *hash {
                walk.break_here();
                break;
            }
            walk.pass(AuditHead { events: walk.head().events + 1, hash: *hash });
            walked.store(walk.head().events, Ordering::Relaxed);
        }
        Ok(walk.end())
    }
}

impl Ledger for MemoryLedger {}

#[cfg(test)]
mod tests {
    use certgate_enrollment::EventKind;

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
