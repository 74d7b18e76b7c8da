//! The real parts, and one step of the machine.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use certgate_enrollment::{
    Account, Accounts, AuditTrail, Authority, Core, EnrollError, EnrollmentId, EnrollmentRecord, Event, EventKind,
    ExpectedHeads, OrderFlow, Outcome, Publication,
};
use certgate_pki::{Certificate, Provider};
use certgate_policy::{Approval, Profile};

use super::asked::Asked;
use super::ca::{Ca, Desk};
use super::expected::{Circumstances, Expected};
use super::ledger_diff::Step;
use super::model::Model;
use super::op::{At, Mood, Op};
use super::snapshot::Snapshot;
use super::{Fault, ensure};
use crate::{KeyBackend, MemoryLedger, MockClock, NOW, ca_key, profile};

/// How long certificates last.
pub(super) const VALIDITY: Duration = Duration::from_secs(90 * 86_400);
/// Longer than any sequence of operations.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

/// A root for all worlds: none of them changes it.
static ROOT: LazyLock<Certificate> = LazyLock::new(|| {
    let core = core(&Arc::default(), &Arc::default(), crate::provider(1));
    let (key, subject) = (ca_key(), "CN=Testkit Root".parse().expect("a name"));
    let backend = Box::new(KeyBackend::new(key.clone()));
    let founded = ready(Authority::found(core, "default", subject, key.public_key().clone(), CENTURY, backend));
    founded.expect("a root").0.chain()[0].clone()
});

fn core(clock: &Arc<MockClock>, ledger: &Arc<MemoryLedger>, provider: Provider) -> Core {
    Core {
        clock: clock.clone(),
        provider,
        certificates: ledger.clone(),
        crls: ledger.clone(),
        enrollments: ledger.clone(),
        compromised_keys: Arc::default(),
    }
}

/// Nothing here waits.
pub(super) fn ready<T>(future: impl Future<Output = T>) -> T {
    match poll_once(pin!(future)) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("there is nothing to wait for"),
    }
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A call of the core.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<Outcome, EnrollError>>>>;

/// A call whose order the CA has taken.
struct Parked {
    asked: Asked,
    work: Work,
    order: usize,
}

/// What came of an operation.
#[derive(Default)]
pub(super) struct Done {
    /// In words.
    pub(super) said: String,
    /// Its own events, beside those of certificates and enrollments that have changed.
    pub(super) own: Vec<EventKind>,
    /// A call of the core that has ended: who asked for what, what was expected, and what came of it.
    pub(super) call: Option<(Asked, Expected, Result<Outcome, EnrollError>)>,
    /// What had failed may have failed again, which leaves it as it was.
    pub(super) may_fail_again: bool,
}

impl Done {
    /// Nothing but words.
    pub(super) fn said(said: impl Into<String>) -> Self {
        Self { said: said.into(), ..Self::default() }
    }
}

/// The core and what is around it.
pub(super) struct World {
    pub(super) clock: Arc<MockClock>,
    pub(super) ledger: Arc<MemoryLedger>,
    pub(super) desk: Arc<Desk>,
    pub(super) authority: Arc<Authority>,
    pub(super) flow: OrderFlow,
    pub(super) accounts: [Account; 2],
    pub(super) model: Model,
    /// Do writes fail, or will they soon?
    pub(super) is_failing: bool,
    /// Enrollments as they were first seen.
    pub(super) first: BTreeMap<EnrollmentId, EnrollmentRecord>,
    /// The last id that was given to a credential or challenge.
    pub(super) last_id: u64,
    parked: Vec<Parked>,
}

impl World {
    pub(super) fn new(provider: Provider) -> Self {
        let (clock, ledger, desk) = (Arc::<MockClock>::default(), Arc::<MemoryLedger>::default(), Desk::new());
        let core = core(&clock, &ledger, provider.clone());
        let backend = Box::new(Ca(desk.clone()));
        let authority = Authority::new(core, "default", vec![ROOT.clone()], Publication::default(), backend);
        let flow = OrderFlow { clock: clock.clone(), provider, orders: ledger.clone(), enrollments: ledger.clone() };
        let accounts = [(8, At::Policy), (9, At::Person)].map(|(id, at)| account(id, at));
        for account in accounts.clone() {
            let event = Event { at: NOW, kind: EventKind::AccountAdded, actor: "test".into(), details: Vec::new() };
            ready(ledger.add_account(account, event)).expect("the ledger works");
        }
        let authority = Arc::new(authority.expect("a root is a chain"));
        let (model, first) = (Model::default(), BTreeMap::new());
        let (is_failing, last_id, parked) = (false, 100, Vec::new());
        let mut world = Self { clock, ledger, desk, authority, flow, accounts, model, is_failing, first, last_id, parked };
        world.give_credentials();
        world
    }

    /// Does an operation and judges what came of it.
    pub(super) fn step(&mut self, op: Op) -> Result<String, Fault> {
        let before = Snapshot::of(&self.ledger);
        let done = self.perform(op, &before)?;
        self.judge(&before, done)
    }

