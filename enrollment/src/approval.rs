//! Requests that a person has to approve: they wait in the ledger and are found again, from whatever connection.

use std::time::Duration;

use certgate_pki::{Certificate, Csr, Serial, Template, Timestamp};
use certgate_policy::{Approval, Profile};

use crate::authority::Authority;
use crate::authorized::{Authorized, Issued, Outcome, Pending, Recorded};
use crate::error::{Blame, EnrollError};
use crate::internal::INTERNAL_PRINCIPAL;
use crate::ports::audit::{Event, EventKind};
use crate::ports::certificates::{CertificateStatus, Standing, StatusName};
use crate::ports::enrollments::{EnrollmentKey, EnrollmentRecord, EnrollmentState, Submitted};
use crate::request::{CheckedRequest, EnrollRequest, Operation, Principal, Renewal};

/// For how long what came of a request is told to whoever sends it again.
const REMEMBERED: Duration = Duration::from_secs(7 * 86_400);

/// How many requests of one principal may wait at the same time.
const MOST_PENDING: u64 = 32;

impl Authority {
    /// A certificate, if the profile leaves it to policy alone; else the request waits, or is answered with what came of it.
    ///
    /// # Errors
    /// [`EnrollError`].
    pub async fn enroll(&self, profile: &Profile, request: EnrollRequest) -> Result<Recorded<Outcome>, EnrollError> {
        let request = request.check(&self.core.provider)?;
        let approval = approval_of(profile, &request);
        match approval {
            Approval::Auto => {
                let authorized = self.authorize_checked(profile, request)?;
                Ok(self.issue(authorized).await?.map(Outcome::Issued))
            }
            Approval::Manual => self.enroll_with_approval(profile, request).await,
        }
    }

    async fn enroll_with_approval(&self, profile: &Profile, request: CheckedRequest) -> Result<Recorded<Outcome>, EnrollError> {
        let now = self.core.clock.now();
        let key = EnrollmentKey {
            protocol: request.protocol,
            endpoint: request.endpoint.clone(),
            operation: if request.renews.is_some() { Operation::Renew } else { Operation::Enroll },
            principal: request.principal.name.clone(),
            info_sha256: self.core.sha256(&request.csr.info_without_challenge()),
        };
        let found = self.core.enrollments.find_by_key(&key, now.before(REMEMBERED)).await?;
        let found = match found {
            Some(found) if self.gives_way(&found, &request, now).await? => None,
            found => found.filter(|found| !found.state.is_over() || is_answered_by(found, &request)),
        };
        let Some(found) = found else { return self.submit(profile, request, key, now).await };
        match found.state {
            // The CA could not be reached when it was approved. What a person has said yes to is that profile.
            EnrollmentState::Approved if found.profile == profile.name => {
                let issued = self.fulfil_recorded(profile, &found).await;
                Ok(self.settle(issued, &found, &request.principal.name).await?.map(Outcome::Issued))
            }
            EnrollmentState::Pending | EnrollmentState::Approved => Ok(pending(&found, now)),
            EnrollmentState::Denied => Err(EnrollError::Denied(found.reason)),
            EnrollmentState::Failed => Err(EnrollError::Failed(found.reason)),
            EnrollmentState::Issued => match self.issued_for(&found).await? {
                Some(issued) => Ok(issued.map(Outcome::Served)),
                // It was revoked since, or is over: whether there is to be another one is for a person to say.
                None => self.submit(profile, request, key, now).await,
            },
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
        key: EnrollmentKey,
        now: Timestamp,
    ) -> Result<Recorded<Outcome>, EnrollError> {
        let _would_be_granted = self.authorize_checked(profile, request.clone())?;
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
            state: EnrollmentState::Pending,
            changed_at: now,
            reason: String::new(),
            serial: None,
        };
        let event = event_about(&record, EventKind::EnrollmentSubmitted, now, &record.key.principal);
        let waits = pending(&record, now);
        match self.core.enrollments.submit(record, MOST_PENDING, event).await? {
            Submitted::Created => Ok(waits),
            Submitted::Exists(earlier) => Ok(pending(&earlier, now)),
            Submitted::TooMany => Err(EnrollError::TooManyPending),
            Submitted::CredentialUsedUp => Err(EnrollError::CredentialUsedUp),
            Submitted::ProofEnded => Err(EnrollError::ProofEnded),
        }
    }

