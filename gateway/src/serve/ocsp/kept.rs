//! Answers that are kept, by the CertID that asks for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use certgate_pki::Timestamp;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderMap, HeaderValue};
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle, PlaceholderGuard};

use crate::serve::answer::{self, Answer};
use crate::serve::conditional::{Validators, http_date};
use crate::telemetry::OcspOutcome;

/// An answer as it goes out, again and again.
pub(super) struct KeptAnswer {
    body: Bytes,
    validators: Validators,
    expires: HeaderValue,
    cache_control: HeaderValue,
    /// From when to when it is given without a look at the ledger.
    fresh: std::ops::Range<Timestamp>,
    next_update: Timestamp,
    /// What it says.
    pub(super) outcome: OcspOutcome,
}

impl KeptAnswer {
    /// A response that was made at `this_update`. It is made anew when half of its time is over: caches are told to ask again by then, so
    /// that what they hold is never older than that, and a ledger that is away for the other half is no harm.
    pub(super) fn new(
        body: Vec<u8>,
        sha256: &[u8; 32],
        (this_update, next_update): (Timestamp, Timestamp),
        outcome: OcspOutcome,
    ) -> Self {
        let life = next_update.seconds().saturating_sub(this_update.seconds());
        let half = this_update.after(std::time::Duration::from_secs(life / 2));
        // RFC 9919, "HTTP proxies": max-age is before nextUpdate, however late within the first half it is given.
        let max_age = (life - life / 2).saturating_sub(1);
        let cache_control = format!("max-age={max_age},public,no-transform,must-revalidate");
        Self {
            body: body.into(),
            validators: Validators::new(sha256, this_update),
            expires: http_date(next_update),
            cache_control: HeaderValue::try_from(cache_control).unwrap_or_else(|_| HeaderValue::from_static("no-cache")),
            fresh: this_update.floor_to_second()..half,
            next_update,
            outcome,
        }
    }

    /// May it be given without a look at the ledger? A clock that was set back before it was made says no.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.fresh.contains(&now)
    }

    /// Is what it says still to be believed?
    pub(super) fn is_current(&self, now: Timestamp) -> bool {
        self.fresh.start <= now && now < self.next_update
    }

    /// To a GET, with what caches need (RFC 9919, "HTTP response"), or 304.
    pub(super) fn to_get(&self, head: &hyper::http::request::Parts) -> Answer {
        let mut headers = HeaderMap::with_capacity(5);
        self.validators.mark(&mut headers);
        headers.insert(EXPIRES, self.expires.clone());
        headers.insert(CACHE_CONTROL, self.cache_control.clone());
        if self.validators.are_known(&head.method, &head.headers) {
            return crate::serve::conditional::not_modified(headers);
        }
        headers.insert(CONTENT_TYPE, super::RESPONSE_TYPE);
        let mut answer = Answer::new(http_body_util::Full::new(self.body.clone()));
        *answer.headers_mut() = headers;
        answer
    }

    /// To a POST, which nobody keeps.
    pub(super) fn to_post(&self) -> Answer {
        answer::ok(certgate_ocsp::OCSP_RESPONSE, self.body.clone())
    }
}

/// What an answer takes beside its octets and its key: bookkeeping, and header fields.
const OVERHEAD: usize = 320;

/// Octets that an answer takes.
#[derive(Clone)]
pub(super) struct Octets;

impl Weighter<Vec<u8>, Arc<KeptAnswer>> for Octets {
    fn weight(&self, cert_id: &Vec<u8>, kept: &Arc<KeptAnswer>) -> u64 {
        (cert_id.len() + kept.body.len() + OVERHEAD) as u64
    }
}

/// Answers of one responder, the ones that are asked for most, within a number of octets. Who asks for one that is being made waits for it.
pub(super) struct KeptAnswers {
    answers: Cache<Vec<u8>, Arc<KeptAnswer>, Octets>,
    /// CertIDs whose status is being changed, and by how many changes.
    changing: Mutex<HashMap<Vec<u8>, usize>>,
}

/// The right to make an answer that others wait for.
pub(super) type Making<'c> = PlaceholderGuard<
    'c,
    Vec<u8>,
    Arc<KeptAnswer>,
    Octets,
    quick_cache::DefaultHashBuilder,
    DefaultLifecycle<Vec<u8>, Arc<KeptAnswer>>,
>;

/// What there is for a CertID.
pub(super) enum Found<'c> {
    /// An answer.
    Kept(Arc<KeptAnswer>),
    /// None: it is to be made.
    Nothing(Making<'c>),
    /// None, and none is to be kept: the status is being changed, and who asks now may see it changed or not.
    Changing,
}

/// About what an answer takes, with a certificate of P-256 in it.
const USUAL: usize = 1200;

impl KeptAnswers {
    /// Room for so many octets.
    pub(super) fn new(octets: usize) -> Self {
        Self { answers: Cache::with_weighter(octets / USUAL + 1, octets as u64, Octets), changing: Mutex::default() }
    }

    /// The answer for this CertID, if there is one.
    pub(super) fn get(&self, cert_id: &[u8]) -> Option<Arc<KeptAnswer>> {
        self.answers.get(cert_id)
    }

    /// The same; where there is none, the first who asks is to make it, and the others wait for that.
    pub(super) async fn get_or_make(&self, cert_id: &[u8]) -> Found<'_> {
        match self.answers.get_value_or_guard_async(cert_id).await {
            Ok(kept) => Found::Kept(kept),
            // Looked at with the guard in hand: a change that begins later takes it away.
            Err(_) if self.changing().contains_key(cert_id) => Found::Changing,
            Err(making) => Found::Nothing(making),
        }
    }

    /// Is it this one that is kept? One that was waited for may have been forgotten meanwhile.
    pub(super) fn is_kept(&self, cert_id: &[u8], kept: &Arc<KeptAnswer>) -> bool {
        self.answers.peek(cert_id).is_some_and(|other| Arc::ptr_eq(&other, kept))
    }

    /// Takes this one away, if it is what is kept, for a new one to be made.
    pub(super) fn take(&self, cert_id: &[u8], kept: &Arc<KeptAnswer>) -> bool {
        self.answers.remove_if(cert_id, |other| Arc::ptr_eq(other, kept)).is_some()
    }

    /// Forgets the answer for this CertID, and the one that is being made, and keeps none until [`Self::changed`].
    pub(super) fn changes(&self, cert_id: &[u8]) {
        *self.changing().entry(cert_id.to_owned()).or_default() += 1;
        self.answers.remove(cert_id);
    }

    /// What [`Self::changes`] has announced is over.
    pub(super) fn changed(&self, cert_id: &[u8]) {
        let mut changing = self.changing();
        match changing.get_mut(cert_id) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(changing.remove(cert_id)),
        }
    }

    fn changing(&self) -> MutexGuard<'_, HashMap<Vec<u8>, usize>> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
