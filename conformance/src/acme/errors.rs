//! What every answer has, errors among them: links, problem documents (RFC 8555 §6.7, §7.1).

use serde_json::{Value, json};

use super::{
    jws::AccountKey,
    objects::{ERROR_SPACE, Problem, excerpt, links},
    payloads::{csr_payload, identifiers, terms, wish},
    session::{Session, request},
    steps::{Account, Placed, signer},
};
use crate::{
    http::Response,
    verdict::{Stop, Verdict, require},
};

/// The types of RFC 8555 §6.7, and those registered after it (RFC 8739, RFC 9115, RFC 9773, RFC 9799, draft-ietf-acme-profiles).
const REGISTERED: &str = "accountDoesNotExist alreadyReplaced alreadyRevoked \
    autoRenewalCanceled autoRenewalCancellationInvalid autoRenewalExpired autoRenewalRevocationNotSupported badCSR badNonce badPublicKey \
    badRevocationReason badSignatureAlgorithm caa compound connection dns externalAccountRequired incorrectResponse invalidContact \
    invalidProfile malformed onionCAARequired orderNotReady rateLimited rejectedIdentifier serverInternal tls \
    unauthorized unknownDelegation unsupportedContact unsupportedIdentifier userActionRequired";

/// An account with an order that is pending.
fn at_hand(session: &mut Session<'_>) -> Result<(Account, Placed), Stop> {
    let account = session.account()?;
    let names = session.new_names(1)?;
    let placed = session.order(&account, &names)?;
    Ok((account, placed))
}

pub(super) fn link_to_the_directory(session: &mut Session<'_>) -> Verdict {
    let mut answers = successes(session)?;
    answers.extend(mistakes(session)?);
    for (what, response) in &answers {
        require_index(session, response, what)?;
    }
    let site = session.site();
    let directory = session.get(&site)?;
    let linked = if links(&directory, "index").is_empty() { "" } else { "; the directory links to itself" };
    Ok(format!("{} answers{linked}", answers.len()))
}

/// RFC 8555 §7.1: "The "index" link relation is present on all resources other than the directory and indicates the URL of the
/// directory."
fn require_index(session: &Session<'_>, response: &Response, what: &str) -> Result<(), Stop> {
    let site = session.site().url;
    let found = links(response, "index");
    let is_site = |target: &String| *target == site || (target.starts_with('/') && site.ends_with(target.as_str()));
    require(found.iter().any(is_site), || format!("{what}: {}, its links of relation index: {found:?}", response.status))
}

/// Answers to requests that are as they should be, of every kind of resource.
fn successes(session: &mut Session<'_>) -> Result<Vec<(String, Response)>, Stop> {
    let mut answers = Vec::new();
    let new_nonce = session.new_nonce()?;
    for method in ["HEAD", "GET"] {
        answers.push((format!("{method} newNonce"), session.exchange(&request(method, &new_nonce)?)?));
    }
    let key = AccountKey::es256()?;
    let new_account = session.new_account()?;
    for what in ["newAccount", "newAccount again"] {
        answers.push((what.to_owned(), session.post_json(signer(&key), &new_account, &terms())?));
    }
    let account = session.account()?;
    let names = session.new_names(1)?;
    let new_order = session.new_order()?;
    answers.push(("newOrder".into(), session.post_json(account.signer(), &new_order, &identifiers(&names))?));
    if session.target.http01_port.is_some() {
        let key = session.device_key()?;
        let (placed, certificate) = session.valid_order(&account, &names, &key)?;
        let authorization = placed.authorizations().remove(0);
        let (challenge, _) = session.challenge(&account, &authorization)?;
        let challenge = super::place::CHALLENGE.at(&challenge.url);
        for place in [&account.place, &placed.place, &authorization, &challenge, &certificate] {
            answers.push((place.kind.name().to_owned(), session.post(account.signer(), place, b"")?));
        }
    }
    Ok(answers)
}

