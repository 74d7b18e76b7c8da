//! `/ocsp/AUTHORITY[/BASE64]`: OCSP over HTTP (RFC 6960 §A.1, RFC 9919).

mod kept;
mod responder;
mod signer;

use certgate_pki::Reading;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use certgate_ocsp::{ErrorStatus, GetError, OCSP_REQUEST, OCSP_RESPONSE, decode_get};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

pub use responder::{OcspOptions, OcspParts, OcspResponder};
pub use signer::OcspSigner;

use super::answer::{self, Answer};
use super::body::{self, BodyLimits, Incoming};
use crate::telemetry::OcspOutcome;
use responder::Response;

/// What these paths start with.
pub(crate) const PREFIX: &str = "/ocsp/";

const RESPONSE_TYPE: HeaderValue = HeaderValue::from_static(OCSP_RESPONSE);

/// All responders.
pub struct OcspService {
    responders: HashMap<String, Arc<OcspResponder>>,
}

impl OcspService {
    /// Serves these responders, each under its authority's name.
    #[must_use]
    pub fn new(responders: impl IntoIterator<Item = Arc<OcspResponder>>) -> Self {
        Self { responders: responders.into_iter().map(|one| (one.authority().to_owned(), one)).collect() }
    }

    pub(crate) async fn answer<B>(&self, head: &Parts, body: Pin<&mut B>, limits: &BodyLimits) -> Answer
    where
        B: Incoming,
    {
        let rest = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let (name, request) = rest.split_once('/').unwrap_or((rest, ""));
        let Some(responder) = self.responders.get(name) else {
            return answer::text(StatusCode::NOT_FOUND, "there is no OCSP responder of this name");
        };
        match head.method {
            Method::GET | Method::HEAD => get(responder, head, request).await,
            Method::POST if request.is_empty() => post(responder, &head.headers, body, limits).await,
            Method::POST => {
                answer::text(StatusCode::NOT_FOUND, "a request is either in the path of a GET or in the body of a POST")
            }
            _ => answer::not_allowed("GET, HEAD, POST"),
        }
    }
}

async fn get(responder: &OcspResponder, head: &Parts, path: &str) -> Answer {
    let decoded = match decode_get(path, responder.reading()) {
        Ok(decoded) => decoded,
        Err(GetError::Empty) => return answer::text(StatusCode::BAD_REQUEST, &GetError::Empty.to_string()),
        Err(GetError::NotBase64 | GetError::TooLong) => return error(responder, ErrorStatus::MalformedRequest),
    };
    for lenience in decoded.leniences {
        responder.metrics.lenient(lenience);
    }
    match responder.respond(&decoded.der).await {
        Response::Kept(kept) => {
            responder.metrics.answered(kept.outcome);
            kept.to_get(head, responder.now())
        }
        Response::Made(der, outcome) => made(responder, der, outcome),
        Response::Error(status) => error(responder, status),
    }
}

async fn post<B>(responder: &OcspResponder, headers: &HeaderMap, body: Pin<&mut B>, limits: &BodyLimits) -> Answer
where
    B: Incoming,
{
    let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_request = match media_type {
        Some(text) => {
            let essence = text.split(|octet| *octet == b';').next().unwrap_or_default();
            essence.trim_ascii().eq_ignore_ascii_case(OCSP_REQUEST.as_bytes())
        }
        None => responder.reading() == Reading::Compatible,
    };
    if !is_request {
        let text = format!("a request is of the type {OCSP_REQUEST} (RFC 6960 §A.1)");
        return answer::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, &text);
    }
    let der = match body::read(body, limits).await {
        Ok(der) => der,
        Err(failure) => return answer::text(failure.status(), &failure.to_string()),
    };
    match responder.respond(&der).await {
        Response::Kept(kept) => {
            responder.metrics.answered(kept.outcome);
            kept.to_post()
        }
        Response::Made(der, outcome) => made(responder, der, outcome),
        Response::Error(status) => error(responder, status),
    }
}

/// What was made for one request is for nobody else.
fn made(responder: &OcspResponder, der: Vec<u8>, outcome: OcspOutcome) -> Answer {
    responder.metrics.answered(outcome);
    not_kept(der)
}

/// RFC 6960 §A.2: an error of OCSP is a response like any other to HTTP. RFC 9919, "HTTP Proxies": it is not to be kept.
fn error(responder: &OcspResponder, status: ErrorStatus) -> Answer {
    responder.metrics.failed(status);
    not_kept(&status.as_der()[..])
}

fn not_kept(der: impl Into<Bytes>) -> Answer {
    let mut answer = answer::ok(OCSP_RESPONSE, der);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
