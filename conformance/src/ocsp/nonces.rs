//! Nonces (RFC 6960 §4.4.1, RFC 9654): what length is taken, and what comes back.

use super::{
    reply::{Basic, Reply, Status, status},
    request::{Ask, extension},
    session::Session,
};
use crate::{
    asn1::{Element, tag},
    verdict::{Stop, Verdict, require},
};

/// What RFC 9654 §2.1 has clients send at least, in octets.
const USUAL: usize = 32;

fn octets(length: usize) -> Result<Vec<u8>, Stop> {
    let mut nonce = Vec::new();
    while nonce.len() < length {
        nonce.extend(crate::key::random::<32>()?);
    }
    nonce.truncate(length);
    Ok(nonce)
}

/// A nonce as it stands in `extnValue`.
fn wrapped(nonce: &[u8]) -> Vec<u8> {
    Element::primitive(tag::OCTET_STRING, nonce).encode()
}

/// Whether the nonce is in the answer: octet for octet, or not at all.
fn is_echoed(basic: &Basic, nonce: &[u8]) -> Result<bool, Stop> {
    let found: Vec<_> = basic.extensions.iter().filter(|extension| extension.oid == extension::NONCE).collect();
    match found.as_slice() {
        [] => Ok(false),
        [one] => {
            require(one.value == wrapped(nonce), || "the nonce in the answer is another than that in the request".into())?;
            Ok(true)
        }
        several => Err(Stop::Fail(format!("{} nonces in the answer", several.len()))),
    }
}

/// Asks with a nonce of each length, which has to be answered. Says which were echoed.
fn are_answered(session: &mut Session<'_>, lengths: &[usize]) -> Verdict {
    let id = session.good_id()?;
    let mut echoed = Vec::new();
    for length in lengths {
        let nonce = octets(*length)?;
        let named = |stop: Stop| stop.about(&format!("a nonce of {length} octets"));
        let basic = session.ask(&Ask::about(&id).with_nonce(&nonce)).map_err(named)?;
        let status = basic.about(&id.encode()).map(|single| single.status.clone());
        require(status == Some(Status::Good), || format!("a nonce of {length} octets: {status:?}, not good"))?;
        if is_echoed(&basic, &nonce).map_err(named)? {
            echoed.push(length.to_string());
        }
    }
    Ok(if echoed.is_empty() { "answered without a nonce".into() } else { format!("echoed: {} octets", echoed.join(", ")) })
}

pub(super) fn is_repeated(session: &mut Session<'_>) -> Verdict {
    // Twice the same request, but for the nonce: neither answer may be the other's.
    are_answered(session, &[USUAL, USUAL])
}

pub(super) fn usual_lengths_are_taken(session: &mut Session<'_>) -> Verdict {
    // RFC 9654 §2.1: what responders have to accept; what is shorter or longer they may answer without a nonce.
    are_answered(session, &[16, 17, 24, 31, 32])
}

pub(super) fn other_lengths_are_answered(session: &mut Session<'_>) -> Verdict {
    are_answered(session, &[1, 8, 15, 33, 64, 127, 128])
}

pub(super) fn impossible_lengths_are_refused(session: &mut Session<'_>) -> Verdict {
    let id = session.good_id()?;
    for length in [0, 129, 1000] {
        let reply = session.offer(&Ask::about(&id).with_nonce(&octets(length)?).encode())?;
        // RFC 9654 §2.1: such a request has to be rejected, as malformedRequest.
        let is_malformed = matches!(reply, Reply::Error(status::MALFORMED_REQUEST));
        require(is_malformed, || format!("a nonce of {length} octets: {reply}, not malformedRequest"))?;
    }
    Ok("malformedRequest for 0, 129 and 1000 octets".into())
}

pub(super) fn bad_nonces_do_no_harm(session: &mut Session<'_>) -> Verdict {
    let id = session.good_id()?;
    let [first, second] = [octets(USUAL)?, octets(USUAL)?];
    let bare = |value: &[u8]| Ask::about(&id).with_extension(extension::NONCE, false, value);
    let cases = [
        ("octets that are no DER", bare(&[0xff; USUAL]), None),
        ("an INTEGER", bare(&[0x02, 0x01, 0x05]), None),
        ("an OCTET STRING that is cut off", bare(&[0x04, 0x20, 0x01]), None),
        ("two nonces", Ask::about(&id).with_nonce(&first).with_nonce(&second), Some([&first, &second])),
    ];
    let mut found = Vec::new();
    for (what, ask, known) in cases {
        let reply = session.offer(&ask.encode()).map_err(|stop| stop.about(what))?;
        match &reply {
            Reply::Error(status::MALFORMED_REQUEST) => found.push(format!("{what}: malformedRequest")),
            Reply::Error(number) => return Err(Stop::Fail(format!("{what}: responseStatus {number}"))),
            Reply::Basic(basic) => {
                let nonces: Vec<_> = basic.extensions.iter().filter(|extension| extension.oid == extension::NONCE).collect();
                let is_one_of_them = known.is_some_and(|known| {
                    nonces.len() == 1 && known.iter().any(|nonce| nonces.iter().all(|found| found.value == wrapped(nonce)))
                });
                require(nonces.is_empty() || is_one_of_them, || format!("{what}: echoed"))?;
                found.push(format!("{what}: ignored"));
            }
        }
    }
    Ok(found.join("; "))
}

pub(super) fn none_is_made_up(session: &mut Session<'_>) -> Verdict {
    let (basic, _) = session.ask_good()?;
    require(basic.extension(extension::NONCE).is_none(), || "a nonce that nobody sent".into())?;
    Ok("no nonce".into())
}
