//! What a person decides: enrollments that wait are approved, then judged once more and issued, or denied.

use certgate_pki::{Certificate, Csr, Template, Timestamp};
use certgate_policy::Profile;

use crate::authority::Authority;
use crate::authorized::{Authorized, Issued, Recorded};
use crate::error::{Blame, EnrollError};
use crate::ports::LedgerError;
use crate::ports::audit::{Event, EventKind};
use crate::ports::certificates::{CertificateStatus, Standing, StatusName};
use crate::ports::enrollments::{EnrollmentRecord, EnrollmentState, Enrollments};
use crate::request::{EnrollRequest, Principal, Renewal};

impl Authority {
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
    pub(crate) async fn issued_for(&self, enrollment: &EnrollmentRecord) -> Result<Option<Recorded<Issued>>, EnrollError> {
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
    pub(crate) async fn settle(
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

    pub(crate) async fn fulfil_recorded(
        &self,
        profile: &Profile,
        enrollment: &EnrollmentRecord,
    ) -> Result<Recorded<Issued>, EnrollError> {
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
            ends_at: None,
        };
        let (protocol, endpoint) = (enrollment.key.protocol, enrollment.key.endpoint.clone());
        let csr = Csr::from_der(&enrollment.csr)?;
        let request = EnrollRequest { protocol, endpoint, principal, csr, renews, transaction: None };
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
        let damaged = |error| LedgerError::Damaged(format!("certificate {}: {error}", record.serial));
        let certificate = Certificate::from_der(&record.der).map_err(damaged)?;
        let (asked_subject, may_omit_names) = (record.asked_subject, enrollment.may_omit_names);
        Ok(Some(Box::new(Renewal { certificate, asked_subject, may_omit_names })))
    }

    /// A person says no, for a reason that the requester is told.
    ///
    /// # Errors
    /// [`EnrollError::NotAwaited`] when it was decided already.
    pub async fn deny(&self, enrollment: &EnrollmentRecord, reason: &str, operator: &str) -> Result<(), EnrollError> {
        deny(&*self.core.enrollments, enrollment, reason, (self.core.clock.now(), operator)).await
    }
}

/// The same where nobody is left who would issue it: a no takes nothing but the ledger.
///
/// # Errors
/// [`EnrollError::NotAwaited`] when it was decided already.
pub async fn deny(
    enrollments: &dyn Enrollments,
    enrollment: &EnrollmentRecord,
    reason: &str,
    (at, operator): (Timestamp, &str),
) -> Result<(), EnrollError> {
    let mut event = event_about(enrollment, EventKind::EnrollmentDenied, at, operator);
    event.details.push(("reason", reason.to_owned()));
    let is_waiting = matches!(enrollment.state, EnrollmentState::Pending | EnrollmentState::Approved);
    if is_waiting && enrollments.advance(enrollment, EnrollmentState::Denied, reason, event).await? {
        return Ok(());
    }
    Err(EnrollError::NotAwaited)
}

/// An event about an enrollment.
pub(crate) fn event_about(enrollment: &EnrollmentRecord, kind: EventKind, at: Timestamp, actor: &str) -> Event {
    let csr = base16ct::lower::encode_string(&enrollment.csr_sha256);
    let details = vec![
        ("enrollment", enrollment.id.to_string()),
        ("principal", enrollment.key.principal.clone()),
        ("endpoint", enrollment.key.endpoint.clone()),
        ("csr_sha256", csr),
    ];
    Event { at, kind, actor: actor.to_owned(), details }
}