    /// Issues what was approved; whoever comes second gets what the first was issued.
    async fn fulfil(&self, mut authorized: Authorized, enrollment: &EnrollmentRecord) -> Result<Recorded<Issued>, EnrollError> {
        authorized.along.fulfils = Some(enrollment.id.clone());
        match self.issue(authorized).await {
            Err(EnrollError::NotAwaited) => {
                let again = self.core.enrollments.find_by_id(&enrollment.id).await?.ok_or(EnrollError::NotAwaited)?;
                self.issued_for(&again).await?.ok_or(EnrollError::NotAwaited)
            }
            outcome => outcome,
        }
    }

    /// The certificate that an enrollment was issued, while it is good.
    async fn issued_for(&self, enrollment: &EnrollmentRecord) -> Result<Option<Recorded<Issued>>, EnrollError> {
        let Some(serial) = &enrollment.serial else { return Ok(None) };
        let record = self.core.certificates.find_issued(&self.name, serial).await?;
        let now = self.core.clock.now();
        let good = record.filter(|record| record.status_name(now) == StatusName::Valid && !record.is_ended);
        Ok(good.map(|record| Recorded::committed(Issued { serial: record.serial, der: record.der })))
    }

    /// A person says yes: the enrollment is approved, then judged once more, since much may have changed while it waited, and issued.
    ///
    /// When the CA cannot be reached it stays approved, and is issued when its requester asks again or this is repeated. One that has
    /// failed may be approved again.
    ///
    /// # Errors
    /// [`EnrollError::NotAwaited`] when it was decided already, or has failed and was made anew since; if somebody else has approved it in
    /// this very moment, then what that was issued. What policy refuses now makes it fail.
    pub async fn approve(
        &self,
        profile: &Profile,
        enrollment: EnrollmentRecord,
        operator: &str,
    ) -> Result<Recorded<Issued>, EnrollError> {
        let enrollment = match enrollment.state {
            EnrollmentState::Approved => enrollment,
            EnrollmentState::Failed if self.is_superseded(&enrollment).await? => return Err(EnrollError::NotAwaited),
            EnrollmentState::Pending | EnrollmentState::Failed => {
                let event = event_about(&enrollment, EventKind::EnrollmentApproved, self.core.clock.now(), operator);
                let approved = EnrollmentState::Approved;
                if !self.core.enrollments.advance(&enrollment, approved, "", event).await? {
                    // Somebody else has said yes meanwhile, or no.
                    let again = self.core.enrollments.find_by_id(&enrollment.id).await?.ok_or(EnrollError::NotAwaited)?;
                    return self.issued_for(&again).await?.ok_or(EnrollError::NotAwaited);
                }
                EnrollmentRecord { state: approved, ..enrollment }
            }
            EnrollmentState::Issued | EnrollmentState::Denied => return Err(EnrollError::NotAwaited),
        };
        let issued = self.fulfil_recorded(profile, &enrollment).await;
        self.settle(issued, &enrollment, operator).await
    }

    /// What was approved and is refused now has failed; what could not be done now stays approved.
    async fn settle(
        &self,
        issued: Result<Recorded<Issued>, EnrollError>,
        enrollment: &EnrollmentRecord,
        actor: &str,
    ) -> Result<Recorded<Issued>, EnrollError> {
        if let Err(error) = &issued
            && matches!(error.blame(), Blame::Client | Blame::Policy)
            && *error != EnrollError::NotAwaited
        {
            let reason = error.to_string();
            let event = event_about(enrollment, EventKind::EnrollmentFailed, self.core.clock.now(), actor);
            self.core.enrollments.advance(enrollment, EnrollmentState::Failed, &reason, event).await?;
        }
        issued
    }

    async fn fulfil_recorded(&self, profile: &Profile, enrollment: &EnrollmentRecord) -> Result<Recorded<Issued>, EnrollError> {
        let authorized = self.authorize_recorded(profile, enrollment).await?;
        self.fulfil(authorized, enrollment).await
    }

