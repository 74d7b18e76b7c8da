//! One request and its answer.

use std::pin::pin;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::failure::ValidationFailure;
use super::target::Target;

/// Largest head of an answer, in octets, and most that is read ahead of a body.
const MAX_HEAD: usize = 16 * 1024;
/// Most fields of a head.
const MAX_FIELDS: usize = 64;
/// Longest body, in octets. A key authorization has about 90.
const MAX_BODY: usize = 8 * 1024;

/// What a server may be told of who asks.
const CERTGATE: &str = concat!("certgate/", env!("CARGO_PKG_VERSION"));

/// What came.
pub(super) enum Answer {
    /// 200, with this body.
    Body(Vec<u8>),
    /// 301, 302, 303, 307 or 308, with this Location.
    Redirect(String),
}

/// Asks for the target and reads the answer, over HTTP/1.1. The connection ends with it.
///
/// # Errors
/// [`ValidationFailure::Connection`] when the connection ends early; [`ValidationFailure::IncorrectResponse`] when what comes is not HTTP, too long,
/// or has another status.
pub(super) async fn get(stream: impl AsyncRead + AsyncWrite + Unpin, target: &Target) -> Result<Answer, ValidationFailure> {
    let request = request(target)?;
    let mut builder = http1::Builder::new();
    builder.max_header_size(MAX_HEAD).max_buf_size(MAX_HEAD).max_headers(MAX_FIELDS);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| failure(target, &error))?;
    let mut exchange = pin!(async {
        let response = sender.send_request(request).await.map_err(|error| failure(target, &error))?;
        read(response, target).await
    });
    // Both in this task: whoever drops it ends both.
    tokio::select! {
        answer = &mut exchange => return answer,
        // Over, or broken: the exchange has what came until then, and knows why no more came.
        _ = connection => {}
    }
    exchange.await
}

fn request(target: &Target) -> Result<Request<Empty<Bytes>>, ValidationFailure> {
    let request = Request::get(target.path_and_query())
        .header(HOST, target.host_field())
        .header(USER_AGENT, CERTGATE)
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::new());
    request.map_err(|_| ValidationFailure::incorrect(format!("a URL of {target} cannot be asked for")))
}

async fn read(response: Response<Incoming>, target: &Target) -> Result<Answer, ValidationFailure> {
    match response.status() {
        StatusCode::OK => body(response.into_body(), target).await.map(Answer::Body),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => {
            let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            let redirect = location.map(|location| Answer::Redirect(location.to_owned()));
            redirect.ok_or_else(|| ValidationFailure::incorrect(format!("{target} redirects without a URL in Location")))
        }
        status => Err(ValidationFailure::incorrect(format!("{target} answered with status {}", status.as_u16()))),
    }
}

async fn body(mut body: Incoming, target: &Target) -> Result<Vec<u8>, ValidationFailure> {
    let mut octets = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| failure(target, &error))?.into_data() else { continue };
        if data.len() > MAX_BODY - octets.len() {
            return Err(ValidationFailure::incorrect(format!("{target} answered with more than {MAX_BODY} octets")));
        }
        octets.extend_from_slice(&data);
    }
    Ok(octets)
}

fn failure(target: &Target, error: &hyper::Error) -> ValidationFailure {
    if error.is_parse() {
        return ValidationFailure::incorrect(format!("{target} did not answer as HTTP has it"));
    }
    ValidationFailure::connection(format!("{target} ended the connection before its answer was complete"))
}
