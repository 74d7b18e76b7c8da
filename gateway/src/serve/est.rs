//! `/.well-known/est/`: RFC 7030 as updated by RFC 8951.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use certgate_enrollment::{Authority, Blame, EnrollRequest, Issued, Principal, Protocol, Recorded};
use certgate_est::{EstBody, EstPath, Operation, Reading, SimpleEnroll, ca_certs, enrolled};
use certgate_pki::{Certificate, Csr};
use certgate_policy::Profile;
use hyper::body::Body;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use tokio_util::task::TaskTracker;

use super::answer::{self, Answer};
use super::body::{self, BodyLimits};
use super::failure::EstFailure;
use crate::auth::{BasicAuthenticator, Denied};
use crate::telemetry::{EnrollmentMetrics, Outcome, Stopwatch};

/// RFC 8951 §3 has receivers ignore it; some clients of before then need it.
const CONTENT_TRANSFER_ENCODING: HeaderName = HeaderName::from_static("content-transfer-encoding");

/// The endpoint that is served without a label too.
const UNLABELLED: &str = "default";

/// One endpoint: a label bound to a profile and so to an authority.
pub struct EstEndpoint {
    name: String,
    profile: Profile,
    authority: Arc<Authority>,
    reading: Reading,
    base64_line_length: usize,
    challenge: HeaderValue,
    ca_certs: Answer,
    metrics: EnrollmentMetrics,
}

impl EstEndpoint {
    /// An endpoint of this name that issues by `profile`, which `authority` signs.
    ///
    /// # Errors
    /// When the name cannot stand in a header; a name that is an EST label can.
    pub fn new(
        name: &str,
        profile: Profile,
        authority: Arc<Authority>,
        (reading, base64_line_length): (Reading, usize),
        metrics: EnrollmentMetrics,
    ) -> Result<Self, hyper::header::InvalidHeaderValue> {
        let chain: Vec<&[u8]> = authority.chain().iter().map(Certificate::as_der).collect();
        Ok(Self {
            name: name.to_owned(),
            ca_certs: with_body(ca_certs(&chain, base64_line_length)),
            challenge: HeaderValue::try_from(format!("Basic realm=\"EST {name}\", charset=\"UTF-8\""))?,
            profile,
            authority,
            reading,
            base64_line_length,
            metrics,
        })
    }

    /// One outcome: counted, logged and answered.
    fn conclude(
        &self,
        result: Result<Recorded<Issued>, EstFailure>,
        principal: &str,
        peer: SocketAddr,
        watch: Stopwatch,
    ) -> Answer {
        log(self, principal, peer, &result);
        let (outcome, answer) = match result {
            Ok(issued) => (Outcome::Issued, with_body(enrolled(&issued.der, self.base64_line_length))),
            Err(failure) => (Outcome::Failed(failure.blame()), failure.answer()),
        };
        self.metrics.ended(outcome, watch.elapsed());
        answer
    }

    /// RFC 7030 §3.2.3; without a body, which some clients take for an answer.
    fn unauthenticated(&self) -> Answer {
        let mut answer = Answer::default();
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        answer.headers_mut().insert(WWW_AUTHENTICATE, self.challenge.clone());
        answer
    }
}

/// All endpoints.
pub struct EstService {
    endpoints: HashMap<String, Arc<EstEndpoint>>,
    authenticator: BasicAuthenticator,
    tasks: TaskTracker,
}

impl EstService {
    /// Serves these endpoints. What is being issued is a task of `tasks`: it is finished whether the client waits for it or not.
    #[must_use]
    pub fn new(endpoints: Vec<EstEndpoint>, authenticator: BasicAuthenticator, tasks: TaskTracker) -> Self {
        let endpoints = endpoints.into_iter().map(|endpoint| (endpoint.name.clone(), Arc::new(endpoint))).collect();
        Self { endpoints, authenticator, tasks }
    }

    pub(crate) async fn answer<B>(&self, head: &Parts, body: Pin<&mut B>, peer: SocketAddr, limits: &BodyLimits) -> Answer
    where
        B: Body<Data = Bytes>,
    {
        let (endpoint, operation) = match self.find(head.uri.path()) {
            Ok(found) => found,
            Err(failure) => return failure.answer(),
        };
        match operation {
            Operation::CaCerts => answer::read_only(&head.method).unwrap_or_else(|| endpoint.ca_certs.clone()),
            Operation::SimpleEnroll if head.method == Method::POST => {
                self.simple_enroll(endpoint, head, body, peer, limits).await
            }
            Operation::SimpleEnroll => answer::not_allowed("POST"),
            other => EstFailure::NotOffered(other).answer(),
        }
    }

