//! Lists over HTTP (RFC 2585 §4, RFC 9110 §13), and what the URLs in certificates lead to.

use super::{
    gather::lists,
    list::RevocationList,
    session::{Session, target_of},
};
use crate::{
    certificate::Certificate,
    hook::Hook,
    http::{Request, Response},
    parts::Parts,
    pointers::{CA_ISSUERS, CRL_DISTRIBUTION_POINTS, FRESHEST_CRL, OCSP, accesses, urls_in},
    signature,
    target::{Scheme, Url},
    verdict::{Stop, Verdict, require},
};

/// RFC 2585 §4.2.
const PKIX_CRL: &str = "application/pkix-crl";
/// RFC 2585 §4.1.
const PKIX_CERT: &str = "application/pkix-cert";
/// RFC 6960 Appendix A.1, A.2.
const OCSP_REQUEST: &str = "application/ocsp-request";
const OCSP_RESPONSE: &str = "application/ocsp-response";

pub(super) fn is_served_well(session: &mut Session<'_>) -> Verdict {
    let mut parts = Parts::default();
    let subject = session.subject()?;
    let [complete, delta] = subject.scope.names;
    let told = one_url(session, &subject.scope.complete, complete);
    parts.add(complete, told)?;
    if let Some(url) = &subject.scope.delta {
        let told = one_url(session, url, delta);
        parts.add(delta, told)?;
    }
    let news = new_list_is_given(session);
    parts.add("a new list", news)?;
    parts.verdict()
}

fn one_url(session: &mut Session<'_>, url: &Url, name: &'static str) -> Verdict {
    // Clients that fetch a list in order to make a TLS connection cannot need one for it.
    require(url.scheme == Scheme::Http, || format!("{url} is no http URL"))?;
    let response = session.get(url, name)?;
    require(response.status == 200, || format!("{}, not 200", response.status))?;
    let media_type = response.media_type();
    // RFC 5280 §4.2.1.13: "HTTP server implementations accessed via the URI SHOULD specify the media type application/pkix-crl in the
    // content-type header field of the response."
    require(media_type.as_deref() == Some(PKIX_CRL), || format!("content type {media_type:?}, not {PKIX_CRL}"))?;
    // RFC 5280 §4.2.1.13: "the URI MUST point to a single DER encoded CRL as specified in [RFC2585]."
    RevocationList::parse(&response.content)?;
    let head = session.send(url, Request::new("HEAD", target_of(url)).called(name))?;
    require(head.status == 200 && head.media_type() == media_type && head.content.is_empty(), || {
        format!("HEAD: {}, content type {:?}, {} octets", head.status, head.media_type(), head.content.len())
    })?;
    let mut told = Vec::new();
    for (validator, condition) in [("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")] {
        let value = response.field(validator).ok_or_else(|| Stop::Fail(format!("no {validator}")))?;
        require(unchanged(session, url, name, (condition, value), &response)?, || {
            format!("{condition} {value}: neither 304 nor another list")
        })?;
        told.push(condition);
    }
    let other = Request::new("GET", target_of(url)).with_field("If-None-Match", "\"another\"").called(name);
    let answer = session.send(url, other)?;
    require(answer.status == 200, || format!("If-None-Match with another ETag: {}, not 200", answer.status))?;
    Ok(format!("{PKIX_CRL}, 304 upon {}", told.join(" and ")))
}

/// 304 without content, or a list that was made meanwhile (RFC 9110 §15.4.5).
fn unchanged(
    session: &mut Session<'_>,
    url: &Url,
    name: &'static str,
    (condition, value): (&str, &str),
    before: &Response,
) -> Result<bool, Stop> {
    let request = Request::new("GET", target_of(url)).with_field(condition, value).called(name);
    let answer = session.send(url, request)?;
    Ok(match answer.status {
        304 => answer.content.is_empty(),
        200 => answer.content != before.content,
        _ => false,
    })
}

