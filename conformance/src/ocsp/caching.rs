//! What caches are told (RFC 9919 §7.2, RFC 9110, RFC 9111).

use base64ct::{Base64, Encoding};
use jiff::fmt::rfc2822;

use super::{
    form::moment,
    outcome::Outcome,
    request::{Ask, escape},
    session::{Session, require_basic},
};
use crate::{
    http::Response,
    verdict::{Stop, Verdict, require},
};

/// How often a responder may have a new answer before its old one is asked for again.
const TRIES: usize = 3;

/// What a cache is told in `Cache-Control`, in lower case.
fn directives(response: &Response) -> Vec<String> {
    let value = response.field("cache-control").unwrap_or_default().to_ascii_lowercase();
    value.split(',').map(|directive| directive.trim().to_owned()).filter(|directive| !directive.is_empty()).collect()
}

fn max_age(directives: &[String]) -> Option<i64> {
    directives.iter().find_map(|directive| directive.strip_prefix("max-age=")?.trim_matches('"').parse().ok())
}

/// Seconds since 1970 of a date field (RFC 9110 §5.6.7).
fn date(response: &Response, name: &str) -> Result<i64, Stop> {
    let value = response.field(name).ok_or_else(|| Stop::Fail(format!("there is no {name}")))?;
    require(value.ends_with(" GMT"), || format!("{name}: {value:?} is not of the form of RFC 9110 §5.6.7"))?;
    let zoned = rfc2822::parse(&value.replace(" GMT", " +0000"));
    zoned.map(|zoned| zoned.timestamp().as_second()).map_err(|error| Stop::Fail(format!("{name}: {value:?}: {error}")))
}

pub(super) fn answers_may_be_kept(session: &mut Session<'_>) -> Verdict {
    let ask = Ask::about(&session.good_id()?);
    let asked = session.now();
    let response = session.get(&ask.path())?;
    let reply = session.read(&response)?;
    Outcome::of(&reply, &ask)?.require_good("a good certificate")?;
    let basic = require_basic(reply)?;
    let single = basic.singles.first().ok_or_else(|| Stop::fail("no answer"))?;
    let next = single.next_update.as_ref().ok_or_else(|| Stop::fail("there is no nextUpdate"))?;
    let (this, next) = (moment(&single.this_update, "thisUpdate")?, moment(next, "nextUpdate")?);

    let told = directives(&response);
    // RFC 5019 §6.2: "OCSP responders MUST NOT include a "Pragma: no-cache", "Cache-Control: no-cache", or "Cache-Control: no-store" header
    // in authoritative OCSP responses."
    let forbidden = told.iter().find(|one| one.starts_with("no-cache") || one.starts_with("no-store"));
    require(forbidden.is_none(), || format!("Cache-Control: {}", told.join(", ")))?;
    require(!response.field("pragma").is_some_and(|value| value.contains("no-cache")), || "Pragma: no-cache".into())?;
    // RFC 5019 §5: "Cache-control: max-age=<n>, public, no-transform, must-revalidate".
    for wanted in ["public", "no-transform", "must-revalidate"] {
        require(told.iter().any(|one| one == wanted), || format!("Cache-Control lacks {wanted}: {}", told.join(", ")))?;
    }
    let age = max_age(&told).ok_or_else(|| Stop::fail("Cache-Control has no max-age"))?;
    let left = next - asked;
    require((0..=left).contains(&age), || format!("max-age={age}, where nextUpdate is {left} s away"))?;
    // RFC 9919 §7.2: Expires "will be the same as the nextUpdate timestamp in the OCSP response itself"; Last-Modified "will be the same as
    // the thisUpdate timestamp", and in the example of §6 it is producedAt.
    require(date(&response, "Expires")? == next, || "Expires is not nextUpdate".into())?;
    let modified = date(&response, "Last-Modified")?;
    let is_known = modified == this || modified == moment(&basic.produced_at, "producedAt")?;
    require(is_known, || "Last-Modified is neither thisUpdate nor producedAt".into())?;
    let tag = entity_tag(&response)?;
    Ok(format!("max-age={age} of {left} s, Expires, Last-Modified, ETag {tag}"))
}

/// RFC 9110 §8.8.3: "opaque-tag = DQUOTE *etagc DQUOTE"; RFC 9919 §6 wants a strong validator.
fn entity_tag(response: &Response) -> Result<String, Stop> {
    let tag = response.field("etag").ok_or_else(|| Stop::fail("there is no ETag"))?;
    require(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), || format!("ETag {tag} is no strong validator"))?;
    Ok(tag.to_owned())
}

pub(super) fn others_may_not(session: &mut Session<'_>) -> Verdict {
    let nonce = Ask::about(&session.good_id()?).with_nonce(&crate::key::random::<32>()?);
    let mut found = Vec::new();
    let broken = escape(&Base64::encode_string(b"this is no request"));
    for (what, path) in [("with a nonce", nonce.path()), ("an error", broken)] {
        let response = session.get(&path)?;
        session.read(&response).map_err(|stop| stop.about(what))?;
        let told = directives(&response);
        let is_short = told.iter().any(|one| one == "no-store" || one == "no-cache") || max_age(&told) == Some(0);
        // RFC 5019 §6.2: "OCSP responders SHOULD include one or more of these headers in non-authoritative OCSP responses."
        require(is_short, || format!("{what}: Cache-Control is {:?}", response.field("cache-control")))?;
        found.push(format!("{what}: {}", told.join(", ")));
    }
    Ok(found.join("; "))
}

pub(super) fn validators_count(session: &mut Session<'_>) -> Verdict {
    let ask = Ask::about(&session.good_id()?);
    let path = ask.path();
    for _ in 0..TRIES {
        let first = session.get(&path)?;
        session.read(&first)?;
        let tag = entity_tag(&first)?;
        let request = session.get_request(&path).with_field("If-None-Match", &tag);
        let second = session.exchange(request)?;
        if second.status == 200 && second.field("etag") != Some(tag.as_str()) {
            continue;
        }
        // RFC 9110 §13.1.2: "the origin server MUST respond with either a) the 304 (Not Modified) status code if the request method is GET
        // or HEAD".
        require(second.status == 304, || format!("If-None-Match with its own ETag: {}, not 304", second.status))?;
        require(second.content.is_empty(), || "304 with content".into())?;
        let request = session.get_request(&path).with_field("If-None-Match", "\"another\"");
        let other = session.exchange(request)?;
        require(other.status == 200, || format!("If-None-Match with another ETag: {}, not 200", other.status))?;
        session.read(&other)?;
        return Ok("its own ETag: 304; another: 200".into());
    }
    Err(Stop::Fail(format!("{TRIES} times the ETag was another one at once")))
}
