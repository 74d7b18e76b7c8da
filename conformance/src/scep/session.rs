//! What a check of SCEP has at hand: the endpoint, its CA's certificates, challenges, and whoever decides.

use std::{path::Path, rc::Rc, time::Duration};

use anyhow::Context;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;

use super::{authorities::Authorities, message::Draft, reply::Reply};
use crate::{
    asn1::Element,
    certificate::Certificate,
    channel::Dial,
    clause::{Reading, Suite},
    hook::{self, Hook},
    http::{Request, Response},
    key::KeyKind,
    target::{Hooks, ScepTarget, Target, Url},
    transport::{Failure, Transport},
    verdict::{Stop, Verdict, require},
};

/// The code behind a clause of SCEP.
pub type Check = fn(&mut Session<'_>) -> Verdict;

/// The media type of messages (RFC 8894 §4.3).
const PKI_MESSAGE: &str = "application/x-pki-message";

/// What the hook `new_challenge` prints, as far as it matters here.
#[derive(Deserialize)]
struct NewChallenge {
    challenge: String,
}

/// One clause's view of the SCEP server under test.
pub struct Session<'t> {
    scep: &'t ScepTarget,
    hooks: &'t Hooks,
    anchors: &'t Path,
    url: Url,
    transport: &'t mut dyn Transport,
    device_key: KeyKind,
    authorities: Option<Rc<Authorities>>,
}

/// What came back for a message.
pub(super) enum Answer {
    /// A CertRep.
    Reply(Box<Reply>),
    /// An HTTP status that blames the client.
    Refused(u16),
}

impl<'t> Session<'t> {
    /// A session with the SCEP server of `target`.
    ///
    /// # Errors
    /// A target without SCEP, or with a URL that is none.
    pub fn new(
        target: &'t Target,
        transport: &'t mut dyn Transport,
        (_, device_key): (Reading, KeyKind),
    ) -> anyhow::Result<Self> {
        let url = target.url(Suite::Scep)?;
        let scep = target.scep.as_ref().context("the target has no [scep] table")?;
        Ok(Self { scep, hooks: &target.hooks, anchors: &target.ca_file, url, transport, device_key, authorities: None })
    }

    /// The kind of key that devices have.
    #[must_use]
    pub const fn device_key(&self) -> KeyKind {
        self.device_key
    }

