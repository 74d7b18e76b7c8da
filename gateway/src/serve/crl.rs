//! `/crl/…`: CRLs as they are published (RFC 5280 §4.2.1.13, RFC 2585 §4).

use std::collections::HashMap;
use std::sync::Arc;

use certgate_crl::PKIX_CRL;
use certgate_enrollment::Clock;
use certgate_pki::Timestamp;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, EXPIRES, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;

use super::answer::{self, Answer};
use super::conditional::{http_date, not_modified};
use crate::publish::{CrlPublisher, ListId, PublishedCrl};

/// What these paths start with.
pub(crate) const PREFIX: &str = "/crl/";

/// When to ask again for a list that could not be made yet, in seconds.
const RETRY: HeaderValue = HeaderValue::from_static("30");

/// The lists of all authorities, by path.
pub struct CrlService {
    clock: Arc<dyn Clock>,
    lists: HashMap<String, (CrlPublisher, ListId)>,
}

impl CrlService {
    /// Serves what these have published.
    #[must_use]
    pub fn new<'p>(clock: Arc<dyn Clock>, publishers: impl IntoIterator<Item = &'p CrlPublisher>) -> Self {
        let paths = |publisher: &'p CrlPublisher| {
            publisher.lists().map(move |id| (id.path(publisher.authority()), (publisher.clone(), id)))
        };
        Self { clock, lists: publishers.into_iter().flat_map(paths).collect() }
    }

    pub(crate) fn answer(&self, head: &Parts) -> Answer {
        let Some((publisher, id)) = self.lists.get(head.uri.path()) else {
            return answer::text(StatusCode::NOT_FOUND, "no CRL of this name");
        };
        if let Some(refusal) = answer::read_only(&head.method) {
            return refusal;
        }
        let Some(list) = publisher.published(*id) else {
            let mut answer = answer::text(StatusCode::SERVICE_UNAVAILABLE, "this CRL could not be made yet");
            answer.headers_mut().insert(RETRY_AFTER, RETRY);
            return answer;
        };
        let mut answer = answer::ok(PKIX_CRL, list.der.clone());
        let headers = answer.headers_mut();
        list.validators.mark(headers);
        headers.insert(CACHE_CONTROL, cache_control(publisher, &list, self.clock.now()));
        headers.insert(EXPIRES, http_date(list.record.next_update));
        if list.validators.are_known(&head.method, &head.headers) {
            return not_modified(std::mem::take(headers));
        }
        answer
    }
}

/// Caches ask again when the next list is made at the latest, and never serve one that is over.
fn cache_control(publisher: &CrlPublisher, list: &PublishedCrl, now: Timestamp) -> HeaderValue {
    let until = |then: Timestamp| then.seconds().saturating_sub(now.seconds());
    let seconds = until(publisher.next_at(list, now)).min(until(list.record.next_update).saturating_sub(1));
    let text = format!("public, max-age={seconds}");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("public, max-age=0"))
}