/// Answers to requests that are wrong, each in its own way.
fn mistakes(session: &mut Session<'_>) -> Result<Vec<(String, Response)>, Stop> {
    let (account, placed) = at_hand(session)?;
    let new_order = session.new_order()?;
    let names = session.new_names(1)?;
    let order = identifiers(&names).to_string();
    let mut answers = Vec::new();
    for payload in ["{", "[]", "\"\"", "{}", "{\"identifiers\":1}", "{\"identifiers\":[{\"type\":\"dns\"}]}", "\u{0}"] {
        let response = session.post(account.signer(), &new_order, payload.as_bytes())?;
        answers.push((format!("newOrder of {payload:?}"), response));
    }
    for place in [&account.place, &placed.place, &placed.finalize(), &new_order] {
        answers.push((format!("GET of {}", place.kind.name()), session.get(place)?));
    }
    let typed = request("POST", &new_order)?.with_field("Content-Type", "application/json").with_content(b"{}");
    answers.push(("another Content-Type".into(), session.exchange(&typed)?));
    answers.push(("no JSON".into(), session.post_content(&new_order, b"no JSON")?));
    let draft = session.draft(account.signer(), &new_order, order.as_bytes())?.with("nonce", "AAAAAAAAAAAAAAAAAAAAAA".into());
    answers.push(("a bad nonce".into(), session.post_draft(&new_order, &draft, &account.key)?));
    let draft = session.draft(account.signer(), &new_order, order.as_bytes())?;
    answers.push(("a wrong signature".into(), session.post_draft(&new_order, &draft, &AccountKey::es256()?)?));
    let nobody = format!("{}0", account.place.url);
    let draft = session.draft(account.signer(), &new_order, order.as_bytes())?.with("kid", nobody.into());
    answers.push(("a kid that nobody has".into(), session.post_draft(&new_order, &draft, &account.key)?));
    let csr = wish(&names).sign(&session.device_key()?)?;
    let finalized = session.post_json(account.signer(), &placed.finalize(), &csr_payload(&csr))?;
    answers.push(("finalize of a pending order".into(), finalized));
    let stranger = session.account()?;
    answers.push(("a stranger's order".into(), session.post(stranger.signer(), &placed.place, b"")?));
    let large = json!({"identifiers": [], "padding": "x".repeat(1 << 20)}).to_string();
    let draft = session.draft(account.signer(), &new_order, large.as_bytes())?;
    answers.push(("a megabyte".into(), session.post_draft(&new_order, &draft, &account.key)?));
    Ok(answers)
}

pub(super) fn are_problem_documents(session: &mut Session<'_>) -> Verdict {
    let answers = mistakes(session)?;
    for (what, response) in &answers {
        let problem = Problem::of(response, what)?;
        let kind = problem.document.get("type").and_then(Value::as_str).unwrap_or("about:blank");
        // RFC 8555 §6.7: "This list is not exhaustive. The server MAY return errors whose "type" field is set to a URI other than those
        // defined above. Servers MUST NOT use the ACME URN namespace for errors not listed in the appropriate IANA registry".
        let of_acme = kind.strip_prefix(ERROR_SPACE);
        let is_registered = of_acme.is_none_or(|kind| REGISTERED.split(' ').any(|known| known == kind));
        require(is_registered, || format!("{what}: {kind} is not registered"))?;
        // RFC 7807 §3.1: "Generators MUST use the same status code in the actual HTTP response".
        let status = problem.document.get("status");
        let is_same = status.is_none_or(|status| status.as_u64() == Some(u64::from(response.status)));
        require(is_same, || format!("{what}: {} that says {status:?}", response.status))?;
        let detail = problem.document.get("detail").and_then(Value::as_str).unwrap_or_default();
        // RFC 8555 §6.7: "Clients SHOULD display the "detail" field of all errors."
        require(!detail.is_empty(), || format!("{what}: no detail: {}", excerpt(response)))?;
        // RFC 8555 §6.7.1: "The "identifier" field MUST NOT be present at the top level in ACME problem documents."
        require(problem.document.get("identifier").is_none(), || format!("{what}: identifier outside of a subproblem"))?;
    }
    Ok(format!("{} errors", answers.len()))
}
