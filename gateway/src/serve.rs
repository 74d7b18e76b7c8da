//! Answers to requests: one file an endpoint family, each decode, authenticate, core call, encode.
//!
//! [`App`] is everything that is served; [`Exchange`] is what one connection sees of it, a [`tower::Service`] over any body, so that
//! tests need no ports.

mod acme;
mod answer;
mod body;
mod ca;
mod conclusion;
mod conditional;
mod content;
mod crl;
mod est;
mod failure;
mod framing;
mod host;
mod ocsp;
mod ops;
mod scep;

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Body;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode, Version};

pub use acme::{AcmeEndpoint, AcmeParts, AcmeService, NotValidated, ValidatesHttp01, ValidationTasks};
pub use answer::Answer;
pub use body::BodyLimits;
pub use ca::CaService;
pub(crate) use conditional::{EntityTag, Validators};
pub use content::Content;
pub(crate) use content::PIECE;
pub use crl::CrlService;
pub use est::{EstEndpoint, EstOptions, EstService};
pub use ocsp::{OcspOptions, OcspParts, OcspResponder, OcspService, OcspSigner};
pub use ops::{Gauges, OpsService};
pub use scep::{ScepEndpoint, ScepOptions, ScepRa, ScepService};

use crate::config::Family;
use crate::listen::{InFlight, Peer};

/// Everything that is served.
pub struct App {
    /// Enrollment over Secure Transport.
    pub est: EstService,
    /// Simple Certificate Enrolment Protocol.
    pub scep: ScepService,
    /// Automatic Certificate Management Environment.
    pub acme: AcmeService,
    /// Online Certificate Status Protocol.
    pub ocsp: OcspService,
    /// Certificate revocation lists.
    pub crl: CrlService,
    /// CA certificates.
    pub ca: CaService,
    /// Health and metrics.
    pub ops: OpsService,
    /// Bounds on bodies.
    pub limits: BodyLimits,
}

/// What one connection sees.
#[derive(Clone)]
pub struct Exchange {
    /// Everything.
    pub app: Arc<App>,
    /// The families that its listener serves.
    pub serves: Arc<[Family]>,
    /// Who is at the other end.
    pub peer: Peer,
    /// Requests that are being answered.
    pub in_flight: InFlight,
}

impl Exchange {
    async fn answer<B>(self, request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes>,
    {
        let (head, body) = request.into_parts();
        let body = pin!(body);
        let mut body = pin!(body::Watched::new(body, &self.in_flight));
        let family = self.family(head.uri.path());
        let mut answer = match head_fault(&head) {
            None => self.route(&head, family, body.as_mut()).await,
            Some((status, fault)) => {
                let mut answer = answer::text(status, fault);
                // Whoever stands in front may have read it another way: what follows is no request of this one's sender, perhaps.
                if head.version < Version::HTTP_2 {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                answer
            }
        };
        // A connection that is closed on unread octets may lose its answer, so a body that comes is read on for a while before the
        // answer is given. A sender that waits for 100-continue has sent nothing yet (RFC 9110 §10.1.1), and one that was too slow is
        // not waited for again.
        let expects = head.headers.get(hyper::header::EXPECT).map(HeaderValue::as_bytes);
        let waits = expects.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
        if !waits && answer.status() != StatusCode::REQUEST_TIMEOUT {
            body::discard(body, &self.app.limits).await;
        } else if !body.is_end_stream() && head.version < Version::HTTP_2 {
            // RFC 9110 §10.1.1: what was announced will not be read, so the connection ends with this answer.
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if answer.status().is_client_error() || answer.status().is_server_error() {
            self.app.limits.refusals.request(family.map_or("none", Family::name), answer.status());
        }
        if head.method == Method::HEAD { answer::without_content(answer) } else { answer }
    }

    /// The family that serves this path here.
    fn family(&self, path: &str) -> Option<Family> {
        let family = match path {
            _ if path.starts_with(certgate_est::PREFIX) => Family::Est,
            _ if path.starts_with(scep::PREFIX) => Family::Scep,
            _ if path.starts_with(acme::PREFIX) => Family::Acme,
            _ if path.starts_with(ocsp::PREFIX) => Family::Ocsp,
            _ if path.starts_with(crl::PREFIX) => Family::Crl,
            _ if path.starts_with(ca::PREFIX) => Family::Ca,
            _ => Family::Ops,
        };
        [family, Family::Ops].into_iter().find(|one| self.serves.contains(one))
    }

    async fn route<B>(&self, head: &Parts, family: Option<Family>, body: Pin<&mut B>) -> Answer
    where
        B: body::Incoming,
    {
        let App { est, scep, acme, ocsp, crl, ca, ops, limits } = &*self.app;
        // Each in a box of its own where it is large: every request takes the room of the largest that is not, and OCSP has many.
        match family {
            Some(Family::Est) => Box::pin(est.answer(head, body, &self.peer, limits)).await,
            Some(Family::Scep) => Box::pin(scep.answer(head, body, &self.peer, limits)).await,
            Some(Family::Acme) => Box::pin(acme.answer(head, body, &self.peer, limits)).await,
            Some(Family::Ocsp) => ocsp.answer(head, body, limits).await,
            Some(Family::Crl) => crl.answer(head),
            Some(Family::Ca) => ca.answer(&head.method, head.uri.path()),
            Some(Family::Ops) => ops.answer(&head.method, head.uri.path()).await,
            None => answer::text(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}

/// What makes a request one that is not looked at any further.
fn head_fault(head: &Parts) -> Option<(StatusCode, &'static str)> {
    let host = host::host_fault(head).map(|fault| (StatusCode::BAD_REQUEST, fault));
    host.or_else(|| framing::coding_fault(head).map(|fault| (StatusCode::NOT_IMPLEMENTED, fault)))
}

impl<B> tower::Service<Request<B>> for Exchange
where
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (exchange, entered) = (self.clone(), self.in_flight.enter());
        Box::pin(async move {
            let answer = exchange.answer(request).await;
            drop(entered);
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests;
