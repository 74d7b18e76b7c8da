//! CRL numbers (RFC 5280 §5.2.3), in time and under load.

use std::{collections::BTreeMap, time::Duration};

use super::{
    list::{Number, RevocationList, extension},
    scope::{Scope, Snapshot},
    session::{Check, Enroll, KINDS, PAUSE, Session, Subject},
};
use crate::{
    hook::Hook,
    parts::Parts,
    transport::command::Running,
    verdict::{Stop, Verdict, require},
};

/// How many times the number has to grow.
const REBUILDS: usize = 3;
/// How far the clock is set back, in seconds.
const BACK: i64 = 10 * 60;
/// How long a restart may take, in seconds.
const RESTART: i64 = 60;
/// How long to wait before a list is fetched again while it is made.
const GLANCE: Duration = Duration::from_millis(10);
/// How many certificates are revoked at once.
const AT_ONCE: usize = 12;
/// RFC 5280 §5.2.3: "Conforming CRL issuers MUST NOT use CRLNumber values longer than 20 octets."
const LONGEST: usize = 20;

/// The lists of one scope that were seen.
#[derive(Default)]
pub(super) struct Seen {
    /// Of each kind, by number.
    lists: [BTreeMap<Number, RevocationList>; 2],
    /// The number of the last one of each kind.
    last: [Option<Number>; 2],
}

impl Seen {
    /// Takes in what is there now. RFC 5280 §5.2.3: "a monotonically increasing sequence number for a given CRL scope and CRL issuer".
    pub(super) fn add(&mut self, snapshot: &Snapshot) -> Result<(), Stop> {
        let [complete, delta] = &mut self.lists;
        let [last_complete, last_delta] = &mut self.last;
        add_to(complete, last_complete, &snapshot.complete, "complete")?;
        let Some(list) = &snapshot.delta else { return Ok(()) };
        add_to(delta, last_delta, list, "delta")?;
        // "the complete CRLs and delta CRLs MUST share one numbering sequence. … if the this update field … in the two CRLs are not
        // identical, the CRL numbers MUST be different."
        let twin = complete.get(&list.number()?);
        require(twin.is_none_or(|twin| twin.this_update == list.this_update), || {
            "a delta and a complete list of other times share a number".into()
        })
    }

    /// Whether a complete list of this number was seen, or the number is below all of them.
    pub(super) fn may_be_base(&self, number: &Number) -> bool {
        let [complete, _] = &self.lists;
        complete.contains_key(number) || complete.keys().next().is_some_and(|first| number < first)
    }

    /// How many different lists there were.
    fn count(&self) -> usize {
        self.lists.iter().map(BTreeMap::len).sum()
    }
}

fn add_to(
    known: &mut BTreeMap<Number, RevocationList>,
    last: &mut Option<Number>,
    list: &RevocationList,
    what: &str,
) -> Result<(), Stop> {
    check_number(list).map_err(|stop| stop.about(what))?;
    let number = list.number()?;
    require(last.as_ref().is_none_or(|last| *last <= number), || format!("{what}: the number fell to {number}"))?;
    if let Some(same) = known.get(&number) {
        require(same.der == list.der, || format!("{what}: two lists of number {number}"))?;
    }
    known.insert(number.clone(), list.clone());
    *last = Some(number);
    Ok(())
}

fn check_number(list: &RevocationList) -> Result<(), Stop> {
    let written = list.extension(extension::CRL_NUMBER).ok_or_else(|| Stop::fail("no cRLNumber"))?;
    // RFC 5280 §5.2.3: "CRL issuers conforming to this profile MUST include this extension in all CRLs and MUST mark this extension as
    // non-critical."
    require(!written.critical, || "a critical cRLNumber".into())?;
    let octets = written.element()?.octets().len();
    require(octets <= LONGEST, || format!("a cRLNumber of {octets} octets"))
}

pub(super) fn grow(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::Revoke])?;
    let mut parts = Parts::default();
    for (what, enroll) in KINDS {
        let verdict = rebuild(session, enroll);
        parts.add(what, verdict)?;
    }
    let others: [(&str, Check); 2] = [("restarted", grow_over_restart), ("clock set back", grow_as_time_falls)];
    for (what, part) in others {
        let verdict = part(session);
        parts.add(what, verdict)?;
    }
    parts.verdict()
}

fn rebuild(session: &mut Session<'_>, enroll: Enroll) -> Verdict {
    let subject = enroll(session)?;
    let first = subject.scope.look(session)?.number()?;
    let mut seen = Seen::default();
    let mut number = revoked(session, &subject, &first, &mut seen)?;
    for _ in 1..REBUILDS {
        let another = another_of(session, &subject.scope, enroll)?;
        number = revoked(session, &another, &number, &mut seen)?;
    }
    Ok(format!("{first} to {number}"))
}

/// How many certificates are asked for until one is of the same shard.
const TRIES: usize = 64;

