//! Orders, from newOrder to the certificate (RFC 8555 §7.1.3, §7.1.6, §7.4).

use std::{collections::BTreeSet, time::Duration};

use sha2::{Digest, Sha256};

use super::{
    objects::{Authorization, Identifier, Order, Status, is_moment, location, object, require_problem, require_status},
    payloads::{csr_payload, identifiers, wish},
    place::{self, Place},
    responder::{Behaviour, path_of},
    session::Session,
    steps::{Account, PATIENCE, PAUSE},
};
use crate::{
    certificate::hex,
    hook::Hook,
    http::Response,
    key::Key,
    parts::Parts,
    verdict::{Stop, Verdict, require},
};

/// How long the responder keeps A44's validations waiting.
const DELAY: Duration = Duration::from_millis(1500);

pub(super) fn are_made(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let names = session.new_names(2)?;
    let new_order = session.new_order()?;
    let response = session.post_json(account.signer(), &new_order, &identifiers(&names))?;
    require_status(&response, "newOrder", 201)?;
    let place = place::ORDER.at(&location(&response, "newOrder")?);
    let order: Order = object(&response, "the order")?;
    require(order.status == Status::Pending, || format!("a new order is {:?}", order.status))?;
    // RFC 8555 §7.1.3: "expires (optional, string): … This field is REQUIRED for objects with "pending" or "valid" in the status field."
    require(order.expires.as_deref().is_some_and(is_moment), || format!("expires of the order: {:?}", order.expires))?;
    require_identifiers(&order.identifiers, &names)?;
    require(order.certificate.is_none(), || "a pending order has a certificate".into())?;
    require(order.finalize.starts_with("https://"), || format!("finalize: {:?}", order.finalize))?;
    let mut covered = Vec::new();
    for url in &order.authorizations {
        let authorization: Authorization = session.read(&account, &place::AUTHORIZATION.at(url))?;
        require(authorization.status == Status::Pending, || format!("a new authorization is {:?}", authorization.status))?;
        require(authorization.expires.as_deref().is_none_or(is_moment), || format!("expires: {:?}", authorization.expires))?;
        require(!authorization.challenges.is_empty(), || "an authorization without challenges".into())?;
        covered.push(authorization.identifier);
    }
    require_identifiers(&covered, &names).map_err(|stop| stop.about("its authorizations"))?;
    let again: Order = session.read(&account, &place)?;
    let same = sorted(&again.authorizations) == sorted(&order.authorizations)
        && (again.status, &again.expires, &again.finalize) == (order.status, &order.expires, &order.finalize);
    require(same, || format!("POST-as-GET gives {again:?}, newOrder gave {order:?}"))?;
    Ok(format!("201, pending, {} authorizations", order.authorizations.len()))
}

/// Exactly these names, in any order. RFC 8555 §7.4: "Clients MUST NOT make any assumptions about the sort order".
fn require_identifiers(found: &[Identifier], names: &[String]) -> Result<(), Stop> {
    let wanted: BTreeSet<Identifier> =
        names.iter().map(|name| Identifier { kind: "dns".into(), value: name.clone() }).collect();
    let is_same = found.len() == wanted.len() && found.iter().cloned().collect::<BTreeSet<_>>() == wanted;
    require(is_same, || format!("identifiers {found:?}, ordered {names:?}"))
}

pub(super) fn keep_their_content(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let names = session.new_names(2)?;
    let responder = session.responder()?;
    let placed = session.order(&account, &names)?;
    let content = (sorted(&placed.order.identifiers), sorted(&placed.order.authorizations));
    require_same(session, &account, &placed.place, &content)?;
    for authorization in placed.authorizations() {
        let (challenge, token) = session.challenge(&account, &authorization)?;
        responder.set(&path_of(&token), Behaviour::Text(account.key.authorize(&token)));
        session.respond(&account, &challenge)?;
        session.await_authorization(&account, &authorization)?;
        require_same(session, &account, &placed.place, &content)?;
    }
    session.await_order(&account, &placed.place, &[Status::Ready])?;
    let csr = wish(&names).sign(&session.device_key()?)?;
    let finalized = session.finalize(&account, &placed, &csr)?;
    require((sorted(&finalized.identifiers), sorted(&finalized.authorizations)) == content, || {
        format!("finalize: {:?} {:?}, and were {content:?}", finalized.identifiers, finalized.authorizations)
    })?;
    session.await_order(&account, &placed.place, &[Status::Valid])?;
    require_same(session, &account, &placed.place, &content)?;
    Ok("the same from pending to valid".into())
}

/// What an order's two arrays hold.
type Content = (Vec<Identifier>, Vec<String>);

