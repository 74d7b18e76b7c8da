//! Enrollment that waits for a person (RFC 7030 §4.2.3).

use std::time::Duration;

use base64ct::{Base64, Encoding};
use jiff::fmt::strtime;
use sha2::{Digest, Sha256};

use super::{
    linking,
    steps::{excerpt, issued, require_refusal},
};
use crate::{
    certificate::{Certificate, hex},
    csr::Wish,
    endpoint::Endpoint,
    hook::Hook,
    http::{Connection, Response},
    key::Key,
    parts::Parts,
    session::{Check, Session},
    verdict::{Stop, Verdict, require},
};

/// How long the suite waits for an answer after a decision.
const DECIDED: Duration = Duration::from_secs(30);
/// The longest pause between two requests: Retry-After may be for people who take their time.
const PAUSE: Duration = Duration::from_secs(2);
/// How often a certificate is fetched again.
const AGAIN: usize = 3;

pub(super) fn puts_off(session: &mut Session<'_>) -> Verdict {
    let mut applicant = Applicant::new(session)?;
    let response = applicant.ask(session)?;
    let when = require_pending(&response)?;
    Ok(format!("202, Retry-After: {when}"))
}

pub(super) fn remembers(session: &mut Session<'_>) -> Verdict {
    manual_url(session)?;
    let mut parts = Parts::default();
    let each: [(&str, Check); 4] = [
        ("pending", stays_pending),
        ("approved", gives_one_certificate),
        ("denied", tells_of_the_denial),
        ("approved, a CSR bound to each channel", knows_a_bound_csr_again),
    ];
    for (what, part) in each {
        let verdict = part(session);
        parts.add(what, verdict)?;
    }
    parts.verdict()
}

/// One who asks again and again for one certificate.
struct Applicant {
    endpoint: Endpoint,
    key: Key,
    /// The CSR that was sent first, and is sent each time unless it binds.
    first: Vec<u8>,
    binds: bool,
}

impl Applicant {
    fn new(session: &mut Session<'_>) -> Result<Self, Stop> {
        let url = manual_url(session)?;
        let endpoint = session.endpoint_at(url)?;
        let key = session.new_device_key()?;
        let first = wish(&endpoint).sign(&key)?;
        Ok(Self { endpoint, key, first, binds: false })
    }

    /// Asks, over a new connection. RFC 7030 §4.2.3: "it simply sends the same request repeatedly until it receives a different
    /// response code."
    fn ask(&mut self, session: &mut Session<'_>) -> Result<Response, Stop> {
        if !self.binds {
            return Ok(session.exchange(&self.endpoint.with_password("simpleenroll", &self.first))?);
        }
        // RFC 7030 §4.2.3: "then the CSR will need to be recreated to incorporate the tls-unique from the new, redirected session. Note:
        // the key pair need not be regenerated."
        let (_, binding) = linking::open(session, &self.endpoint)?;
        let csr = wish(&self.endpoint).with_challenge(&Base64::encode_string(&binding)).sign(&self.key)?;
        let request = self.endpoint.with_password("simpleenroll", &csr).on(Connection::Opened);
        let response = session.exchange(&request)?;
        if self.first.is_empty() {
            self.first = csr;
        }
        Ok(response)
    }

    /// Asks for the first time, and is put off.
    fn apply(&mut self, session: &mut Session<'_>) -> Result<(), Stop> {
        let response = self.ask(session)?;
        require_pending(&response).map(|_| ())
    }

    /// Asks again, and is put off again.
    fn apply_again(&mut self, session: &mut Session<'_>) -> Result<(), Stop> {
        session.wait(Duration::from_secs(1));
        let response = self.ask(session)?;
        require_pending(&response).map(|_| ()).map_err(|stop| stop.about("asked again"))
    }

    /// Has the CSR that was sent first decided upon.
    fn decide(&self, session: &mut Session<'_>, hook: Hook) -> Result<(), Stop> {
        let digest = hex(&Sha256::digest(&self.first));
        session.run_hook(hook, &[("csr_sha256", &digest)], &[]).map(|_| ())
    }

    /// Asks until there is another answer than 202.
    fn await_answer(&mut self, session: &mut Session<'_>) -> Result<Response, Stop> {
        let mut waited = Duration::ZERO;
        loop {
            let response = self.ask(session)?;
            if response.status != 202 {
                return Ok(response);
            }
            require(waited < DECIDED, || format!("still 202 after {} s", DECIDED.as_secs()))?;
            session.wait(PAUSE);
            waited += PAUSE;
        }
    }