/// A certificate of the same scope.
fn another_of(session: &mut Session<'_>, scope: &Scope, enroll: Enroll) -> Result<Subject, Stop> {
    for _ in 0..TRIES {
        let subject = enroll(session)?;
        if subject.scope.complete == scope.complete {
            return Ok(subject);
        }
    }
    Err(Stop::Skip(format!("of {TRIES} certificates none is of the same shard")))
}

/// Revokes a certificate, and gives the number of the first lists that have it: one above `before`.
fn revoked(session: &mut Session<'_>, subject: &Subject, before: &Number, seen: &mut Seen) -> Result<Number, Stop> {
    session.revoke(&subject.certificate, "superseded")?;
    let serial = &subject.certificate.serial;
    let snapshot = subject.scope.wait(session, "a revoked certificate is listed", |snapshot| {
        seen.add(snapshot)?;
        Ok(snapshot.entry(serial)?.is_some())
    })?;
    let number = snapshot.number()?;
    require(number > *before, || format!("number {number} after {before}"))?;
    Ok(number)
}

fn grow_over_restart(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::Restart])?;
    let subject = session.subject()?;
    let mut seen = Seen::default();
    let snapshot = subject.scope.look(session)?;
    seen.add(&snapshot)?;
    let before = snapshot.number()?;
    session.est.run_hook(Hook::Restart, &[], &[])?;
    let start = session.est.now();
    while let Err(stop) = session.assert_alive() {
        require(session.est.now() - start < RESTART, || format!("not back after {RESTART} s: {stop:?}"))?;
        session.est.wait(PAUSE);
    }
    let number = revoked(session, &subject, &before, &mut seen)?;
    Ok(format!("{before} to {number}"))
}

fn grow_as_time_falls(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::SetTime])?;
    let (early, late) = (session.subject()?, session.subject()?);
    let mut seen = Seen::default();
    let snapshot = early.scope.look(session)?;
    seen.add(&snapshot)?;
    let before = snapshot.number()?;
    let now = session.est.now();
    // Whatever comes of it, the clock is set right again.
    let outcome = session.set_time(now - BACK).and_then(|()| revoked(session, &early, &before, &mut seen));
    let now = session.est.now();
    session.set_time(now)?;
    let between = outcome?;
    let number = revoked(session, &late, &between, &mut seen)?;
    Ok(format!("{before} to {between} to {number}"))
}

pub(super) fn tell_lists_apart(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::Revoke])?;
    let mut seen = Seen::default();
    for _ in 0..REBUILDS {
        let subject = session.subject()?;
        for _ in 0..2 {
            let snapshot = subject.scope.look(session)?;
            seen.add(&snapshot)?;
        }
        session.revoke(&subject.certificate, "superseded")?;
        let serial = &subject.certificate.serial;
        subject.scope.wait(session, "a revoked certificate is listed", |snapshot| {
            seen.add(snapshot)?;
            Ok(snapshot.entry(serial)?.is_some())
        })?;
    }
    require(seen.count() > 1, || "the lists never changed".into())?;
    Ok(format!("{} lists, each with a number of its own", seen.count()))
}

pub(super) fn no_revocation_is_lost(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::Revoke])?;
    let mut parts = Parts::default();
    for (what, enroll) in KINDS {
        let verdict = revoke_at_once(session, enroll);
        parts.add(what, verdict)?;
    }
    parts.verdict()
}

fn revoke_at_once(session: &mut Session<'_>, enroll: Enroll) -> Verdict {
    let subjects = (0..AT_ONCE).map(|_| enroll(session)).collect::<Result<Vec<_>, _>>()?;
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut running = Vec::new();
    for subject in &subjects {
        let serial = subject.certificate.serial_hex();
        running.push(session.est.start_hook(Hook::Revoke, &[("serial", &serial), ("reason", "superseded")])?);
    }
    let mut look = |session: &mut Session<'_>, subject: &Subject| -> Result<Snapshot, Stop> {
        let snapshot = subject.scope.look(session)?;
        seen.entry(subject.scope.complete.to_string()).or_default().add(&snapshot)?;
        Ok(snapshot)
    };
    // The lists are fetched while they are made.
    let mut turn = subjects.iter().cycle();
    while running.iter().any(|one| !Running::is_done(one)) {
        if let Some(subject) = turn.next() {
            look(session, subject)?;
            session.est.wait(GLANCE);
        }
    }
    for one in running {
        one.finish().map_err(|error| Stop::Fail(format!("hook revoke: {error:#}")))?;
    }
    let start = session.est.now();
    for subject in &subjects {
        while look(session, subject)?.entry(&subject.certificate.serial)?.is_none() {
            let serial = subject.certificate.serial_hex();
            require(session.est.now() - start < session.delay(), || {
                format!("certificate {serial} is not listed within {} s", session.delay())
            })?;
            session.est.wait(PAUSE);
        }
    }
    let lists: usize = seen.values().map(Seen::count).sum();
    Ok(format!("{AT_ONCE} revoked at once, all listed; {lists} lists seen"))
}
