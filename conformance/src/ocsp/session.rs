//! What a check of OCSP has at hand: the responder, and the EST endpoint that gives the certificates to ask about.

use std::{path::Path, time::Duration};

use anyhow::Context;
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{
    outcome::Outcome,
    reply::{Basic, Reply, Single, Status},
    request::{Ask, CertId, SHA1},
    signer,
    stock::Stock,
};
use crate::{
    certificate::Certificate,
    channel::Dial,
    clause::{Reading, Suite},
    http::{Request, Response},
    key::{KeyKind, random},
    session,
    target::{OcspTarget, Target, Url},
    transport::{Failure, Transport},
    verdict::{Stop, Verdict, require},
};

/// The code behind a clause of OCSP.
pub type Check = fn(&mut Session<'_>) -> Verdict;

/// The media types (RFC 6960 Appendix C).
pub(super) const REQUEST_TYPE: &str = "application/ocsp-request";
const RESPONSE_TYPE: &str = "application/ocsp-response";

/// A responder, and the CA that it speaks for.
#[derive(Clone)]
pub(super) struct Responder {
    pub(super) url: Url,
    pub(super) issuer: Certificate,
}

/// One clause's view of the OCSP responder under test.
pub struct Session<'t> {
    /// The EST endpoint, through which the transport is reached too.
    pub(super) est: session::Session<'t>,
    ocsp: &'t OcspTarget,
    crl: Option<&'t str>,
    responder: Responder,
    /// What was answered by whom, to be verified at the end: a check says first what it is about.
    answers: Vec<(Responder, Basic)>,
    /// The certificates to ask about.
    pub stock: Stock,
}

impl<'t> Session<'t> {
    /// A session with the OCSP responder of `target`.
    ///
    /// # Errors
    /// A target without OCSP or EST, with a URL that is none, or an issuer that does not read.
    pub fn new(target: &'t Target, transport: &'t mut dyn Transport, device: (Reading, KeyKind)) -> anyhow::Result<Self> {
        let url = target.url(Suite::Ocsp)?;
        let ocsp = target.ocsp.as_ref().context("the target has no [ocsp] table")?;
        let responder = Responder { url, issuer: read_certificate(&ocsp.issuer_file)? };
        let crl = target.crl.as_ref().map(|crl| crl.url.as_str());
        let est = session::Session::new(target, transport, device)?;
        Ok(Self { est, ocsp, crl, responder, answers: Vec::new(), stock: Stock::default() })
    }

    /// The responder of the target's first URL.
    pub(super) const fn responder(&self) -> &Responder {
        &self.responder
    }

    /// The responder that says of serial numbers never issued that they are revoked.
    pub(super) fn unissued_revoked(&self) -> Result<Responder, Stop> {
        let (Some(url), Some(issuer)) = (&self.ocsp.unissued_revoked_url, &self.ocsp.unissued_revoked_issuer_file) else {
            return Err(Stop::Skip("the target has no unissued_revoked_url with an unissued_revoked_issuer_file".into()));
        };
        Ok(Responder { url: url.parse().map_err(Stop::fail)?, issuer: read_certificate(issuer)? })
    }

    /// The URL of the issuer's CRL.
    pub(super) fn crl_url(&self) -> Result<Url, Stop> {
        let url = self.crl.ok_or_else(|| Stop::Skip("the target has no [crl] table".into()))?;
        url.parse().map_err(Stop::fail)
    }

    /// Seconds since 1970, at this moment.
    pub(super) fn now(&self) -> i64 {
        self.est.now()
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, seconds: u64) {
        self.est.wait(Duration::from_secs(seconds));
    }

    /// Seconds within which an answer tells of a revocation.
    pub(super) const fn delay(&self) -> u64 {
        self.ocsp.delay_seconds
    }

    /// Lets the time pass within which answers may be old.
    pub(super) fn wait_for_delay(&mut self) {
        if self.delay() > 0 {
            self.wait(self.delay());
        }
    }

    /// A request to whatever the URL names.
    pub(super) fn send(&mut self, url: &Url, request: Request) -> Result<Response, Failure> {
        self.est.exchange(&request.dialled(Dial { origin: Some(url.clone()), ..Dial::default() }))
    }

    /// A request to the responder.
    pub(super) fn exchange(&mut self, request: Request) -> Result<Response, Failure> {
        let url = self.responder.url.clone();
        self.send(&url, request)
    }

    /// POST of octets as a request (RFC 6960 Appendix A.1).
    pub(super) fn post(&mut self, octets: &[u8]) -> Result<Response, Failure> {
        let request = post_to(&self.responder.url, octets);
        self.exchange(request)
    }

    /// GET of what stands behind the URL and its slash.
    pub(super) fn get(&mut self, behind: &str) -> Result<Response, Failure> {
        let request = self.get_request(behind);
        self.exchange(request)
    }

    pub(super) fn get_request(&self, behind: &str) -> Request {
        Request::new("GET", &format!("{}/{behind}", self.responder.url.path)).called("ocsp-get")
    }

    /// A response that has to be one of OCSP; remembered if it is signed.
    pub(super) fn read(&mut self, response: &Response) -> Result<Reply, Stop> {
        let responder = self.responder.clone();
        self.read_from(&responder, response)
    }

