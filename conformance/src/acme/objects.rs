//! What an ACME server tells of itself and of its resources (RFC 8555 §7.1), read as far as a check asks for it.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    http::Response,
    verdict::{Stop, require},
};

/// Where the resources are that have one URL each (RFC 8555 §7.1.1).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// newNonce.
    pub new_nonce: String,
    /// newAccount.
    pub new_account: String,
    /// newOrder.
    pub new_order: String,
}

/// A state that orders, authorizations or challenges are in (RFC 8555 §7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of the RFC")]
pub enum Status {
    Pending,
    Ready,
    Processing,
    Valid,
    Invalid,
    Deactivated,
    Expired,
    Revoked,
}

/// An identifier (RFC 8555 §7.1.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Identifier {
    /// `dns`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name.
    pub value: String,
}

/// An order (RFC 8555 §7.1.3).
#[derive(Clone, Debug, Deserialize)]
pub struct Order {
    /// Its state.
    pub status: Status,
    /// Until when it is good; RFC 3339.
    pub expires: Option<String>,
    /// What is ordered.
    pub identifiers: Vec<Identifier>,
    /// URLs of its authorizations.
    pub authorizations: Vec<String>,
    /// URL to finalize it at.
    pub finalize: String,
    /// URL of the certificate, once there is one.
    pub certificate: Option<String>,
}

/// An authorization (RFC 8555 §7.1.4).
#[derive(Clone, Debug, Deserialize)]
pub struct Authorization {
    /// Its state.
    pub status: Status,
    /// Until when it is good; RFC 3339.
    pub expires: Option<String>,
    /// Whom it is about.
    pub identifier: Identifier,
    /// How it can be fulfilled.
    pub challenges: Vec<Challenge>,
}

/// A challenge (RFC 8555 §8).
#[derive(Clone, Debug, Deserialize)]
pub struct Challenge {
    /// `http-01`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its URL.
    pub url: String,
    /// Its state.
    pub status: Status,
    /// The token; challenges of other types may have none.
    pub token: Option<String>,
    /// When it was found good; RFC 3339.
    pub validated: Option<String>,
    /// Why it was not: a problem document.
    pub error: Option<Value>,
}

impl Authorization {
    /// Its challenge of type http-01.
    ///
    /// # Errors
    /// [`Stop::Fail`] when it has none.
    pub fn http01(&self) -> Result<&Challenge, Stop> {
        let found = self.challenges.iter().find(|challenge| challenge.kind == "http-01");
        found.ok_or_else(|| Stop::fail("an authorization without http-01"))
    }
}

/// An error (RFC 7807, RFC 8555 §6.7).
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status code of the answer.
    pub status: u16,
    /// `type`, without the name space of ACME if it is in there.
    pub kind: String,
    /// The whole document.
    pub document: Value,
}

/// The name space of the types of RFC 8555 §6.7.
pub const ERROR_SPACE: &str = "urn:ietf:params:acme:error:";

impl Problem {
    /// Reads the problem document of an answer.
    ///
    /// # Errors
    /// [`Stop::Fail`] when the answer is no error of the client's, or has no such document.
    pub fn of(response: &Response, what: &str) -> Result<Self, Stop> {
        require(response.is_client_error(), || format!("{what}: {}, not 4xx: {}", response.status, excerpt(response)))?;
        let media_type = response.media_type();
        require(media_type.as_deref() == Some("application/problem+json"), || {
            format!("{what}: {} with content of type {media_type:?}", response.status)
        })?;
        let document: Value = serde_json::from_slice(&response.content)
            .map_err(|error| Stop::Fail(format!("{what}: a problem document that is none: {error}")))?;
        // RFC 7807 §3.1: "When this member is not present, its value is assumed to be "about:blank"."
        let kind = document.get("type").map_or(Some("about:blank"), Value::as_str);
        let kind = kind.ok_or_else(|| Stop::Fail(format!("{what}: a problem whose type is no string")))?;
        let kind = kind.strip_prefix(ERROR_SPACE).unwrap_or(kind).to_owned();
        Ok(Self { status: response.status, kind, document })
    }

    /// Requires the status and one of the types.
    ///
    /// # Errors
    /// [`Stop::Fail`], `what` before the reason.
    pub fn require(self, what: &str, statuses: &[u16], kinds: &[&str]) -> Result<Self, Stop> {
        let is_wanted = statuses.contains(&self.status) && kinds.contains(&self.kind.as_str());
        let detail = || self.document.get("detail").and_then(Value::as_str).unwrap_or("no detail");
        require(is_wanted, || format!("{what}: {} {} ({}), not {statuses:?} {kinds:?}", self.status, self.kind, detail()))?;
        Ok(self)
    }
}