    /// What an enrollment would be issued if a person said yes now: what has to be shown to that person, since a CSR asks for more and
    /// for other things than it gets.
    ///
    /// # Errors
    /// Why it would be issued nothing.
    pub async fn preview(&self, profile: &Profile, enrollment: &EnrollmentRecord) -> Result<Template, EnrollError> {
        if enrollment.state == EnrollmentState::Failed && self.is_superseded(enrollment).await? {
            return Err(EnrollError::NotAwaited);
        }
        let authorized = self.authorize_recorded(profile, enrollment).await?;
        match self.core.enrollments.standing(enrollment, &self.name).await? {
            Standing::Good => Ok(authorized.template),
            Standing::UsedUp => Err(EnrollError::CredentialUsedUp),
            Standing::Ended => Err(EnrollError::ProofEnded),
        }
    }

    /// Has the same request been made anew since this one was decided?
    async fn is_superseded(&self, enrollment: &EnrollmentRecord) -> Result<bool, EnrollError> {
        let newest = self.core.enrollments.find_by_key(&enrollment.key, enrollment.changed_at).await?;
        Ok(newest.is_some_and(|newest| newest.id != enrollment.id))
    }

    async fn authorize_recorded(&self, profile: &Profile, enrollment: &EnrollmentRecord) -> Result<Authorized, EnrollError> {
        let renews = self.renewal_of(enrollment).await?;
        let principal = Principal {
            name: enrollment.key.principal.clone(),
            grants: enrollment.grants.clone(),
            proof: enrollment.proof.clone(),
        };
        let (protocol, endpoint) = (enrollment.key.protocol, enrollment.key.endpoint.clone());
        let request = EnrollRequest { protocol, endpoint, principal, csr: Csr::from_der(&enrollment.csr)?, renews };
        self.authorize(profile, request)
    }

    /// What an enrollment renews, which must be good still.
    async fn renewal_of(&self, enrollment: &EnrollmentRecord) -> Result<Option<Box<Renewal>>, EnrollError> {
        let Some(serial) = &enrollment.renews else { return Ok(None) };
        let found = self.core.certificates.find_issued(&self.name, serial).await?;
        let record = found.ok_or(EnrollError::NotRenewable("not in the ledger"))?;
        match record.status {
            CertificateStatus::Valid => {}
            CertificateStatus::Held(_) => return Err(EnrollError::NotRenewable("on hold")),
            CertificateStatus::Revoked(..) => return Err(EnrollError::NotRenewable("revoked")),
        }
        let certificate = Certificate::from_der(&record.der).map_err(|error| EnrollError::NotAsOrdered(error.0))?;
        let (asked_subject, may_omit_names) = (record.asked_subject, enrollment.may_omit_names);
        Ok(Some(Box::new(Renewal { certificate, asked_subject, may_omit_names })))
    }

    /// A person says no, for a reason that the requester is told.
    ///
    /// # Errors
    /// [`EnrollError::NotAwaited`] when it was decided already.
    pub async fn deny(&self, enrollment: &EnrollmentRecord, reason: &str, operator: &str) -> Result<(), EnrollError> {
        let mut event = event_about(enrollment, EventKind::EnrollmentDenied, self.core.clock.now(), operator);
        event.details.push(("reason", reason.to_owned()));
        let is_waiting = matches!(enrollment.state, EnrollmentState::Pending | EnrollmentState::Approved);
        if is_waiting && self.core.enrollments.advance(enrollment, EnrollmentState::Denied, reason, event).await? {
            return Ok(());
        }
        Err(EnrollError::NotAwaited)
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

fn event_about(enrollment: &EnrollmentRecord, kind: EventKind, at: Timestamp, actor: &str) -> Event {
    let csr = base16ct::lower::encode_string(&enrollment.csr_sha256);
    let details = vec![
        ("enrollment", enrollment.id.to_string()),
        ("principal", enrollment.key.principal.clone()),
        ("endpoint", enrollment.key.endpoint.clone()),
        ("csr_sha256", csr),
    ];
    Event { at, kind, actor: actor.to_owned(), details }
}
