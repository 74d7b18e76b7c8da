//! Challenges (RFC 8555 §7.5.1, §8).

use serde_json::{Value, json};

use super::{
    objects::{Authorization, Challenge, ERROR_SPACE, Status, is_moment, links, object, require_status},
    place::{self, Place},
    responder::{Behaviour, path_of},
    session::Session,
    steps::Account,
};
use crate::verdict::{Stop, Verdict, require};

/// Characters of base64url that hold 128 bits.
const TOKEN_LENGTH: usize = 22;

pub(super) fn are_as_they_should(session: &mut Session<'_>) -> Verdict {
    let responder = session.responder()?;
    let account = session.account()?;
    let mut found = Vec::new();
    for end in [Status::Valid, Status::Invalid] {
        let names = session.new_names(1)?;
        let placed = session.order(&account, &names)?;
        let place = placed.authorizations().remove(0);
        let authorization: Authorization = session.read(&account, &place)?;
        for challenge in &authorization.challenges {
            require(challenge.status == Status::Pending, || format!("{}: new and {:?}", challenge.kind, challenge.status))?;
            require_consistent(session, &account, &place, challenge)?;
        }
        let (challenge, token) = session.challenge(&account, &place)?;
        if end == Status::Valid {
            responder.set(&path_of(&token), Behaviour::Text(account.key.authorize(&token)));
        }
        session.respond(&account, &challenge)?;
        let authorization = session.await_authorization(&account, &place)?;
        require(authorization.status == end, || format!("an authorization is {:?}, not {end:?}", authorization.status))?;
        let challenge = authorization.http01()?;
        require(challenge.token.as_deref() == Some(&token), || format!("the token was {token}, and is {:?}", challenge.token))?;
        require_ended(challenge, end)?;
        require_consistent(session, &account, &place, challenge)?;
        found.push(format!("{end:?}"));
    }
    Ok(format!("pending, then {}", found.join(" or ")))
}

/// RFC 8555 §8: "validated (optional, string): … This field is REQUIRED if the "status" field is "valid"." "error (optional, object):
/// Error that occurred while the server was validating the challenge … A challenge object with an error MUST have status equal to
/// "invalid"."
fn require_ended(challenge: &Challenge, end: Status) -> Result<(), Stop> {
    require(challenge.status == end, || format!("a challenge is {:?}, not {end:?}", challenge.status))?;
    if end == Status::Valid {
        require(challenge.validated.as_deref().is_some_and(is_moment), || format!("validated: {:?}", challenge.validated))?;
        return require(challenge.error.is_none(), || format!("valid, with error {:?}", challenge.error));
    }
    let kind = challenge.error.as_ref().and_then(|error| error.get("type")).and_then(Value::as_str);
    let is_of_acme = kind.is_some_and(|kind| kind.starts_with(ERROR_SPACE));
    require(is_of_acme && challenge.validated.is_none(), || format!("invalid, with error {:?}", challenge.error))
}

/// The challenge by itself is what the authorization says, and links to it.
fn require_consistent(
    session: &mut Session<'_>,
    account: &Account,
    authorization: &Place,
    known: &Challenge,
) -> Result<(), Stop> {
    let response = session.post(account.signer(), &place::CHALLENGE.at(&known.url), b"")?;
    require_status(&response, "POST-as-GET of a challenge", 200)?;
    let kind = &known.kind;
    // RFC 8555 §7.1: "The "up" link relation is used with challenge resources to indicate the authorization resource to which a challenge
    // belongs."
    let up = links(&response, "up");
    require(up.contains(&authorization.url), || format!("{kind}: links of relation up: {up:?}, not {}", authorization.url))?;
    let challenge: Challenge = object(&response, "the challenge")?;
    let is_same = (&challenge.kind, &challenge.url, challenge.status) == (kind, &known.url, known.status);
    require(is_same && challenge.token == known.token, || format!("{known:?} in the authorization, {challenge:?} by itself"))?;
    if matches!(kind.as_str(), "http-01" | "dns-01" | "tls-alpn-01") {
        require_token(challenge.token.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

/// RFC 8555 §8.3: "This value MUST have at least 128 bits of entropy. It MUST NOT contain any characters outside the base64url alphabet
/// and MUST NOT include base64 padding characters ("=")."
fn require_token(token: &str) -> Result<(), Stop> {
    let is_base64url = token.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_');
    require(is_base64url && token.len() >= TOKEN_LENGTH, || format!("the token {token:?}"))
}

pub(super) fn take_any_object(session: &mut Session<'_>) -> Verdict {
    let responder = session.responder()?;
    let account = session.account()?;
    let payloads = [
        json!({}),
        json!({"keyAuthorization": "of an older draft"}),
        json!({"type": "dns-01", "status": "valid", "token": "another", "aMemberThatNobodyKnows": {"x": [1]}}),
    ];
    for payload in &payloads {
        let names = session.new_names(1)?;
        let placed = session.order(&account, &names)?;
        let authorization = placed.authorizations().remove(0);
        let (known, token) = session.challenge(&account, &authorization)?;
        responder.set(&path_of(&token), Behaviour::Text(account.key.authorize(&token)));
        let place = place::CHALLENGE.at(&known.url);
        let response = session.post_json(account.signer(), &place, payload)?;
        // RFC 8555 §7.5.1: "The server MUST ignore any fields in the response object that are not specified as response fields for this
        // type of challenge. … The server provides a 200 (OK) response with the updated challenge object as its body."
        let what = format!("{payload} to a challenge");
        require_status(&response, &what, 200)?;
        let up = links(&response, "up");
        require(up.contains(&authorization.url), || format!("{what}: links of relation up: {up:?}"))?;
        let challenge: Challenge = object(&response, &what)?;
        let is_same = (&challenge.kind, &challenge.url, &challenge.token) == (&known.kind, &known.url, &known.token);
        require(is_same, || format!("{what}: {known:?} became {challenge:?}"))?;
        let ended = session.await_authorization(&account, &authorization)?;
        require(ended.status == Status::Valid, || format!("{what}: the authorization is {:?}", ended.status))?;
    }
    Ok(format!("200 and the challenge for {} payloads", payloads.len()))
}