    fn find(&self, path: &str) -> Result<(&Arc<EstEndpoint>, Operation), EstFailure> {
        let EstPath { label, operation } = EstPath::parse(path)?;
        let name = label.as_ref().map_or(UNLABELLED, |label| label.as_str());
        self.endpoints.get(name).map(|endpoint| (endpoint, operation)).ok_or(EstFailure::NoEndpoint)
    }

    /// RFC 7030 §4.2.1: authenticates, reads, and has the enrollment done.
    async fn simple_enroll<B>(
        &self,
        endpoint: &Arc<EstEndpoint>,
        head: &Parts,
        body: Pin<&mut B>,
        peer: SocketAddr,
        limits: &BodyLimits,
    ) -> Answer
    where
        B: Body<Data = Bytes>,
    {
        let watch = Stopwatch::start();
        let header = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let principal = match self.authenticator.authenticate(header, &endpoint.name).await {
            Ok(principal) => principal,
            Err(Denied::Ledger(error)) => return endpoint.conclude(Err(EstFailure::Lookup(error)), "", peer, watch),
            Err(denied) => {
                tracing::info!(endpoint = endpoint.name, %peer, reason = ?denied, "not authenticated");
                endpoint.metrics.ended(Outcome::Unauthenticated, watch.elapsed());
                return endpoint.unauthenticated();
            }
        };
        let name = principal.name.clone();
        let csr = match read(endpoint, head, body, limits).await {
            Ok(csr) => csr,
            Err(failure) => return endpoint.conclude(Err(failure), &name, peer, watch),
        };
        // A client that hangs up drops what waits here, and must not drop what is counted and logged of a certificate.
        let enrolling = Arc::clone(endpoint);
        let task = self.tasks.spawn(async move {
            let result = enroll(&enrolling, principal, csr).await;
            enrolling.conclude(result, &name, peer, watch)
        });
        task.await.unwrap_or_else(|_| EstFailure::EndedEarly.answer())
    }
}

/// The CSR in a request.
async fn read<B>(endpoint: &EstEndpoint, head: &Parts, body: Pin<&mut B>, limits: &BodyLimits) -> Result<Csr, EstFailure>
where
    B: Body<Data = Bytes>,
{
    let body = body::read(body, limits).await?;
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let request = SimpleEnroll::decode(content_type, &body, endpoint.reading)?;
    for lenience in request.leniences {
        endpoint.metrics.lenient(lenience);
        tracing::debug!(endpoint = endpoint.name, lenience = lenience.name(), "read leniently");
    }
    Ok(request.csr)
}

async fn enroll(endpoint: &EstEndpoint, principal: Principal, csr: Csr) -> Result<Recorded<Issued>, EstFailure> {
    let request = EnrollRequest { protocol: Protocol::Est, endpoint: endpoint.name.clone(), principal, csr };
    let authorized = endpoint.authority.authorize(&endpoint.profile, request)?;
    Ok(endpoint.authority.issue(authorized).await?)
}

/// One line an enrollment: what was issued, or why nothing was, at the level of who has to act.
fn log(endpoint: &EstEndpoint, principal: &str, peer: SocketAddr, result: &Result<Recorded<Issued>, EstFailure>) {
    let endpoint = endpoint.name.as_str();
    match result {
        Ok(issued) => tracing::info!(endpoint, principal, %peer, serial = %issued.serial, "certificate issued"),
        Err(failure) => match failure.blame() {
            blame @ (Blame::Client | Blame::Policy) => {
                tracing::info!(endpoint, principal, %peer, blame = blame.name(), reason = %failure, "enrollment refused");
            }
            blame @ (Blame::Backend | Blame::Store | Blame::Bug) => {
                tracing::error!(endpoint, principal, %peer, blame = blame.name(), reason = %failure, "enrollment failed");
            }
        },
    }
}

fn with_body(body: EstBody) -> Answer {
    let mut answer = answer::ok(body.content_type, body.base64);
    answer.headers_mut().insert(CONTENT_TRANSFER_ENCODING, HeaderValue::from_static("base64"));
    answer
}