fn sorted<T: Ord + Clone>(list: &[T]) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort();
    list
}

/// RFC 8555 §7.1.3: "The server MUST NOT change the contents of either array after they are created."
fn require_same(session: &mut Session<'_>, account: &Account, place: &Place, content: &Content) -> Result<(), Stop> {
    let order: Order = session.read(account, place)?;
    let found = (sorted(&order.identifiers), sorted(&order.authorizations));
    require(found == *content, || format!("the order, {:?}, has {found:?}, and had {content:?}", order.status))
}

pub(super) fn are_polled(session: &mut Session<'_>) -> Verdict {
    let mut parts = Parts::default();
    for (what, is_right, end) in [("a right answer", true, Status::Valid), ("a wrong answer", false, Status::Invalid)] {
        let verdict = polled(session, is_right, end);
        parts.add(what, verdict)?;
    }
    parts.verdict()
}

/// The states of an authorization and its challenge while it is validated: RFC 8555 §7.1.6.
fn polled(session: &mut Session<'_>, is_right: bool, end: Status) -> Verdict {
    let account = session.account()?;
    let responder = session.responder()?;
    let names = session.new_names(1)?;
    let placed = session.order(&account, &names)?;
    let authorization = placed.authorizations().remove(0);
    let (challenge, token) = session.challenge(&account, &authorization)?;
    require(challenge.status == Status::Pending, || format!("a new challenge is {:?}", challenge.status))?;
    let text = if is_right { account.key.authorize(&token) } else { "this is no key authorization".into() };
    responder.set(&path_of(&token), Behaviour::Late(DELAY, text));
    session.respond(&account, &challenge)?;
    let states = poll(session, &account, &authorization, end)?;
    let order = if is_right { Status::Ready } else { Status::Invalid };
    session.await_order(&account, &placed.place, &[order])?;
    let again = session.await_authorization(&account, &authorization)?;
    require(again.status == end, || format!("it was {end:?}, and is {:?}", again.status))?;
    Ok(format!("{states:?}, order {order:?}"))
}

/// Fetches an authorization until it has come to its end; gives its states, and its challenge's, on the way.
fn poll(session: &mut Session<'_>, account: &Account, place: &Place, end: Status) -> Result<Vec<(Status, Status)>, Stop> {
    let mut waited = Duration::ZERO;
    let mut states = Vec::new();
    loop {
        let response = session.post(account.signer(), place, b"")?;
        // RFC 8555 §7.5.1: "In responding to poll requests while the validation is still in progress, the server MUST return a 200 (OK)
        // response and MAY include a Retry-After header field".
        require_status(&response, "a poll", 200)?;
        require_retry_after(&response, false)?;
        let found: Authorization = object(&response, "the authorization")?;
        let state = (found.status, found.http01()?.status);
        let is_known = matches!(state, (Status::Pending, Status::Pending | Status::Processing)) || state == (end, end);
        require(is_known, || format!("authorization {:?}, challenge {:?}, after {states:?}", state.0, state.1))?;
        if states.last() != Some(&state) {
            states.push(state);
        }
        if found.status == end {
            return Ok(states);
        }
        require(waited < PATIENCE, || format!("still pending after {} s", PATIENCE.as_secs()))?;
        session.wait(PAUSE);
        waited += PAUSE;
    }
}

/// RFC 9110 §10.2.3; only delays of seconds are known to be understood by all clients, and 0 makes some of them run in circles.
fn require_retry_after(response: &Response, is_wanted: bool) -> Result<(), Stop> {
    let field = response.field("retry-after");
    let is_good = match field {
        Some(value) => value.parse::<u32>().is_ok_and(|seconds| seconds >= 1),
        None => !is_wanted,
    };
    require(is_good, || format!("Retry-After: {field:?}"))
}

pub(super) fn are_not_ready(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let names = session.new_names(2)?;
    let placed = session.order(&account, &names)?;
    let csr = wish(&names).sign(&session.device_key()?)?;
    let response = session.post_json(account.signer(), &placed.finalize(), &csr_payload(&csr))?;
    // RFC 8555 §7.4: "In such cases, the server MUST return a 403 (Forbidden) error with a problem document of type "orderNotReady"."
    require_problem(&response, "finalize of a pending order", &[403], &["orderNotReady"])?;
    let order: Order = session.read(&account, &placed.place)?;
    require(order.status == Status::Pending, || format!("afterwards the order is {:?}", order.status))?;
    let mut parts = Parts::default();
    let verdict = session.responder().map(|_| ()).and_then(|()| finalizes_once(session));
    parts.add("pending", Ok("403 orderNotReady".into()))?;
    parts.add("valid", verdict)?;
    parts.verdict()
}

