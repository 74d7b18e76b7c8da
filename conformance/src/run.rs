//! Runs the clauses of a suite against a server.

use std::{mem, rc::Rc};

use anyhow::{Context, bail};

use crate::{
    acme,
    clause::{Clause, Reading, State, Suite},
    crl, est,
    key::KeyKind,
    ledger, ocsp,
    report::{ClauseReport, Outcome, Report},
    scep,
    session::{self, Session},
    specimens::Collection,
    target::Target,
    transport::{
        Transport,
        mutation::{Mutating, Mutation},
    },
    verdict::{Stop, Verdict},
    x509,
};

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which suite.
    pub suite: Suite,
    /// Which clauses of it; all when empty.
    pub clauses: Vec<String>,
    /// The reading that the server follows.
    pub reading: Reading,
    /// The kind of key that devices have.
    pub device_key: KeyKind,
    /// Whether to run each clause with its mutation too, and call it good only when that fails.
    pub prove_mutations: bool,
}

impl Plan {
    /// How a server reads, and what its devices have.
    const fn device(&self) -> (Reading, KeyKind) {
        (self.reading, self.device_key)
    }
}

/// The code behind a clause: of which protocol, that tells what it has at hand.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Of EST, or of the certificates that EST gives.
    Est(session::Check),
    /// Of SCEP.
    Scep(scep::Check),
    /// Of ACME.
    Acme(acme::Check),
    /// Of OCSP.
    Ocsp(ocsp::Check),
    /// Of CRLs.
    Crl(crl::Check),
}

/// The check behind a clause, if there is one.
#[must_use]
pub fn check_of(suite: Suite, id: &str) -> Option<Check> {
    match suite {
        Suite::Est => find(est::CHECKS, id).map(Check::Est),
        Suite::X509 => find(x509::CHECKS, id).map(Check::Est),
        Suite::Scep => find(scep::CHECKS, id).map(Check::Scep),
        Suite::Acme => find(acme::CHECKS, id).map(Check::Acme),
        Suite::Ocsp => find(ocsp::CHECKS, id).map(Check::Ocsp),
        Suite::Crl => find(crl::CHECKS, id).map(Check::Crl),
    }
}

fn find<C: Copy>(checks: &[(&str, C)], id: &str) -> Option<C> {
    checks.iter().find(|(known, _)| *known == id).map(|(_, check)| *check)
}

/// Runs the plan.
///
/// # Errors
/// Clauses that do not exist, or a target that the suite cannot use. A server that fails is no error but a report.
pub fn run(plan: &Plan, target: &Target, transport: &mut dyn Transport) -> anyhow::Result<Report> {
    let all = plan.suite.clauses()?;
    if let Some(unknown) = plan.clauses.iter().find(|id| !all.iter().any(|clause| clause.id == **id)) {
        bail!("suite {} has no clause {unknown}", plan.suite);
    }
    if plan.suite == Suite::Scep && !plan.device_key.is_rsa() {
        bail!(
            "suite scep: devices have RSA keys, to which their certificates are encrypted (RFC 8894 §3.1); S37 tries another"
        );
    }
    let chosen = all.iter().filter(|clause| plan.clauses.is_empty() || plan.clauses.contains(&clause.id));
    let mut runner = Runner { plan, target, transport, kept: Kept::default() };
    let clauses = chosen.map(|clause| runner.clause(clause)).collect::<anyhow::Result<_>>()?;
    Ok(Report { suite: plan.suite, clauses })
}

struct Runner<'r> {
    plan: &'r Plan,
    target: &'r Target,
    transport: &'r mut dyn Transport,
    kept: Kept,
}

/// What is fetched once a run, and serves several clauses.
#[derive(Default)]
struct Kept {
    /// Certificates that the X clauses look at.
    collection: Option<Rc<Collection>>,
    /// Certificates that the O clauses ask about.
    stock: ocsp::Stock,
}

