//! Accounts (RFC 8555 §7.3).

use serde_json::{Value, json};

use super::{
    jws::AccountKey,
    objects::{json as read_json, location, require_status},
    payloads::terms,
    place::{ACCOUNT, Place},
    session::Session,
    steps::signer,
};
use crate::verdict::{Stop, Verdict, require};

pub(super) fn are_made(session: &mut Session<'_>) -> Verdict {
    for key in [AccountKey::es256()?, AccountKey::rs256()?] {
        let (place, account) = made(session, &key).map_err(|stop| stop.about(key.algorithm()))?;
        let response = session.post(super::session::Signer { key: &key, kid: Some(&place.url) }, &place, b"")?;
        require_status(&response, "POST-as-GET of the account", 200)?;
        let again = read_json(&response, "the account")?;
        require(again == account, || format!("the account is {again} now, and was {account}"))?;
    }
    Ok("201, for keys of ES256 and RS256".into())
}

/// An account made with members that a server must not mind; its URL and object.
fn made(session: &mut Session<'_>, key: &AccountKey) -> Result<(Place, Value), Stop> {
    let new_account = session.new_account()?;
    let payload = json!({
        "termsOfServiceAgreed": true,
        "onlyReturnExisting": false,
        "orders": "https://elsewhere.example/orders",
        "status": "revoked",
        "aMemberThatNobodyKnows": 1,
    });
    let response = session.post_json(signer(key), &new_account, &payload)?;
    require_status(&response, "newAccount", 201)?;
    let url = location(&response, "newAccount")?;
    let account = read_json(&response, "the account")?;
    let member = |name: &str| account.get(name);
    require(member("status") == Some(&json!("valid")), || format!("its status is {:?}", member("status")))?;
    // RFC 8555 §7.1.2: "orders (required, string)". §7.3: "The server MUST ignore any values provided in the "orders" fields in account
    // objects sent by the client".
    let orders = member("orders").and_then(Value::as_str);
    let is_own = orders.is_some_and(|url| url.starts_with("https://") && !url.contains("elsewhere.example"));
    require(is_own, || format!("its orders are {:?}", member("orders")))?;
    // RFC 8555 §7.3: "The server MUST NOT reflect the "onlyReturnExisting" field or any unrecognized fields in the resulting account
    // object."
    for name in ["onlyReturnExisting", "aMemberThatNobodyKnows"] {
        require(member(name).is_none(), || format!("the account object has {name}"))?;
    }
    Ok((ACCOUNT.at(&url), account))
}

pub(super) fn are_found_again(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let before = session.fetch(&account, &account.place)?;
    let new_account = session.new_account()?;
    let contact = json!([format!("mailto:other@{}", session.target.domain)]);
    let payloads = [
        ("the same again", terms()),
        ("another contact", json!({"termsOfServiceAgreed": true, "contact": contact})),
        ("onlyReturnExisting", json!({"onlyReturnExisting": true})),
    ];
    for (what, payload) in payloads {
        let response = session.post_json(signer(&account.key), &new_account, &payload)?;
        // RFC 8555 §7.3.1: "then it MUST return a response with status code 200 (OK) and provide the URL of that account in the Location
        // header field."
        require_status(&response, what, 200)?;
        let url = location(&response, what)?;
        require(url == account.place.url, || format!("{what}: the account was {}, and is {url}", account.place.url))?;
        let found = read_json(&response, what)?;
        require(found == before, || format!("{what}: the account was {before}, and is {found}"))?;
    }
    let after = session.fetch(&account, &account.place)?;
    require(after == before, || format!("the account was {before}, and is {after}"))?;
    Ok("200, the same Location and the same object".into())
}
