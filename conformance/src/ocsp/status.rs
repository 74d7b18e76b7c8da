//! What is told of a certificate (RFC 6960 §2.2), and how soon after it changed.

use super::{
    form::{SKEW, moment},
    outcome::{NEVER_ISSUED, Outcome},
    reply::{Reply, Single, Status},
    request::{Ask, CertId, SHA1, extension},
    session::{Session, post_to, require_basic, unissued_serial},
    stock::{CERTIFICATE_HOLD, Changed, SUPERSEDED},
};
use crate::{
    certificate::Certificate,
    hook::Hook,
    parts::Parts,
    verdict::{Stop, Verdict, require},
};

/// CRL entry extensions (RFC 5280 §5.3), which RFC 6960 §4.4.5 lets stand in `singleExtensions`.
const CRL_ENTRY_EXTENSIONS: [&str; 4] = ["2.5.29.21", "2.5.29.23", "2.5.29.24", "2.5.29.29"];

pub(super) fn is_told(session: &mut Session<'_>) -> Verdict {
    let mut parts = Parts::default();
    let good = session.good_id()?;
    let outcome = session.outcome(&Ask::about(&good))?;
    parts.add("good", outcome.require_good("a good certificate"))?;

    let revoked = revoked(session);
    parts.add("revoked", revoked)?;

    let unknown = Ask::about(&session.unknown_id()?);
    // RFC 5019 §2.2.3: "When access to authoritative records for a particular certificate is not available", unauthorized; or unknown, as
    // RFC 6960 §2.2 has it.
    let never = session.outcome(&unknown)?.require_ignorance("a serial number never issued");
    parts.add("unknown", never)?;
    let foreign = CertId { name: b"the name of nobody".to_vec(), key: b"the key of nobody".to_vec(), ..good };
    let foreign = session.outcome(&Ask::about(&foreign))?.require_ignorance("another CA's certificate");
    parts.add("foreign", foreign)?;
    parts.verdict()
}

fn revoked(session: &mut Session<'_>) -> Verdict {
    let changed = session.revoked()?;
    let single = session.status(&changed.certificate)?;
    require_revoked(&single, &changed)
}

/// Revoked when and for what the hook did it.
fn require_revoked(single: &Single, changed: &Changed) -> Verdict {
    let Status::Revoked { time, reason } = &single.status else {
        return Err(Stop::Fail(format!("a revoked certificate is {}", single.status)));
    };
    let (begin, end) = changed.between;
    let revoked_at = moment(time, "revocationTime")?;
    require((begin - SKEW..=end + SKEW).contains(&revoked_at), || format!("revocationTime {} is not when it was", time.text))?;
    // RFC 6960 §4.2.1: "revocationReason [0] EXPLICIT CRLReason OPTIONAL".
    require(reason.is_none() || *reason == changed.reason, || {
        format!("revocationReason {reason:?}, where {:?} was given", changed.reason)
    })?;
    Ok(single.status.to_string())
}

pub(super) fn never_issued_is_revoked(session: &mut Session<'_>) -> Verdict {
    let responder = session.unissued_revoked()?;
    let id = CertId::new(SHA1, &responder.issuer, &unissued_serial()?);
    let response = session.send(&responder.url, post_to(&responder.url, &Ask::about(&id).encode()))?;
    let reply: Reply = session.read_from(&responder, &response)?;
    let basic = require_basic(reply)?;
    let single = basic.about(&id.encode()).ok_or_else(|| Stop::fail("no answer has the CertID"))?;
    let Status::Revoked { time, reason } = &single.status else {
        return Err(Stop::Fail(format!("a serial number never issued is {}", single.status)));
    };
    // RFC 6960 §2.2: "MUST specify the revocation reason certificateHold (6)", "MUST specify the revocationTime January 1, 1970", and "MUST
    // NOT include a CRL references extension (Section 4.4.2) or any CRL entry extensions (Section 4.4.5)."
    require(*reason == Some(CERTIFICATE_HOLD), || format!("revocationReason {reason:?}, not certificateHold"))?;
    require(time.text == NEVER_ISSUED, || format!("revocationTime {}, not {NEVER_ISSUED}", time.text))?;
    let strange = single.extensions.iter().map(|extension| extension.oid).find(|oid| {
        *oid == extension::CRL_REFERENCES
            || *oid == extension::EXTENDED_REVOKE
            || CRL_ENTRY_EXTENSIONS.contains(&oid.to_string().as_str())
    });
    require(strange.is_none(), || format!("singleExtensions hold {strange:?}"))?;
    // RFC 6960 §4.4.8: "this extension MUST be placed in responseExtensions"; "The value of the extension SHALL be NULL. This extension
    // MUST NOT be marked critical."
    let extended =
        basic.extension(extension::EXTENDED_REVOKE).ok_or_else(|| Stop::fail("id-pkix-ocsp-extended-revoke is not there"))?;
    require(!extended.critical && extended.value == [5, 0], || "id-pkix-ocsp-extended-revoke is critical or not NULL".into())?;
    Ok(format!("{}, id-pkix-ocsp-extended-revoke", single.status))
}

