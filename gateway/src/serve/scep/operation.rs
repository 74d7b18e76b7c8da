//! PKIOperation (RFC 8894 §4.3): open, authenticate, have it done, answer.

use std::ops::Deref;
use std::sync::Arc;

use certgate_enrollment::{EnrollRequest, Outcome, Protocol, Recorded};
use certgate_pki::Csr;
use certgate_scep::{Answer as Said, PKI_MESSAGE};
use hyper::StatusCode;

use super::ScepService;
use super::answering::{self, Reply};
use super::endpoint::ScepEndpoint;
use super::opening::{self, Content, Opened};
use crate::listen::Peer;
use crate::serve::answer::{self, Answer};
use crate::serve::conclusion::Attempt;
use crate::serve::failure::ScepFailure;
use crate::telemetry::Stopwatch;

impl ScepService {
    /// Does what a message asks.
    pub(super) async fn operate(
        &self,
        endpoint: &Arc<ScepEndpoint>,
        message: impl Deref<Target = [u8]> + Send + 'static,
        peer: &Peer,
    ) -> Answer {
        let watch = Stopwatch::start();
        let (opening, provider) = (Arc::clone(endpoint), self.provider.clone());
        let opened = match self.pool.run(move || opening::open(&message, &opening.ra, &provider)).await {
            Err(busy) => return ScepFailure::Busy(busy).http_answer(),
            // Too little is known for a CertRep: no transaction, or nobody to tell it to.
            Ok(Err(error)) => {
                tracing::info!(endpoint = endpoint.name, peer = %peer.address, reason = %error, "not a message of SCEP");
                return answer::text(StatusCode::BAD_REQUEST, &error.to_string());
            }
            Ok(Ok(opened)) => opened,
        };
        let mut attempt = Attempt {
            operation: if matches!(opened.content, Ok(Content::Poll)) { "poll" } else { "enroll" },
            principal: String::new(),
            transaction: Some(opened.transaction.to_string()),
            peer: peer.clone(),
            watch,
        };
        // A client that hangs up drops what waits here, and must not drop what is counted and logged of a certificate.
        let outcome = match self.request(endpoint, &opened, &mut attempt).await {
            Ok(request) => {
                let enrolling = Arc::clone(endpoint);
                let task = self.tasks.spawn(Box::pin(async move {
                    let outcome = enrolling.perform(request).await;
                    attempt.conclude((&enrolling.name, &enrolling.metrics), &outcome);
                    outcome
                }));
                task.await.unwrap_or(Err(ScepFailure::EndedEarly))
            }
            Err(failure) => {
                let outcome = Err(failure);
                attempt.conclude((&endpoint.name, &endpoint.metrics), &outcome);
                outcome
            }
        };
        self.reply(endpoint, opened, outcome).await
    }

    /// What the core is asked.
    async fn request(&self, endpoint: &ScepEndpoint, opened: &Opened, attempt: &mut Attempt) -> Result<Asked, ScepFailure> {
        // Nobody else can name it: a transaction is the client's own, and its key goes along.
        let transaction = format!("{}#{}", opened.transaction, base16ct::lower::encode_string(&opened.signer_key));
        let csr: &Csr = match &opened.content {
            Err(failure) => return Err(failure.clone()),
            Ok(Content::Poll) => return Ok(Asked::Poll(transaction)),
            Ok(Content::Enroll(csr)) => csr,
        };
        let principal = self.authenticator.authenticate(csr, &endpoint.name).await?;
        attempt.principal.clone_from(&principal.name);
        Ok(Asked::Enroll(Box::new(EnrollRequest {
            protocol: Protocol::Scep,
            endpoint: endpoint.name.clone(),
            principal,
            csr: csr.clone(),
            renews: None,
            transaction: Some(transaction),
        })))
    }

    /// The answer: a CertRep wherever a client could do something with it.
    async fn reply(
        &self,
        endpoint: &Arc<ScepEndpoint>,
        opened: Opened,
        outcome: Result<Recorded<Outcome>, ScepFailure>,
    ) -> Answer {
        let reply = match &outcome {
            Ok(outcome) => match &**outcome {
                Outcome::Issued(issued) | Outcome::Served(issued) => Reply::Granted(issued.der.clone()),
                Outcome::Pending(_) => Reply::Said(Said::Pending),
            },
            Err(failure) => match failure.fail_info() {
                Some(info) => Reply::Said(Said::Failure(info, failure.told())),
                None => return failure.http_answer(),
            },
        };
        let (making, provider) = (Arc::clone(endpoint), self.provider.clone());
        let make = move || answering::make(reply, &opened, (&making.ra, making.options), &provider);
        match self.pool.run(make).await {
            Ok(Ok(message)) => answer::ok(PKI_MESSAGE, message),
            Ok(Err(error)) => {
                tracing::error!(endpoint = endpoint.name, %error, "a CertRep could not be made");
                ScepFailure::Crypto(error).http_answer()
            }
            // The outcome is recorded: the client hears of it when it asks again.
            Err(busy) => ScepFailure::Busy(busy).http_answer(),
        }
    }
}

/// What the core is asked.
enum Asked {
    Enroll(Box<EnrollRequest>),
    Poll(String),
}

impl ScepEndpoint {
    async fn perform(&self, asked: Asked) -> Result<Recorded<Outcome>, ScepFailure> {
        Ok(match asked {
            Asked::Enroll(request) => self.authority.enroll(&self.profile, *request).await?,
            Asked::Poll(transaction) => self.authority.poll(&self.profile, (Protocol::Scep, &self.name), &transaction).await?,
        })
    }
}
