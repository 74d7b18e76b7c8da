//! What counts as failure at every moment: docs/reliability.md, "The simulation".

use std::collections::{BTreeMap, BTreeSet};

use certgate_enrollment::{
    CertificateQuery, CertificateRecord, CertificateStatus, Certificates, EnrollmentState, Protocol, StatusName,
};

use super::relying::{Said, crl, ocsp};
use super::world::World;
use super::{Fault, ensure};

/// What certificates of devices are issued by.
const PROFILES: [&str; 2] = ["default", "person"];

impl World<'_> {
    /// The moment as it is, and once everything has looked at the clock.
    pub(crate) fn judge(&mut self) -> Result<(), Fault> {
        self.judge_ledger()?;
        self.judge_ocsp(true)?;
        self.life().settle();
        self.judge_ocsp(self.is_faulty())?;
        self.judge_crl()
    }

    /// All certificates, the newest first.
    pub(crate) fn certificates(&self) -> Vec<CertificateRecord> {
        let all = CertificateQuery::all(self.now(), 10_000);
        self.life().block_on(self.life().base.ledger.list(all)).unwrap().items
    }

    fn judge_ledger(&self) -> Result<(), Fault> {
        let all = self.certificates();
        let by_serial: BTreeMap<_, _> = all.iter().map(|one| (&one.serial, one)).collect();
        ensure(by_serial.len() == all.len(), || "a serial number comes twice".to_owned())?;
        for device in &self.devices {
            for own in &device.held {
                let found = by_serial.get(own.serial()).is_some_and(|found| found.der == own.as_der());
                ensure(found, || format!("{} of {} is not in the ledger", own.serial(), device.name))?;
            }
        }
        for one in &all {
            let said = match one.status {
                CertificateStatus::Valid => Said::Good,
                CertificateStatus::Held(_) => Said::Held,
                CertificateStatus::Revoked(_) => Said::Revoked,
            };
            let fate = self.model.fate(&one.serial);
            ensure(said == fate, || format!("the ledger has {} as {said:?}, and it is {fate:?}", one.serial))?;
        }
        self.judge_principals(&all)?;
        self.judge_enrollments(&all)
    }

    /// Who was removed gets nothing more; a challenge is one certificate.
    fn judge_principals(&self, all: &[CertificateRecord]) -> Result<(), Fault> {
        let mut counts = BTreeMap::<(&str, &str), usize>::new();
        for one in all {
            *counts.entry((one.protocol.name(), &one.principal)).or_default() += 1;
        }
        for (name, had) in &self.model.removed {
            let has = counts.get(&(Protocol::Est.name(), name.as_str())).copied().unwrap_or_default();
            ensure(has == *had, || format!("{name} was removed with {had} certificates, and has {has}"))?;
        }
        let twice = counts.iter().find(|((protocol, _), count)| *protocol == Protocol::Scep.name() && **count > 1);
        ensure(twice.is_none(), || format!("a challenge was used twice: {twice:?}"))
    }

    /// One approval, one certificate; one order, one certificate; no denial, ever, a certificate.
    fn judge_enrollments(&self, all: &[CertificateRecord]) -> Result<(), Fault> {
        let enrollments = self.enrollments();
        let issued: Vec<_> = enrollments.iter().filter_map(|one| Some((one.serial.as_ref()?, one))).collect();
        let serials: BTreeMap<_, _> = issued.iter().copied().collect();
        ensure(serials.len() == issued.len(), || "two enrollments have one certificate".to_owned())?;
        for record in all.iter().filter(|one| one.profile == "person") {
            let found = serials.get(&record.serial).is_some_and(|one| self.model.approved.contains(&one.id));
            ensure(found, || format!("no person has said yes to {}", record.serial))?;
        }
        for one in enrollments.iter().filter(|one| self.model.denied.contains(&one.id)) {
            let is_denied = one.state == EnrollmentState::Denied && one.serial.is_none();
            ensure(is_denied, || format!("{} was denied, and is {:?}", one.id, one.state))?;
        }
        let transactions =
            issued.iter().filter_map(|(_, one)| Some((&one.key.endpoint, one.key.protocol, one.key.transaction.as_ref()?)));
        let transactions: Vec<_> = transactions.filter(|(_, protocol, _)| *protocol == Protocol::Acme).collect();
        let unique: BTreeSet<_> = transactions.iter().map(|(_, _, order)| order).collect();
        ensure(unique.len() == transactions.len(), || "an order has two certificates".to_owned())
    }

    /// OCSP tells the truth of every certificate that is not over; whether it may put it off.
    fn judge_ocsp(&self, may_wait: bool) -> Result<(), Fault> {
        let now = self.now();
        for one in self.certificates().iter().filter(|one| is_asked_about(one) && one.status_name(now) != StatusName::Expired) {
            if one.validity.not_after < now.floor_to_second() {
                continue;
            }
            let fate = self.model.fate(&one.serial);
            match ocsp(self.life(), &one.serial, now)? {
                Some(said) => ensure(said == fate, || format!("OCSP says {said:?} of {}, and it is {fate:?}", one.serial))?,
                None => ensure(may_wait, || format!("OCSP puts off what it says of {}", one.serial))?,
            }
        }
        Ok(())
    }

    /// Numbers never go back; and while nothing is wrong the list is current and tells the truth.
    fn judge_crl(&mut self) -> Result<(), Fault> {
        let (now, list) = (self.now(), crl(self.life())?);
        let last = std::mem::replace(&mut self.model.crl_number, list.number);
        ensure(list.number >= last, || format!("CRL number {} comes after {last}", list.number))?;
        ensure(list.this_update <= now, || format!("the CRL is of {}, and it is {now}", list.this_update))?;
        if self.is_faulty() {
            return Ok(());
        }
        ensure(list.next_update > now, || format!("the CRL was good until {}, and it is {now}", list.next_update))?;
        for (serial, said) in &list.entries {
            let fate = self.model.fate(serial);
            ensure(fate == *said, || format!("the CRL says {said:?} of {serial}, and it is {fate:?}"))?;
        }
        let missing = self.certificates().into_iter().find(|one| {
            let is_listed = list.entries.contains_key(&one.serial);
            is_asked_about(one) && one.validity.not_after > now && self.model.fate(&one.serial) != Said::Good && !is_listed
        });
        ensure(missing.is_none(), || format!("the CRL lacks {:?}", missing.map(|one| one.serial)))
    }
}

fn is_asked_about(record: &CertificateRecord) -> bool {
    PROFILES.contains(&record.profile.as_str())
}