/// What GET and POST say of a certificate.
fn both(session: &mut Session<'_>, certificate: &Certificate) -> Result<[Single; 2], Stop> {
    let posted = session.status(certificate)?;
    let ask = Ask::about(&CertId::new(SHA1, &session.responder().issuer, &certificate.serial));
    let response = session.get(&ask.path())?;
    let reply = session.read(&response)?;
    Outcome::of(&reply, &ask)?;
    let basic = require_basic(reply)?;
    let got = basic.singles.into_iter().find(|single| single.id == posted.id);
    Ok([posted, got.ok_or_else(|| Stop::fail("GET: no answer has the CertID"))?])
}

/// Asks until both ways of asking say what is wanted, for as long as answers may be late. Gives how long that took, in seconds.
fn until(session: &mut Session<'_>, changed: &Changed, is_wanted: fn(&Status) -> bool) -> Result<([Single; 2], i64), Stop> {
    let (_, since) = changed.between;
    loop {
        let answers = both(session, &changed.certificate)?;
        let waited = session.now() - since;
        if answers.iter().all(|single| is_wanted(&single.status)) {
            return Ok((answers, waited));
        }
        if waited > i64::try_from(session.delay()).unwrap_or(i64::MAX) || session.delay() == 0 {
            let [posted, got] = answers;
            return Err(Stop::Fail(format!("{waited} s later: {} by POST, {} by GET", posted.status, got.status)));
        }
        session.wait(1);
    }
}

fn require_good(session: &mut Session<'_>, certificate: &Certificate) -> Result<(), Stop> {
    let answers = both(session, certificate)?;
    let other = answers.iter().find(|single| single.status != Status::Good);
    require(other.is_none(), || {
        format!("before: {}, not good", other.map(|single| single.status.to_string()).unwrap_or_default())
    })
}

pub(super) fn revocation_is_told_soon(session: &mut Session<'_>) -> Verdict {
    session.require_hook(Hook::Revoke)?;
    let certificate = session.enroll()?;
    require_good(session, &certificate)?;
    let changed = session.revoke(&certificate, SUPERSEDED)?;
    let (answers, waited) = until(session, &changed, |status| matches!(status, Status::Revoked { .. }))?;
    for single in &answers {
        require_revoked(single, &changed)?;
        let Status::Revoked { time, .. } = &single.status else { continue };
        // RFC 6960 §2.4: "thisUpdate The most recent time at which the status being indicated is known by the responder to have been
        // correct."
        let is_later = moment(&single.this_update, "thisUpdate")? >= moment(time, "revocationTime")?;
        require(is_later, || format!("thisUpdate {} is older than the revocation at {}", single.this_update.text, time.text))?;
    }
    Ok(format!("revoked, {waited} s later"))
}

pub(super) fn release_is_told(session: &mut Session<'_>) -> Verdict {
    session.require_hook(Hook::Hold)?;
    session.require_hook(Hook::Release)?;
    let certificate = session.enroll()?;
    require_good(session, &certificate)?;
    let held = session.hold(&certificate)?;
    let (answers, _) = until(session, &held, |status| matches!(status, Status::Revoked { .. }))?;
    for single in &answers {
        let reason = match &single.status {
            Status::Revoked { reason, .. } => *reason,
            _ => None,
        };
        // RFC 5280 §5.3.1: certificateHold (6), which alone may end.
        require(reason == Some(CERTIFICATE_HOLD), || format!("held: {}, not for reason 6", single.status))?;
        require_revoked(single, &held)?;
    }
    let released = session.release(&certificate)?;
    until(session, &released, |status| *status == Status::Good).map_err(|stop| stop.about("released"))?;
    Ok("held: revoked for reason 6; released: good".into())
}
