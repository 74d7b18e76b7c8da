//! The ledger at one moment.

use certgate_enrollment::{CertificateRecord, EnrollmentId, EnrollmentQuery, EnrollmentRecord, Enrollments, Event, StatusName};
use certgate_pki::{Serial, Timestamp};

use super::world::ready;
use crate::MemoryLedger;

/// All of it that changes here, each the oldest first.
pub(super) struct Snapshot {
    pub(super) certificates: Vec<CertificateRecord>,
    pub(super) enrollments: Vec<EnrollmentRecord>,
    pub(super) events: Vec<Event>,
}

impl Snapshot {
    pub(super) fn of(ledger: &MemoryLedger) -> Self {
        let all = EnrollmentQuery { state: None, limit: usize::MAX, cursor: None };
        let mut enrollments = ready(ledger.list_enrollments(all)).expect("reads work").items;
        enrollments.reverse();
        Self { certificates: ledger.certificates(), enrollments, events: ledger.events() }
    }

    pub(super) fn certificate(&self, serial: &Serial) -> Option<&CertificateRecord> {
        self.certificates.iter().find(|one| one.serial == *serial)
    }

    pub(super) fn enrollment(&self, id: &EnrollmentId) -> Option<&EnrollmentRecord> {
        self.enrollments.iter().find(|one| one.id == *id)
    }

    /// The enrollment that was issued this certificate.
    pub(super) fn enrollment_of(&self, serial: &Serial) -> Option<&EnrollmentRecord> {
        self.enrollments.iter().find(|one| one.serial.as_ref() == Some(serial))
    }

    /// Is this certificate good?
    pub(super) fn is_good(&self, serial: &Serial, now: Timestamp) -> bool {
        self.certificate(serial).is_some_and(|one| one.status_name(now) == StatusName::Valid && !one.is_ended)
    }
}
