//! One endpoint: what it is bound to, and its answers that never change.

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::Authority;
use certgate_est::{Demands, EstBody, ca_certs, csr_attrs};
use certgate_pki::{Certificate, KeyType, Reading};
use certgate_policy::Profile;
use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue, InvalidHeaderValue, WWW_AUTHENTICATE};

use crate::auth::Methods;
use crate::serve::answer::{self, Answer};
use crate::telemetry::EnrollmentMetrics;

/// RFC 8951 §3 has receivers ignore it; some clients of before then need it.
const CONTENT_TRANSFER_ENCODING: HeaderName = HeaderName::from_static("content-transfer-encoding");

/// What differs from one endpoint to the next, beside its profile.
#[derive(Clone, Copy, Debug)]
pub struct EstOptions {
    /// How clients show who they are.
    pub methods: Methods,
    /// Every request has to be bound to its TLS session; one that is bound is always checked (RFC 7030 §3.5).
    pub requires_binding: bool,
    /// The first Retry-After of a request that waits for a person.
    pub retry_after: Duration,
    /// How requests are read.
    pub reading: Reading,
    /// Characters in a line of base64; 0 is one line.
    pub base64_line_length: usize,
}

/// One endpoint: a label bound to a profile and so to an authority.
pub struct EstEndpoint {
    pub(super) name: String,
    pub(super) profile: Profile,
    pub(super) authority: Arc<Authority>,
    pub(super) options: EstOptions,
    pub(super) metrics: EnrollmentMetrics,
    challenge: HeaderValue,
    ca_certs: Answer,
    csr_attrs: Answer,
}

impl EstEndpoint {
    /// An endpoint of this name that issues by `profile`, which `authority` signs.
    ///
    /// # Errors
    /// When the name cannot stand in a header; a name that is an EST label can.
    pub fn new(
        name: &str,
        profile: Profile,
        authority: Arc<Authority>,
        options: EstOptions,
        metrics: EnrollmentMetrics,
    ) -> Result<Self, InvalidHeaderValue> {
        let chain: Vec<&[u8]> = authority.chain().iter().map(Certificate::as_der).collect();
        let key_types: Vec<KeyType> = profile.key_types.iter().map(|key| key.key_type()).collect();
        let demands = Demands { key_types: &key_types, channel_binding: options.requires_binding };
        Ok(Self {
            name: name.to_owned(),
            ca_certs: with_body(ca_certs(&chain, options.base64_line_length)),
            csr_attrs: csr_attrs(demands, options.base64_line_length).map_or_else(nothing_demanded, with_body),
            challenge: HeaderValue::try_from(format!("Basic realm=\"EST {name}\", charset=\"UTF-8\""))?,
            profile,
            authority,
            options,
            metrics,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// RFC 7030 §4.1.3.
    pub(super) fn ca_certs(&self) -> Answer {
        self.ca_certs.clone()
    }

    /// RFC 7030 §4.5.2.
    pub(super) fn csr_attrs(&self) -> Answer {
        self.csr_attrs.clone()
    }

    /// RFC 7030 §3.2.3; without a body, which some clients take for an answer.
    pub(super) fn challenge(&self) -> Answer {
        let mut answer = Answer::default();
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        answer.headers_mut().insert(WWW_AUTHENTICATE, self.challenge.clone());
        answer
    }
}

/// RFC 7030 §4.5.2: "If the server … does not require any specific attributes: 204 or 404".
fn nothing_demanded() -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

pub(super) fn with_body(body: EstBody) -> Answer {
    let mut answer = answer::ok(body.content_type, body.base64);
    answer.headers_mut().insert(CONTENT_TRANSFER_ENCODING, HeaderValue::from_static("base64"));
    answer
}
