//! /simpleenroll and /simplereenroll (RFC 7030 §4.2): authenticate, read, have the enrollment done, answer.

use std::pin::Pin;
use std::sync::Arc;

use certgate_enrollment::{EnrollRequest, Operation, Outcome, Pending, Proof, Protocol, Recorded};
use certgate_est::{Lenience, SimpleEnroll, check_binding, enrolled};
use certgate_pki::{Csr, Reading};
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;

use super::endpoint::{EstEndpoint, with_body};
use super::{EstService, retry_after};
use crate::auth::{Authenticated, Denied, Proofs};
use crate::listen::Peer;
use crate::serve::answer::{self, Answer};
use crate::serve::body::{self, BodyLimits, Incoming};
use crate::serve::conclusion::Attempt;
use crate::serve::failure::EstFailure;
use crate::telemetry::{Outcome as Counted, Stopwatch};

impl EstService {
    /// Does what a request to enroll or to re-enroll asks.
    pub(super) async fn enroll<B>(
        &self,
        endpoint: &Arc<EstEndpoint>,
        operation: Operation,
        head: &Parts,
        body: Pin<&mut B>,
        (peer, limits): (&Peer, &BodyLimits),
    ) -> Answer
    where
        B: Incoming,
    {
        let mut attempt = Attempt {
            operation: operation.name(),
            principal: String::new(),
            transaction: None,
            peer: peer.clone(),
            watch: Stopwatch::start(),
        };
        let authenticated = match self.authenticate(endpoint, operation, head, peer).await {
            Ok(authenticated) => authenticated,
            Err(denied) => return refuse(endpoint, denied, operation, &attempt),
        };
        attempt.principal.clone_from(&authenticated.principal.name);
        let request = match self.read(endpoint, authenticated, head, body, (peer, limits)).await {
            Ok(request) => request,
            Err(failure) => return conclude(endpoint, &Err(failure), &attempt),
        };
        // A client that hangs up drops what waits here, and must not drop what is counted and logged of a certificate.
        let enrolling = Arc::clone(endpoint);
        let task = self.tasks.spawn(Box::pin(async move {
            let enrolled = enrolling.authority.enroll(&enrolling.profile, request).await;
            conclude(&enrolling, &enrolled.map_err(EstFailure::from), &attempt)
        }));
        task.await.unwrap_or_else(|_| EstFailure::EndedEarly.answer())
    }

    async fn authenticate(
        &self,
        endpoint: &EstEndpoint,
        operation: Operation,
        head: &Parts,
        peer: &Peer,
    ) -> Result<Authenticated, Denied> {
        let certificate = peer.tls.as_ref().and_then(|tls| tls.client_certificate.as_deref());
        let proofs = Proofs { authorization: head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes), certificate };
        let at = (endpoint.name.as_str(), endpoint.options.methods);
        self.authenticator.authenticate(proofs, at, &endpoint.profile, operation).await
    }

    /// The request in a body, bound to its session as the endpoint has it.
    async fn read<B>(
        &self,
        endpoint: &EstEndpoint,
        authenticated: Authenticated,
        head: &Parts,
        body: Pin<&mut B>,
        (peer, limits): (&Peer, &BodyLimits),
    ) -> Result<EnrollRequest, EstFailure>
    where
        B: Incoming,
    {
        let body = body::read(body, limits).await?;
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let SimpleEnroll { csr, mut leniences } = SimpleEnroll::decode(content_type, &body, endpoint.options.reading)?;
        let session = peer.tls.as_ref().and_then(|tls| tls.binding);
        check_binding(session, csr.challenge_password(), endpoint.options.requires_binding)?;
        let Authenticated { mut principal, renewal } = authenticated;
        // Other names than the old certificate has need a credential that grants them (RFC 7030 §4.2.2).
        if let Some(renewal) = &renewal
            && csr.change_subject_name().is_some()
            && let Some((more, id)) =
                self.authenticator.basic.grants(&principal.name, &endpoint.name).await.map_err(EstFailure::Lookup)?
        {
            principal.grants.extend(more);
            principal.proof = Proof::Both(renewal.certificate.serial().clone(), id);
        }
        let renews = renewal.map(|mut renewal| {
            renewal.may_omit_names = endpoint.options.reading == Reading::Compatible;
            leniences.extend(omits_names(&csr, &renewal.certificate).then_some(Lenience::OmittedNames));
            Box::new(renewal)
        });
        for lenience in leniences {
            endpoint.metrics.lenient(lenience);
            tracing::debug!(endpoint = endpoint.name, lenience = lenience.name(), "read leniently");
        }
        let endpoint = endpoint.name.clone();
        Ok(EnrollRequest { protocol: Protocol::Est, endpoint, principal, csr, renews, transaction: None })
    }
}

/// Does a CSR leave out the subjectAltName that the certificate to be renewed has?
fn omits_names(csr: &Csr, old: &certgate_pki::Certificate) -> bool {
    let has_names = old.extensions().subject_alt_names().is_ok_and(|names| !names.is_empty());
    has_names && csr.requested().subject_alt_names.is_empty()
}

/// The answer to who is not authenticated. Where a password would do, it is asked for: some clients send none before they are asked.
fn refuse(endpoint: &EstEndpoint, denied: Denied, operation: Operation, attempt: &Attempt) -> Answer {
    let failure = match denied {
        Denied::Ledger(error) => EstFailure::Lookup(error),
        Denied::Busy(busy) => EstFailure::Busy(busy),
        denied => {
            let (endpoint_name, peer) = (&endpoint.name, attempt.peer.address);
            tracing::info!(endpoint = endpoint_name, operation = attempt.operation, %peer, reason = ?denied, "not authenticated");
            endpoint.metrics.ended(Counted::Unauthenticated, attempt.watch.elapsed());
            let asks = endpoint.options.methods.basic && operation == Operation::Enroll;
            return if asks { endpoint.challenge() } else { answer::text(StatusCode::FORBIDDEN, &denied.to_string()) };
        }
    };
    conclude(endpoint, &Err(failure), attempt)
}

/// One outcome: counted, logged and answered.
fn conclude(endpoint: &EstEndpoint, result: &Result<Recorded<Outcome>, EstFailure>, attempt: &Attempt) -> Answer {
    attempt.conclude((&endpoint.name, &endpoint.metrics), result);
    match result {
        Ok(outcome) => match &**outcome {
            Outcome::Issued(issued) | Outcome::Served(issued) => {
                with_body(enrolled(&issued.der, endpoint.options.base64_line_length))
            }
            Outcome::Pending(waits) => pending(endpoint, waits),
        },
        Err(failure) => failure.answer(),
    }
}

/// RFC 7030 §4.2.3: "If the server responds with an HTTP [RFC2616] 202, this indicates that the request has been accepted for processing
/// but that a response is not yet available. The server MUST include a Retry-After header".
fn pending(endpoint: &EstEndpoint, waits: &Pending) -> Answer {
    let text = format!("waiting for approval (enrollment {}); send the same request again after Retry-After seconds", waits.id);
    let mut answer = answer::text(StatusCode::ACCEPTED, &text);
    let seconds = retry_after::seconds(endpoint.options.retry_after, waits);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}
