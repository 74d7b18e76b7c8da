//! The form of answers and of errors (RFC 6960 §2.3, §4.2.1), and their times (§2.4, §2.5).

use super::{
    reply::{Reply, status},
    request::{Ask, CertId, SHA1},
    session::Session,
};
use crate::{
    asn1::{Element, tag},
    certificate::Time,
    verdict::{Stop, Verdict, require},
};

/// Seconds that clocks may differ by.
pub(super) const SKEW: i64 = 5;

pub(super) fn is_basic(session: &mut Session<'_>) -> Verdict {
    // Whatever else responseType is, is not read as an answer.
    session.ask_good()?;
    let unknown = Ask::about(&session.unknown_id()?);
    session.offer(&unknown.encode())?;
    Ok("id-pkix-ocsp-basic".into())
}

pub(super) fn has_its_fields(session: &mut Session<'_>) -> Verdict {
    let (basic, _) = session.ask_good()?;
    // X.690 §11.5: a component equal to its default value is not encoded; RFC 6960 §4.2.2.3: "the version of the response syntax, which
    // MUST be v1".
    require(basic.version.is_none(), || "version is written out, v1 or another".into())?;
    moment(&basic.produced_at, "producedAt")?;
    let how = if basic.responder.tag == tag::context(2) { "byKey" } else { "byName" };
    Ok(format!("v1, {how}, producedAt {}", basic.produced_at.text))
}

/// Seconds since 1970.
pub(super) fn moment(time: &Time, what: &str) -> Result<i64, Stop> {
    time.unix().ok_or_else(|| Stop::Fail(format!("{what}: {} is no moment", time.text)))
}

pub(super) fn is_current(session: &mut Session<'_>) -> Verdict {
    let (_, single) = session.ask_good()?;
    let now = session.now();
    let this = moment(&single.this_update, "thisUpdate")?;
    // RFC 5019 §2.2.4: "thisUpdate … The time at which the status being indicated is known to be correct"; "nextUpdate … Responders MUST
    // always include this value".
    require(this <= now + SKEW, || format!("thisUpdate {} is yet to come", single.this_update.text))?;
    let next = single.next_update.as_ref().ok_or_else(|| Stop::fail("there is no nextUpdate"))?;
    require(moment(next, "nextUpdate")? > now, || format!("nextUpdate {} has passed", next.text))?;
    Ok(format!("from {} to {}", single.this_update.text, next.text))
}

pub(super) fn tells_since_when(session: &mut Session<'_>) -> Verdict {
    let (first, _) = session.ask_good()?;
    let (second, single) = session.ask_good()?;
    let now = session.now();
    let (this, produced) = (moment(&single.this_update, "thisUpdate")?, moment(&second.produced_at, "producedAt")?);
    // RFC 6960 §2.4: "producedAt The time at which the OCSP responder signed this response."
    require(produced <= now + SKEW, || format!("producedAt {} is yet to come", second.produced_at.text))?;
    // RFC 6960 §2.5: "The time at which the status was known to be correct SHALL be reflected in the thisUpdate field of the response."
    require(this <= produced + SKEW, || {
        format!("thisUpdate {} is later than producedAt {}", single.this_update.text, second.produced_at.text)
    })?;
    if let Some(next) = &single.next_update {
        require(this < moment(next, "nextUpdate")?, || format!("nextUpdate {} is not after thisUpdate", next.text))?;
    }
    let is_kept = first.tbs == second.tbs;
    Ok(format!("{}; thisUpdate {} s before now", if is_kept { "pre-produced" } else { "made for each request" }, now - this))
}

/// Requests that are none, each with what is wrong with it.
fn malformed(session: &mut Session<'_>) -> Result<Vec<(&'static str, Vec<u8>)>, Stop> {
    let ask = Ask::about(&session.good_id()?);
    let whole = ask.encode();
    let cut = whole.get(..whole.len() - 3).unwrap_or_default().to_vec();
    Ok(vec![
        ("garbage", b"this is no request, whoever reads it".to_vec()),
        ("empty", Vec::new()),
        ("truncated", cut),
        ("octets behind the end", [whole.as_slice(), &[0, 0]].concat()),
        ("version 2", ask.of_version(1).encode()),
    ])
}

pub(super) fn knows_no_request(session: &mut Session<'_>) -> Verdict {
    let mut found = Vec::new();
    for (what, octets) in malformed(session)? {
        let reply = session.offer(&octets).map_err(|stop| stop.about(what))?;
        // RFC 6960 §2.3: "A server produces the "malformedRequest" response if the request received does not conform to the OCSP syntax."
        let is_malformed = matches!(reply, Reply::Error(status::MALFORMED_REQUEST));
        require(is_malformed, || format!("{what}: {reply}, not malformedRequest"))?;
        found.push(what);
    }
    Ok(format!("malformedRequest for {}", found.join(", ")))
}

pub(super) fn errors_are_bare(session: &mut Session<'_>) -> Verdict {
    let mut requests = malformed(session)?;
    let id = session.good_id()?;
    let foreign = CertId { name: b"the name of nobody".to_vec(), key: b"the key of nobody".to_vec(), ..id };
    requests.push(("an issuer unknown here", Ask::about(&foreign).encode()));
    let mut numbers = Vec::new();
    for (what, octets) in requests {
        let response = session.post(&octets)?;
        if let Reply::Error(number) = session.read(&response).map_err(|stop| stop.about(what))? {
            // RFC 6960 §4.2.1: malformedRequest, internalError, tryLater, sigRequired and unauthorized; "(4) is not used".
            require(matches!(number, 1 | 2 | 3 | 5 | 6), || format!("{what}: responseStatus {number}"))?;
            let bare = Element::sequence(vec![Element::primitive(tag::ENUMERATED, &[number])]).encode();
            require(response.content == bare, || format!("{what}: more than responseStatus"))?;
            numbers.push(number.to_string());
        }
    }
    require(!numbers.is_empty(), || "no request is answered by an error".into())?;
    numbers.sort();
    numbers.dedup();
    Ok(format!("responseStatus {} alone", numbers.join(" and ")))
}

/// Answers of all kinds, each with what it is to.
pub(super) fn specimens(session: &mut Session<'_>) -> Result<Vec<(&'static str, Vec<u8>)>, Stop> {
    let good = session.good_id()?;
    let unknown = session.unknown_id()?;
    let mut asks = vec![
        ("good", Ask::about(&good)),
        ("good, with a nonce", Ask::about(&good).with_nonce(&[0x55; 32])),
        ("never issued", Ask::about(&unknown)),
        ("two at once", Ask::about(&good).and(&unknown)),
    ];
    match session.revoked() {
        Ok(revoked) => {
            asks.push(("revoked", Ask::about(&CertId::new(SHA1, &session.responder().issuer, &revoked.certificate.serial))));
        }
        Err(Stop::Skip(_)) => {}
        Err(stop) => return Err(stop),
    }
    let mut answers = Vec::new();
    for (what, ask) in asks {
        let response = session.post(&ask.encode())?;
        session.read(&response).map_err(|stop| stop.about(what))?;
        answers.push((what, response.content));
    }
    let response = session.post(b"garbage")?;
    session.read(&response)?;
    answers.push(("an error", response.content));
    Ok(answers)
}
