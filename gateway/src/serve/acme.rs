//! `/acme/ENDPOINT/`: RFC 8555 with http-01.

mod accounts;
mod endpoint;
mod finalizing;
mod orders;
mod places;
mod signed;
mod validating;
mod views;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use certgate_acme::{Directory, PostAsGet, Resource, to_json};
use certgate_enrollment::{Accounts, Certificates, OrderFlow};
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue, LINK, LOCATION};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde::Serialize;
use tokio_util::task::TaskTracker;

pub use endpoint::AcmeEndpoint;
pub use validating::{NotValidated, ValidatesHttp01, ValidationTasks};

use endpoint::Asked;
use signed::{ByAccount, Signed};

use super::answer::{self, Answer};
use super::body::{BodyLimits, Incoming};
use super::conclusion::Failure;
use super::failure::AcmeFailure;
use crate::auth::{AccountAuthenticator, Nonces};
use crate::listen::{Peer, ServerIdentity};

/// What these paths start with.
pub(crate) use certgate_acme::PREFIX;

const REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");
/// The media type of RFC 8555's objects.
const JSON: &str = "application/json";

/// What all endpoints share.
pub struct AcmeParts {
    /// Accounts.
    pub accounts: Arc<dyn Accounts>,
    /// Orders and authorizations.
    pub orders: OrderFlow,
    /// What was issued.
    pub certificates: Arc<dyn Certificates>,
    /// Who asks.
    pub authenticator: AccountAuthenticator,
    /// Nonces.
    pub nonces: Nonces,
    /// The names of this server.
    pub identity: Arc<ServerIdentity>,
    /// Validations that are under way.
    pub validation: ValidationTasks,
    /// Where what is being issued is a task: it is finished whether the client waits for it or not.
    pub tasks: TaskTracker,
}

/// All endpoints.
pub struct AcmeService {
    endpoints: HashMap<String, Arc<AcmeEndpoint>>,
    parts: AcmeParts,
}

impl AcmeService {
    /// Serves these endpoints.
    #[must_use]
    pub fn new(endpoints: Vec<AcmeEndpoint>, parts: AcmeParts) -> Self {
        let endpoints = endpoints.into_iter().map(|endpoint| (endpoint.name.clone(), Arc::new(endpoint))).collect();
        Self { endpoints, parts }
    }

    pub(crate) async fn answer<B>(&self, head: &Parts, body: Pin<&mut B>, peer: &Peer, limits: &BodyLimits) -> Answer
    where
        B: Incoming,
    {
        let asked = Asked::read(head, |name| self.endpoints.get(name), &self.parts.identity);
        let (asked, answered) = match asked {
            Ok(asked) => {
                let answered = self.perform(&asked, head, body, (peer, limits)).await;
                (Some(asked), answered)
            }
            Err(failure) => (None, Err(failure)),
        };
        let mut answer = answered.unwrap_or_else(|failure| {
            log(head, peer, &failure);
            failure.answer()
        });
        if let Some(asked) = asked {
            self.complete(&mut answer, &asked, head);
        }
        answer
    }

    async fn perform<B>(
        &self,
        asked: &Asked,
        head: &Parts,
        body: Pin<&mut B>,
        (peer, limits): (&Peer, &BodyLimits),
    ) -> Result<Answer, AcmeFailure>
    where
        B: Incoming,
    {
        let reads = head.method == Method::GET || head.method == Method::HEAD;
        match asked.resource {
            Resource::Directory if reads => Ok(directory(asked)),
            Resource::NewNonce if reads => Ok(new_nonce(&head.method)),
            Resource::Directory | Resource::NewNonce if head.method != Method::POST => {
                Err(AcmeFailure::Method("GET, HEAD, POST"))
            }
            // RFC 8555 §6.3: "if the server receives a GET request, it MUST return an error with status code 405 (Method Not Allowed)".
            _ if head.method != Method::POST => Err(AcmeFailure::Method("POST")),
            _ => {
                let signed = self.read(asked, head, body, limits).await?;
                self.perform_signed(asked, signed, peer).await
            }
        }
    }

