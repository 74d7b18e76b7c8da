//! Devices: they enroll, renew when two thirds of a certificate's life are over, and ask again when no answer comes.

use std::time::Duration;

use certgate_pki::{Certificate, Timestamp};
use hyper::StatusCode;
use hyper::header::RETRY_AFTER;

use super::acme::AcmeClient;
use super::est::EstClient;
use super::life::Answer;
use super::net::Net;
use super::relying::Said;
use super::scep::ScepClient;

/// How many there are.
pub(crate) const DEVICES: usize = 6;

/// How it speaks, and where.
pub(crate) enum Client {
    Est(EstClient),
    Scep(Box<ScepClient>),
    Acme(AcmeClient),
}

/// What it has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Nothing,
    Enroll,
    Renew,
}

/// What came of a turn.
#[derive(Debug)]
pub(crate) enum Turned {
    /// There was nothing to do.
    Idle,
    /// It has a certificate.
    Has(Box<Certificate>),
    /// It is to ask again.
    Waits,
    /// It is to come back: something is away.
    Later,
    /// No.
    Refused(String),
    /// No answer has come.
    Lost,
}

/// One device.
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) client: Client,
    /// Every certificate that has reached it.
    pub(crate) held: Vec<Certificate>,
    /// The operator has said no to what it asks for.
    pub(crate) is_denied: bool,
    /// The operator has removed it.
    pub(crate) is_removed: bool,
}

impl Device {
    /// All of them: at endpoints where policy decides, and where a person does.
    pub(crate) fn all() -> Vec<Self> {
        let est = |endpoint, name: &str| (name.to_owned(), Client::Est(EstClient::new(endpoint, name)));
        let scep = |endpoint, name: &str| (name.to_owned(), Client::Scep(Box::new(ScepClient::new(endpoint, name))));
        let acme = ("acme.example".to_owned(), Client::Acme(AcmeClient::new("acme.example")));
        let all = [
            est("default", "est-policy"),
            est("person", "est-person"),
            scep("default", "scep-policy"),
            scep("person", "scep-person"),
            acme,
            est("default", "est-other"),
        ];
        let device = |(name, client)| Self { name, client, held: Vec::new(), is_denied: false, is_removed: false };
        all.map(device).into()
    }

    /// Does a person decide about what it asks for?
    pub(crate) fn needs_person(&self) -> bool {
        match &self.client {
            Client::Est(client) => client.endpoint == "person",
            Client::Scep(client) => client.endpoint == "person",
            Client::Acme(_) => false,
        }
    }

    /// Whether it should have a certificate, as far as it behaves and nobody has said otherwise.
    pub(crate) fn behaves(&self) -> bool {
        !self.is_denied && !self.is_removed
    }

    /// The certificate that it uses.
    pub(crate) fn current(&self) -> Option<&Certificate> {
        self.held.last()
    }

    /// Its certificate is not over.
    pub(crate) fn has_one(&self, now: Timestamp) -> bool {
        self.current().is_some_and(|own| own.validity().not_after >= now.floor_to_second())
    }

    /// What it has to do, where OCSP says this of its certificate.
    pub(crate) fn task(&self, said: Option<Said>, now: Timestamp) -> Task {
        let Some(own) = self.current().filter(|_| self.has_one(now)) else { return Task::Enroll };
        let (first, last) = (own.validity().not_before, own.validity().not_after);
        let two_thirds = Duration::from_millis(last.millis() - first.millis()) * 2 / 3;
        match said {
            Some(Said::Revoked) => Task::Enroll,
            Some(Said::Held) => Task::Nothing,
            _ if now >= first.after(two_thirds) => Task::Renew,
            _ => Task::Nothing,
        }
    }

    /// Its turn.
    pub(crate) fn turn(&mut self, net: &Net<'_>, task: Task) -> Turned {
        let own = self.held.last().cloned();
        let turned = match (&mut self.client, task) {
            (_, Task::Nothing) => return Turned::Idle,
            (Client::Est(client), task) => client.turn(net, own.as_ref().filter(|_| task == Task::Renew)),
            (Client::Scep(client), _) => client.turn(net),
            (Client::Acme(client), _) => client.turn(net),
        };
        let turned = turned.unwrap_or(Turned::Lost);
        if let Turned::Has(certificate) = &turned {
            self.held.push((**certificate).clone());
        }
        turned
    }
}

/// What an answer without a certificate means: later, if it says when, or no.
pub(crate) fn not_now(answer: &Answer) -> Turned {
    let told = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
    match answer.status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS if answer.headers.contains_key(RETRY_AFTER) => {
            Turned::Later
        }
        _ => Turned::Refused(told),
    }
}
