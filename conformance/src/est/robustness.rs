//! Bounds and endurance: what a server does with a body too large or too slow, and with a connection that is kept.

use std::time::Duration;

use super::{
    cacerts,
    steps::{issued, valid_csr},
};
use crate::{
    http::{Connection, Delivery, Request, encode_body},
    session::Session,
    transport::Failure,
    verdict::{Stop, Verdict, require},
};

/// Larger than any request of this protocol.
const HUGE_BODY: usize = 10 * 1024 * 1024;
/// Requests on one connection.
const KEPT_REQUESTS: u32 = 100;

pub(super) fn bounds_and_endures(session: &mut Session<'_>) -> Verdict {
    keeps_a_connection(session)?;
    continues(session)?;
    bounds_the_size(session)?;
    session.assert_alive()?;
    let slow = bounds_the_time(session)?;
    Ok(format!("413 for 10 MiB; {slow}; {KEPT_REQUESTS} requests on one connection; 100-continue"))
}

fn bounds_the_size(session: &mut Session<'_>) -> Result<(), Stop> {
    // RFC 9110 §15.5.14: "the server is refusing to process a request because the request content is larger than the server is willing
    // or able to process. The server MAY terminate the request".
    let request = session.enrollment(&vec![b'A'; HUGE_BODY])?;
    let response = session.exchange(&request).map_err(|failure| Stop::Fail(format!("10 MiB: {failure}")))?;
    require(matches!(response.status, 413 | 400), || format!("10 MiB: {}, not 413", response.status))
}

fn bounds_the_time(session: &mut Session<'_>) -> Verdict {
    let (_, csr) = valid_csr(session)?;
    let limit = Duration::from_secs(session.target().slow_body_seconds);
    let slow = Delivery::Trickle { pause: Duration::from_secs(1), limit };
    let request = session.enrollment(&encode_body(&csr))?.delivered(slow);
    match session.exchange(&request) {
        // RFC 9110 §15.5.9: "the server did not receive a complete request message within the time that it was prepared to wait."
        Ok(response) if response.status == 408 => Ok("408 for a slow body".into()),
        Ok(response) => Err(Stop::Fail(format!("a slow body: {}", response.status))),
        Err(Failure::Closed) => Ok("closed on a slow body".into()),
        Err(Failure::Silent) => {
            Err(Stop::Fail(format!("a body of an octet a second is still awaited after {} s", limit.as_secs())))
        }
        Err(other) => Err(Stop::Fail(format!("a slow body: {other}"))),
    }
}

fn keeps_a_connection(session: &mut Session<'_>) -> Result<(), Stop> {
    // RFC 9112 §9.3: "HTTP/1.1 defaults to the use of "persistent connections"".
    let first = cacerts::fetch(session)?.content;
    let request = Request::new("GET", &session.path("cacerts")).on(Connection::Kept);
    let mut reused = 0_u32;
    for number in 1..=KEPT_REQUESTS {
        let response = session
            .exchange(&request)
            .map_err(|failure| Stop::Fail(format!("request {number} of {KEPT_REQUESTS}: {failure}")))?;
        require(response.status == 200 && response.content == first, || {
            format!("request {number} of {KEPT_REQUESTS}: another answer than the first")
        })?;
        reused += u32::from(response.reused);
    }
    // The first may find a connection that an earlier check has kept.
    require(reused >= KEPT_REQUESTS - 1, || {
        format!("{} of {KEPT_REQUESTS} requests needed a new connection", KEPT_REQUESTS - reused)
    })
}

fn continues(session: &mut Session<'_>) -> Result<(), Stop> {
    // RFC 9110 §10.1.1: a server "MUST send either … an immediate response … or … an immediate 100 (Continue) response".
    let (key, csr) = valid_csr(session)?;
    let request = session.enrollment(&encode_body(&csr))?.delivered(Delivery::AfterContinue);
    let response = session.exchange(&request).map_err(|failure| Stop::Fail(format!("Expect: 100-continue: {failure}")))?;
    issued(&response, &key)?;
    require(response.interim.contains(&100), || "Expect: 100-continue: no interim answer".into())
}
