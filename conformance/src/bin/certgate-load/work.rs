//! The requests of a run, made before the clock starts.

use anyhow::Context;
use bytes::Bytes;
use certgate_conformance::{
    csr::Wish,
    http::{basic, encode_body},
    key::Key,
    target::Url,
};
use http_body_util::Full;
use hyper::{
    Method, Request,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};

/// What the answers to both operations are (RFC 7030 §4.1.3, §4.2.3).
const CERTS_ONLY: &str = "application/pkcs7-mime";

/// Requests of one operation, and what an answer must be.
pub(crate) struct Work {
    /// Media type of a right answer.
    pub(crate) media_type: &'static str,
    method: Method,
    target: String,
    host: String,
    authorization: Option<String>,
    /// Content of each request.
    bodies: Vec<Bytes>,
}

/// `count` enrollments of `user` as common name, each with a key of its own.
pub(crate) fn enrollments(url: &Url, user: &str, password: &str, count: usize) -> anyhow::Result<Work> {
    Ok(Work {
        media_type: CERTS_ONLY,
        method: Method::POST,
        target: format!("{}/simpleenroll", url.path),
        host: url.authority(),
        authorization: Some(basic(user, password)),
        bodies: (0..count).map(|_| Ok(encode_body(&csr(user)?).into())).collect::<anyhow::Result<_>>()?,
    })
}

/// `count` re-enrollments of `user` as common name, each with a key of its own; the connection shows the certificate.
pub(crate) fn renewals(url: &Url, user: &str, count: usize) -> anyhow::Result<Work> {
    let target = format!("{}/simplereenroll", url.path);
    Ok(Work { target, authorization: None, ..enrollments(url, user, "", count)? })
}

/// `count` times the CA certificates.
pub(crate) fn fetches(url: &Url, count: usize) -> Work {
    Work {
        media_type: CERTS_ONLY,
        method: Method::GET,
        target: format!("{}/cacerts", url.path),
        host: url.authority(),
        authorization: None,
        bodies: vec![Bytes::new(); count],
    }
}

/// A CSR for `name` as common name, with a new P-256 key.
pub(crate) fn csr(name: &str) -> anyhow::Result<Vec<u8>> {
    Wish::common_name(name).sign(&Key::p256())
}

impl Work {
    /// How many requests there are.
    pub(crate) fn len(&self) -> usize {
        self.bodies.len()
    }

    /// The request at `index`.
    pub(crate) fn request(&self, index: usize) -> anyhow::Result<Request<Full<Bytes>>> {
        let body = self.bodies.get(index).context("a request that was not made")?.clone();
        let mut request = Request::builder().method(&self.method).uri(&self.target).header(HOST, &self.host);
        if self.method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/pkcs10");
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        Ok(request.body(Full::new(body))?)
    }
}
