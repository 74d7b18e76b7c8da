//! Operations of operators, and what happens around.

use certgate_enrollment::{
    CertificateStatus, EstUser, EstUserAdded, EstUsers, Event, EventKind, PrincipalRemoved, RevocationReason, ScepChallenge,
    ScepChallenges, SecretHash, StatusChange, StatusChanged, change_status,
};
use certgate_pki::Timestamp;
use std::time::Duration;

use super::model::{Fate, Secret};
use super::op::{At, DEVICES, Op, View};
use super::snapshot::Snapshot;
use super::steps::known;
use super::world::{Done, World, now, ready};
use super::{Fault, ensure};

const DAY: u64 = 86_400;

impl World {
    /// Every device has a credential at every endpoint, at first.
    pub(super) fn give_credentials(&mut self) {
        for device in 0..DEVICES {
            for at in At::ALL {
                self.replace(device, at, 0).expect("the ledger works");
            }
        }
    }

    /// Does an operation that asks for no certificate.
    pub(super) fn operate(&mut self, op: Op, before: &Snapshot) -> Result<Done, Fault> {
        const WHY: RevocationReason = RevocationReason::KeyCompromise;
        match op {
            Op::Revoke { certificate, view } => self.change(certificate, view, StatusChange::Revoke(WHY, None), before),
            Op::Hold { certificate, view } => self.change(certificate, view, StatusChange::Hold, before),
            Op::Release { certificate, view } => self.change(certificate, view, StatusChange::Release, before),
            Op::Replace { device, at, uses } => self.replace(device, at, uses),
            Op::Remove { device } => self.remove(device),
            Op::Challenge { at, uses, days } => self.challenge(at, uses, days),
            Op::Clock { seconds } => {
                self.clock.advance(Duration::from_secs(seconds));
                Ok(Done::said(now(self).to_string()))
            }
            Op::Ledger { writes } => {
                self.is_failing = writes.is_some();
                writes.map_or_else(|| self.ledger.fail_writes(false), |writes| self.ledger.fail_writes_after(writes));
                Ok(Done::said("so it is"))
            }
            Op::Backend { mood } => {
                self.desk.set(mood);
                Ok(Done::said("so it is"))
            }
            other => Err(format!("{other} is done elsewhere")),
        }
    }

    /// Nothing may fail while the ledger works.
    fn failed(&self, error: &impl ToString) -> Result<Done, Fault> {
        ensure(self.is_failing, || format!("the ledger works, and: {}", error.to_string()))?;
        Ok(Done::said(error.to_string()))
    }

    fn change(&mut self, place: u8, view: View, change: StatusChange, before: &Snapshot) -> Result<Done, Fault> {
        let Some(known) = known(&self.model.certificates, place) else { return Ok(Done::said("there is none")) };
        let current = before.certificate(&known.serial).ok_or("a certificate is gone")?;
        let seen = if view == View::First { &known.first } else { current };
        let (serial, expected) = (known.serial.clone(), what_comes(seen.status, current.status, change));
        let changed = match ready(change_status(&*self.ledger, seen, change, now(self), "operator")) {
            Err(error) => return self.failed(&error),
            Ok(changed) => changed,
        };
        ensure(changed == expected, || format!("{serial}: {changed:?}, and {expected:?} was to come"))?;
        if changed != StatusChanged::Changed {
            return Ok(Done::said(format!("{changed:?}")));
        }
        let (fate, kind) = match change {
            StatusChange::Revoke(..) => (Fate::Revoked, EventKind::CertificateRevoked),
            StatusChange::Hold => (Fate::Held, EventKind::CertificateHeld),
            StatusChange::Release => (Fate::Good, EventKind::CertificateReleased),
        };
        self.model.certificates.iter_mut().filter(|one| one.serial == serial).for_each(|one| one.fate = fate);
        Ok(Done { own: vec![kind], ..Done::said(format!("{serial} is {fate:?}")) })
    }

    fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn replace(&mut self, device: u8, at: At, uses: u8) -> Result<Done, Fault> {
        let (id, left) = (self.new_id(), Some(u64::from(uses)).filter(|uses| *uses > 0));
        let user = EstUser {
            name: format!("device-{device}"),
            endpoint: at.name().into(),
            secret: SecretHash::Sha256([0; 32]),
            allow: Vec::new(),
            created_at: now(self),
            expires_at: None,
            uses: left,
            id,
        };
        let had = self.model.credentials.contains_key(&(device, at));
        let replaced = match ready(self.ledger.replace(user.clone(), event(now(self), EventKind::EstUserReplaced))) {
            Err(error) => return self.failed(&error),
            Ok(replaced) => replaced,
        };
        ensure(replaced == had, || format!("replaced: {replaced}, and it had one: {had}"))?;
        if !replaced {
            match ready(self.ledger.add(user, event(now(self), EventKind::EstUserAdded))) {
                Err(error) => return self.failed(&error),
                Ok(added) => ensure(added == EstUserAdded::Added, || "it had none, and has one".to_owned())?,
            }
        }
        self.model.credentials.insert((device, at), Secret { id, left });
        let kind = if replaced { EventKind::EstUserReplaced } else { EventKind::EstUserAdded };
        Ok(Done { own: vec![kind], ..Done::said(if replaced { "replaced" } else { "added" }) })
    }

    fn remove(&mut self, device: u8) -> Result<Done, Fault> {
        let name = format!("device-{device}");
        let removed = match ready(self.ledger.remove(&name, event(now(self), EventKind::EstUserRemoved))) {
            Err(error) => return self.failed(&error),
            Ok(removed) => removed,
        };
        let had = self.model.credentials.keys().filter(|(other, _)| *other == device).count() as u64;
        ensure(removed.credentials == had, || format!("{removed:?}, and it had {had} credentials"))?;
        self.model.credentials.retain(|(other, _), _| *other != device);
        let own = self.model.certificates.iter_mut().filter(|one| one.first.principal == name);
        own.for_each(|one| one.is_ended = true);
        let own = if removed == PrincipalRemoved::default() { Vec::new() } else { vec![EventKind::EstUserRemoved] };
        Ok(Done { own, ..Done::said(format!("{removed:?}")) })
    }

    fn challenge(&mut self, at: At, uses: u8, days: u8) -> Result<Done, Fault> {
        let (id, uses) = (self.new_id(), u64::from(uses));
        let expires_at = now(self).after(Duration::from_secs(DAY * u64::from(days)));
        let endpoint = at.name().to_owned();
        let (sha256, created_at) = ([0; 32], now(self));
        let challenge = ScepChallenge { id, endpoint, sha256, subject: None, created_at, expires_at, uses };
        if let Err(error) = ready(self.ledger.add_challenge(challenge, event(now(self), EventKind::ScepChallengeAdded))) {
            return self.failed(&error);
        }
        // Others that ended long ago go on this occasion.
        let long_ago = now(self).before(Duration::from_secs(90 * DAY));
        let is_kept = |secret: &Secret, ends_at: Timestamp| {
            let principal = format!("scep-{:016x}", secret.id);
            let all = Snapshot::of(&self.ledger).enrollments;
            ends_at >= long_ago || all.iter().any(|one| !one.state.is_over() && one.key.principal == principal)
        };
        self.model.challenges.retain(|(secret, _, ends_at)| is_kept(secret, *ends_at));
        self.model.challenges.push((Secret { id, left: Some(uses) }, at, expires_at));
        let said = format!("challenge {}", self.model.challenges.len() - 1);
        Ok(Done { own: vec![EventKind::ScepChallengeAdded], ..Done::said(said) })
    }
}

fn event(at: Timestamp, kind: EventKind) -> Event {
    Event { at, kind, actor: "operator".into(), details: Vec::new() }
}

/// What must come of a change by somebody who has `seen` the status, where it is `current`.
fn what_comes(seen: CertificateStatus, current: CertificateStatus, change: StatusChange) -> StatusChanged {
    use CertificateStatus::{Held, Revoked, Valid};
    match (seen, change) {
        (Revoked(_), StatusChange::Revoke(..)) | (Held(_), StatusChange::Hold) | (Valid, StatusChange::Release) => {
            StatusChanged::AlreadySo
        }
        (Revoked(_), StatusChange::Hold | StatusChange::Release) => StatusChanged::IsRevoked,
        _ if seen == current => StatusChanged::Changed,
        _ => StatusChanged::Raced,
    }
}