    pub(super) fn read_from(&mut self, responder: &Responder, response: &Response) -> Result<Reply, Stop> {
        let reply = reply_of(response)?;
        if let Reply::Basic(basic) = &reply {
            self.answers.push((responder.clone(), (**basic).clone()));
        }
        Ok(reply)
    }

    /// POST of octets that OCSP has to answer, well or badly.
    pub(super) fn offer(&mut self, octets: &[u8]) -> Result<Reply, Stop> {
        let response = self.post(octets)?;
        self.read(&response)
    }

    /// A request that has to be answered, each CertID once.
    pub(super) fn ask(&mut self, ask: &Ask) -> Result<Basic, Stop> {
        let basic = require_basic(self.offer(&ask.encode())?)?;
        for id in ask.ids() {
            let count = basic.singles.iter().filter(|single| single.id == *id).count();
            require(count == 1, || format!("{count} answers have the CertID that was asked about"))?;
        }
        Ok(basic)
    }

    /// What comes of a request about one certificate.
    pub(super) fn outcome(&mut self, ask: &Ask) -> Result<Outcome, Stop> {
        let reply = self.offer(&ask.encode())?;
        Outcome::of(&reply, ask)
    }

    /// What comes of asking about one certificate.
    pub(super) fn status(&mut self, certificate: &Certificate) -> Result<Single, Stop> {
        let id = CertId::new(SHA1, &self.responder.issuer, &certificate.serial);
        let basic = self.ask(&Ask::about(&id))?;
        basic.about(&id.encode()).cloned().ok_or_else(|| Stop::fail("no answer has the CertID"))
    }

    /// The CertID, by SHA-1, of a certificate that is good.
    pub(super) fn good_id(&mut self) -> Result<CertId, Stop> {
        let certificate = self.good(0)?;
        Ok(CertId::new(SHA1, &self.responder.issuer, &certificate.serial))
    }

    /// A CertID, by SHA-1, of a serial number that nobody has.
    pub(super) fn unknown_id(&self) -> Result<CertId, Stop> {
        Ok(CertId::new(SHA1, &self.responder.issuer, &unissued_serial()?))
    }

    /// The answer about a certificate that is good.
    pub(super) fn ask_good(&mut self) -> Result<(Basic, Single), Stop> {
        let id = self.good_id()?;
        let basic = self.ask(&Ask::about(&id))?;
        let single = basic.about(&id.encode()).cloned().ok_or_else(|| Stop::fail("no answer has the CertID"))?;
        require(single.status == Status::Good, || format!("a good certificate is {}", single.status))?;
        Ok((basic, single))
    }

    /// Whether all that was answered is signed as it should be, and the server still answers, on a new connection.
    ///
    /// # Errors
    /// [`Stop::Fail`] when not.
    pub fn conclude(&mut self) -> Result<(), Stop> {
        let now = self.now();
        for (responder, basic) in std::mem::take(&mut self.answers) {
            signer::trust(&basic, &responder.issuer, now).map_err(|stop| stop.about("one of the answers"))?;
        }
        let octets = Ask::about(&self.unknown_id()?).encode();
        let request = post_to(&self.responder.url, &octets).called("alive");
        let response = self.exchange(request).map_err(|failure| Stop::Fail(format!("afterwards a request: {failure}")))?;
        reply_of(&response).map(|_| ()).map_err(|stop| stop.about("afterwards a request"))
    }
}

/// A serial number of 16 octets that no certificate has, but for a chance of 2^-120.
pub(super) fn unissued_serial() -> Result<Vec<u8>, Stop> {
    let mut serial = random::<16>()?.to_vec();
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    Ok(serial)
}

/// POST to a responder (RFC 6960 Appendix A.1).
pub(super) fn post_to(url: &Url, octets: &[u8]) -> Request {
    let target = if url.path.is_empty() { "/" } else { &url.path };
    Request::new("POST", target).with_field("Content-Type", REQUEST_TYPE).with_content(octets).called("ocsp")
}

/// A response that has to be one of OCSP.
fn reply_of(response: &Response) -> Result<Reply, Stop> {
    let location = response.field("location").map(|location| format!(", to {location}")).unwrap_or_default();
    require(response.status == 200, || format!("HTTP {}, not 200{location}", response.status))?;
    let media_type = response.media_type();
    // RFC 6960 Appendix A.2: "The Content-Type header has the value "application/ocsp-response"."
    require(media_type.as_deref() == Some(RESPONSE_TYPE), || format!("content type {media_type:?}, not {RESPONSE_TYPE}"))?;
    Ok(Reply::read(&response.content)?)
}

/// A reply that has to be a signed answer.
pub(super) fn require_basic(reply: Reply) -> Result<Basic, Stop> {
    match reply {
        Reply::Basic(basic) => Ok(*basic),
        Reply::Error(number) => Err(Stop::Fail(format!("responseStatus {number}, not successful"))),
    }
}

fn read_certificate(path: &Path) -> anyhow::Result<Certificate> {
    let der = CertificateDer::from_pem_file(path).with_context(|| path.display().to_string())?;
    Certificate::parse(&der).with_context(|| path.display().to_string())
}
