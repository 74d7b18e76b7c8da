//! Conditional requests (RFC 9110 §13): 304 to who has it already.

use std::time::{Duration, SystemTime};

use certgate_pki::Timestamp;
use hyper::header::{ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use hyper::{Method, StatusCode};

use super::answer::Answer;
use super::content::Content;

/// What no other representation of a resource has (RFC 9110 §8.8.3).
#[derive(Clone, Debug)]
pub(crate) struct EntityTag(HeaderValue);

impl EntityTag {
    /// Made of octets that no other has.
    pub(crate) fn new(octets: [u8; 16]) -> Self {
        let tag = format!("\"{}\"", base16ct::lower::encode_string(&octets));
        Self(HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\"")))
    }

    /// Of `ETag`.
    pub(crate) fn value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Does the client name it as one that it has already? RFC 9110 §13.1.2: entity tags are compared weakly, and `*` is any.
    pub(crate) fn is_known(&self, method: &Method, headers: &HeaderMap) -> bool {
        reads(method) && headers.get_all(IF_NONE_MATCH).iter().any(|value| self.is_among(value))
    }

    fn is_among(&self, value: &HeaderValue) -> bool {
        let mut tags = value.as_bytes().split(|octet| *octet == b',').map(<[u8]>::trim_ascii);
        tags.any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.0.as_bytes())
    }
}

/// What tells one representation of a resource from another.
#[derive(Clone, Debug)]
pub(crate) struct Validators {
    tag: EntityTag,
    last_modified: HeaderValue,
    /// Does its date tell it from what was there before, to the second?
    date_tells: bool,
}

impl Validators {
    /// Of a representation that was made then.
    pub(crate) fn new(tag: EntityTag, modified_at: Timestamp) -> Self {
        Self { tag, last_modified: http_date(modified_at), date_tells: true }
    }

    /// The same of one that may be of the same second as the one before it: by its date alone nobody is told that it is known (RFC 9110
    /// §8.8.2.2).
    pub(crate) fn by_tag_alone(self) -> Self {
        Self { date_tells: false, ..self }
    }

    /// Adds `ETag` and `Last-Modified`.
    pub(crate) fn mark(&self, headers: &mut HeaderMap) {
        headers.insert(ETAG, self.tag.value());
        headers.insert(LAST_MODIFIED, self.last_modified.clone());
    }

    /// Does the client have this representation already? RFC 9110 §13.2.2: `If-Modified-Since` counts where there is no `If-None-Match`.
    pub(crate) fn are_known(&self, method: &Method, headers: &HeaderMap) -> bool {
        if headers.contains_key(IF_NONE_MATCH) {
            return self.tag.is_known(method, headers);
        }
        // The very date: a clock that was set back has made what is newer look older.
        self.date_tells && reads(method) && headers.get(IF_MODIFIED_SINCE) == Some(&self.last_modified)
    }
}

/// RFC 9110 §13.1.2, §13.1.3: to other methods 304 is no answer.
fn reads(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

/// 304 with those headers of the whole answer that tell a cache for how long it may go on (RFC 9110 §15.4.5).
pub(crate) fn not_modified(headers: HeaderMap) -> Answer {
    let mut answer = Answer::new(Content::default());
    *answer.status_mut() = StatusCode::NOT_MODIFIED;
    *answer.headers_mut() = headers;
    answer.headers_mut().remove(hyper::header::CONTENT_TYPE);
    answer
}

/// The time as fields of HTTP have it (RFC 9110 §5.6.7).
pub(crate) fn http_date(at: Timestamp) -> HeaderValue {
    let text = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(at.seconds().min(LAST_SECOND)));
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

/// 9999-12-31T23:59:59Z: what fields of HTTP can say.
const LAST_SECOND: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_790_000_000_999);

    fn known(fields: &[(HeaderName, &str)]) -> bool {
        known_by(&Method::GET, fields)
    }

    fn known_by(method: &Method, fields: &[(HeaderName, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        Validators::new(EntityTag::new([0xab; 16]), AT).are_known(method, &headers)
    }

    #[test]
    fn entity_tags() {
        let tag = format!("\"{}\"", "ab".repeat(16));
        for value in [&*tag, &format!("W/{tag}"), &format!("\"x\", {tag}"), &format!("{tag},\"x\""), "*"] {
            assert!(known(&[(IF_NONE_MATCH, value)]), "{value}");
        }
        assert!(known(&[(IF_NONE_MATCH, "\"x\""), (IF_NONE_MATCH, &tag)]));
        assert!(!known_by(&Method::POST, &[(IF_NONE_MATCH, &tag)]));
        for value in ["", "\"x\"", "ab", "\"\"", &tag[1..]] {
            assert!(!known(&[(IF_NONE_MATCH, value)]), "{value}");
        }
        assert!(!known(&[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, "Mon, 21 Sep 2026 14:13:20 GMT")]), "the tag counts");
    }

    #[test]
    fn dates_are_whole_seconds() {
        assert_eq!(http_date(AT), "Mon, 21 Sep 2026 14:13:20 GMT");
        assert!(known(&[(IF_MODIFIED_SINCE, "Mon, 21 Sep 2026 14:13:20 GMT")]));
        for other in ["Mon, 21 Sep 2026 14:13:19 GMT", "Mon, 21 Sep 2026 14:13:21 GMT", "Monday, 21-Sep-26 14:13:20 GMT"] {
            assert!(!known(&[(IF_MODIFIED_SINCE, other)]), "{other}");
        }
        assert!(!known(&[(IF_MODIFIED_SINCE, "yesterday")]) && !known(&[]));
        assert!(!known_by(&Method::POST, &[(IF_MODIFIED_SINCE, "Mon, 21 Sep 2026 14:13:20 GMT")]));
        let mut headers = HeaderMap::new();
        headers.insert(IF_MODIFIED_SINCE, http_date(AT));
        assert!(!Validators::new(EntityTag::new([0xab; 16]), AT).by_tag_alone().are_known(&Method::GET, &headers));
        assert_eq!(http_date(Timestamp::NO_EXPIRATION), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