/// A valid order is not ready either.
fn finalizes_once(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let names = session.new_names(1)?;
    let key = session.device_key()?;
    let (placed, certificate) = session.valid_order(&account, &names, &key)?;
    let csr = wish(&names).sign(&session.device_key()?)?;
    let response = session.post_json(account.signer(), &placed.finalize(), &csr_payload(&csr))?;
    require_problem(&response, "finalize of a valid order", &[403], &["orderNotReady"])?;
    let order: Order = session.read(&account, &placed.place)?;
    require(order.certificate.as_deref() == Some(&certificate.url), || {
        format!("the certificate is {:?} now", order.certificate)
    })?;
    Ok("403 orderNotReady".into())
}

pub(super) fn are_finalized(session: &mut Session<'_>) -> Verdict {
    let mut parts = Parts::default();
    let verdict = finalized(session);
    parts.add("as it should be", verdict)?;
    let Some(manual) = session.target.manual_directory.clone() else {
        parts.add("by a person", Err(Stop::Skip("the target has no manual_directory".into())))?;
        return parts.verdict();
    };
    session.move_to(&manual);
    for (what, hook, end) in [("approved", Hook::Approve, Status::Valid), ("denied", Hook::Deny, Status::Invalid)] {
        let verdict = decided(session, hook, end);
        parts.add(what, verdict)?;
    }
    parts.verdict()
}

fn finalized(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let names = session.new_names(1)?;
    let placed = session.ready_order(&account, &names)?;
    let csr = wish(&names).sign(&session.device_key()?)?;
    let response = session.post_json(account.signer(), &placed.finalize(), &csr_payload(&csr))?;
    let order = require_finalized(&response, &placed.place)?;
    let first = order.status;
    let order = session.await_order(&account, &placed.place, &[Status::Valid])?;
    let certificate = order.certificate.filter(|url| url.starts_with("https://"));
    require(certificate.is_some(), || "a valid order without the URL of a certificate".into())?;
    require(order.expires.as_deref().is_some_and(is_moment), || format!("expires of a valid order: {:?}", order.expires))?;
    Ok(format!("200 {first:?}, then valid"))
}

/// RFC 8555 §7.4: "If a request to finalize an order is successful, the server will return a 200 (OK) with an updated order object."
/// Clients are known that look for Location there too.
fn require_finalized(response: &Response, place: &Place) -> Result<Order, Stop> {
    require_status(response, "finalize", 200)?;
    let order: Order = object(response, "finalize")?;
    require(matches!(order.status, Status::Processing | Status::Valid), || format!("finalize: {:?}", order.status))?;
    let url = location(response, "finalize")?;
    require(url == place.url, || format!("finalize: Location {url}, not {}", place.url))?;
    Ok(order)
}

/// An order that a person decides upon.
fn decided(session: &mut Session<'_>, hook: Hook, end: Status) -> Verdict {
    let account = session.account()?;
    let names = session.new_names(1)?;
    let placed = session.ready_order(&account, &names)?;
    let key: Key = session.device_key()?;
    let csr = wish(&names).sign(&key)?;
    let response = session.post_json(account.signer(), &placed.finalize(), &csr_payload(&csr))?;
    let order = require_finalized(&response, &placed.place)?;
    require_waiting(&response, &order)?;
    session.wait(Duration::from_secs(1));
    let response = session.post(account.signer(), &placed.place, b"")?;
    require_status(&response, "a poll", 200)?;
    require_waiting(&response, &object(&response, "the order")?)?;
    let again = session.post_json(account.signer(), &placed.finalize(), &csr_payload(&csr))?;
    require_problem(&again, "finalize of a processing order", &[403], &["orderNotReady"])?;
    session.run_hook(hook, &[("csr_sha256", &hex(&Sha256::digest(&csr)))])?;
    let order = session.await_order(&account, &placed.place, &[end])?;
    require(order.certificate.is_some() == (end == Status::Valid), || format!("{end:?} with {:?}", order.certificate))?;
    if let Some(url) = order.certificate {
        let response = session.post(account.signer(), &place::CERTIFICATE.at(&url), b"")?;
        let leaf = super::certificates::read_chain(&response)?.remove(0);
        require(leaf.spki == key.spki()?, || "the certificate has another key than the CSR".into())?;
    }
    Ok(format!("processing, then {end:?}"))
}

/// An order that waits for a person, and says when to look again.
fn require_waiting(response: &Response, order: &Order) -> Result<(), Stop> {
    require(order.status == Status::Processing, || format!("{:?} before anybody decided", order.status))?;
    require_retry_after(response, true)
}
