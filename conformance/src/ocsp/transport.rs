//! OCSP over HTTP (RFC 6960 Appendix A, RFC 9919 §6): how a request may come, and how it may not.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};

use super::{
    outcome::Outcome,
    reply::{Reply, status},
    request::{Ask, CertId, SHA256, escape},
    session::{REQUEST_TYPE, Session, post_to, require_basic, unissued_serial},
};
use crate::{
    clause::Reading,
    http::{Request, Response},
    target::Scheme,
    transport::Failure,
    verdict::{Stop, Verdict, require},
};

/// More octets than any request has.
const HUGE_BODY: usize = 1024 * 1024;
/// More certificates than anybody asks about at once.
const MANY: usize = 10_000;
/// How many serial numbers are tried for a request whose base64 has all that is special in a path.
const TRIES: usize = 10_000;

pub(super) fn is_posted(session: &mut Session<'_>) -> Verdict {
    let ask = Ask::about(&session.good_id()?);
    let response = session.post(&ask.encode())?;
    let reply = session.read(&response)?;
    Outcome::of(&reply, &ask)?.require_good("a good certificate")?;
    // RFC 6960 Appendix A.2: "The Content-Length header SHOULD specify the length of the response."
    let length = response.field("content-length").ok_or_else(|| Stop::fail("the answer has no Content-Length"))?;
    require(length == response.content.len().to_string(), || {
        format!("Content-Length {length} before {} octets", response.content.len())
    })?;
    Ok(format!("200, {length} octets, good"))
}

