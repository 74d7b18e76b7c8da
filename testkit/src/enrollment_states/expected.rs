//! What must come of a request when the ledger and the CA work.

use std::time::Duration;

use certgate_enrollment::{EnrollError, EnrollmentId, EnrollmentRecord, EnrollmentState, Outcome, Protocol};
use certgate_pki::{Serial, Timestamp};

use super::asked::Asked;
use super::model::{Fate, Model};
use super::op::At;
use super::snapshot::Snapshot;
use super::{Fault, ensure};

/// For how long what came of a request is told again.
const REMEMBERED: Duration = Duration::from_secs(7 * 86_400);

/// What must come of it.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// A new certificate.
    Issue,
    /// This certificate, which there is.
    Serve(Serial),
    /// It waits; which enrollment, if there is one.
    Wait(Option<EnrollmentId>),
    /// Nothing.
    Refuse,
    /// Whatever is safe: something does not work, or happens at the same time.
    Any,
}

/// What is known when something is asked.
pub(super) struct Circumstances<'c> {
    pub(super) model: &'c Model,
    pub(super) before: &'c Snapshot,
    pub(super) now: Timestamp,
}

impl Circumstances<'_> {
    /// What must come of a request.
    pub(super) fn of_request(&self, asked: &Asked) -> Expected {
        let newest = self.newest(asked);
        let found = match newest {
            Some(other) if !asked.is_same(other) && asked.protocol == Protocol::Acme => return Expected::Refuse,
            Some(found) if asked.is_same(found) => found,
            _ => return self.of_new(asked),
        };
        let is_other_proof = found.proof != asked.proof;
        if !found.state.is_over() {
            let is_left = is_other_proof && self.model.has_ended(&Asked::of(found));
            return if is_left { self.of_new(asked) } else { self.of_enrollment(found) };
        }
        let is_answer = found.renews == asked.renews && (!is_other_proof || found.state == EnrollmentState::Issued);
        match (&found.serial, is_answer) {
            (_, false) => self.of_new(asked),
            (Some(serial), _) if !self.before.is_good(serial, self.now) && asked.protocol != Protocol::Acme => {
                self.of_new(asked)
            }
            _ => self.of_enrollment(found),
        }
    }

    /// What must come of asking what became of a transaction.
    pub(super) fn of_poll(&self, at: At, transaction: &str) -> Expected {
        let is_it = |one: &&EnrollmentRecord| {
            one.key.protocol == Protocol::Scep
                && one.key.endpoint == at.name()
                && one.key.transaction.as_deref() == Some(transaction)
        };
        self.before.enrollments.iter().rev().find(is_it).map_or(Expected::Refuse, |found| self.of_enrollment(found))
    }

    /// What must come of saying yes, with the record as it is.
    pub(super) fn of_approval(&self, enrollment: &EnrollmentRecord) -> Expected {
        match enrollment.state {
            EnrollmentState::Issued | EnrollmentState::Denied => Expected::Refuse,
            EnrollmentState::Failed => Expected::Any,
            EnrollmentState::Pending | EnrollmentState::Approved => self.of_approved(enrollment),
        }
    }

    fn of_new(&self, asked: &Asked) -> Expected {
        match asked.at {
            _ if !asked.is_granted || !asked.is_in_time || !self.model.is_good(asked) => Expected::Refuse,
            At::Person => Expected::Wait(None),
            At::Policy => Expected::Issue,
        }
    }

    /// What an enrollment gives to whoever asks for it.
    fn of_enrollment(&self, found: &EnrollmentRecord) -> Expected {
        match (found.state, &found.serial) {
            (EnrollmentState::Pending, _) => Expected::Wait(Some(found.id.clone())),
            (EnrollmentState::Approved, _) => self.of_approved(found),
            (EnrollmentState::Issued, Some(serial)) if self.before.is_good(serial, self.now) => Expected::Serve(serial.clone()),
            _ => Expected::Refuse,
        }
    }

    fn of_approved(&self, found: &EnrollmentRecord) -> Expected {
        let is_renewable = |serial: &Serial| self.model.certificate(serial).is_some_and(|known| known.fate == Fate::Good);
        let is_good = self.model.is_good(&Asked::of(found)) && found.renews.as_ref().is_none_or(is_renewable);
        if is_good { Expected::Issue } else { Expected::Refuse }
    }

    /// The enrollment that a request is held against.
    fn newest(&self, asked: &Asked) -> Option<&EnrollmentRecord> {
        let since = self.now.before(REMEMBERED);
        let is_it = |one: &&EnrollmentRecord| match &asked.transaction {
            Some(_) => {
                one.key.protocol == asked.protocol
                    && one.key.endpoint == asked.at.name()
                    && one.key.transaction == asked.transaction
            }
            None => asked.is_same(one) && (!one.state.is_over() || one.changed_at >= since),
        };
        self.before.enrollments.iter().rev().filter(|_| asked.is_remembered()).find(is_it)
    }
}

impl Expected {
    /// Is it this that came? `new` is the certificate that was recorded meanwhile.
    pub(super) fn judge(&self, outcome: &Result<Outcome, EnrollError>, new: Option<&Serial>) -> Result<(), Fault> {
        let is_so = match (self, outcome) {
            (Self::Any, _) => true,
            (Self::Issue, Ok(Outcome::Issued(issued))) => new == Some(&issued.serial),
            (Self::Serve(serial), Ok(Outcome::Served(served) | Outcome::Issued(served))) => {
                served.serial == *serial && new.is_none()
            }
            (Self::Wait(id), Ok(Outcome::Pending(pending))) => id.as_ref().is_none_or(|id| *id == pending.id),
            (Self::Refuse, Err(_)) => true,
            _ => false,
        };
        ensure(is_so, || format!("expected is {self:?}, and it came to {outcome:?}"))
    }
}
