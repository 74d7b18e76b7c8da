//! `/scep/ENDPOINT`, with whatever a client puts behind it: RFC 8894.

mod answering;
mod endpoint;
mod opening;
mod operation;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use certgate_pki::Provider;
use certgate_scep::{Operation, Query, decode_message};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use tokio_util::task::TaskTracker;

pub use endpoint::{ScepEndpoint, ScepOptions, ScepRa};

use super::answer::{self, Answer};
use super::body::{self, BodyLimits, Incoming};
use super::failure::ScepFailure;
use crate::auth::ChallengeAuthenticator;
use crate::listen::Peer;
use crate::work_pool::WorkPool;

/// What these paths start with.
pub(crate) const PREFIX: &str = "/scep/";

/// All endpoints.
pub struct ScepService {
    endpoints: HashMap<String, Arc<ScepEndpoint>>,
    authenticator: Arc<ChallengeAuthenticator>,
    provider: Provider,
    /// RSA takes a core for a millisecond: not where connections are served.
    pool: WorkPool,
    tasks: TaskTracker,
}

impl ScepService {
    /// Serves these endpoints. Messages are opened and made in `pool`; what is being issued is a task of `tasks`: it is finished whether
    /// the client waits for it or not.
    #[must_use]
    pub fn new(
        endpoints: Vec<ScepEndpoint>,
        authenticator: ChallengeAuthenticator,
        provider: Provider,
        pool: WorkPool,
        tasks: TaskTracker,
    ) -> Self {
        let endpoints = endpoints.into_iter().map(|endpoint| (endpoint.name.clone(), Arc::new(endpoint))).collect();
        Self { endpoints, authenticator: Arc::new(authenticator), provider, pool, tasks }
    }

    pub(crate) async fn answer<B>(&self, head: &Parts, body: Pin<&mut B>, peer: &Peer, limits: &BodyLimits) -> Answer
    where
        B: Incoming,
    {
        let name = head.uri.path().strip_prefix(PREFIX).and_then(|rest| rest.split('/').next());
        let Some(endpoint) = name.and_then(|name| self.endpoints.get(name)) else {
            return answer::text(StatusCode::NOT_FOUND, "there is no SCEP endpoint of this name");
        };
        let query = match Query::parse(head.uri.query().unwrap_or_default()) {
            Ok(query) => query,
            Err(error) => return answer::text(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        let reads = head.method == Method::GET || head.method == Method::HEAD;
        match (query.operation, head.method == Method::POST) {
            (Some(Operation::GetCaCaps), _) if reads => endpoint.ca_caps(),
            (Some(Operation::GetCaCert), _) if reads => endpoint.ca_cert(),
            (Some(Operation::GetCaCaps | Operation::GetCaCert), _) => answer::not_allowed("GET, HEAD"),
            // Some clients post without saying what.
            (Some(Operation::PkiOperation) | None, true) => match body::read(body, limits).await {
                Ok(message) => self.operate(endpoint, message, peer).await,
                Err(failure) => ScepFailure::from(failure).http_answer(),
            },
            (Some(Operation::PkiOperation), false) if head.method == Method::GET => {
                match decode_message(query.message.unwrap_or_default()) {
                    Ok(message) => self.operate(endpoint, message, peer).await,
                    Err(error) => answer::text(StatusCode::BAD_REQUEST, &error.to_string()),
                }
            }
            (None, false) if reads => answer::text(StatusCode::BAD_REQUEST, "which operation? (RFC 8894 §4.1)"),
            _ => answer::not_allowed("GET, POST"),
        }
    }
}
