//! Extensions of requests, names of requestors and signatures of theirs (RFC 6960 §4.1).

use super::{
    outcome::Outcome,
    reply::{ID_BASIC, Reply, Status, status},
    request::{Ask, extension},
    session::Session,
};
use crate::{
    asn1::{Element, tag},
    certificate::{Certificate, Extension},
    csr::{attribute, encode_name},
    forge::Draft,
    key::Key,
    verdict::{Verdict, require},
};

/// A value that any extension may have.
const NULL: [u8; 2] = [tag::NULL, 0];

pub(super) fn unknown_ones_are_minded(session: &mut Session<'_>) -> Verdict {
    let id = session.good_id()?;
    let ask = |critical| Ask::about(&id).with_extension(extension::UNKNOWN, critical, &NULL);
    // RFC 6960 §4.1.2: "Unrecognized extensions MUST be ignored (unless they have the critical flag set and are not understood)."
    let ignored = session.outcome(&ask(false))?.require_good("not critical")?;
    let critical = session.outcome(&ask(true)).map_err(|stop| stop.about("critical"))?;
    require(matches!(critical, Outcome::Error(_)), || format!("critical: {critical}, as if nobody had asked for more"))?;
    Ok(format!("{ignored}; critical: {critical}"))
}

pub(super) fn what_may_be_there_does_no_harm(session: &mut Session<'_>) -> Verdict {
    let id = session.good_id()?;
    let issuer = session.responder().issuer.clone();
    let single = |oid, critical, value: Vec<u8>| vec![Extension { oid, critical, value }];
    // "ServiceLocator ::= SEQUENCE { issuer Name, locator AuthorityInfoAccessSyntax }" (RFC 6960 §4.4.6), the locator left empty.
    let locator = Element::sequence(vec![issuer.subject.clone(), Element::sequence(Vec::new())]).encode();
    let name = encode_name(&[(attribute::COMMON_NAME, "requestor".into())]);
    let directory_name = Element::constructed(tag::context(4), vec![name]);
    let mail = Element::primitive(tag::context_primitive(1), b"requestor@conformance.example");
    let mut found = Vec::new();
    for (what, ask) in [
        ("singleRequestExtensions", Ask::default().and_with(&id, single(extension::UNKNOWN, false, NULL.to_vec()))),
        ("serviceLocator", Ask::default().and_with(&id, single(extension::SERVICE_LOCATOR, false, locator))),
        // RFC 5019 §2.1.2: "OCSP servers MUST be prepared to receive unsigned OCSP requests that contain the requestorName field".
        ("requestorName, a directoryName", Ask::about(&id).with_requestor(&directory_name)),
        ("requestorName, an rfc822Name", Ask::about(&id).with_requestor(&mail)),
        ("version v1 written out", Ask::about(&id).of_version(0)),
    ] {
        let outcome = session.outcome(&ask).map_err(|stop| stop.about(what))?;
        // X.690 §11.5 forbids writing out a version that is the default; clients do.
        let may_be_refused = what.starts_with("version") && outcome == Outcome::Error(status::MALFORMED_REQUEST);
        found.push(if may_be_refused { format!("{what}: {outcome}") } else { outcome.require_good(what)? });
    }
    let critical = Ask::default().and_with(&id, single(extension::UNKNOWN, true, NULL.to_vec()));
    let outcome = session.outcome(&critical).map_err(|stop| stop.about("a critical singleRequestExtension"))?;
    require(!outcome.is_good(), || "a critical singleRequestExtension that nobody knows: good".into())?;
    found.push(format!("critical: {outcome}"));
    Ok(found.join("; "))
}

pub(super) fn signatures_do_no_harm(session: &mut Session<'_>) -> Verdict {
    let id = session.good_id()?;
    let name = encode_name(&[(attribute::COMMON_NAME, "requestor".into())]);
    let key = Key::p256();
    let certificate = Certificate::parse(&Draft::new(&name)?.sign(&key, &key, session.now())?)?;
    let ask = Ask::about(&id).with_requestor(&Element::constructed(tag::context(4), vec![name]));
    let mut found = Vec::new();
    for (what, is_right) in [("signed", true), ("signed wrongly", false)] {
        let reply = session.offer(&ask.sign(&key, &certificate, is_right)?).map_err(|stop| stop.about(what))?;
        let outcome = Outcome::of(&reply, &ask)?;
        // RFC 6960 §4.1.2: "The requestor MAY choose to sign the OCSP request." RFC 5019 §2.1.2: "Responders MAY ignore the signature on
        // OCSPRequests."
        let is_refused = matches!(outcome, Outcome::Error(status::UNAUTHORIZED | status::MALFORMED_REQUEST));
        require(is_refused || outcome.is_good(), || format!("{what}: {outcome}"))?;
        found.push(format!("{what}: {outcome}"));
    }
    found.push(session.outcome(&Ask::about(&id))?.require_good("unsigned")?);
    Ok(found.join("; "))
}

pub(super) fn minds_acceptable_types(session: &mut Session<'_>) -> Verdict {
    let id = session.good_id()?;
    let other = Element::object_identifier(extension::UNKNOWN);
    let basic = Element::object_identifier(ID_BASIC);
    let ask = |types: Vec<Element>| {
        let value = Element::sequence(types).encode();
        Ask::about(&id).with_extension(extension::ACCEPTABLE_RESPONSES, false, &value)
    };
    let both = session.outcome(&ask(vec![other.clone(), basic]))?.require_good("basic among them")?;
    // RFC 6960 §4.4.3: "OCSP responders SHALL be capable of responding with responses of the id-pkix-ocsp-basic response type"; what is
    // read here is of no other.
    let reply = session.offer(&ask(vec![other]).encode()).map_err(|stop| stop.about("without basic"))?;
    let how = match reply {
        Reply::Error(number) => format!("responseStatus {number}"),
        Reply::Basic(answer) => {
            require(answer.singles.iter().all(|single| single.status == Status::Good), || "without basic: not good".into())?;
            "basic all the same".to_owned()
        }
    };
    Ok(format!("{both}; without basic: {how}"))
}
