//! From a request to its outcome. Some requests are remembered, so that whoever asks again hears the same: those that a person has to
//! approve, and those of protocols whose clients name their transactions and poll them.

use std::time::Duration;

use certgate_pki::{Serial, Timestamp};
use certgate_policy::{Approval, Profile};

use crate::approval::event_about;
use crate::authority::Authority;
use crate::authorized::{Outcome, Pending, Recorded};
use crate::error::EnrollError;
use crate::internal::INTERNAL_PRINCIPAL;
use crate::ports::audit::EventKind;
use crate::ports::certificates::Standing;
use crate::ports::enrollments::{EnrollmentKey, EnrollmentRecord, EnrollmentState, NewEnrollment, Submitted};
use crate::request::{CheckedRequest, EnrollRequest, Operation, Protocol};

/// For how long what came of a request is told to whoever sends it again without naming a transaction.
const REMEMBERED: Duration = Duration::from_secs(7 * 86_400);

/// How many requests of one principal may wait at the same time; those that a certificate authenticates are counted by it.
const MOST_PENDING: u64 = 32;

/// How a request that is remembered begins.
struct Beginning {
    key: EnrollmentKey,
    /// [`NewEnrollment::after`].
    after: Option<crate::EnrollmentId>,
    now: Timestamp,
}

impl Authority {
    /// A certificate, if the profile leaves it to policy alone; else the request waits. The same request once more is answered with what
    /// came of it, where that is remembered.
    ///
    /// # Errors
    /// [`EnrollError`].
    pub async fn enroll(&self, profile: &Profile, request: EnrollRequest) -> Result<Recorded<Outcome>, EnrollError> {
        let request = request.check(&self.core.provider)?;
        let approval = approval_of(profile, &request);
        if approval == Approval::Auto && request.transaction.is_none() {
            is_in_time(&request, self.core.clock.now())?;
            let authorized = self.authorize_checked(profile, request)?;
            return Ok(self.issue(authorized).await?.map(Outcome::Issued));
        }
        // In a box: it takes several times the room of the way above, which every request on that way would have to move.
        Box::pin(self.enroll_remembered(profile, request, approval)).await
    }

    /// What became of a transaction, for whoever can name it.
    ///
    /// # Errors
    /// [`EnrollError::UnknownTransaction`], [`EnrollError::CertificateOver`], or why there is no certificate.
    pub async fn poll(
        &self,
        profile: &Profile,
        (protocol, endpoint): (Protocol, &str),
        transaction: &str,
    ) -> Result<Recorded<Outcome>, EnrollError> {
        let newest = self.core.enrollments.find_by_transaction(protocol, endpoint, transaction).await?;
        let found = newest.ok_or(EnrollError::UnknownTransaction)?;
        self.outcome_of(profile, &found).await?.ok_or(EnrollError::CertificateOver)
    }

    async fn enroll_remembered(
        &self,
        profile: &Profile,
        request: CheckedRequest,
        approval: Approval,
    ) -> Result<Recorded<Outcome>, EnrollError> {
        let now = self.core.clock.now();
        let key = EnrollmentKey {
            protocol: request.protocol,
            endpoint: request.endpoint.clone(),
            operation: if request.renews.is_some() { Operation::Renew } else { Operation::Enroll },
            principal: request.principal.name.clone(),
            info_sha256: self.core.sha256(&request.csr.info_without_challenge()),
            transaction: request.transaction.clone(),
        };
        let newest = self.newest(&key, now).await?;
        if newest.as_ref().is_some_and(|newest| newest.key != key) && !key.protocol.reuses_transactions() {
            return Err(EnrollError::NotAwaited);
        }
        let after = newest.as_ref().filter(|_| key.transaction.is_some()).map(|newest| newest.id.clone());
        let same = match newest.filter(|newest| newest.key == key) {
            Some(found) if self.gives_way(&found, &request, now).await? => None,
            found => found.filter(|found| !found.state.is_over() || is_answered_by(found, &request)),
        };
        if let Some(found) = same {
            match self.outcome_of(profile, &found).await? {
                Some(outcome) => return Ok(outcome),
                None if !key.protocol.reuses_transactions() => return Err(EnrollError::CertificateOver),
                // It was revoked since, or is over. Whether there is to be another one is for policy and people to say.
                None => {}
            }
        }
        is_in_time(&request, now)?;
        let beginning = Beginning { key, after, now };
        match approval {
            Approval::Manual => self.submit(profile, request, beginning).await,
            Approval::Auto => self.conclude(profile, request, beginning).await,
        }
    }

    /// The newest enrollment of the same transaction, or else of the same key.
    async fn newest(&self, key: &EnrollmentKey, now: Timestamp) -> Result<Option<EnrollmentRecord>, EnrollError> {
        let enrollments = &self.core.enrollments;
        Ok(match &key.transaction {
            Some(transaction) => enrollments.find_by_transaction(key.protocol, &key.endpoint, transaction).await?,
            None => enrollments.find_by_key(key, now.before(REMEMBERED)).await?,
        })
    }

    /// What came of an enrollment; `None` when it was issued a certificate that is not good any more.
    async fn outcome_of(&self, profile: &Profile, found: &EnrollmentRecord) -> Result<Option<Recorded<Outcome>>, EnrollError> {
        match found.state {
            // The CA could not be reached when it was approved. What a person has said yes to is that profile.
            EnrollmentState::Approved if found.profile == profile.name => {
                let issued = self.fulfil_recorded(profile, found).await;
                Ok(Some(self.settle(issued, found, &found.key.principal).await?.map(Outcome::Issued)))
            }
            EnrollmentState::Pending | EnrollmentState::Approved => Ok(Some(pending(found, self.core.clock.now()))),
            EnrollmentState::Denied => Err(EnrollError::Denied(found.reason.clone())),
            EnrollmentState::Failed => Err(EnrollError::Failed(found.reason.clone())),
            EnrollmentState::Issued => Ok(self.issued_for(found).await?.map(|issued| issued.map(Outcome::Served))),
        }
    }

