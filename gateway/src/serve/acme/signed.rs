//! From a request to who has signed what (RFC 8555 §6.2 to §6.5).

use std::pin::Pin;

use certgate_acme::{Jwk, Jws, Resource};
use certgate_enrollment::Account;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;

use super::AcmeService;
use super::endpoint::Asked;
use crate::listen::Peer;
use crate::serve::body::{self, BodyLimits, Incoming};
use crate::serve::failure::AcmeFailure;

/// The media type of requests, whose parameters say nothing (RFC 7515 §9.2.1).
const JOSE_JSON: &str = "application/jose+json";

/// A request whose URL, nonce and signature are right.
pub(super) enum Signed {
    /// With the key that it brings along: newAccount. That key, and its payload.
    ByKey(Jwk, Vec<u8>),
    /// By an account: everything else. Its payload.
    ByAccount(Account, Vec<u8>),
}

/// A request of an account, to one of its resources or of the endpoint's.
pub(super) struct ByAccount<'r> {
    /// What it is about.
    pub(super) asked: &'r Asked,
    /// Whose it is.
    pub(super) account: &'r Account,
    /// What it says; nothing in a POST-as-GET.
    pub(super) payload: &'r [u8],
    /// Where it came from.
    pub(super) peer: &'r Peer,
}

impl AcmeService {
    /// Reads the body of a request and verifies it.
    pub(super) async fn read<B>(
        &self,
        asked: &Asked,
        head: &Parts,
        body: Pin<&mut B>,
        limits: &BodyLimits,
    ) -> Result<Signed, AcmeFailure>
    where
        B: Incoming,
    {
        if !is_jose_json(head.headers.get(CONTENT_TYPE)) {
            return Err(AcmeFailure::ContentType);
        }
        let body = body::read(body, limits).await?;
        let jws = Jws::parse(&body)?;
        let url = asked.url();
        // RFC 8555 §6.4: compared as text, so that nobody else's reading of a URL matters.
        if jws.protected.url != url {
            return Err(AcmeFailure::Url(url));
        }
        // A nonce is spent by whoever shows it, before anything that costs more than it is done.
        if !self.parts.nonces.redeem(&jws.protected.nonce) {
            return Err(AcmeFailure::Nonce);
        }
        if asked.resource == Resource::NewAccount {
            let jwk = self.parts.authenticator.key(&jws)?.clone();
            return Ok(Signed::ByKey(jwk, jws.payload));
        }
        let account = self.parts.authenticator.account(&jws, &asked.endpoint.name, &asked.urls).await?;
        Ok(Signed::ByAccount(account, jws.payload))
    }
}

fn is_jose_json(content_type: Option<&HeaderValue>) -> bool {
    let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(JOSE_JSON)
}
