//! Which TLS client certificates count (RFC 7030 §3.3.2): "Certificate validation MUST be performed as per [RFC5280]."

use std::{sync::Arc, time::Duration};

use super::{
    device::{Device, authorities},
    steps::{issued, require_turned_away},
};
use crate::{
    certificate::Certificate,
    channel::Identity,
    csr::{attribute, encode_name},
    forge::{Draft, key_identifier},
    hook::Hook,
    key::Key,
    parts::Parts,
    session::{Check, Session},
    verdict::{Stop, Verdict, require},
};

/// What a client certificate may be shown for.
const OPERATIONS: [&str; 2] = ["simpleenroll", "simplereenroll"];
/// How far before `notBefore` the server's clock is set, in seconds.
const BEFORE: i64 = 60;

pub(super) fn must_be_good(session: &mut Session<'_>) -> Verdict {
    let mut parts = Parts::default();
    let each: [(&str, Check); 6] = [
        ("good", is_taken),
        ("made by the suite", is_refused_when_forged),
        ("expired", is_refused_when_expired),
        ("revoked", is_refused_when_revoked),
        ("held", is_refused_while_held),
        ("not yet valid", is_refused_when_early),
    ];
    for (what, part) in each {
        let verdict = part(session);
        parts.add(what, verdict)?;
    }
    parts.verdict()
}

/// The control: what is refused below is refused for its fault.
fn is_taken(session: &mut Session<'_>) -> Verdict {
    let device = Device::enroll(session, session.endpoint()?)?;
    issued(&device.ask(session, "simplereenroll")??, &device.key)?;
    Ok("200".into())
}

fn is_refused_when_forged(session: &mut Session<'_>) -> Verdict {
    let real = Device::enroll(session, session.endpoint()?)?;
    let mut how = Vec::new();
    for Forged { what, key, chain } in forgeries(session, &real)? {
        let certificate = Certificate::parse(chain.first().map(Vec::as_slice).unwrap_or_default())?;
        let identity = Arc::new(Identity { chain, key: key.pkcs8()? });
        let device = Device { endpoint: real.endpoint.clone(), key, certificate, identity };
        how.push(format!("{what} {}", turned_away(session, &device).map_err(|stop| stop.about(what))?));
    }
    Ok(how.join(", "))
}

/// A certificate that nobody should trust.
struct Forged {
    /// What is wrong with it.
    what: &'static str,
    /// Its key.
    key: Key,
    /// Itself, and what is sent behind it.
    chain: Vec<Vec<u8>>,
}

/// Certificates for the subject and the names of `real`.
fn forgeries(session: &mut Session<'_>, real: &Device) -> Result<Vec<Forged>, Stop> {
    let now = session.now();
    let key = session.device_key()?;
    let (root, middle) = (Key::p256(), Key::p256());
    let name = |text: &str| encode_name(&[(attribute::COMMON_NAME, text.to_owned())]);
    let (root_name, middle_name) = (name("a root of nobody"), name("an intermediate of nobody"));
    let (root_identifier, middle_identifier) = (key_identifier(&root)?, key_identifier(&middle)?);
    let names = real.alternative_names();
    let draft = || Draft::new(&real.certificate.subject).map(|draft| names.iter().fold(draft, Draft::named));
    let forged = |what, draft: Draft, signer: &Key, behind: Vec<Vec<u8>>| {
        let chain = std::iter::once(draft.sign(&key, signer, now)?).chain(behind).collect();
        Ok::<_, Stop>(Forged { what, key: key.clone(), chain })
    };

    let anchor = Draft::new(&root_name)?.for_authority().sign(&root, &root, now)?;
    // What the real device sends behind its certificate tempts a server that looks at names only.
    let real_chain: Vec<Vec<u8>> = real.identity.chain.iter().skip(1).cloned().collect();
    let issuer = authorities(session, &real.endpoint)?.into_iter().find(|one| one.subject == real.certificate.issuer);
    let issuer_identifier = issuer.and_then(|issuer| issuer.subject_key_identifier()).unwrap_or_default();
    let in_real_name = draft()?.issued_by(&real.certificate.issuer, &issuer_identifier);
    let copy = Draft { serial: real.certificate.serial.clone(), ..in_real_name.clone() };
    Ok(vec![
        forged("of an unknown CA", draft()?.issued_by(&root_name, &root_identifier), &root, vec![anchor])?,
        forged("self-signed", draft()?, &key, Vec::new())?,
        forged("a CA's", draft()?.for_authority(), &key, Vec::new())?,
        forged("without its intermediate", draft()?.issued_by(&middle_name, &middle_identifier), &middle, Vec::new())?,
        forged("in the issuer's name", in_real_name, &root, real_chain.clone())?,
        forged("with issuer and serial number of another", copy, &root, real_chain)?,
    ])
}