impl Runner<'_> {
    fn clause(&mut self, clause: &Clause) -> anyhow::Result<ClauseReport> {
        let Some(check) = check_of(self.plan.suite, &clause.id) else { return Ok(ledger::untried(clause)) };
        let verdict = attempt(check, self.target, &mut *self.transport, self.plan.device(), &mut self.kept)?;
        let report = ledger::judge(clause, verdict);
        let is_proof_wanted = self.plan.prove_mutations && report.result == Outcome::Pass && clause.state == State::Pass;
        if is_proof_wanted { self.prove(clause, check, report) } else { Ok(report) }
    }

    /// Runs a clause that passed once more, its mutation between it and the server: now it must fail.
    fn prove(&mut self, clause: &Clause, check: Check, report: ClauseReport) -> anyhow::Result<ClauseReport> {
        let mutation: Mutation = clause.mutation.parse().with_context(|| clause.id.clone())?;
        let mut transport = Mutating::new(&mut *self.transport, mutation);
        // What the mutation changes is fetched anew; no mutation of OCSP changes what EST gives.
        let mut kept = Kept { collection: None, stock: mem::take(&mut self.kept.stock) };
        let verdict = attempt(check, self.target, &mut transport, self.plan.device(), &mut kept)?;
        self.kept.stock = kept.stock;
        let applied = transport.applied;
        let (result, detail) = match verdict {
            verdict if applied == 0 => {
                (Outcome::Fail, format!("mutation {:?} found nothing to change: {verdict:?}", clause.mutation))
            }
            Err(Stop::Fail(reason)) => (Outcome::Pass, format!("{}; mutated: {reason}", report.detail)),
            Err(Stop::Skip(reason)) => (Outcome::Fail, format!("mutation {:?} only made it skip: {reason}", clause.mutation)),
            Ok(_) => (Outcome::Fail, format!("mutation {:?} went unnoticed", clause.mutation)),
        };
        Ok(ClauseReport { result, detail, ..report })
    }
}

/// Runs a check in a session of its protocol.
fn attempt(
    check: Check,
    target: &Target,
    transport: &mut dyn Transport,
    device: (Reading, KeyKind),
    kept: &mut Kept,
) -> anyhow::Result<Verdict> {
    Ok(match check {
        Check::Est(check) => {
            let mut session = Session::new(target, transport, device)?;
            session.collection = kept.collection.take();
            let verdict = check(&mut session);
            kept.collection = session.collection.take();
            alive_after(verdict, || session.assert_alive())
        }
        Check::Scep(check) => {
            let mut session = scep::Session::new(target, transport, device)?;
            let verdict = check(&mut session);
            alive_after(verdict, || session.assert_alive())
        }
        Check::Acme(check) => {
            let mut session = acme::Session::new(target, transport, device)?;
            let verdict = check(&mut session);
            alive_after(verdict, || session.assert_alive())
        }
        Check::Ocsp(check) => {
            let mut session = ocsp::Session::new(target, transport, device)?;
            session.stock = mem::take(&mut kept.stock);
            let verdict = check(&mut session);
            kept.stock = mem::take(&mut session.stock);
            alive_after(verdict, || session.conclude())
        }
        Check::Crl(check) => {
            let mut session = crl::Session::new(target, transport, device)?;
            let verdict = check(&mut session);
            alive_after(verdict, || session.assert_alive())
        }
    })
}

/// Every check also asserts that the server still answers afterwards.
fn alive_after(verdict: Verdict, assert_alive: impl FnOnce() -> Result<(), Stop>) -> Verdict {
    match verdict {
        Err(Stop::Skip(reason)) => Err(Stop::Skip(reason)),
        Ok(detail) => assert_alive().map(|()| detail),
        Err(Stop::Fail(reason)) => match assert_alive() {
            Err(Stop::Fail(dead)) => Err(Stop::Fail(format!("{reason}; {dead}"))),
            _ => Err(Stop::Fail(reason)),
        },
    }
}
