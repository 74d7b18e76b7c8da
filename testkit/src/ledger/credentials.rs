//! Credentials that principals have: passwords of EST, challenges of SCEP.

use std::time::Duration;

use async_trait::async_trait;
use certgate_enrollment::{
    Cursor, EnrollmentRecord, EnrollmentState, EstUser, EstUserAdded, EstUsers, Event, LedgerError, Page, PrincipalRemoved,
    ScepChallenge, ScepChallenges,
};

use super::enrollments::is_waiting;
use super::{MemoryLedger, number, page};

/// For how long after its end a challenge is kept.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

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
