//! Operations of requesters and of people who decide.

use std::sync::Arc;

use certgate_enrollment::{
    AuthorizationRecord, AuthorizationState, Certificates, EnrollRequest, EnrollmentRecord, EventKind, Operation, Order,
    OrderState, Proof, Protocol, Renewal, ValidationError, judge,
};
use certgate_pki::{Certificate, DnsName, GeneralName};
use certgate_policy::NamePattern;

use super::asked::{Asked, GRANTED, csr, name, transaction};
use super::expected::{Circumstances, Expected};
use super::model::{Fate, Known, Ordered};
use super::op::{At, Op, REQUESTS, View};
use super::snapshot::Snapshot;
use super::world::{Done, Work, World, now, profile_of, ready};
use super::{Fault, ensure};

impl World {
    /// Does an operation.
    pub(super) fn perform(&mut self, op: Op, before: &Snapshot) -> Result<Done, Fault> {
        match op {
            Op::Enroll { device, at, request } => Ok(self.enroll(device, at, request, before)),
            Op::EnrollByCertificate { certificate, request } => {
                self.by_certificate(certificate, request, Operation::Enroll, before)
            }
            Op::Renew { certificate, request } => self.by_certificate(certificate, request, Operation::Renew, before),
            Op::Scep { challenge, request } => Ok(self.scep(challenge, request, before)),
            Op::Poll { request, at } => Ok(self.poll(request, at, before)),
            Op::Order { at, names } => Ok(self.order(at, names)),
            Op::Begin { order, name } => self.begin(order, name),
            Op::End { order, name, is_controlled } => Ok(self.end_validation(order, name, is_controlled)),
            Op::Finalize { order, request, view } => self.finalize(order, request, view, before),
            Op::Approve { enrollment, view } => Ok(self.approve(enrollment, view, before)),
            Op::Deny { enrollment, view } => self.deny(enrollment, view, before),
            Op::Finish { which, signs } => Ok(self.finish(which, signs, before)),
            other => self.operate(other, before),
        }
    }

    fn enroll_by_core(&mut self, asked: Asked, request: EnrollRequest, before: &Snapshot) -> Done {
        let (authority, profile) = (Arc::clone(&self.authority), profile_of(asked.at));
        let work: Work = Box::pin(async move { authority.enroll(&profile, request).await.map(|outcome| (*outcome).clone()) });
        let expecting = asked.clone();
        self.call(asked, work, before, move |known| known.of_request(&expecting))
    }

    fn enroll(&mut self, device: u8, at: At, request: u8, before: &Snapshot) -> Done {
        // The gateway finds who has a credential; whoever has none hears nothing of the core.
        let Some(secret) = self.model.credentials.get(&(device, at)) else { return Done::said("it has no credential") };
        let asked = Asked {
            principal: format!("device-{device}"),
            at,
            protocol: Protocol::Est,
            operation: Operation::Enroll,
            request,
            proof: Proof::Credential(secret.id),
            renews: None,
            transaction: None,
            is_in_time: true,
            is_granted: request + 1 < REQUESTS,
        };
        let request = asked.request(GRANTED.to_vec(), None, None);
        self.enroll_by_core(asked, request, before)
    }

    /// A client certificate asks, if it vouches for anybody: that is as the model has it.
    fn by_certificate(&mut self, place: u8, request: u8, operation: Operation, before: &Snapshot) -> Result<Done, Fault> {
        let Some(known) = known(&self.model.certificates, place) else { return Ok(Done::said("there is none")) };
        let record = ready(self.ledger.find_issued("default", &known.serial)).map_err(|error| error.to_string())?;
        let record = record.ok_or("a certificate is gone")?;
        let certificate = Certificate::from_der(&record.der).map_err(|error| error.to_string())?;
        let judged = judge(&certificate, Some(&record), &profile_of(known.at), operation, now(self));
        let is_over = now(self).floor_to_second() > record.validity.not_after;
        let is_good = known.fate == Fate::Good && !known.is_ended && !is_over && record.protocol != Protocol::Acme;
        ensure(judged.is_ok() == is_good, || format!("{} is judged {judged:?}, and good: {is_good}", known.serial))?;
        if let Err(denied) = judged {
            return Ok(Done::said(denied.to_string()));
        }
        let names = certificate.extensions().subject_alt_names().map_err(|error| error.to_string())?;
        let grants = NamePattern::of_certificate(certificate.subject(), &names);
        let is_renewal = operation == Operation::Renew;
        let asked = Asked {
            principal: record.principal.clone(),
            at: known.at,
            protocol: Protocol::Est,
            operation,
            request,
            proof: Proof::Certificate(record.serial.clone()),
            renews: is_renewal.then(|| record.serial.clone()),
            transaction: None,
            is_in_time: true,
            is_granted: request == known.request,
        };
        let renewal = Renewal { certificate, asked_subject: record.asked_subject, may_omit_names: false };
        let request = asked.request(grants, None, is_renewal.then(|| Box::new(renewal)));
        Ok(self.enroll_by_core(asked, request, before))
    }

