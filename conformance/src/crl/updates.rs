//! How lists follow each other: in time, by deltas, and as certificates come and go (RFC 5280 §3.3, §5.1.2.5, §5.2.4).

use std::time::Duration;

use super::{
    list::{Entry, RevocationList, extension},
    numbering::Seen,
    scope::{REMOVE_FROM_CRL, Scope, Snapshot},
    session::{Enroll, KINDS, Session, Subject},
};
use crate::{
    certificate::{Certificate, Time},
    hook::Hook,
    parts::Parts,
    pointers::{CRL_DISTRIBUTION_POINTS, FRESHEST_CRL, distribution_points, urls_in},
    signature,
    verdict::{Stop, Verdict, require},
};

/// reasonCode certificateHold (RFC 5280 §5.3.1).
const CERTIFICATE_HOLD: u8 = 6;
/// Longest wait for a nextUpdate, in seconds; a later one is waited for by setting the clock.
const PATIENCE: i64 = 90;
/// How far before nextUpdate the next list has to be there, in seconds.
const BEFORE: i64 = 1;

pub(super) fn come_in_time(session: &mut Session<'_>) -> Verdict {
    let subject = session.subject()?;
    let snapshot = subject.scope.look(session)?;
    let now = session.est.now();
    let mut told = Vec::new();
    for (name, list) in named(&subject.scope, &snapshot) {
        // RFC 5280 §5.1.2.5: "Conforming CRL issuers MUST include the nextUpdate field in all CRLs."
        let left = next_update(list).map_err(|stop| stop.about(name))? - now;
        require(left > 0, || format!("{name}: nextUpdate was {} s ago", -left))?;
        require(list.next_update.as_ref().and_then(Time::unix) > list.this_update.unix(), || {
            format!("{name}: nextUpdate is not after thisUpdate")
        })?;
        told.push(format!("{name} {left} s left"));
    }
    let mut parts = Parts::default();
    parts.add("nextUpdate", Ok(told.join(", ")))?;
    let next = next_in_time(session, &subject, &snapshot.complete);
    parts.add("the next list", next)?;
    parts.verdict()
}

fn named<'s>(scope: &Scope, snapshot: &'s Snapshot) -> impl Iterator<Item = (&'static str, &'s RevocationList)> {
    scope.names.into_iter().zip(std::iter::once(&snapshot.complete).chain(&snapshot.delta))
}

fn next_update(list: &RevocationList) -> Result<i64, Stop> {
    let time = list.next_update.as_ref().ok_or_else(|| Stop::fail("no nextUpdate"))?;
    time.unix().ok_or_else(|| Stop::Fail(format!("nextUpdate {} is no moment", time.text)))
}

/// RFC 5280 §5.1.2.5: "The next CRL could be issued before the indicated date, but it will not be issued any later than the indicated date."
fn next_in_time(session: &mut Session<'_>, subject: &Subject, list: &RevocationList) -> Verdict {
    let end = next_update(list)?;
    let number = list.number()?;
    let left = end - BEFORE - session.est.now();
    if left <= PATIENCE {
        session.est.wait(Duration::from_secs(u64::try_from(left).unwrap_or(0)));
        let next = session.list(&subject.scope.complete, "complete")?;
        require(next.number()? > number && next_update(&next)? > end, || "nextUpdate comes and no new list".into())?;
        return Ok(format!("number {}", next.number()?));
    }
    session.need(&[Hook::SetTime, Hook::Revoke])?;
    let after = session.subject()?;
    // Whatever comes of it, the clock is set right again, and a list is made that is of now.
    let outcome = session.set_time(end - BEFORE).and_then(|()| {
        subject.scope.wait(session, "nextUpdate comes and there is a new list", |snapshot| {
            Ok(snapshot.complete.number()? > number && next_update(&snapshot.complete)? > end)
        })
    });
    let now = session.est.now();
    session.set_time(now)?;
    session.revoke(&after.certificate, "superseded")?;
    after.scope.wait_for(session, &after.certificate)?;
    Ok(format!("number {}", outcome?.complete.number()?))
}

pub(super) fn deltas_add_up(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::Revoke])?;
    let mut parts = Parts::default();
    for (what, enroll) in KINDS {
        let verdict = deltas_of(session, enroll);
        parts.add(what, verdict)?;
    }
    parts.verdict()
}

