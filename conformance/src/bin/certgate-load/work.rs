//! The requests of a run: those of EST made before the clock starts, those of OCSP in a moment each.

use anyhow::{Context, ensure};
use bytes::Bytes;
use certgate_conformance::{
    certificate::Certificate,
    csr::Wish,
    http::{basic, encode_body},
    key::Key,
    target::Url,
};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, IF_NONE_MATCH},
};

use crate::{
    ocsp::{self, Questions},
    scep::Messages,
};

/// What the answers to both operations of EST are (RFC 7030 §4.1.3, §4.2.3).
const CERTS_ONLY: &str = "application/pkcs7-mime";
/// RFC 6960 §A.2.
const OCSP_RESPONSE: &str = "application/ocsp-response";
/// RFC 5280 §4.2.1.13, RFC 2585 §4.2.
const CRL: &str = "application/pkix-crl";
/// RFC 8894 §4.3.
const PKI_MESSAGE: &str = "application/x-pki-message";

/// Requests of one operation, and what an answer must be.
pub(crate) struct Work {
    method: Method,
    target: String,
    /// Header fields of each.
    fields: Vec<(HeaderName, String)>,
    content: Content,
    status: StatusCode,
    /// `None` where an answer has no content.
    media_type: Option<&'static str>,
}

/// What is in the requests.
enum Content {
    /// Nothing.
    Nothing,
    /// A body each.
    Bodies(Vec<Bytes>),
    /// A question each, behind the URL if the method is GET.
    Questions(Questions),
    /// A message of SCEP each.
    Messages(Messages),
}

/// `count` enrollments of `user` as common name, each with a key of its own.
pub(crate) fn enrollments(url: &Url, user: &str, password: &str, count: usize) -> anyhow::Result<Work> {
    let mut work = renewals(url, user, count)?;
    work.target = format!("{}/simpleenroll", url.path);
    work.fields.push((AUTHORIZATION, basic(user, password)));
    Ok(work)
}

/// `count` re-enrollments of `user` as common name, each with a key of its own; the connection shows the certificate.
pub(crate) fn renewals(url: &Url, user: &str, count: usize) -> anyhow::Result<Work> {
    let bodies = (0..count).map(|_| Ok(encode_body(&csr(user)?).into())).collect::<anyhow::Result<_>>()?;
    Ok(Work {
        method: Method::POST,
        target: format!("{}/simplereenroll", url.path),
        fields: vec![(HOST, url.authority()), (CONTENT_TYPE, "application/pkcs10".to_owned())],
        content: Content::Bodies(bodies),
        ..fetches(url)
    })
}

/// The CA certificates, again and again.
pub(crate) fn fetches(url: &Url) -> Work {
    Work {
        method: Method::GET,
        target: format!("{}/cacerts", url.path),
        fields: vec![(HOST, url.authority())],
        content: Content::Nothing,
        status: StatusCode::OK,
        media_type: Some(CERTS_ONLY),
    }
}

/// A CRL, or the word that it is still the one with this entity tag, again and again.
pub(crate) fn lists(url: &Url, entity_tag: Option<String>) -> Work {
    let (status, media_type) = match entity_tag {
        None => (StatusCode::OK, Some(CRL)),
        Some(_) => (StatusCode::NOT_MODIFIED, None),
    };
    let mut work = Work { target: url.path.clone(), status, media_type, ..fetches(url) };
    work.fields.extend(entity_tag.map(|tag| (IF_NONE_MATCH, tag)));
    work
}

/// Questions about certificates that `issuer` has issued.
pub(crate) fn questions(url: &Url, options: &ocsp::Options, issuer: &Certificate) -> anyhow::Result<Work> {
    let content = Content::Questions(Questions::new(options, issuer)?);
    let mut work = Work { target: url.path.clone(), media_type: Some(OCSP_RESPONSE), content, ..fetches(url) };
    if !options.get {
        work.method = Method::POST;
        work.fields.push((CONTENT_TYPE, "application/ocsp-request".to_owned()));
    }
    Ok(work)
}

/// Messages of SCEP, by POST (RFC 8894 §4.1).
pub(crate) fn messages(url: &Url, messages: Messages) -> Work {
    let mut work = Work {
        method: Method::POST,
        target: format!("{}?operation=PKIOperation", url.path),
        content: Content::Messages(messages),
        media_type: Some(PKI_MESSAGE),
        ..fetches(url)
    };
    work.fields.push((CONTENT_TYPE, PKI_MESSAGE.to_owned()));
    work
}

/// A CSR for `name` as common name, with a new P-256 key.
pub(crate) fn csr(name: &str) -> anyhow::Result<Vec<u8>> {
    Wish::common_name(name).sign(&Key::p256())
}

impl Work {
    /// The request at `index`.
    pub(crate) fn request(&self, index: usize) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(&self.method);
        for (name, value) in &self.fields {
            request = request.header(name, value);
        }
        let (target, body) = match &self.content {
            Content::Nothing => (self.target.clone(), Bytes::new()),
            Content::Bodies(bodies) => (self.target.clone(), bodies.get(index).context("a request that was not made")?.clone()),
            Content::Questions(questions) if self.method == Method::GET => {
                (format!("{}/{}", self.target, questions.path(index)), Bytes::new())
            }
            Content::Questions(questions) => (self.target.clone(), questions.der(index).into()),
            Content::Messages(messages) => (self.target.clone(), messages.der(index)?),
        };
        Ok(request.uri(target).body(Full::new(body))?)
    }

    /// Is this the answer to the request at `index`?
    pub(crate) fn check(&self, index: usize, answer: &Response<Bytes>) -> anyhow::Result<()> {
        let (status, content) = (answer.status(), answer.body());
        ensure!(status == self.status, "status {status}: {}", String::from_utf8_lossy(content));
        let Some(expected) = self.media_type else { return Ok(()) };
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        ensure!(kind.split(';').next() == Some(expected), "media type {kind:?}");
        match &self.content {
            Content::Questions(questions) => questions.check(index, content),
            Content::Messages(messages) => messages.check(index, content),
            Content::Nothing | Content::Bodies(_) => Ok(()),
        }
    }
}