    async fn perform_signed(&self, asked: &Asked, signed: Signed, peer: &Peer) -> Result<Answer, AcmeFailure> {
        let (account, payload) = match signed {
            Signed::ByKey(jwk, payload) => return self.new_account(asked, &jwk, &payload, peer).await,
            Signed::ByAccount(account, payload) => (account, payload),
        };
        let by = &ByAccount { asked, account: &account, payload: &payload, peer };
        match &asked.resource {
            Resource::Directory => PostAsGet::parse(&payload).map(|_| directory(asked)).map_err(AcmeFailure::from),
            Resource::NewNonce => PostAsGet::parse(&payload).map(|_| new_nonce(&Method::GET)).map_err(AcmeFailure::from),
            // Read as signed with a key: there is no account yet.
            Resource::NewAccount => Err(AcmeFailure::Inconsistent("newAccount by an account")),
            Resource::Account(id) => accounts::account(by, id),
            Resource::Orders(_) => Err(AcmeFailure::NotServed("the list of an account's orders")),
            Resource::NewOrder => self.new_order(by).await,
            Resource::Order(id) => self.order(by, id).await,
            Resource::Finalize(id) => self.finalize(by, id).await,
            Resource::Authorization(id) => self.authorization(by, id).await,
            Resource::Challenge(id) => self.challenge(by, id).await,
            Resource::Certificate(id) => self.certificate(by, id).await,
        }
    }

    /// What every answer has: a nonce for the next request (RFC 8555 §6.5), and the way to the directory (§7.1).
    fn complete(&self, answer: &mut Answer, asked: &Asked, head: &Parts) {
        let is_directory = asked.resource == Resource::Directory;
        if !is_directory {
            append_link(answer, &asked.urls.of(&Resource::Directory), "index");
        }
        if head.method == Method::POST || asked.resource == Resource::NewNonce {
            set(answer, REPLAY_NONCE, &self.parts.nonces.issue());
        }
        // RFC 8555 §7.2: a nonce out of a cache is a used one. URLs may be made from a host that another client does not use.
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// RFC 8555 §7.1.1: what is served, and nothing else.
fn directory(asked: &Asked) -> Answer {
    let url = |resource| asked.urls.of(&resource);
    let directory = Directory {
        new_nonce: url(Resource::NewNonce),
        new_account: url(Resource::NewAccount),
        new_order: url(Resource::NewOrder),
        ..Directory::default()
    };
    answer::ok(JSON, to_json(&directory))
}

/// RFC 8555 §7.2: 200 for HEAD, 204 for GET.
fn new_nonce(method: &Method) -> Answer {
    let mut answer = Answer::default();
    if *method != Method::HEAD {
        *answer.status_mut() = StatusCode::NO_CONTENT;
    }
    answer
}

/// An object.
fn object(object: &impl Serialize) -> Answer {
    answer::ok(JSON, to_json(object))
}

/// An object that was made, and where it is.
fn created(made: &impl Serialize, url: &str) -> Answer {
    let mut answer = located(made, url);
    *answer.status_mut() = StatusCode::CREATED;
    answer
}

/// An object, and where it is.
fn located(found: &impl Serialize, url: &str) -> Answer {
    let mut answer = object(found);
    set(&mut answer, LOCATION, url);
    answer
}

fn append_link(answer: &mut Answer, url: &str, relation: &str) {
    if let Ok(value) = HeaderValue::try_from(format!("<{url}>;rel=\"{relation}\"")) {
        answer.headers_mut().append(LINK, value);
    }
}

/// Our URLs and nonces are ASCII: none is left out.
fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// A refusal of anything but a certificate, which has a line of its own.
fn log(head: &Parts, peer: &Peer, failure: &AcmeFailure) {
    let (path, peer, blame) = (head.uri.path(), peer.address, failure.blame());
    match blame {
        certgate_enrollment::Blame::Client | certgate_enrollment::Blame::Policy => {
            tracing::info!(path, %peer, blame = blame.name(), reason = %failure, "request refused");
        }
        _ => tracing::error!(path, %peer, blame = blame.name(), reason = %failure, "request failed"),
    }
}
