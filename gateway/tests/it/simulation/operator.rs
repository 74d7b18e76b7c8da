//! The operator, by the socket.

use certgate_enrollment::{EnrollmentQuery, EnrollmentRecord, EnrollmentState, Enrollments};
use hyper::Method;
use serde_json::{Value, json};

use super::devices::Client;
use super::op::Op;
use super::relying::Said;
use super::world::World;
use super::{Fault, ensure};

/// How long a challenge is good.
const CHALLENGE: &str = "365d";

impl World<'_> {
    /// Every device that needs one has a password.
    pub(crate) fn give_passwords(&mut self) {
        for place in 0..self.devices.len() {
            let name = self.devices[place].name.clone();
            let Client::Est(client) = &self.devices[place].client else { continue };
            let wish = json!({"name": name, "endpoint": client.endpoint});
            let added = self.life().operate(Method::POST, "/v1/est/users", &wish).unwrap();
            let Client::Est(client) = &mut self.devices[place].client else { unreachable!("it was one") };
            added["password"].as_str().unwrap().clone_into(&mut client.password);
            self.model.count("est-user.added");
        }
    }

    /// A device that asks by SCEP has a challenge, if one can be given out.
    pub(crate) fn give_challenge(&mut self, device: usize) -> Result<(), Fault> {
        let Client::Scep(client) = &self.devices[device].client else { return Ok(()) };
        if client.challenge.is_some() {
            return Ok(());
        }
        let wish = json!({"endpoint": client.endpoint, "ttl": CHALLENGE});
        let added = match self.life().operate(Method::POST, "/v1/scep/challenges", &wish) {
            Ok(added) => added,
            Err(failure) => return ensure(self.is_closed, || format!("a challenge was refused: {failure:?}")),
        };
        self.model.count("scep-challenge.added");
        if let Client::Scep(client) = &mut self.devices[device].client {
            client.challenge = added["challenge"].as_str().map(str::to_owned);
        }
        Ok(())
    }

    pub(crate) fn operate(&mut self, op: Op) -> Result<String, Fault> {
        match op {
            Op::Approve(place) => self.decide(place, true),
            Op::Deny(place) => self.decide(place, false),
            Op::Revoke(device) => self.change(device, "revoke", Said::Revoked, "certificate.revoked"),
            Op::Hold(device) => self.change(device, "hold", Said::Held, "certificate.held"),
            Op::Release(device) => self.change(device, "release", Said::Good, "certificate.released"),
            Op::Remove(device) => self.remove(device),
            other => Err(format!("{other:?} is done elsewhere")),
        }
    }

    /// All enrollments, the newest first.
    pub(crate) fn enrollments(&self) -> Vec<EnrollmentRecord> {
        let all = EnrollmentQuery { state: None, limit: 10_000, cursor: None };
        self.life().block_on(self.life().base.ledger.list_enrollments(all)).unwrap().items
    }

    fn waiting(&self) -> Vec<EnrollmentRecord> {
        let mut all = self.enrollments();
        all.retain(|one| !one.state.is_over());
        all
    }

    /// Says yes, or no, to one of those that wait.
    fn decide(&mut self, place: u8, yes: bool) -> Result<String, Fault> {
        let waiting = self.waiting();
        let Some(place) = usize::from(place).checked_rem(waiting.len()) else { return Ok("nobody waits".to_owned()) };
        self.decide_on(&waiting[place], yes)
    }

    pub(crate) fn approve_all(&mut self) -> Result<(), Fault> {
        self.waiting().iter().try_for_each(|one| self.decide_on(one, true).map(drop))
    }

    fn decide_on(&mut self, enrollment: &EnrollmentRecord, yes: bool) -> Result<String, Fault> {
        let (id, action, body) =
            (&enrollment.id, if yes { "approve" } else { "deny" }, if yes { Value::Null } else { json!({}) });
        let done = self.life().operate(Method::POST, &format!("/v1/enrollments/{id}/{action}"), &body);
        let is = self.enrollments().into_iter().find(|one| one.id == *id).ok_or("an enrollment is gone")?;
        if yes && is.state != EnrollmentState::Pending {
            self.model.approved.insert(id.clone());
            if enrollment.state == EnrollmentState::Pending {
                self.model.count("enrollment.approved");
            }
        }
        if !yes && done.is_ok() {
            self.model.denied.insert(id.clone());
            let asked = self.devices.iter_mut().filter(|one| one.name == enrollment.key.principal);
            asked.for_each(|one| one.is_denied = true);
        }
        // What is renewed may be revoked or on hold by now, and a CA that refuses leaves it approved.
        let may_fail = self.is_faulty() || yes && is.state == EnrollmentState::Failed;
        let said = done.as_ref().map_or_else(|failure| format!("{failure:?}"), |_| "done".to_owned());
        ensure(done.is_ok() || may_fail, || format!("{action} {id}: {said}"))?;
        Ok(format!("{action} {id}: {said}"))
    }

    /// Has something become of the certificate of a device.
    fn change(&mut self, device: usize, action: &str, next: Said, event: &'static str) -> Result<String, Fault> {
        let Some(own) = self.devices[device].current().map(|own| own.serial().clone()) else {
            return Ok("it has none".to_owned());
        };
        let body = if action == "revoke" { json!({}) } else { Value::Null };
        let done = self.life().operate(Method::POST, &format!("/v1/certificates/{own}/{action}"), &body);
        let was = self.model.fate(&own);
        let may_be = was != Said::Revoked || next == Said::Revoked;
        match done {
            Ok(_) => {
                ensure(may_be, || format!("{own} is revoked, and: {action}"))?;
                if was != next {
                    self.model.count(event);
                    self.model.fates.insert(own.clone(), next);
                }
                Ok(format!("{own} is {next:?}"))
            }
            Err(failure) => {
                ensure(!may_be || self.is_closed, || format!("{action} {own}: {failure:?}"))?;
                Ok(format!("{failure:?}"))
            }
        }
    }

    /// Removes a device with what it has waiting.
    fn remove(&mut self, device: usize) -> Result<String, Fault> {
        let (name, was_removed) = (self.devices[device].name.clone(), self.devices[device].is_removed);
        if !matches!(self.devices[device].client, Client::Est(_)) || was_removed {
            return Ok("it has no password".to_owned());
        }
        let waiting = self.waiting().into_iter().filter(|one| one.key.principal == name).map(|one| one.id);
        let waiting: Vec<_> = waiting.collect();
        match self.life().operate(Method::DELETE, &format!("/v1/est/users?name={name}"), &Value::Null) {
            Ok(_) => {
                self.devices[device].is_removed = true;
                self.model.denied_by_removal += waiting.len() as u64;
                self.model.denied.extend(waiting);
                self.model.count("est-user.removed");
                let had = self.certificates().iter().filter(|one| one.principal == name).count();
                self.model.removed.insert(name, had);
                Ok("removed".to_owned())
            }
            Err(failure) => {
                ensure(self.is_closed, || format!("{name} is not removed: {failure:?}"))?;
                Ok(format!("{failure:?}"))
            }
        }
    }
}
