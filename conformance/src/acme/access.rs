//! Who may see what, and how it is asked for (RFC 8555 §6.3, §10.5).

use serde_json::json;

use super::{
    objects::{Problem, require_problem, require_status},
    payloads::{csr_payload, wish},
    place::{self, Place},
    session::Session,
    steps::Account,
};
use crate::verdict::{Stop, Verdict, require};

/// The resources of an account that has a certificate.
struct Estate {
    account: Account,
    account_place: Place,
    order: Place,
    authorization: Place,
    challenge: Place,
    certificate: Place,
}

impl Estate {
    fn new(session: &mut Session<'_>) -> Result<Self, Stop> {
        let account = session.account()?;
        let names = session.new_names(1)?;
        let key = session.device_key()?;
        let (placed, certificate) = session.valid_order(&account, &names, &key)?;
        let authorization = placed.authorizations().remove(0);
        let (challenge, _) = session.challenge(&account, &authorization)?;
        Ok(Self {
            account_place: account.place.clone(),
            account,
            order: placed.place,
            authorization,
            challenge: place::CHALLENGE.at(&challenge.url),
            certificate,
        })
    }

    const fn places(&self) -> [&Place; 5] {
        [&self.account_place, &self.order, &self.authorization, &self.challenge, &self.certificate]
    }
}

pub(super) fn is_not_by_get(session: &mut Session<'_>) -> Verdict {
    let estate = Estate::new(session)?;
    let (new_account, new_order) = (session.new_account()?, session.new_order()?);
    for place in estate.places().into_iter().chain([&new_account, &new_order]) {
        let response = session.get(place)?;
        // RFC 8555 §6.3: "if the server receives a GET request, it MUST return an error with status code 405 (Method Not Allowed) and
        // type "malformed"."
        require_problem(&response, &format!("GET of {}", place.kind.name()), &[405], &["malformed"])?;
    }
    Ok("405 malformed each".into())
}

pub(super) fn is_by_post(session: &mut Session<'_>) -> Verdict {
    let estate = Estate::new(session)?;
    let site = session.site();
    let by_get = session.get(&site)?.content;
    let response = session.post(estate.account.signer(), &site, b"")?;
    // RFC 8555 §6.3: "The server MUST allow GET requests for the directory and newNonce resources (see Section 7.1), in addition to
    // POST-as-GET requests for these resources."
    require_status(&response, "POST-as-GET of the directory", 200)?;
    let read = |content: &[u8]| serde_json::from_slice::<serde_json::Value>(content).ok();
    require(read(&response.content).is_some() && read(&response.content) == read(&by_get), || {
        "POST-as-GET of the directory gives another directory than GET".into()
    })?;
    let new_nonce = session.new_nonce()?;
    let response = session.post(estate.account.signer(), &new_nonce, b"")?;
    require(matches!(response.status, 200 | 204), || format!("POST-as-GET of newNonce: {}", response.status))?;
    for place in estate.places() {
        let response = session.post(estate.account.signer(), place, b"")?;
        require_status(&response, &format!("POST-as-GET of {}", place.kind.name()), 200)?;
        require(!response.content.is_empty(), || format!("POST-as-GET of {} gives nothing", place.kind.name()))?;
    }
    // An empty object is no empty payload: it asks for something, and an order knows of nothing to ask.
    let response = session.post_json(estate.account.signer(), &estate.order, &json!({}))?;
    require_problem(&response, "{} to an order", &[400], &["malformed"])?;
    Ok("POST-as-GET of 7 resources; {} to an order: 400 malformed".into())
}

pub(super) fn is_the_owners(session: &mut Session<'_>) -> Verdict {
    let estate = Estate::new(session)?;
    let names = session.new_names(1)?;
    let pending = session.order(&estate.account, &names)?;
    let authorization = pending.authorizations().remove(0);
    let (challenge, token) = session.challenge(&estate.account, &authorization)?;
    let challenge = place::CHALLENGE.at(&challenge.url);
    let stranger = session.account()?;
    let pending_ones = [&pending.place, &authorization, &challenge];
    let secrets = [names.concat(), token];
    for place in estate.places().into_iter().chain(pending_ones) {
        let response = session.post(stranger.signer(), place, b"")?;
        require_hidden(&response, place.kind.name(), &secrets)?;
    }
    let csr = wish(&names).sign(&session.device_key()?)?;
    for (place, payload) in [(&challenge, json!({})), (&pending.finalize(), csr_payload(&csr))] {
        let response = session.post_json(stranger.signer(), place, &payload)?;
        require_hidden(&response, &format!("POST to {}", place.kind.name()), &secrets)?;
    }
    let response = session.post_json(stranger.signer(), &authorization, &json!({"status": "deactivated"}))?;
    require_hidden(&response, "deactivation of an authorization", &secrets)?;
    let response = session.post_json(stranger.signer(), &estate.account_place, &json!({"status": "deactivated"}))?;
    require_hidden(&response, "deactivation of an account", &secrets)?;
    let after = session.fetch(&estate.account, &challenge)?;
    require(after.get("status") == Some(&json!("pending")), || format!("a stranger's POST made the challenge {after}"))?;
    Ok("refused to a stranger, and unchanged".into())
}

/// RFC 8555 §6.3: "the server MUST authenticate the sender and verify any access control rules." 404 refuses no less than 401 and 403 do,
/// and tells nobody what there is.
fn require_hidden(response: &crate::http::Response, what: &str, secrets: &[String]) -> Result<(), Stop> {
    let what = format!("a stranger's {what}");
    let problem = Problem::of(response, &what)?;
    require(matches!(problem.status, 401 | 403 | 404), || format!("{what}: {} {}", problem.status, problem.kind))?;
    let text = String::from_utf8_lossy(&response.content);
    let told = secrets.iter().find(|secret| text.contains(secret.as_str()));
    require(told.is_none(), || format!("{what}: {}, and tells {told:?}", problem.status))
}