/// Requires an answer that is a problem of this status and one of these types.
///
/// # Errors
/// [`Stop::Fail`], `what` before the reason.
pub fn require_problem(response: &Response, what: &str, statuses: &[u16], kinds: &[&str]) -> Result<Problem, Stop> {
    Problem::of(response, what)?.require(what, statuses, kinds)
}

/// Requires an answer of this status.
///
/// # Errors
/// [`Stop::Fail`], `what` before the reason.
pub fn require_status(response: &Response, what: &str, status: u16) -> Result<(), Stop> {
    require(response.status == status, || format!("{what}: {}, not {status}: {}", response.status, excerpt(response)))
}

/// The content as JSON, of the type that ACME's objects have.
///
/// # Errors
/// [`Stop::Fail`], `what` before the reason.
pub fn json(response: &Response, what: &str) -> Result<Value, Stop> {
    let media_type = response.media_type();
    require(media_type.as_deref() == Some("application/json"), || format!("{what}: content of type {media_type:?}"))?;
    serde_json::from_slice(&response.content).map_err(|error| Stop::Fail(format!("{what}: {error}")))
}

/// The content as an object of ACME.
///
/// # Errors
/// [`Stop::Fail`], `what` before the reason.
pub fn object<T: serde::de::DeserializeOwned>(response: &Response, what: &str) -> Result<T, Stop> {
    serde_json::from_value(json(response, what)?).map_err(|error| Stop::Fail(format!("{what}: {error}")))
}

/// The URL in `Location`.
///
/// # Errors
/// [`Stop::Fail`] when there is none.
pub fn location(response: &Response, what: &str) -> Result<String, Stop> {
    let location = response.field("location").filter(|url| url.starts_with("https://"));
    location.map(str::to_owned).ok_or_else(|| Stop::Fail(format!("{what}: {} without a URL in Location", response.status)))
}

/// The targets of the links of this relation (RFC 8288 §3).
#[must_use]
pub fn links(response: &Response, relation: &str) -> Vec<String> {
    let fields = response.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("link"));
    let values = fields.flat_map(|(_, value)| split_links(value));
    values.filter(|(_, parameters)| has_relation(parameters, relation)).map(|(target, _)| target.to_owned()).collect()
}

/// `<target>; parameters, <target>; parameters`: a comma may stand in a target, so that the brackets lead.
fn split_links(value: &str) -> Vec<(&str, &str)> {
    let parts = value.split('<').skip(1).filter_map(|part| part.split_once('>'));
    parts.map(|(target, parameters)| (target, parameters.trim_end().trim_end_matches(','))).collect()
}

fn has_relation(parameters: &str, relation: &str) -> bool {
    let relations = parameters.split(';').filter_map(|parameter| parameter.trim().strip_prefix("rel="));
    relations.flat_map(|names| names.trim_matches('"').split(' ')).any(|name| name == relation)
}

/// Whether a text is a moment as RFC 3339 writes it.
#[must_use]
pub fn is_moment(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

/// The beginning of an answer's text.
#[must_use]
pub fn excerpt(response: &Response) -> String {
    String::from_utf8_lossy(&response.content).chars().take(160).filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_by_their_relation() {
        let fields =
            [("Link", "<https://h/d>;rel=\"index\", <https://h/a,b>; rel=up"), ("link", "<https://h/c>; rel=\"up x\"")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let response = Response { fields, ..Response::default() };
        assert_eq!(links(&response, "index"), ["https://h/d"]);
        assert_eq!(links(&response, "up"), ["https://h/a,b", "https://h/c"]);
        assert!(links(&response, "next").is_empty());
    }

    #[test]
    fn a_problem_says_its_status_and_type() {
        let problem = |media_type: &str, content: &str| Response {
            status: 400,
            fields: vec![("Content-Type".into(), media_type.into())],
            content: content.into(),
            ..Response::default()
        };
        let good = problem("application/problem+json", "{\"type\":\"urn:ietf:params:acme:error:malformed\"}");
        require_problem(&good, "it", &[400], &["malformed"]).expect("so it is");
        require_problem(&good, "it", &[403], &["malformed"]).expect_err("another status");
        require_problem(&good, "it", &[400], &["badCSR"]).expect_err("another type");
        Problem::of(&problem("application/json", "{}"), "it").expect_err("another media type");
        assert_eq!(Problem::of(&problem("application/problem+json", "{}"), "it").expect("read").kind, "about:blank");
    }
}
