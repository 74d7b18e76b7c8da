//! What one step has changed in the ledger, and whether it may.

use std::collections::BTreeMap;

use certgate_enrollment::{CertificateRecord, CertificateStatus, EnrollmentRecord, EnrollmentState, EventKind};
use certgate_pki::{Certificate, DnsName, GeneralName, Timestamp};

use super::asked::{Asked, csr, name};
use super::model::{Fate, Model};
use super::op::At;
use super::snapshot::Snapshot;
use super::{Fault, ensure};

/// Counts of events by their kind.
type Counts = BTreeMap<&'static str, usize>;

/// A step: what was before it, and what is after it.
pub(super) struct Step<'s> {
    pub(super) before: &'s Snapshot,
    pub(super) after: &'s Snapshot,
    pub(super) now: Timestamp,
}

impl Step<'_> {
    /// The certificate that was recorded, if one was.
    pub(super) fn new_certificate(&self) -> Result<Option<&CertificateRecord>, Fault> {
        let new = self.after.certificates.get(self.before.certificates.len()..).ok_or("a certificate is gone")?;
        ensure(new.len() <= 1, || "two certificates at once".to_owned())?;
        let known = |one: &CertificateRecord| self.before.certificate(&one.serial).is_some();
        ensure(!new.iter().any(known), || "a serial number comes twice".to_owned())?;
        Ok(new.first())
    }

    /// Nothing has changed of what was recorded but what became of certificates, and that is as the model has it.
    pub(super) fn judge_certificates(&self, model: &Model) -> Result<(), Fault> {
        for known in &model.certificates {
            let found = self.after.certificate(&known.serial).ok_or("a certificate is gone")?;
            let first = CertificateRecord { status: found.status, is_ended: found.is_ended, ..known.first.clone() };
            ensure(first == *found, || format!("certificate {} is another one", known.serial))?;
            let fate = match found.status {
                CertificateStatus::Valid => Fate::Good,
                CertificateStatus::Held(_) => Fate::Held,
                CertificateStatus::Revoked(_) => Fate::Revoked,
            };
            let is_so = (fate, found.is_ended) == (known.fate, known.is_ended);
            ensure(is_so, || format!("{} is {fate:?}, ended: {}; it was made {:?}", known.serial, found.is_ended, known.fate))?;
        }
        Ok(())
    }

    /// The events of this step are those of its changes, and `own`.
    pub(super) fn judge_events(&self, own: &[EventKind], may_fail_again: bool) -> Result<(), Fault> {
        let new = self.after.events.get(self.before.events.len()..).ok_or("an event is gone")?;
        ensure(self.after.events.starts_with(&self.before.events), || "the trail has changed".to_owned())?;
        let mut expected = Counts::new();
        let mut add = |kind: EventKind| *expected.entry(kind.name()).or_default() += 1;
        own.iter().copied().for_each(&mut add);
        let certificates = self.after.certificates.len() - self.before.certificates.len();
        (0..certificates).for_each(|_| add(EventKind::CertificateIssued));
        let are_denied_with_it = own.iter().any(|kind| matches!(kind, EventKind::EstUserReplaced | EventKind::EstUserRemoved));
        for enrollment in &self.after.enrollments {
            let was = self.before.enrollment(&enrollment.id);
            if was.is_none_or(|was| was.state != enrollment.state) && !are_denied_with_it {
                events_between(was, enrollment)?.iter().copied().for_each(&mut add);
            }
        }
        let mut found = Counts::new();
        new.iter().for_each(|event| *found.entry(event.kind.name()).or_default() += 1);
        let again = Counts::from([(EventKind::EnrollmentApproved.name(), 1), (EventKind::EnrollmentFailed.name(), 1)]);
        let is_again = may_fail_again && expected.is_empty() && found == again;
        ensure(found == expected || is_again, || format!("events {found:?} where the changes are {expected:?}"))
    }

    /// Enrollments are decided once: what is denied or issued stays so, and each has one certificate of its own.
    pub(super) fn judge_enrollments(&self, model: &Model) -> Result<(), Fault> {
        for was in &self.before.enrollments {
            let is = self.after.enrollment(&was.id).ok_or("an enrollment is gone")?;
            let is_final = matches!(was.state, EnrollmentState::Denied | EnrollmentState::Issued);
            ensure(!is_final || is == was, || format!("{} was over and has changed: {was:?}, {is:?}", was.id))?;
            let is_kept = (&is.key, &is.proof, &is.csr, &is.renews) == (&was.key, &was.proof, &was.csr, &was.renews);
            ensure(is_kept, || format!("{} is another one", was.id))?;
        }
        for one in &self.after.enrollments {
            let of_same = self.after.enrollments.iter().filter(|other| other.serial.is_some() && other.serial == one.serial);
            ensure(of_same.count() <= 1, || format!("{:?} fulfils two enrollments", one.serial))?;
            ensure((one.state == EnrollmentState::Issued) == one.serial.is_some(), || format!("{one:?}"))?;
            let may_be = one.state != EnrollmentState::Issued || !model.denied.contains(&one.id);
            ensure(may_be, || format!("{} was denied, and is issued", one.id))?;
        }
        Ok(())
    }

    /// May this certificate be?
    pub(super) fn judge_new(&self, asked: &Asked, record: &CertificateRecord, model: &Model) -> Result<(), Fault> {
        let ensure = |is_so, what: &str| ensure(is_so, || format!("{} is issued to {asked:?}: {what}", record.serial));
        let told = (record.principal.as_str(), record.endpoint.as_str(), record.profile.as_str(), record.protocol);
        ensure(told == (&asked.principal, asked.at.name(), asked.at.name(), asked.protocol), "recorded as another's")?;
        ensure(asked.is_granted, "its names are not granted")?;
        ensure(asked.is_in_time, "it was asked for too late")?;
        ensure(model.is_good(asked), "what it was asked with is not good")?;
        let ordered = model.orders.iter().find(|one| asked.transaction.as_ref() == Some(&one.id));
        ensure(ordered.is_none_or(|one| one.is_authorized() && !one.is_finalized), "its order was not to be fulfilled")?;
        if asked.at == At::Person {
            let enrollment = self.after.enrollment_of(&record.serial);
            let is_approved = |one: &EnrollmentRecord| model.approved.contains(&one.id) && !model.denied.contains(&one.id);
            ensure(enrollment.is_some_and(is_approved), "no person has said yes")?;
        }
        let certificate = Certificate::from_der(&record.der).map_err(|error| error.to_string())?;
        let names = certificate.extensions().subject_alt_names().map_err(|error| error.to_string())?;
        let wanted = DnsName::parse(&name(asked.request)).map(GeneralName::Dns);
        ensure(wanted.is_ok_and(|wanted| names == [wanted]), "of other names")?;
        ensure(certificate.public_key() == csr(asked.protocol, asked.request).public_key(), "of another key")?;
        ensure(certificate.serial() == &record.serial && certificate.validity() == record.validity, "recorded as another one")?;
        let (first, last) = (record.validity.not_before, record.validity.not_after);
        // The CA may have taken long.
        ensure(self.now.floor_to_second() <= last, "it was over when it was recorded")?;
        ensure(first <= self.now && first < last && last <= self.now.after(super::world::VALIDITY), "not for its time")
    }
}

/// The events between two states of an enrollment.
fn events_between(was: Option<&EnrollmentRecord>, is: &EnrollmentRecord) -> Result<&'static [EventKind], Fault> {
    use EnrollmentState::{Approved, Denied, Failed, Issued, Pending};
    const APPROVED: EventKind = EventKind::EnrollmentApproved;
    const FAILED: EventKind = EventKind::EnrollmentFailed;
    Ok(match (was.map(|was| was.state), is.state) {
        (None, Pending) => &[EventKind::EnrollmentSubmitted],
        (None | Some(Approved), Issued) => &[],
        (Some(Pending | Failed), Approved | Issued) => &[APPROVED],
        (Some(Pending), Failed) => &[APPROVED, FAILED],
        (Some(Approved), Failed) => &[FAILED],
        (Some(Pending | Approved), Denied) => &[EventKind::EnrollmentDenied],
        (was, now) => return Err(format!("{} went from {was:?} to {now:?}", is.id)),
    })
}