fn deltas_of(session: &mut Session<'_>, enroll: Enroll) -> Verdict {
    let subject = enroll(session)?;
    let scope = &subject.scope;
    if scope.delta.is_none() {
        return Err(Stop::Skip("neither the list nor the certificate names deltas".into()));
    }
    freshest_is_plain(&subject.certificate)?;
    let mut seen = Seen::default();
    seen.add(&scope.look(session)?)?;
    session.revoke(&subject.certificate, "superseded")?;
    let serial = &subject.certificate.serial;
    let snapshot = scope.wait(session, "a revoked certificate is listed", |snapshot| {
        seen.add(snapshot)?;
        Ok(snapshot.entry(serial)?.is_some())
    })?;
    let delta = snapshot.delta.as_ref().ok_or_else(|| Stop::fail("no delta"))?;
    check_delta(delta, &snapshot.complete, &scope.issuer)?;
    let base = delta.base()?.ok_or_else(|| Stop::fail("no BaseCRLNumber"))?;
    // RFC 5280 §5.2.4: "A conforming CRL issuer MUST publish the referenced base CRL as a complete CRL."
    require(seen.may_be_base(&base), || format!("BaseCRLNumber {base}: no complete list of that number was published"))?;
    add_up(delta, &snapshot.complete)?;
    Ok(format!("delta {} upon {base}", delta.number()?))
}

/// RFC 5280 §4.2.1.15: "The extension MUST be marked as non-critical by conforming CAs."
fn freshest_is_plain(certificate: &Certificate) -> Result<(), Stop> {
    let is_critical = certificate.extension(FRESHEST_CRL).is_some_and(|extension| extension.critical);
    require(!is_critical, || "the certificate's freshestCRL is critical".into())
}

fn check_delta(delta: &RevocationList, complete: &RevocationList, issuer: &Certificate) -> Result<(), Stop> {
    let indicator = delta.extension(extension::DELTA_CRL_INDICATOR);
    // RFC 5280 §5.2.4: "the delta CRL MUST include a critical delta CRL indicator extension."
    require(indicator.is_some_and(|extension| extension.critical), || "the delta has no critical deltaCRLIndicator".into())?;
    require(complete.extension(extension::DELTA_CRL_INDICATOR).is_none(), || "the complete list calls itself a delta".into())?;
    let base = delta.base()?.ok_or_else(|| Stop::fail("no BaseCRLNumber"))?;
    // RFC 5280 §5.2.3: "the complete CRLs and delta CRLs MUST share one numbering sequence."
    require(base < delta.number()?, || format!("BaseCRLNumber {base} is not below the delta's number"))?;
    // RFC 5280 §5.2.4: "The referenced base CRL and the delta CRL MUST omit the issuing distribution point extension or contain identical
    // issuing distribution point extensions."
    let point = |list: &RevocationList| list.extension(extension::ISSUING_DISTRIBUTION_POINT).map(|one| one.value.clone());
    require(point(delta) == point(complete), || "delta and complete list have other issuing distribution points".into())?;
    // RFC 5280 §5.2.4: "the CRL issuer MUST use the same private key to sign the delta CRL and any complete CRL that it can be used to
    // update."
    require(delta.issuer == complete.issuer, || "delta and complete list are of other issuers".into())?;
    signature::verify(&issuer.spki, &delta.algorithm, &delta.tbs, &delta.signature)
        .map_err(|error| Stop::Fail(format!("the delta: {error}")))?;
    // RFC 5280 §5.2.6: "Conforming CRL issuers MUST mark this extension as non-critical. This extension MUST NOT appear in delta CRLs."
    require(delta.extension(FRESHEST_CRL).is_none(), || "freshestCRL in a delta".into())?;
    let Some(freshest) = complete.extension(FRESHEST_CRL) else { return Ok(()) };
    require(!freshest.critical, || "freshestCRL is critical".into())?;
    // "The reasons and cRLIssuer fields MUST be omitted from this CRL extension."
    let is_plain = distribution_points(freshest)?.iter().all(|point| !point.has_reasons && !point.has_issuer);
    require(is_plain, || "freshestCRL has reasons or cRLIssuer".into())
}

/// RFC 5280 §5.2.3: "If a delta CRL and a complete CRL that cover the same scope are issued at the same time, they MUST have the same CRL
/// number and provide the same revocation information."
fn add_up(delta: &RevocationList, complete: &RevocationList) -> Result<(), Stop> {
    if delta.number()? != complete.number()? {
        return Ok(());
    }
    let agrees = |entry: &Entry| complete.entry(&entry.serial).is_some() != (entry.reason() == Some(REMOVE_FROM_CRL));
    require(delta.entries().iter().all(agrees), || "delta and complete list of one number say different things".into())
}

