//! `/.well-known/est/`: RFC 7030 as updated by RFC 8951.

mod endpoint;
mod enroll;
mod retry_after;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use certgate_enrollment::Operation as Purpose;
use certgate_est::{EstPath, Operation};
use hyper::Method;
use hyper::http::request::Parts;
use tokio_util::task::TaskTracker;

pub use endpoint::{EstEndpoint, EstOptions};

use super::answer::{self, Answer};
use super::body::{BodyLimits, Incoming};
use super::failure::EstFailure;
use crate::auth::EstAuthenticator;
use crate::listen::Peer;

/// The endpoint that is served without a label too.
const UNLABELLED: &str = "default";

/// All endpoints.
pub struct EstService {
    endpoints: HashMap<String, Arc<EstEndpoint>>,
    authenticator: EstAuthenticator,
    tasks: TaskTracker,
}

impl EstService {
    /// Serves these endpoints. What is being issued is a task of `tasks`: it is finished whether the client waits for it or not.
    #[must_use]
    pub fn new(endpoints: Vec<EstEndpoint>, authenticator: EstAuthenticator, tasks: TaskTracker) -> Self {
        let endpoints = endpoints.into_iter().map(|endpoint| (endpoint.name().to_owned(), Arc::new(endpoint))).collect();
        Self { endpoints, authenticator, tasks }
    }

    pub(crate) async fn answer<B>(&self, head: &Parts, body: Pin<&mut B>, peer: &Peer, limits: &BodyLimits) -> Answer
    where
        B: Incoming,
    {
        let (endpoint, operation) = match self.find(head.uri.path()) {
            Ok(found) => found,
            Err(failure) => return failure.answer(),
        };
        let is_post = head.method == Method::POST;
        match operation {
            Operation::CaCerts => answer::read_only(&head.method).unwrap_or_else(|| endpoint.ca_certs()),
            Operation::CsrAttrs => answer::read_only(&head.method).unwrap_or_else(|| endpoint.csr_attrs()),
            Operation::SimpleEnroll if is_post => self.enroll(endpoint, Purpose::Enroll, head, body, (peer, limits)).await,
            Operation::SimpleReenroll if is_post => self.enroll(endpoint, Purpose::Renew, head, body, (peer, limits)).await,
            Operation::SimpleEnroll | Operation::SimpleReenroll => answer::not_allowed("POST"),
            other => EstFailure::NotOffered(other).answer(),
        }
    }

    fn find(&self, path: &str) -> Result<(&Arc<EstEndpoint>, Operation), EstFailure> {
        let EstPath { label, operation } = EstPath::parse(path)?;
        let name = label.as_ref().map_or(UNLABELLED, |label| label.as_str());
        self.endpoints.get(name).map(|endpoint| (endpoint, operation)).ok_or(EstFailure::NoEndpoint)
    }
}