/// Who asks with the ETag of an old list gets the new one.
fn new_list_is_given(session: &mut Session<'_>) -> Verdict {
    session.need(&[Hook::Revoke])?;
    let subject = session.subject()?;
    let scope = subject.scope;
    let urls = std::iter::once((&scope.complete, scope.names[0])).chain(scope.delta.as_ref().map(|url| (url, scope.names[1])));
    let mut before = Vec::new();
    for (url, name) in urls {
        before.push((url, name, session.get(url, name)?));
    }
    session.revoke(&subject.certificate, "superseded")?;
    scope.wait_for(session, &subject.certificate)?;
    let mut fresh = 0;
    for (url, name, old) in before {
        let etag = old.field("etag").unwrap_or_default();
        let answer = session.send(url, Request::new("GET", target_of(url)).with_field("If-None-Match", etag).called(name))?;
        let now = session.get(url, name)?;
        require((answer.status == 304) == (now.content == old.content), || {
            format!(
                "{name}: {} upon the ETag of a list that {}",
                answer.status,
                if now.content == old.content { "is the last" } else { "is old" }
            )
        })?;
        fresh += usize::from(answer.status == 200);
    }
    require(fresh > 0, || "a certificate was revoked and no list changed".into())?;
    Ok("200 upon the ETag of an old one".into())
}

pub(super) fn urls_answer(session: &mut Session<'_>) -> Verdict {
    let certificate = session.enroll()?;
    let mut parts = Parts::default();
    for (what, oid) in [("crldp", CRL_DISTRIBUTION_POINTS), ("freshest", FRESHEST_CRL)] {
        let urls = urls_in(certificate.extension(oid))?;
        let told = lists_at(session, &urls, what);
        parts.add(what, told)?;
    }
    let told = issuers_at(session, &certificate);
    parts.add("caIssuers", told)?;
    let told = responders_at(session, &certificate);
    parts.add("ocsp", told)?;
    for found in lists(session)? {
        let urls = found.list.freshest()?;
        if found.list.base()?.is_none() && !urls.is_empty() {
            let told = lists_at(session, &urls, "freshest");
            parts.add("freshestCRL of a list", told)?;
        }
    }
    parts.verdict()
}

fn none_named(urls: &[Url]) -> Result<(), Stop> {
    if urls.is_empty() { Err(Stop::Skip("the certificate names none".into())) } else { Ok(()) }
}

fn lists_at(session: &mut Session<'_>, urls: &[Url], name: &'static str) -> Verdict {
    none_named(urls)?;
    for url in urls {
        session.list(url, name)?;
    }
    Ok(told(urls))
}

fn issuers_at(session: &mut Session<'_>, certificate: &Certificate) -> Verdict {
    let urls = accesses(certificate, CA_ISSUERS)?;
    none_named(&urls)?;
    for url in &urls {
        let response = session.get(url, "ca-issuers")?;
        require(response.status == 200, || format!("{url}: {}, not 200", response.status))?;
        let media_type = response.media_type();
        require(media_type.as_deref() == Some(PKIX_CERT), || format!("{url}: content type {media_type:?}, not {PKIX_CERT}"))?;
        let issuer = Certificate::parse(&response.content)?;
        require(issuer.subject == certificate.issuer, || format!("{url}: the certificate of another than the issuer"))?;
        signature::verify(&issuer.spki, &certificate.algorithm, &certificate.tbs, &certificate.signature)
            .map_err(|error| Stop::Fail(format!("{url}: {error}")))?;
    }
    Ok(told(&urls))
}

/// POST of anything at all is answered in OCSP (RFC 6960 §2.3); a server that speaks GET alone is no broken one.
fn responders_at(session: &mut Session<'_>, certificate: &Certificate) -> Verdict {
    let urls = accesses(certificate, OCSP)?;
    none_named(&urls)?;
    for url in &urls {
        let request = Request::new("POST", target_of(url)).with_field("Content-Type", OCSP_REQUEST);
        let posted = session.send(url, request.with_content(&[0x30, 0x00]).called("ocsp"))?;
        if posted.status == 200 && posted.media_type().as_deref() == Some(OCSP_RESPONSE) {
            continue;
        }
        let got = session.get(url, "ocsp")?;
        require(got.status < 500, || format!("{url}: POST {}, GET {}", posted.status, got.status))?;
    }
    Ok(told(&urls))
}

fn told(urls: &[Url]) -> String {
    urls.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