    /// Seconds since 1970, at this moment.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.transport.now()
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) {
        self.transport.wait(time);
    }

    /// The endpoint where a policy decides.
    #[must_use]
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// The endpoint where a person approves.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the target names none.
    pub fn manual_url(&self) -> Result<Url, Stop> {
        let url = self.scep.manual_url.as_deref().ok_or_else(|| Stop::Skip("the target has no manual_url".into()))?;
        url.parse().map_err(Stop::fail)
    }

    /// GET of an operation without a message.
    ///
    /// # Errors
    /// No answer.
    pub fn get(&mut self, url: &Url, operation: &'static str) -> Result<Response, Failure> {
        self.send(url, Request::new("GET", &format!("{}?operation={operation}", url.path)).called(operation))
    }

    /// A request to an endpoint.
    ///
    /// # Errors
    /// No answer.
    pub fn send(&mut self, url: &Url, request: Request) -> Result<Response, Failure> {
        self.transport.exchange(&request.dialled(Dial { origin: Some(url.clone()), ..Dial::default() }))
    }

    /// POST of octets as a message (RFC 8894 §4.1).
    ///
    /// # Errors
    /// No answer.
    pub fn post(&mut self, url: &Url, message: &[u8]) -> Result<Response, Failure> {
        let target = format!("{}?operation=PKIOperation", url.path);
        self.send(url, post_to(&target, message))
    }

    /// POST of octets that may be refused by an HTTP status.
    pub(super) fn offer(&mut self, url: &Url, message: &[u8]) -> Result<Answer, Stop> {
        let response = self.post(url, message)?;
        answer_of(&response)
    }

    /// POST of a message that has to be answered by a CertRep.
    pub(super) fn ask(&mut self, url: &Url, message: &Element) -> Result<Reply, Stop> {
        let response = self.post(url, &message.encode())?;
        reply_of(&response)
    }

    /// The certificates of the CA, as GetCACert gives them; fetched once.
    pub(super) fn authorities(&mut self, url: &Url) -> Result<Rc<Authorities>, Stop> {
        if let Some(known) = self.authorities.as_ref().filter(|known| known.url == *url) {
            return Ok(Rc::clone(known));
        }
        let response = self.get(url, "GetCACert")?;
        let authorities = Rc::new(Authorities::read(url, &response, self.anchors()?)?);
        self.authorities = Some(Rc::clone(&authorities));
        Ok(authorities)
    }

    fn anchors(&self) -> Result<Vec<Certificate>, Stop> {
        let read = || -> anyhow::Result<Vec<Certificate>> {
            CertificateDer::pem_file_iter(self.anchors)
                .with_context(|| self.anchors.display().to_string())?
                .map(|one| Ok(Certificate::parse(&one?)?))
                .collect()
        };
        Ok(read()?)
    }

    /// A reply that is to this message, and signed by the CA or for it.
    pub(super) fn trust(&mut self, url: &Url, reply: &Reply, asked: &Draft) -> Result<(), Stop> {
        let authorities = self.authorities(url)?;
        authorities.trust(reply, asked)
    }

    /// A challenge that is good at an endpoint: a new one by the hook, or the target's.
    ///
    /// # Errors
    /// [`Stop::Skip`] when there is neither, [`Stop::Fail`] when the hook fails.
    pub fn challenge(&mut self, url: &Url) -> Result<String, Stop> {
        if Hook::NewChallenge.argv(self.hooks).is_empty() {
            let given = self.scep.challenge.clone();
            return given.ok_or_else(|| Stop::Skip("the target has neither a hook new_challenge nor a challenge".into()));
        }
        self.new_challenge(url)
    }

    /// A challenge of the hook's: good once.
    ///
    /// # Errors
    /// [`Stop::Skip`] without the hook, [`Stop::Fail`] when it fails.
    pub fn new_challenge(&mut self, url: &Url) -> Result<String, Stop> {
        let printed = self.run_hook(Hook::NewChallenge, &[("endpoint", endpoint(url))])?;
        let made: NewChallenge = serde_json::from_str(&printed)
            .map_err(|error| Stop::Fail(format!("hook new_challenge printed no challenge: {error}")))?;
        Ok(made.challenge)
    }

    /// Runs a hook and gives what it printed.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the target has no such hook, [`Stop::Fail`] when it fails.
    pub fn run_hook(&mut self, hook: Hook, values: &[(&str, &str)]) -> Result<String, Stop> {
        hook::run(&mut *self.transport, self.hooks, hook, values, &[])
    }

    /// Whether the server still answers, on a new connection.
    ///
    /// # Errors
    /// [`Stop::Fail`] when it does not.
    pub fn assert_alive(&mut self) -> Result<(), Stop> {
        let url = self.url();
        match self.get(&url, "GetCACaps") {
            Ok(response) if response.status == 200 => Ok(()),
            Ok(response) => Err(Stop::Fail(format!("afterwards GetCACaps gave {}", response.status))),
            Err(failure) => Err(Stop::Fail(format!("afterwards GetCACaps: {failure}"))),
        }
    }
}

/// POST of a message to a target of its own.
pub(super) fn post_to(target: &str, message: &[u8]) -> Request {
    Request::new("POST", target).with_field("Content-Type", PKI_MESSAGE).with_content(message).called("PKIOperation")
}

/// A response that has to be a CertRep.
pub(super) fn reply_of(response: &Response) -> Result<Reply, Stop> {
    let excerpt: String =
        String::from_utf8_lossy(&response.content).chars().take(120).filter(|one| !one.is_control()).collect();
    require(response.status == 200, || format!("HTTP {}, not 200: {excerpt}", response.status))?;
    let media_type = response.media_type();
    // RFC 8894 §4.3.1: "The response will have a Content-Type of "application/x-pki-message"."
    require(media_type.as_deref() == Some(PKI_MESSAGE), || format!("content type {media_type:?}, not {PKI_MESSAGE}"))?;
    Ok(Reply::read(&response.content)?)
}

/// A response that is a CertRep or a refusal by HTTP.
pub(super) fn answer_of(response: &Response) -> Result<Answer, Stop> {
    if response.is_client_error() {
        return Ok(Answer::Refused(response.status));
    }
    Ok(Answer::Reply(Box::new(reply_of(response)?)))
}

/// The name of an endpoint in its URL: what follows `/scep/`; `default` where nothing does.
fn endpoint(url: &Url) -> &str {
    let behind = url.path.split_once("/scep/").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    behind.filter(|name| !name.is_empty()).unwrap_or("default")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_what_stands_behind_scep() {
        for (url, wanted) in [
            ("http://h/scep/manual", "manual"),
            ("http://h/scep/manual/pkiclient.exe", "manual"),
            ("http://h/cgi-bin/pkiclient.exe", "default"),
            ("http://h/scep/", "default"),
        ] {
            assert_eq!(endpoint(&url.parse().expect("a URL")), wanted);
        }
    }
}
