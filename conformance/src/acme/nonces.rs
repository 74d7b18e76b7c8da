//! Nonces (RFC 8555 §6.5, §7.2).

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    jws::{AccountKey, base64url},
    objects::{excerpt, require_problem, require_status},
    payloads::terms,
    session::{Session, request},
    steps::{Account, signer},
};
use crate::{
    http::Response,
    key::random,
    verdict::{Stop, Verdict, require},
};

/// How many nonces A04 fetches besides those that come with other answers.
const FETCHED: usize = 5;

pub(super) fn are_fetched(session: &mut Session<'_>) -> Verdict {
    let place = session.new_nonce()?;
    // RFC 8555 §7.2: "The server's response MUST include a Replay-Nonce header field containing a fresh nonce and SHOULD have status code
    // 200 (OK). The server MUST also respond to GET requests for this resource, returning an empty body … with a status code of 204".
    for (method, status) in [("HEAD", 200), ("GET", 204)] {
        let response = session.exchange(&request(method, &place)?)?;
        require_status(&response, method, status)?;
        require_fetched(&response, method)?;
    }
    let account = session.account()?;
    let response = session.post(account.signer(), &place, b"")?;
    require(matches!(response.status, 200 | 204), || format!("POST-as-GET: {}: {}", response.status, excerpt(&response)))?;
    require_fetched(&response, "POST-as-GET")?;
    Ok(format!("HEAD 200, GET 204, POST-as-GET {}", response.status))
}

/// RFC 8555 §7.2: "The server MUST include a Cache-Control header field with the "no-store" directive in responses for the newNonce
/// resource, in order to prevent caching of this resource."
fn require_fetched(response: &Response, what: &str) -> Result<(), Stop> {
    require_nonce(response, what)?;
    let directives = response.field("cache-control").unwrap_or_default();
    let is_not_stored = directives.split(',').any(|directive| directive.trim().eq_ignore_ascii_case("no-store"));
    require(is_not_stored, || format!("{what} of newNonce: Cache-Control {directives:?}"))
}

/// RFC 8555 §6.5.1: "Replay-Nonce = 1*base64url".
fn require_nonce(response: &Response, what: &str) -> Result<(), Stop> {
    let nonce = response.field("replay-nonce");
    let nonce = nonce.ok_or_else(|| Stop::Fail(format!("{what}: {} without Replay-Nonce", response.status)))?;
    let is_base64url = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    require(!nonce.is_empty() && nonce.bytes().all(is_base64url), || format!("{what}: Replay-Nonce {nonce:?}"))
}

pub(super) fn are_fresh(session: &mut Session<'_>) -> Verdict {
    let new_nonce = session.new_nonce()?;
    for _ in 0..FETCHED {
        let response = session.exchange(&request("HEAD", &new_nonce)?)?;
        require_nonce(&response, "HEAD of newNonce")?;
    }
    let account = session.account()?;
    let names = session.new_names(1)?;
    let placed = session.order(&account, &names)?;
    let authorization = placed.authorizations().remove(0);
    let new_order = session.new_order()?;
    for (place, payload, status) in [
        (&account.place, String::new(), 200),
        (&placed.place, String::new(), 200),
        (&authorization, String::new(), 200),
        (&new_order, "{\"identifiers\":".to_owned(), 400),
        (&placed.finalize(), json!({"csr": "AAAA"}).to_string(), 403),
    ] {
        let what = place.kind.name();
        let response = session.post(account.signer(), place, payload.as_bytes())?;
        require_status(&response, what, status)?;
        require_nonce(&response, what)?;
    }
    let mut seen = BTreeSet::new();
    let twice = session.nonces.iter().find(|nonce| !seen.insert(nonce.as_str()));
    require(twice.is_none(), || format!("the nonce {twice:?} came twice"))?;
    Ok(format!("{} nonces, each another", session.nonces.len()))
}