    fn scep(&mut self, challenge: u8, request: u8, before: &Snapshot) -> Done {
        let count = self.model.challenges.len();
        let Some(place) = usize::from(challenge).checked_rem(count) else { return Done::said("there is none") };
        let (secret, at, ends_at) = self.model.challenges[place];
        let asked = Asked {
            principal: format!("scep-{:016x}", secret.id),
            at,
            protocol: Protocol::Scep,
            operation: Operation::Enroll,
            request,
            proof: Proof::Challenge(secret.id),
            renews: None,
            transaction: Some(transaction(request)),
            is_in_time: now(self) < ends_at,
            is_granted: request + 1 < REQUESTS,
        };
        let request = asked.request(GRANTED.to_vec(), Some(ends_at), None);
        self.enroll_by_core(asked, request, before)
    }

    fn poll(&mut self, request: u8, at: At, before: &Snapshot) -> Done {
        let (authority, profile, named) = (Arc::clone(&self.authority), profile_of(at), transaction(request));
        let is_it = |one: &&EnrollmentRecord| one.key.transaction.as_ref() == Some(&named) && one.key.endpoint == at.name();
        let Some(asked) = before.enrollments.iter().rev().find(is_it).map(Asked::of) else {
            let polled = ready(authority.poll(&profile, (Protocol::Scep, at.name()), &named));
            return Done::said(polled.map_or_else(|error| error.to_string(), |_| "what nobody has asked for".to_owned()));
        };
        let polled = named.clone();
        let work: Work = Box::pin(async move {
            let outcome = authority.poll(&profile, (Protocol::Scep, at.name()), &polled).await;
            outcome.map(|outcome| (*outcome).clone())
        });
        self.call(asked, work, before, move |known| known.of_poll(at, &named))
    }

    fn order(&mut self, at: At, names: u8) -> Done {
        let wanted: Vec<u8> = (0..REQUESTS - 1).filter(|request| names >> request & 1 == 1).collect();
        let dns = wanted.iter().map(|request| GeneralName::Dns(DnsName::parse(&name(*request)).expect("a host name")));
        let account = self.account_at(at).clone();
        match ready(self.flow.open(&account, dns.collect())) {
            Err(error) => Done::said(error.to_string()),
            Ok(order) => {
                let names = wanted.into_iter().map(|request| (request, (false, None))).collect();
                let (id, expires_at) = (order.record.id, order.record.expires_at);
                self.model.orders.push(Ordered { id, at, expires_at, names, is_finalized: false, ready: None });
                let said = self.model.orders.last().map_or_else(String::new, |one| format!("order {}", one.id));
                Done { own: vec![EventKind::OrderAdded], ..Done::said(said) }
            }
        }
    }

    fn account_at(&self, at: At) -> &certgate_enrollment::Account {
        &self.accounts[usize::from(at == At::Person)]
    }

    /// The order of this place among all, and its place; nobody else sees it.
    fn find_order(&self, order: u8) -> Option<(usize, Order)> {
        let count = self.model.orders.len();
        let back = usize::from(order).checked_rem(count)?;
        let place = count - 1 - back;
        let (at, id) = (self.model.orders[place].at, &self.model.orders[place].id);
        let order = ready(self.flow.order(self.account_at(at), id)).expect("reads work").expect("an order stays");
        Some((place, order))
    }

    /// A name of an order, as a number, and its authorization.
    fn name_of(&self, place: usize, number: u8, order: &Order) -> (u8, AuthorizationRecord) {
        let names: Vec<u8> = self.model.orders[place].names.keys().copied().collect();
        let request = names[usize::from(number) % names.len()];
        let wanted = GeneralName::Dns(DnsName::parse(&name(request)).expect("a host name"));
        let found = order.authorizations.iter().find(|one| one.name == wanted);
        (request, found.expect("an order has an authorization for each name").clone())
    }

    fn begin(&mut self, order: u8, request: u8) -> Result<Done, Fault> {
        let Some((place, order)) = self.find_order(order) else { return Ok(Done::said("there is none")) };
        let (request, authorization) = self.name_of(place, request, &order);
        let account = self.account_at(self.model.orders[place].at).clone();
        let is_failing = self.is_failing;
        let (time, ordered) = (now(self), &mut self.model.orders[place]);
        let may_begin = ordered.names[&request] == (false, None) && time < ordered.expires_at;
        match ready(self.flow.begin_validation(&account, authorization)) {
            Err(error) => ensure(is_failing, || error.to_string()).map(|()| Done::said(error.to_string())),
            Ok((_, is_begun)) => {
                ensure(is_begun == may_begin, || format!("begun: {is_begun}, and it may: {may_begin}"))?;
                if is_begun {
                    ordered.names.insert(request, (true, None));
                }
                let own = is_begun.then_some(EventKind::AuthorizationBegun).into_iter().collect();
                Ok(Done { own, ..Done::said(format!("begun: {is_begun}")) })
            }
        }
    }

