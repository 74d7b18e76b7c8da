//! What is kept of a certificate, by the CertID that asks for it: what became of it, and the answer that says so.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use certgate_enrollment::CertificateState;
use certgate_pki::Timestamp;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, HeaderMap, HeaderValue, LAST_MODIFIED};
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle, PlaceholderGuard};

use super::signer::SignedResponse;
use crate::serve::answer::{self, Answer};
use crate::serve::conditional::{EntityTag, http_date};
use crate::serve::content::Content;
use crate::telemetry::OcspOutcome;

/// What became of a certificate, until something else becomes of it, and the answer that says so, once somebody has asked for it.
pub(super) struct Kept {
    /// What was read of it.
    pub(super) state: CertificateState,
    /// From when to when it is believed without another look at the ledger.
    fresh: Range<Timestamp>,
    answer: ArcSwapOption<KeptAnswer>,
    /// Held by who signs, for all who wait.
    signing: Mutex<()>,
}

impl Kept {
    /// What was read at that time, and is read again when half of `validity` is over.
    pub(super) fn new(state: CertificateState, read_at: Timestamp, validity: Duration) -> Self {
        let fresh = read_at.floor_to_second()..read_at.after(validity / 2);
        Self { state, fresh, answer: ArcSwapOption::empty(), signing: Mutex::new(()) }
    }

    /// May it be told without a look at the ledger? A clock that was set back before it was read says no.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.fresh.contains(&now)
    }

    /// The answer, if there is one whose time is not half over.
    pub(super) fn answer(&self, now: Timestamp) -> Option<Arc<KeptAnswer>> {
        self.answer.load_full().filter(|answer| answer.times.fresh.contains(&now))
    }

    /// The answer, if there is one that is still to be believed.
    pub(super) fn last_answer(&self, now: Timestamp) -> Option<Arc<KeptAnswer>> {
        self.answer.load_full().filter(|answer| answer.times.are_current(now))
    }

    /// The answer, made by the first who asks for it.
    pub(super) fn answer_or_make<E>(
        &self,
        now: Timestamp,
        make: impl FnOnce() -> Result<KeptAnswer, E>,
    ) -> Result<Arc<KeptAnswer>, E> {
        let _signing = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = self.answer(now) {
            return Ok(answer);
        }
        let made = Arc::new(make()?);
        self.answer.store(Some(Arc::clone(&made)));
        Ok(made)
    }
}

/// When answers were made, and what follows from it: all that were made in one second have it in common.
pub(super) struct Times {
    this_update: Timestamp,
    next_update: Timestamp,
    /// From when to when an answer is given without a look at the ledger.
    fresh: Range<Timestamp>,
    last_modified: HeaderValue,
    expires: HeaderValue,
    cache_control: HeaderValue,
}

impl Times {
    /// Of answers that are made anew when half of their time is over: caches are told to ask again by then, so that what they hold is never
    /// older than that, and a ledger that is away for the other half is no harm.
    pub(super) fn new(this_update: Timestamp, next_update: Timestamp) -> Self {
        let life = next_update.seconds().saturating_sub(this_update.seconds());
        let half = this_update.after(Duration::from_secs(life / 2));
        Self {
            this_update,
            next_update,
            fresh: this_update.floor_to_second()..half,
            last_modified: http_date(this_update),
            expires: http_date(next_update),
            // RFC 9919, "HTTP proxies": max-age is before nextUpdate, however late within the first half it is given.
            cache_control: cache_control(life - life / 2),
        }
    }

    /// thisUpdate and nextUpdate.
    pub(super) const fn both(&self) -> (Timestamp, Timestamp) {
        (self.this_update, self.next_update)
    }

    /// Is what an answer says still to be believed?
    fn are_current(&self, now: Timestamp) -> bool {
        self.fresh.start <= now && now < self.next_update
    }

    /// In its second half, since the ledger is away, an answer is kept by others for what is left.
    fn cache_control(&self, now: Timestamp) -> HeaderValue {
        if self.fresh.contains(&now) {
            return self.cache_control.clone();
        }
        cache_control(self.next_update.seconds().saturating_sub(now.seconds()))
    }
}

/// An answer as it goes out, again and again.
pub(super) struct KeptAnswer {
    body: Bytes,
    tag: EntityTag,
    times: Arc<Times>,
    /// What it says.
    pub(super) outcome: OcspOutcome,
}

impl KeptAnswer {
    /// A response that was made then.
    pub(super) fn new(response: SignedResponse, times: Arc<Times>, outcome: OcspOutcome) -> Self {
        Self { body: response.der.into(), tag: EntityTag::new(response.tag), times, outcome }
    }