    /// Nothing can be issued any more with what a request that waits was asked with: it is denied in favour of who asks anew, with
    /// something that is good.
    async fn gives_way(&self, found: &EnrollmentRecord, request: &CheckedRequest, now: Timestamp) -> Result<bool, EnrollError> {
        let is_left = !found.state.is_over() && found.proof != request.principal.proof;
        if !is_left || self.core.enrollments.standing(found, &self.name).await? != Standing::Ended {
            return Ok(false);
        }
        let mut event = event_about(found, EventKind::EnrollmentDenied, now, INTERNAL_PRINCIPAL);
        let reason = EnrollError::ProofEnded.to_string();
        event.details.push(("reason", reason.clone()));
        Ok(self.core.enrollments.advance(found, EnrollmentState::Denied, &reason, event).await?)
    }

    /// Has a request wait that policy would grant.
    async fn submit(
        &self,
        profile: &Profile,
        request: CheckedRequest,
        beginning: Beginning,
    ) -> Result<Recorded<Outcome>, EnrollError> {
        let _would_be_granted = self.authorize_checked(profile, request.clone())?;
        let now = beginning.now;
        let new = self.new_enrollment(profile, request, beginning, EnrollmentState::Pending)?;
        let event = event_about(&new.record, EventKind::EnrollmentSubmitted, now, &new.record.key.principal);
        let waits = pending(&new.record, now);
        match self.core.enrollments.submit(new, MOST_PENDING, event).await? {
            Submitted::Created => Ok(waits),
            Submitted::Exists(earlier) => Ok(pending(&earlier, now)),
            Submitted::Overtaken => Err(EnrollError::NotAwaited),
            Submitted::TooMany => Err(EnrollError::TooManyPending),
            Submitted::CredentialUsedUp => Err(EnrollError::CredentialUsedUp),
            Submitted::ProofEnded => Err(EnrollError::ProofEnded),
        }
    }

    /// Issues what policy grants, and remembers it. Of two that come at the same moment the second gets what the first was issued.
    async fn conclude(
        &self,
        profile: &Profile,
        request: CheckedRequest,
        beginning: Beginning,
    ) -> Result<Recorded<Outcome>, EnrollError> {
        let (key, now) = (beginning.key.clone(), beginning.now);
        let mut authorized = self.authorize_checked(profile, request.clone())?;
        let new = self.new_enrollment(profile, request, beginning, EnrollmentState::Approved)?;
        authorized.along.concludes = Some(Box::new(new));
        match self.issue(authorized).await {
            Err(EnrollError::NotAwaited) => {
                let newest = self.newest(&key, now).await?.filter(|newest| newest.key == key);
                let newest = newest.ok_or(EnrollError::NotAwaited)?;
                self.outcome_of(profile, &newest).await?.ok_or(EnrollError::NotAwaited)
            }
            issued => Ok(issued?.map(Outcome::Issued)),
        }
    }

    fn new_enrollment(
        &self,
        profile: &Profile,
        request: CheckedRequest,
        Beginning { key, after, now }: Beginning,
        state: EnrollmentState,
    ) -> Result<NewEnrollment, EnrollError> {
        let renews = renewed_by(&request).cloned();
        let record = EnrollmentRecord {
            id: self.core.new_enrollment_id(now)?,
            profile: profile.name.clone(),
            authority: self.name.clone(),
            grants: request.principal.grants,
            proof: request.principal.proof,
            renews,
            may_omit_names: request.renews.is_some_and(|old| old.may_omit_names),
            csr_sha256: self.core.sha256(request.csr.as_der()),
            csr: request.csr.as_der().to_vec(),
            key,
            created_at: now,
            state,
            changed_at: now,
            reason: String::new(),
            serial: None,
        };
        Ok(NewEnrollment { record, after })
    }
}

/// Who has to say yes. A certificate enrolls for its own names: that is a renewal by another path, and no way around its approval.
fn approval_of(profile: &Profile, request: &CheckedRequest) -> Approval {
    let is_by_certificate = request.principal.proof.certificate().is_some();
    match (request.renews.is_some(), profile.approval, profile.renewal_approval) {
        (true, _, renewal) => renewal,
        (false, Approval::Auto, Approval::Manual) if is_by_certificate => Approval::Manual,
        (false, approval, _) => approval,
    }
}

/// What has expired begins nothing new.
fn is_in_time(request: &CheckedRequest, now: Timestamp) -> Result<(), EnrollError> {
    match request.principal.ends_at {
        Some(end) if end <= now => Err(EnrollError::CredentialExpired),
        _ => Ok(()),
    }
}

/// Is what came of an enrollment the answer to this request too? One that renews another certificate is another request, and so is one
/// that was refused to who asked with another credential.
fn is_answered_by(found: &EnrollmentRecord, request: &CheckedRequest) -> bool {
    let is_same_proof = found.proof == request.principal.proof || found.state == EnrollmentState::Issued;
    found.renews.as_ref() == renewed_by(request) && is_same_proof
}

/// The certificate that a request is to renew.
fn renewed_by(request: &CheckedRequest) -> Option<&Serial> {
    request.renews.as_ref().map(|old| old.certificate.serial())
}

fn pending(enrollment: &EnrollmentRecord, now: Timestamp) -> Recorded<Outcome> {
    let waited = Duration::from_millis(now.millis().saturating_sub(enrollment.created_at.millis()));
    Recorded::committed(Outcome::Pending(Pending { id: enrollment.id.clone(), waited }))
}