    /// Asks until there is a certificate, and then some times more: it is always the same.
    fn await_certificate(&mut self, session: &mut Session<'_>) -> Result<Certificate, Stop> {
        let certificate = issued(&self.await_answer(session)?, &self.key)?;
        for _ in 0..AGAIN {
            let response = self.ask(session)?;
            let again = issued(&response, &self.key).map_err(|stop| stop.about("asked again afterwards"))?;
            require(again.der == certificate.der, || {
                format!("two certificates for one request: {} and {}", certificate.serial_hex(), again.serial_hex())
            })?;
        }
        Ok(certificate)
    }
}

fn manual_url<'t>(session: &Session<'t>) -> Result<&'t str, Stop> {
    session.target().manual_url.as_deref().ok_or_else(|| Stop::Skip("the target has no manual_url".into()))
}

fn wish(endpoint: &Endpoint) -> Wish {
    Wish::common_name(&endpoint.user).with_dns_names(&[&endpoint.user])
}

fn stays_pending(session: &mut Session<'_>) -> Verdict {
    let mut applicant = Applicant::new(session)?;
    applicant.apply(session)?;
    applicant.apply_again(session)?;
    Ok("202 again".into())
}

fn gives_one_certificate(session: &mut Session<'_>) -> Verdict {
    let mut applicant = Applicant::new(session)?;
    applicant.apply(session)?;
    applicant.apply_again(session)?;
    applicant.decide(session, Hook::Approve)?;
    let certificate = applicant.await_certificate(session)?;
    Ok(format!("200, {} each time", certificate.serial_hex()))
}

fn tells_of_the_denial(session: &mut Session<'_>) -> Verdict {
    let mut applicant = Applicant::new(session)?;
    applicant.apply(session)?;
    applicant.decide(session, Hook::Deny)?;
    let response = applicant.await_answer(session)?;
    require_refusal(&response, "asked again")?;
    Ok(response.status.to_string())
}

/// What binds to a channel differs each time, yet asks for the same: the CertificationRequestInfo without challengePassword tells.
fn knows_a_bound_csr_again(session: &mut Session<'_>) -> Verdict {
    let mut applicant = Applicant { binds: true, first: Vec::new(), ..Applicant::new(session)? };
    let (version, _) = linking::open(session, &applicant.endpoint)?;
    applicant.apply(session)?;
    applicant.apply_again(session)?;
    applicant.decide(session, Hook::Approve)?;
    let certificate = applicant.await_certificate(session)?;
    Ok(format!("200 over {version}, {} each time", certificate.serial_hex()))
}

/// Whether an answer puts off; gives its Retry-After.
fn require_pending(response: &Response) -> Result<String, Stop> {
    require(response.status == 202, || format!("{}, not 202: {}", response.status, excerpt(response)))?;
    // RFC 7030 §4.2.3: "The server MUST include a Retry-After header as defined for HTTP 503 responses."
    let when = response.field("retry-after").ok_or_else(|| Stop::fail("202 without Retry-After"))?;
    require(is_retry_after(when), || format!("Retry-After: {when}"))?;
    // RFC 7030 §4.2.3: "The server also MAY include informative human-readable content."
    let media_type = response.media_type();
    let is_text = match media_type.as_deref() {
        None | Some("text/plain") => std::str::from_utf8(&response.content).is_ok(),
        Some(_) => response.content.is_empty(),
    };
    require(is_text, || format!("202 with content of type {media_type:?}"))?;
    Ok(when.to_owned())
}

/// RFC 9110 §10.2.3: "Retry-After = HTTP-date / delay-seconds"; a delay of 0 would be no delay.
fn is_retry_after(value: &str) -> bool {
    let is_delay = value.bytes().all(|octet| octet.is_ascii_digit()) && value.parse::<u64>().is_ok_and(|seconds| seconds >= 1);
    is_delay || strtime::parse("%a, %d %b %Y %H:%M:%S GMT", value).is_ok_and(|date| date.to_datetime().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for good in ["1", "120", "Fri, 31 Dec 1999 23:59:59 GMT"] {
            assert!(is_retry_after(good), "{good}");
        }
        for bad in ["", "0", "-1", "1.5", "soon", "Fri, 31 Dec 1999 23:59:59 +0000", "Fri, 32 Dec 1999 23:59:59 GMT"] {
            assert!(!is_retry_after(bad), "{bad}");
        }
    }

    #[test]
    fn an_answer_that_puts_off_says_until_when() {
        let pending = |fields: &[(&str, &str)], content: &str| Response {
            status: 202,
            fields: fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            content: content.into(),
            ..Response::default()
        };
        require_pending(&pending(&[("Retry-After", "5")], "")).expect("good");
        require_pending(&pending(&[("retry-after", "5"), ("Content-Type", "text/plain")], "later, please")).expect("good");
        require_pending(&pending(&[], "")).expect_err("no Retry-After");
        require_pending(&pending(&[("Retry-After", "5"), ("Content-Type", "application/json")], "{}")).expect_err("JSON");
    }
}
