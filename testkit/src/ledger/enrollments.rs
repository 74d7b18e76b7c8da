//! Enrollments in memory.

use async_trait::async_trait;
use certgate_enrollment::{
    EnrollmentId, EnrollmentKey, EnrollmentQuery, EnrollmentRecord, EnrollmentState, Enrollments, Event, LedgerError,
    NewEnrollment, Page, Protocol, Standing, Submitted,
};
use certgate_pki::Timestamp;

use super::{MemoryLedger, number, page};

/// Does it wait for a person or for the CA?
pub(super) fn is_waiting(enrollment: &EnrollmentRecord) -> bool {
    !enrollment.state.is_over()
}

#[async_trait]
impl Enrollments for MemoryLedger {
    async fn submit(&self, new: NewEnrollment, most: u64, event: Event) -> Result<Submitted, LedgerError> {
        let mut state = self.write()?;
        let enrollment = &new.record;
        let waiting = || state.enrollments.iter().filter(|one| is_waiting(one));
        if let Some(found) = waiting().find(|one| one.key == enrollment.key) {
            return Ok(Submitted::Exists(Box::new(found.clone())));
        }
        if !state.is_next(&new) {
            return Ok(Submitted::Overtaken);
        }
        let is_of_the_same = |one: &&EnrollmentRecord| {
            one.key.principal == enrollment.key.principal && one.proof.certificate() == enrollment.proof.certificate()
        };
        if number(waiting().filter(is_of_the_same).count()) >= most {
            return Ok(Submitted::TooMany);
        }
        let at = (enrollment.key.principal.as_str(), enrollment.key.endpoint.as_str(), enrollment.authority.as_str());
        match state.standing(&enrollment.proof, at) {
            Standing::Good => {}
            Standing::UsedUp => return Ok(Submitted::CredentialUsedUp),
            Standing::Ended => return Ok(Submitted::ProofEnded),
        }
        state.enrollments.push(new.record);
        state.append(event);
        Ok(Submitted::Created)
    }

    async fn find_by_key(&self, key: &EnrollmentKey, since: Timestamp) -> Result<Option<EnrollmentRecord>, LedgerError> {
        let is_it = |one: &&EnrollmentRecord| one.key == *key && (is_waiting(one) || one.changed_at >= since);
        Ok(self.read().enrollments.iter().rev().find(is_it).cloned())
    }

    async fn find_by_transaction(
        &self,
        protocol: Protocol,
        endpoint: &str,
        transaction: &str,
    ) -> Result<Option<EnrollmentRecord>, LedgerError> {
        Ok(self.read().of_transaction(protocol, endpoint, transaction).cloned())
    }

    async fn find_by_id(&self, id: &EnrollmentId) -> Result<Option<EnrollmentRecord>, LedgerError> {
        Ok(self.read().enrollments.iter().find(|one| one.id == *id).cloned())
    }

    async fn find_by_csr(&self, csr_sha256: &[u8; 32], most: usize) -> Result<Vec<EnrollmentRecord>, LedgerError> {
        let state = self.read();
        let of_csr = || state.enrollments.iter().rev().filter(|one| one.csr_sha256 == *csr_sha256);
        let is_open = |one: &EnrollmentRecord| one.state.may_be_issued();
        let are_open = of_csr().any(is_open);
        Ok(of_csr().filter(|one| is_open(one) == are_open).take(most).cloned().collect())
    }

    async fn standing(&self, enrollment: &EnrollmentRecord, authority: &str) -> Result<Standing, LedgerError> {
        let key = &enrollment.key;
        Ok(self.read().standing(&enrollment.proof, (&key.principal, &key.endpoint, authority)))
    }

    async fn advance(
        &self,
        enrollment: &EnrollmentRecord,
        next: EnrollmentState,
        reason: &str,
        event: Event,
    ) -> Result<bool, LedgerError> {
        if next == EnrollmentState::Issued {
            return Err(LedgerError::Conflict("an enrollment is issued with its certificate only"));
        }
        let mut state = self.write()?;
        let is_it = |one: &&mut EnrollmentRecord| one.id == enrollment.id && one.state == enrollment.state;
        let Some(found) = state.enrollments.iter_mut().find(is_it) else { return Ok(false) };
        (found.state, found.changed_at, found.reason) = (next, event.at, reason.to_owned());
        state.append(event);
        Ok(true)
    }

    async fn list_enrollments(&self, query: EnrollmentQuery) -> Result<Page<EnrollmentRecord>, LedgerError> {
        let state = self.read();
        let wanted = |one: &&EnrollmentRecord| query.state.is_none_or(|wanted| wanted == one.state);
        let newest_first = state.enrollments.iter().enumerate().rev().filter(|(_, one)| wanted(one));
        page(newest_first.map(|(place, one)| (place, one.clone())), query.limit, query.cursor.as_ref())
    }
}
