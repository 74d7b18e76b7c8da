//! Answers: whole bodies with a length, never chunked.

use bytes::Bytes;
use hyper::body::Body;
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};

use super::content::Content;

/// An answer.
pub type Answer = Response<Content>;

/// 200 with a body of this type.
pub(crate) fn ok(content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Answer::new(Content::new(body.into()));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// This status, and a sentence for people.
pub(crate) fn text(status: StatusCode, text: &str) -> Answer {
    let mut answer = ok("text/plain; charset=utf-8", format!("{text}\n"));
    *answer.status_mut() = status;
    answer
}

/// 405 unless the method is GET or HEAD.
pub(crate) fn read_only(method: &Method) -> Option<Answer> {
    let reads = *method == Method::GET || *method == Method::HEAD;
    (!reads).then(|| not_allowed("GET, HEAD"))
}

/// 405 with the methods that are (RFC 9110 §15.5.6).
pub(crate) fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, &format!("allowed here: {allowed}"));
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// The answer to HEAD (RFC 9110 §9.3.2): "The server MUST NOT send content", and says how much GET would have brought.
pub(crate) fn without_content(answer: Answer) -> Answer {
    let (mut head, content) = answer.into_parts();
    // RFC 9110 §8.6: nothing to be said of what is not there, and of 304 only what GET would have had.
    let has_length = !matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if let Some(length) = content.size_hint().exact().filter(|_| has_length) {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Answer::from_parts(head, Content::default())
}