/// The ways that a request in base64 is written into a path, by what a client or a proxy makes of it.
fn wordings(base64: &str) -> [(&'static str, String); 4] {
    [
        ("escaped", escape(base64)),
        ("escaped in lower case", escape(base64).replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d")),
        ("not escaped", base64.to_owned()),
        ("behind a doubled slash", format!("/{}", escape(base64))),
    ]
}

pub(super) fn get_is_as_post(session: &mut Session<'_>) -> Verdict {
    let good = Ask::about(&session.good_id()?);
    let unknown = slashed(session)?;
    for (what, ask) in [("a good certificate", &good), ("a serial number never issued, // in its base64", &unknown)] {
        let posted = session.outcome(ask).map_err(|stop| stop.about(what))?;
        for (wording, path) in wordings(&Base64::encode_string(&ask.encode())) {
            let named = |stop: Stop| stop.about(&format!("GET about {what}, {wording}"));
            let response = session.get(&path)?;
            let reply = session.read(&response).map_err(named)?;
            let got = Outcome::of(&reply, ask).map_err(named)?;
            require(got == posted, || format!("GET about {what}, {wording}: {got}, by POST {posted}"))?;
        }
    }
    Ok("four wordings of two requests are answered as POST is".into())
}

/// A request about a certificate that does not exist, whose base64 has `//`, `+` and `=` in it.
fn slashed(session: &Session<'_>) -> Result<Ask, Stop> {
    for length in (13..=16).cycle().take(TRIES) {
        let mut serial = unissued_serial()?;
        // Four octets of ones hold two sextets of ones, wherever sextets begin.
        if let Some(ones) = serial.get_mut(4..8) {
            ones.fill(0xff);
        }
        serial.truncate(length);
        let ask = Ask::about(&CertId::new(SHA256, &session.responder().issuer, &serial));
        let base64 = Base64::encode_string(&ask.encode());
        if base64.contains("//") && base64.contains('+') && base64.contains('=') {
            return Ok(ask);
        }
    }
    Err(Stop::fail("in the suite: no serial number makes // in base64"))
}

pub(super) fn refuses_other_wordings(session: &mut Session<'_>) -> Verdict {
    let ask = Ask::about(&session.good_id()?);
    let mut found = vec![refuses_other_types(session, &ask)?];
    let put = Request { method: "PUT".into(), ..post_to(&session.responder().url, &ask.encode()) };
    let response = session.exchange(put)?;
    require(response.status == 405, || format!("PUT: {}, not 405", response.status))?;
    // RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
    let allowed = response.field("allow").unwrap_or_default();
    require(allowed.contains("POST"), || format!("PUT: 405 with Allow: {allowed:?}"))?;
    found.push("PUT: 405".into());

    let path = session.responder().url.path.clone();
    for target in [format!("{path}/"), path].into_iter().filter(|target| !target.is_empty()) {
        let response = session.exchange(Request::new("GET", &target).called("ocsp"))?;
        require(response.is_client_error(), || format!("GET without a request: {}, not 4xx", response.status))?;
    }
    found.push("GET without a request: 4xx".into());
    found.push(reads_other_base64(session)?);
    Ok(found.join("; "))
}

/// RFC 6960 Appendix A.1: "An OCSP request using the POST method is constructed as follows: the Content-Type header has the value
/// "application/ocsp-request"".
fn refuses_other_types(session: &mut Session<'_>, ask: &Ask) -> Verdict {
    for media_type in ["text/plain", "application/x-www-form-urlencoded"] {
        let mut request = post_to(&session.responder().url, &ask.encode());
        request.fields = vec![("Content-Type".into(), media_type.into())];
        let response = session.exchange(request)?;
        let is_refused = response.is_client_error() || is_malformed(session, &response)?;
        require(is_refused, || format!("POST of {media_type}: {}, neither 4xx nor malformedRequest", response.status))?;
    }
    Ok(format!("POST of other types than {REQUEST_TYPE} refused"))
}

/// The alphabet of URLs (RFC 4648 §5), which RFC 6960 Appendix A.1 does not mean, and no padding.
fn reads_other_base64(session: &mut Session<'_>) -> Verdict {
    let ask = slashed(session)?;
    let posted = session.outcome(&ask)?;
    let response = session.get(&Base64UrlUnpadded::encode_string(&ask.encode()))?;
    if session.est.reading == Reading::Strict {
        let is_refused = response.is_client_error() || is_malformed(session, &response)?;
        require(is_refused, || format!("base64url: {}, neither 4xx nor malformedRequest", response.status))?;
        return Ok("base64url refused".into());
    }
    let reply = session.read(&response).map_err(|stop| stop.about("base64url"))?;
    let got = Outcome::of(&reply, &ask).map_err(|stop| stop.about("base64url"))?;
    require(got == posted, || format!("base64url: {got}, by POST {posted}"))?;
    Ok("base64url taken".into())
}

fn is_malformed(session: &mut Session<'_>, response: &Response) -> Result<bool, Stop> {
    Ok(matches!(session.read(response)?, Reply::Error(status::MALFORMED_REQUEST)))
}

pub(super) fn is_bounded(session: &mut Session<'_>) -> Verdict {
    let id = session.unknown_id()?;
    let many = (0..MANY).fold(Ask::default(), |ask, number| {
        let mut serial = id.serial.clone();
        serial.splice(1..3, [u8::try_from(number / 256).unwrap_or(0), u8::try_from(number % 256).unwrap_or(0)]);
        ask.and(&CertId { serial, ..id.clone() })
    });
    let mut found = Vec::new();
    for (what, octets) in [("1 MiB of no request", vec![b'A'; HUGE_BODY]), ("10 000 CertIDs", many.encode())] {
        let how = match session.post(&octets) {
            // RFC 9110 §15.5.14: "The server MAY terminate the request".
            Err(Failure::Closed) => "closed".to_owned(),
            Err(other) => return Err(Stop::from(other).about(what)),
            Ok(response) if response.is_client_error() => response.status.to_string(),
            Ok(response) => {
                let is_malformed = is_malformed(session, &response).map_err(|stop| stop.about(what))?;
                require(is_malformed, || format!("{what}: answered, neither 413 nor malformedRequest"))?;
                "malformedRequest".to_owned()
            }
        };
        found.push(format!("{what}: {how}"));
    }
    Ok(found.join("; "))
}

pub(super) fn asks_for_nothing(session: &mut Session<'_>) -> Verdict {
    let url = &session.responder().url;
    require(url.scheme == Scheme::Http, || format!("{url} is no http URL"))?;
    let ask = Ask::about(&session.good_id()?);
    for (what, response) in [("POST", session.post(&ask.encode())?), ("GET", session.get(&ask.path())?)] {
        require(!matches!(response.status, 401 | 403), || format!("{what} without credentials: {}", response.status))?;
        require(response.field("www-authenticate").is_none(), || format!("{what}: WWW-Authenticate"))?;
        let reply = session.read(&response).map_err(|stop| stop.about(what))?;
        require_basic(reply).map_err(|stop| stop.about(what))?;
    }
    Ok("POST and GET over plain HTTP, without credentials".into())
}