    fn end_validation(&mut self, order: u8, request: u8, is_controlled: bool) -> Done {
        let Some((place, order)) = self.find_order(order) else { return Done::said("there is none") };
        let (request, authorization) = self.name_of(place, request, &order);
        if !matches!(authorization.state, AuthorizationState::Pending | AuthorizationState::Processing) {
            return Done::said("it is decided");
        }
        let account = self.account_at(self.model.orders[place].at).clone();
        let failed = || ValidationError { kind: "connection".into(), detail: "refused".into() };
        let outcome = if is_controlled { Ok(()) } else { Err(failed()) };
        match ready(self.flow.end_validation(&account, &authorization, outcome)) {
            Err(error) => Done::said(error.to_string()),
            Ok(()) => {
                self.model.orders[place].names.insert(request, (true, Some(is_controlled)));
                let kind = if is_controlled { EventKind::AuthorizationValid } else { EventKind::AuthorizationInvalid };
                Done { own: vec![kind], ..Done::said("ended") }
            }
        }
    }

    fn finalize(&mut self, order: u8, request: u8, view: View, before: &Snapshot) -> Result<Done, Fault> {
        let Some((place, mut order)) = self.find_order(order) else { return Ok(Done::said("there is none")) };
        let time = now(self);
        let ordered = &mut self.model.orders[place];
        let is_begun = before.enrollments.iter().any(|one| one.key.transaction.as_ref() == Some(&ordered.id));
        let is_ready = ordered.is_authorized() && !is_begun && time < ordered.expires_at;
        ensure((order.state == OrderState::Ready) == is_ready, || format!("{:?}, and ready: {is_ready}", order.state))?;
        if is_ready {
            ordered.ready.get_or_insert_with(|| order.clone());
        }
        if let (View::First, Some(first)) = (view, &ordered.ready) {
            order = first.clone();
        }
        let (at, is_in_time) = (ordered.at, time < ordered.expires_at);
        let names: Vec<u8> = ordered.names.keys().copied().collect();
        let request = if request % 4 == 3 { request / 4 } else { names[usize::from(request) % names.len()] };
        let account = self.account_at(at).clone();
        let asked = Asked {
            principal: account.principal(),
            at,
            protocol: Protocol::Acme,
            operation: Operation::Enroll,
            request,
            proof: Proof::Account(account.id),
            renews: None,
            transaction: Some(order.record.id.clone()),
            is_in_time,
            is_granted: self.model.orders[place].names.contains_key(&request),
        };
        let (authority, profile, flow) = (Arc::clone(&self.authority), profile_of(at), self.flow.clone());
        let (may_be, expecting) = (order.state == OrderState::Ready, asked.clone());
        let csr = csr(Protocol::Acme, request).clone();
        let work: Work = Box::pin(async move {
            let outcome = flow.finalize((&authority, &profile), &account, &order, csr).await;
            outcome.map(|outcome| (*outcome).clone())
        });
        let expected = move |known: &Circumstances<'_>| if may_be { known.of_request(&expecting) } else { Expected::Refuse };
        Ok(self.call(asked, work, before, expected))
    }

    fn approve(&mut self, place: u8, view: View, before: &Snapshot) -> Done {
        let Some(current) = waiting(before, place).cloned() else { return Done::said("there is none") };
        let seen = if view == View::First { self.first[&current.id].clone() } else { current.clone() };
        let is_now = seen == current;
        self.model.approved.insert(current.id.clone());
        let asked = Asked::of(&current);
        let (authority, profile) = (Arc::clone(&self.authority), profile_of(asked.at));
        let work: Work = Box::pin(async move {
            let issued = authority.approve(&profile, seen, "operator").await;
            issued.map(|issued| certgate_enrollment::Outcome::Issued((*issued).clone()))
        });
        let had_failed = current.state == certgate_enrollment::EnrollmentState::Failed;
        let expected = move |known: &Circumstances<'_>| if is_now { known.of_approval(&current) } else { Expected::Any };
        Done { may_fail_again: had_failed, ..self.call(asked, work, before, expected) }
    }

    fn deny(&mut self, place: u8, view: View, before: &Snapshot) -> Result<Done, Fault> {
        let Some(current) = waiting(before, place) else { return Ok(Done::said("there is none")) };
        let seen = if view == View::First { &self.first[&current.id] } else { current };
        let may_be = !current.state.is_over() && seen.state == current.state;
        match ready(self.authority.deny(seen, "no", "operator")) {
            Ok(()) => {
                ensure(may_be, || "it was denied, and did not wait".to_owned())?;
                self.model.denied.insert(current.id.clone());
                Ok(Done::said("denied"))
            }
            Err(error) => {
                ensure(!may_be || self.is_failing, || format!("it waits, and: {error}"))?;
                Ok(Done::said(error.to_string()))
            }
        }
    }
}

/// A certificate that was issued.
pub(super) fn known(all: &[Known], place: u8) -> Option<&Known> {
    all.get(usize::from(place).checked_rem(all.len())?)
}

/// The enrollment of this place, the newest first: most often that is the one that is meant.
fn waiting(before: &Snapshot, place: u8) -> Option<&EnrollmentRecord> {
    let all = &before.enrollments;
    all.iter().rev().nth(usize::from(place).checked_rem(all.len())?)
}