pub(super) fn holds_end(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::Hold, Hook::Release])?;
    let mut parts = Parts::default();
    for (what, enroll) in KINDS {
        let verdict = held_and_released(session, enroll);
        parts.add(what, verdict)?;
    }
    parts.verdict()
}

fn held_and_released(session: &mut Session<'_>, enroll: Enroll) -> Verdict {
    let Subject { certificate, scope } = enroll(session)?;
    let serial = &certificate.serial;
    session.suspend(Hook::Hold, &certificate)?;
    let held = scope.wait(session, "certificateHold", |snapshot| {
        never_in_complete(&snapshot.complete)?;
        Ok(snapshot.entry(serial)?.is_some())
    })?;
    let reason = held.entry(serial)?.and_then(Entry::reason);
    require(reason == Some(CERTIFICATE_HOLD), || format!("held: reasonCode {reason:?}, not certificateHold (6)"))?;
    session.suspend(Hook::Release, &certificate)?;
    let released = scope.wait(session, "a released certificate is off the list", |snapshot| {
        never_in_complete(&snapshot.complete)?;
        Ok(snapshot.entry(serial)?.is_none())
    })?;
    // RFC 5280 §5.2.4: "If the certificate was placed on hold in any CRL issued after the base but before this delta CRL and then released
    // from hold, it MUST be listed on the delta CRL with revocation reason removeFromCRL."
    let held_at = held.number()?;
    let how = match &released.delta {
        Some(delta) if delta.entry(serial).is_some() => "removeFromCRL in a delta",
        Some(delta) => {
            let base = delta.base()?;
            require(base.is_some_and(|base| base >= held_at) || delta.number()? < released.complete.number()?, || {
                "the delta upon a list before the hold says nothing of its release".into()
            })?;
            "gone from the complete list"
        }
        None => "gone from the complete list",
    };
    Ok(format!("certificateHold, then {how}"))
}

/// RFC 5280 §5.3.1: "The removeFromCRL (8) reasonCode value may only appear in delta CRLs".
fn never_in_complete(complete: &RevocationList) -> Result<(), Stop> {
    let is_there = complete.entries().iter().any(|entry| entry.reason() == Some(REMOVE_FROM_CRL));
    require(!is_there, || "removeFromCRL (8) in a complete list".into())
}

pub(super) fn outlives_its_certificate(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::Revoke])?;
    let Some(url) = session.est.target().short_url.as_deref() else {
        return Err(Stop::Skip("the target has no short_url".into()));
    };
    let endpoint = session.est.endpoint_at(url)?;
    let certificate = session.enroll_at(&endpoint)?;
    let named = urls_in(certificate.extension(CRL_DISTRIBUTION_POINTS))?;
    if named.is_empty() {
        return Err(Stop::Skip("a certificate of short_url names no list".into()));
    }
    session.revoke(&certificate, "superseded")?;
    let scope =
        Scope { complete: named.into_iter().next().unwrap_or_else(|| session.url()), ..Scope::first(session, &certificate)? };
    let listed = scope.wait_for(session, &certificate)?;
    let end = certificate.not_after.unix().ok_or_else(|| Stop::fail("notAfter is no moment"))?;
    if listed.this_update()? > end {
        return Ok("listed after its expiry".into());
    }
    let left = u64::try_from(end + 1 - session.est.now()).unwrap_or(0);
    require(left <= 60, || format!("in the target: a certificate of short_url lasts {left} s more, not 60 at most"))?;
    session.est.wait(Duration::from_secs(left + 1));
    // Another revocation makes the next list.
    let another = session.subject()?;
    session.revoke(&another.certificate, "superseded")?;
    let number = listed.number()?;
    let next = scope.wait(session, "a new list", |snapshot| Ok(snapshot.number()? > number))?;
    require(next.this_update()? > end, || "thisUpdate of a new list is before an expiry that it followed".into())?;
    // RFC 5280 §3.3: "An entry MUST NOT be removed from the CRL until it appears on one regularly scheduled CRL issued beyond the revoked
    // certificate's validity period."
    require(next.entry(&certificate.serial)?.is_some(), || {
        "the first list after the expiry of a revoked certificate has it no more".into()
    })?;
    Ok(format!("listed by numbers {number} and {}, after its expiry", next.number()?))
}