    /// To a GET, with what caches need (RFC 9919, "HTTP response"), or 304: by its tag alone, since two may be of the same second (RFC 9110
    /// §8.8.2.2).
    pub(super) fn to_get(&self, head: &hyper::http::request::Parts, now: Timestamp) -> Answer {
        let mut headers = HeaderMap::with_capacity(5);
        headers.insert(ETAG, self.tag.value());
        headers.insert(LAST_MODIFIED, self.times.last_modified.clone());
        headers.insert(EXPIRES, self.times.expires.clone());
        headers.insert(CACHE_CONTROL, self.times.cache_control(now));
        if self.tag.is_known(&head.method, &head.headers) {
            return crate::serve::conditional::not_modified(headers);
        }
        headers.insert(CONTENT_TYPE, super::RESPONSE_TYPE);
        let mut answer = Answer::new(Content::new(self.body.clone()));
        *answer.headers_mut() = headers;
        answer
    }

    /// To a POST, which nobody keeps.
    pub(super) fn to_post(&self) -> Answer {
        answer::ok(certgate_ocsp::OCSP_RESPONSE, self.body.clone())
    }
}

/// For less than so many seconds.
fn cache_control(seconds: u64) -> HeaderValue {
    let text = format!("max-age={},public,no-transform,must-revalidate", seconds.saturating_sub(1));
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("no-cache"))
}

/// What is kept of a certificate: the answer, which is counted from the beginning, with a certificate of P-256 in it, its header fields, and
/// bookkeeping.
const USUAL: usize = 1500;

/// Octets that it takes.
#[derive(Clone)]
pub(super) struct Octets;

impl Weighter<Vec<u8>, Arc<Kept>> for Octets {
    fn weight(&self, cert_id: &Vec<u8>, _: &Arc<Kept>) -> u64 {
        (cert_id.len() + USUAL) as u64
    }
}

/// What one responder keeps: what is asked for most, within a number of octets. Who asks for what is being looked up waits for it.
pub(super) struct KeptStates {
    states: Cache<Vec<u8>, Arc<Kept>, Octets>,
    /// CertIDs whose status is being changed, and by how many changes.
    changing: Mutex<HashMap<Vec<u8>, usize>>,
}

/// The right to look up what others wait for.
pub(super) type Making<'c> =
    PlaceholderGuard<'c, Vec<u8>, Arc<Kept>, Octets, quick_cache::DefaultHashBuilder, DefaultLifecycle<Vec<u8>, Arc<Kept>>>;

/// What there is for a CertID.
pub(super) enum Found<'c> {
    /// This.
    Kept(Arc<Kept>),
    /// Nothing: it is to be looked up.
    Nothing(Making<'c>),
    /// Nothing, and nothing is to be kept: the status is being changed, and who asks now may see it changed or not.
    Changing,
}

impl KeptStates {
    /// Room for so many octets.
    pub(super) fn new(octets: usize) -> Self {
        Self { states: Cache::with_weighter(octets / USUAL + 1, octets as u64, Octets), changing: Mutex::default() }
    }

    /// What is kept for this CertID.
    pub(super) fn get(&self, cert_id: &[u8]) -> Option<Arc<Kept>> {
        self.states.get(cert_id)
    }

    /// The same; where there is nothing, the first who asks is to look it up, and the others wait for that.
    pub(super) async fn get_or_make(&self, cert_id: &[u8]) -> Found<'_> {
        match self.states.get_value_or_guard_async(cert_id).await {
            Ok(kept) => Found::Kept(kept),
            // Looked at with the guard in hand: a change that begins later takes it away.
            Err(_) if self.changing().contains_key(cert_id) => Found::Changing,
            Err(making) => Found::Nothing(making),
        }
    }

    /// Is it this one that is kept? One that was waited for may have been forgotten meanwhile.
    pub(super) fn is_kept(&self, cert_id: &[u8], kept: &Arc<Kept>) -> bool {
        self.states.peek(cert_id).is_some_and(|other| Arc::ptr_eq(&other, kept))
    }

    /// Takes this one away, if it is what is kept, to be looked up anew.
    pub(super) fn take(&self, cert_id: &[u8], kept: &Arc<Kept>) -> bool {
        self.states.remove_if(cert_id, |other| Arc::ptr_eq(other, kept)).is_some()
    }

    /// Forgets what is kept for this CertID, and what is being looked up, and keeps nothing until [`Self::changed`].
    pub(super) fn changes(&self, cert_id: &[u8]) {
        *self.changing().entry(cert_id.to_owned()).or_default() += 1;
        self.states.remove(cert_id);
    }

    /// What [`Self::changes`] has announced is over.
    pub(super) fn changed(&self, cert_id: &[u8]) {
        let mut changing = self.changing();
        match changing.get_mut(cert_id) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(changing.remove(cert_id)),
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.states.clear();
    }

    fn changing(&self) -> MutexGuard<'_, HashMap<Vec<u8>, usize>> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