fn is_refused_when_expired(session: &mut Session<'_>) -> Verdict {
    expired(session).and_then(|device| turned_away(session, &device))
}

/// A device whose certificate has just expired.
pub(super) fn expired(session: &mut Session<'_>) -> Result<Device, Stop> {
    let Some(url) = session.target().short_url.as_deref() else {
        return Err(Stop::Skip("the target has no short_url".into()));
    };
    let endpoint = session.endpoint_at(url)?;
    let device = Device::enroll(session, endpoint)?;
    let end = device.certificate.not_after.unix().ok_or_else(|| Stop::fail("notAfter is no moment"))?;
    let left = u64::try_from(end + 1 - session.now()).unwrap_or(0);
    require(left <= 60, || format!("in the target: a certificate of short_url lasts {left} s more, not 60 at most"))?;
    session.wait(Duration::from_secs(left + 1));
    Ok(device)
}

fn is_refused_when_revoked(session: &mut Session<'_>) -> Verdict {
    revoked(session).and_then(|device| turned_away(session, &device))
}

/// A device whose certificate was good until it was revoked. It has used it before, so that TLS may resume its session.
pub(super) fn revoked(session: &mut Session<'_>) -> Result<Device, Stop> {
    if !session.has_hook(Hook::Revoke) {
        return Err(Stop::Skip("the target has no hook revoke".into()));
    }
    let device = Device::enroll(session, session.endpoint()?)?;
    issued(&device.ask(session, "simplereenroll")??, &device.key)?;
    let serial = device.certificate.serial_hex();
    session.run_hook(Hook::Revoke, &[("serial", &serial), ("reason", "superseded")], &[])?;
    Ok(device)
}

fn is_refused_while_held(session: &mut Session<'_>) -> Verdict {
    if !session.has_hook(Hook::Release) {
        return Err(Stop::Skip("the target has no hook release".into()));
    }
    let device = Device::enroll(session, session.endpoint()?)?;
    let serial = device.certificate.serial_hex();
    session.run_hook(Hook::Hold, &[("serial", &serial)], &[])?;
    let how = turned_away(session, &device)?;
    session.run_hook(Hook::Release, &[("serial", &serial)], &[])?;
    let response = device.ask(session, "simplereenroll")??;
    issued(&response, &device.key).map_err(|stop| stop.about("released"))?;
    Ok(format!("{how}, and released 200"))
}

fn is_refused_when_early(session: &mut Session<'_>) -> Verdict {
    if !session.has_hook(Hook::SetTime) {
        return Err(Stop::Skip("the target has no hook set_time".into()));
    }
    let device = Device::enroll(session, session.endpoint()?)?;
    let begin = device.certificate.not_before.unix().ok_or_else(|| Stop::fail("notBefore is no moment"))?;
    // Whatever comes of it, the clock is set right again.
    let outcome = set_time(session, begin - BEFORE).and_then(|()| turned_away(session, &device));
    let now = session.now();
    set_time(session, now)?;
    outcome
}

fn set_time(session: &mut Session<'_>, moment: i64) -> Result<(), Stop> {
    let time = jiff::Timestamp::from_second(moment).map_err(Stop::fail)?.to_string();
    session.run_hook(Hook::SetTime, &[("time", &time)], &[]).map(|_| ())
}

/// Refused wherever the certificate is shown. Says how.
fn turned_away(session: &mut Session<'_>, device: &Device) -> Verdict {
    let mut how = Vec::new();
    for operation in OPERATIONS {
        let outcome = device.ask(session, operation)?;
        how.push(require_turned_away(outcome).map_err(|stop| stop.about(operation))?);
    }
    how.dedup();
    Ok(how.join(" and "))
}