    fn judge(&mut self, before: &Snapshot, done: Done) -> Result<String, Fault> {
        let after = Snapshot::of(&self.ledger);
        let step = Step { before, after: &after, now: now(self) };
        let new = step.new_certificate()?.cloned();
        ensure(new.is_none() || done.call.is_some(), || "a certificate for nobody".to_owned())?;
        if let Some((asked, expected, outcome)) = &done.call {
            if let Some(record) = &new {
                // What was asked for before is issued to who asked for it then.
                let earlier = after.enrollment_of(&record.serial).filter(|one| before.enrollment(&one.id).is_some());
                let asked = earlier.map_or_else(|| asked.clone(), Asked::of);
                step.judge_new(&asked, record, &self.model)?;
                self.model.issued(&asked, record);
            }
            expected.judge(outcome, new.as_ref().map(|record| &record.serial))?;
            judge_answer(&step, outcome, new.as_ref().map(|record| &record.serial))?;
        }
        step.judge_certificates(&self.model)?;
        step.judge_enrollments(&self.model)?;
        step.judge_events(&done.own, done.may_fail_again)?;
        for enrollment in &after.enrollments {
            self.first.entry(enrollment.id.clone()).or_insert_with(|| enrollment.clone());
            if enrollment.state == certgate_enrollment::EnrollmentState::Denied {
                self.model.denied.insert(enrollment.id.clone());
            }
        }
        Ok(done.said)
    }

    /// What the CA has taken is done, and the trail is whole.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        while !self.parked.is_empty() {
            self.step(Op::Finish { which: 0, signs: true })?;
        }
        let report = ready(self.ledger.verify(ExpectedHeads::default(), Arc::default())).map_err(|error| error.to_string())?;
        ensure(report.broken_at.is_none(), || format!("the trail is broken: {report:?}"))
    }

    /// Calls the core. `expected` is asked for while everything works.
    pub(super) fn call(
        &mut self,
        asked: Asked,
        mut work: Work,
        before: &Snapshot,
        expected: impl FnOnce(&Circumstances<'_>) -> Expected,
    ) -> Done {
        let circumstances = Circumstances { model: &self.model, before, now: now(self) };
        let works = !self.is_failing && self.desk.mood() == Mood::Up;
        let expected = if works { expected(&circumstances) } else { Expected::Any };
        match poll_once(work.as_mut()) {
            Poll::Ready(outcome) => {
                Done { said: in_words(&outcome), call: Some((asked, expected, outcome)), ..Done::default() }
            }
            Poll::Pending => {
                let order = self.desk.last_taken();
                self.parked.push(Parked { asked, work, order });
                Done::said(format!("the CA has taken it as order {}", self.parked.len() - 1))
            }
        }
    }

    /// The CA has done an order that it had taken.
    pub(super) fn finish(&mut self, which: u8, signs: bool, before: &Snapshot) -> Done {
        let Some(place) = usize::from(which).checked_rem(self.parked.len()) else { return Done::said("there is none") };
        let Parked { asked, work, order } = self.parked.remove(place);
        self.desk.finish(order, signs);
        let mut done = self.call(asked, work, before, |_| Expected::Any);
        done.may_fail_again = true;
        done
    }
}

pub(super) fn now(world: &World) -> certgate_pki::Timestamp {
    certgate_enrollment::Clock::now(&*world.clock)
}

/// By which an endpoint issues.
pub(super) fn profile_of(at: At) -> Profile {
    let approval = if at == At::Person { Approval::Manual } else { Approval::Auto };
    Profile { name: at.name().to_owned(), approval, renewal_approval: approval, validity: VALIDITY, ..profile() }
}

fn account(id: u64, at: At) -> Account {
    Account {
        id,
        endpoint: at.name().into(),
        thumbprint: format!("t-{id}"),
        public_key: Vec::new(),
        contact: Vec::new(),
        created_at: NOW,
        is_valid: true,
    }
}

/// What was answered is in the ledger, and a certificate that is handed out once more is good.
fn judge_answer(
    step: &Step<'_>,
    outcome: &Result<Outcome, EnrollError>,
    new: Option<&certgate_pki::Serial>,
) -> Result<(), Fault> {
    match outcome {
        Ok(Outcome::Issued(issued) | Outcome::Served(issued)) => {
            let found = step.after.certificate(&issued.serial);
            ensure(found.is_some_and(|one| one.der == issued.der), || "what was answered is not in the ledger".to_owned())?;
            let is_good = new.is_some() || step.after.is_good(&issued.serial, step.now);
            ensure(is_good, || "what was answered is not good any more".to_owned())?;
            ensure(new.is_none_or(|new| *new == issued.serial), || "another certificate than the answer's".to_owned())
        }
        Ok(Outcome::Pending(pending)) => {
            let found = step.after.enrollment(&pending.id);
            ensure(found.is_some_and(|one| !one.state.is_over()), || "what waits is not in the ledger".to_owned())?;
            ensure(new.is_none(), || "a certificate that nobody is told of".to_owned())
        }
        Err(error) => {
            let is_bug = error.blame() == certgate_enrollment::Blame::Bug;
            ensure(!is_bug, || format!("a fault of our own: {error}"))?;
            ensure(new.is_none(), || format!("a certificate, and its requester hears: {error}"))
        }
    }
}

fn in_words(outcome: &Result<Outcome, EnrollError>) -> String {
    match outcome {
        Ok(Outcome::Issued(issued)) => format!("issued {}", issued.serial),
        Ok(Outcome::Served(issued)) => format!("served {}", issued.serial),
        Ok(Outcome::Pending(pending)) => format!("waits as {}", pending.id),
        Err(error) => format!("refused: {error}"),
    }
}