pub(super) fn are_spent(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let names = session.new_names(1)?;
    let placed = session.order(&account, &names)?;
    let first = session.draft(account.signer(), &account.place, b"")?;
    let content = first.sign(&account.key)?.content();
    require_status(&session.post_content(&account.place, &content)?, "with a new nonce", 200)?;
    let response = session.post_content(&account.place, &content)?;
    require_bad_nonce(session, &account, &response, "the same message again")?;
    let nonce = first.protected.get("nonce").cloned().unwrap_or_default();
    let draft = session.draft(account.signer(), &placed.place, b"")?.with("nonce", nonce);
    let response = session.post_draft(&placed.place, &draft, &account.key)?;
    require_bad_nonce(session, &account, &response, "a nonce that was used, at another resource")?;
    let invented = base64url(&random::<16>()?);
    let draft = session.draft(account.signer(), &placed.place, b"")?.with("nonce", invented.into());
    let response = session.post_draft(&placed.place, &draft, &account.key)?;
    require_bad_nonce(session, &account, &response, "an invented nonce")?;
    let draft = session.draft(account.signer(), &placed.place, b"")?.without("nonce");
    let response = session.post_draft(&placed.place, &draft, &account.key)?;
    require_bad_nonce(session, &account, &response, "no nonce")?;
    spends_what_fails(session, &account)?;
    Ok("400 badNonce each, and the nonce that came with it is good".into())
}

/// RFC 8555 §6.5: "Once a nonce value has appeared in an ACME request, the server MUST consider it invalid": also when the request is
/// refused for another reason.
fn spends_what_fails(session: &mut Session<'_>, account: &Account) -> Result<(), Stop> {
    let new_order = session.new_order()?;
    let draft = session.draft(account.signer(), &new_order, b"{\"identifiers\":[]}")?;
    require_problem(&session.post_draft(&new_order, &draft, &account.key)?, "an order of nothing", &[400], &["malformed"])?;
    let nonce = draft.protected.get("nonce").cloned().unwrap_or_default();
    let draft = session.draft(account.signer(), &account.place, b"")?.with("nonce", nonce);
    let response = session.post_draft(&account.place, &draft, &account.key)?;
    require_bad_nonce(session, account, &response, "the nonce of a request that was refused")
}

/// RFC 8555 §6.5: "An error response with the "badNonce" error type MUST include a Replay-Nonce header field with a fresh nonce that the
/// server will accept in a retry of the original query".
fn require_bad_nonce(session: &mut Session<'_>, account: &Account, response: &Response, what: &str) -> Result<(), Stop> {
    require_problem(response, what, &[400], &["badNonce"])?;
    require_nonce(response, what)?;
    let retry = session.draft(account.signer(), &account.place, b"")?;
    require(retry.protected.get("nonce").and_then(|nonce| nonce.as_str()) == response.field("replay-nonce"), || {
        "in the suite: another nonce than the last".into()
    })?;
    let response = session.post_draft(&account.place, &retry, &account.key)?;
    require_status(&response, &format!("{what}, then with the nonce that came with badNonce"), 200)
}

pub(super) fn are_base64url(session: &mut Session<'_>) -> Verdict {
    let key = AccountKey::es256()?;
    let new_account = session.new_account()?;
    let good = session.nonce()?;
    let faults = [
        ("with padding", json!(format!("{}==", base64url(&random::<16>()?)))),
        ("of the other alphabet", json!("ab+/ab+/ab+/ab+/")),
        ("with a blank", json!(format!("{good} "))),
        ("that is no text", json!(5)),
    ];
    for (what, nonce) in faults {
        let draft = session.draft(signer(&key), &new_account, terms().to_string().as_bytes())?.with("nonce", nonce);
        let response = session.post_draft(&new_account, &draft, &key)?;
        // RFC 8555 §6.5.2: "If the value of a "nonce" header parameter is not valid according to this encoding, then the verifier MUST
        // reject the JWS as malformed."
        require_problem(&response, &format!("a nonce {what}"), &[400], &["malformed"])?;
    }
    Ok("400 malformed each".into())
}
