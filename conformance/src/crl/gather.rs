//! Every list that the target leads to, for clauses about what any list looks like.

use super::{
    list::RevocationList,
    session::{Session, Subject},
};
use crate::{
    certificate::Certificate,
    hook::Hook,
    verdict::{Stop, Verdict, require},
};

/// A list.
pub(super) struct Found {
    /// What it is, for reports.
    pub(super) name: &'static str,
    pub(super) list: RevocationList,
    /// Who should have signed it.
    pub(super) issuer: Certificate,
    /// Whether it is a delta by the URL that led to it.
    pub(super) is_delta: bool,
}

/// A check on one list.
pub(super) type ListCheck = fn(&Found) -> Result<(), String>;

/// The complete list and the delta, and those of a shard where the target has shards.
pub(super) fn lists(session: &mut Session<'_>) -> Result<Vec<Found>, Stop> {
    gather(session, |_, _| Ok(()))
}

/// The same, each scope with one certificate at least that is revoked.
pub(super) fn lists_with_entries(session: &mut Session<'_>) -> Result<Vec<Found>, Stop> {
    session.need(&[Hook::Revoke])?;
    gather(session, |session, subject| {
        session.revoke(&subject.certificate, "keyCompromise")?;
        subject.scope.wait_for(session, &subject.certificate).map(|_| ())
    })
}

fn gather(session: &mut Session<'_>, prepare: fn(&mut Session<'_>, &Subject) -> Result<(), Stop>) -> Result<Vec<Found>, Stop> {
    let mut subjects = vec![session.subject()?];
    match session.sharded_subject() {
        Ok(subject) => subjects.push(subject),
        Err(Stop::Skip(_)) => {}
        Err(stop) => return Err(stop),
    }
    let mut all = Vec::new();
    for subject in subjects {
        prepare(session, &subject)?;
        let snapshot = subject.scope.look(session)?;
        let [complete, delta] = subject.scope.names;
        let issuer = subject.scope.issuer;
        all.push(Found { name: complete, list: snapshot.complete, issuer: issuer.clone(), is_delta: false });
        all.extend(snapshot.delta.map(|list| Found { name: delta, list, issuer, is_delta: true }));
    }
    Ok(all)
}

/// Applies `check` to every list.
pub(super) fn each(session: &mut Session<'_>, check: ListCheck) -> Verdict {
    let all = lists(session)?;
    each_of(&all, check)
}

/// Applies `check` to these lists.
pub(super) fn each_of(all: &[Found], check: ListCheck) -> Verdict {
    for found in all {
        let outcome = check(found);
        require(outcome.is_ok(), || format!("{}: {}", found.name, outcome.err().unwrap_or_default()))?;
    }
    let told = all.iter().map(|found| format!("{} ({} entries)", found.name, found.list.entries().len()));
    Ok(told.collect::<Vec<_>>().join(", "))
}
