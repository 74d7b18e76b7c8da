//! The JWS around each request, and how it is to be refused (RFC 8555 §6.1, §6.2, §6.4).

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::{
    jws::{AccountKey, Draft, Jws, base64url},
    objects::{Problem, require_problem, require_status},
    payloads::{identifiers, terms},
    place::Place,
    session::{Session, request},
    steps::signer,
};
use crate::verdict::{Stop, Verdict, require};

/// A newAccount that could be sent as it is.
fn application(session: &mut Session<'_>) -> Result<(AccountKey, Place, Draft), Stop> {
    let key = AccountKey::es256()?;
    let new_account = session.new_account()?;
    let draft = session.draft(signer(&key), &new_account, terms().to_string().as_bytes())?;
    Ok((key, new_account, draft))
}

pub(super) fn names_its_url(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let key = AccountKey::es256()?;
    let new_account = session.new_account()?;
    let mut count = 0;
    for (signer, place, payload) in
        [(signer(&key), &new_account, terms().to_string()), (account.signer(), &account.place, String::new())]
    {
        let mut wrong = wrong_urls(&place.url);
        wrong.push(("another resource", session.new_order()?.url));
        for (what, url) in wrong {
            let draft = session.draft(signer, place, payload.as_bytes())?.with("url", url.into());
            let response = session.post_draft(place, &draft, signer.key)?;
            // RFC 8555 §6.4: "If the two do not match, then the server MUST reject the request as unauthorized."
            let what = format!("{}, its url {what}", place.kind.name());
            require_problem(&response, &what, &[401, 403], &["unauthorized"])?;
            count += 1;
        }
        let draft = session.draft(signer, place, payload.as_bytes())?.without("url");
        let response = session.post_draft(place, &draft, signer.key)?;
        Problem::of(&response, &format!("{} without url", place.kind.name()))?;
    }
    Ok(format!("unauthorized for {count} wrong URLs"))
}

/// URLs that are not this one, as a string.
fn wrong_urls(url: &str) -> Vec<(&'static str, String)> {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    vec![
        ("with http", format!("http://{rest}")),
        ("with one more slash", format!("{url}/")),
        ("of another host", format!("https://elsewhere.example{path}")),
        ("with its host in upper case", format!("https://{}{path}", authority.to_ascii_uppercase())),
        ("with a query", format!("{url}?x=1")),
    ]
    .into_iter()
    .filter(|(_, wrong)| wrong != url)
    .collect()
}

pub(super) fn says_its_type(session: &mut Session<'_>) -> Verdict {
    let (key, new_account, draft) = application(session)?;
    let content = draft.sign(&key)?.content();
    // RFC 8555 §6.2: "If a request does not meet this requirement, then the server MUST return a response with status code 415
    // (Unsupported Media Type)."
    for media_type in ["application/json", "application/jose", "text/plain", "application/x-www-form-urlencoded"] {
        let typed = request("POST", &new_account)?.with_field("Content-Type", media_type).with_content(&content);
        let response = session.exchange(&typed)?;
        require_status(&response, media_type, 415)?;
    }
    let response = session.exchange(&request("POST", &new_account)?.with_content(&content))?;
    require_status(&response, "no Content-Type", 415)?;
    Ok("415 each".into())
}

pub(super) fn is_flattened(session: &mut Session<'_>) -> Verdict {
    let mut count = 0;
    for (what, rewrite) in SERIALIZATIONS {
        let (key, new_account, draft) = application(session)?;
        let jws = draft.sign(&key)?;
        let response = session.post_content(&new_account, &rewrite(&jws))?;
        require_problem(&response, what, &[400], &["malformed"])?;
        count += 1;
    }
    for (what, crit) in [("b64 false", json!(["b64"])), ("a critical extension that nobody knows", json!(["x"]))] {
        let (key, new_account, draft) = application(session)?;
        let draft = draft.with("b64", json!(false)).with("x", json!(1)).with("crit", crit);
        // RFC 7797 §3: with `b64` false the payload is signed and sent as it is.
        let payload = String::from_utf8_lossy(&draft.payload).into_owned();
        let jws = Jws::sign(draft.protected(), payload, &key)?;
        require_problem(&session.post_content(&new_account, &jws.content())?, what, &[400], &["malformed"])?;
        count += 1;
    }
    Ok(format!("400 malformed for {count} other forms"))
}

/// The same message in another form.
type Rewrite = fn(&Jws) -> Vec<u8>;

/// RFC 8555 §6.2: "The JWS MUST be in the Flattened JSON Serialization … The JWS MUST NOT have multiple signatures … The JWS Unencoded
/// Payload Option [RFC7797] MUST NOT be used … The JWS Unprotected Header [RFC7515] MUST NOT be used … The JWS Payload MUST NOT be
/// detached".
const SERIALIZATIONS: &[(&str, Rewrite)] = &[
    ("the compact serialization", |jws| format!("{}.{}.{}", jws.protected, jws.payload, jws.signature).into_bytes()),
    ("the compact serialization as a JSON string", |jws| {
        json!(format!("{}.{}.{}", jws.protected, jws.payload, jws.signature)).to_string().into_bytes()
    }),
    ("the general serialization", |jws| {
        let one = json!({"protected": jws.protected, "signature": jws.signature});
        json!({"payload": jws.payload, "signatures": [one]}).to_string().into_bytes()
    }),
    ("two signatures", |jws| {
        let one = json!({"protected": jws.protected, "signature": jws.signature});
        json!({"payload": jws.payload, "signatures": [one, one]}).to_string().into_bytes()
    }),
    ("a signature and signatures", |jws| {
        let one = json!({"protected": jws.protected, "signature": jws.signature});
        with_member(jws, "signatures", json!([one]))
    }),
    ("an unprotected header", |jws| with_member(jws, "header", json!({"x": "y"}))),
    ("a detached payload", |jws| json!({"protected": jws.protected, "signature": jws.signature}).to_string().into_bytes()),
    ("no protected header", |jws| json!({"payload": jws.payload, "signature": jws.signature}).to_string().into_bytes()),
    ("no signature", |jws| json!({"payload": jws.payload, "protected": jws.protected}).to_string().into_bytes()),
    ("no JSON", |_| b"this is no message".to_vec()),
    ("nothing", |_| Vec::new()),
];

fn with_member(jws: &Jws, name: &str, value: Value) -> Vec<u8> {
    let mut whole = jws.flattened();
    if let Value::Object(members) = &mut whole {
        members.insert(name.into(), value);
    }
    whole.to_string().into_bytes()
}

pub(super) fn has_one_key(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let new_account = session.new_account()?;
    let new_order = session.new_order()?;
    let order = identifiers(&session.new_names(1)?).to_string();
    for (place, payload) in [(&new_account, terms().to_string()), (&new_order, order)] {
        let draft = session.draft(account.signer(), place, payload.as_bytes())?;
        let both = draft.with("jwk", account.key.jwk().clone());
        let what = place.kind.name();
        // RFC 8555 §6.2: "The "jwk" and "kid" fields are mutually exclusive. Servers MUST reject requests that contain both."
        let response = session.post_draft(place, &both, &account.key)?;
        require_problem(&response, &format!("{what} with jwk and kid"), &[400], &["malformed"])?;
        let neither = session.draft(account.signer(), place, payload.as_bytes())?.without("kid");
        let response = session.post_draft(place, &neither, &account.key)?;
        require_problem(&response, &format!("{what} with neither"), &[400], &["malformed"])?;
    }
    Ok("400 malformed each".into())
}

pub(super) fn has_the_right_key(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let new_account = session.new_account()?;
    // RFC 8555 §6.2: "For newAccount requests, and for revokeCert requests authenticated by a certificate key, there MUST be a "jwk"
    // field. … For all other requests, the request is signed using an existing account, and there MUST be a "kid" field."
    let response = session.post_json(account.signer(), &new_account, &terms())?;
    require_problem(&response, "newAccount with kid", &[400], &["malformed"])?;
    let order = identifiers(&session.new_names(1)?);
    let new_order = session.new_order()?;
    for (place, payload) in [(&new_order, order.to_string()), (&account.place, String::new())] {
        let response = session.post(signer(&account.key), place, payload.as_bytes())?;
        require_problem(&response, &format!("{} with jwk", place.kind.name()), &[400], &["malformed"])?;
    }
    Ok("400 malformed each".into())
}

pub(super) fn has_a_good_algorithm(session: &mut Session<'_>) -> Verdict {
    // RFC 8555 §6.2: "This field MUST NOT contain "none" or a Message Authentication Code (MAC) algorithm".
    let mut listed = Vec::new();
    for algorithm in ["none", "HS256"] {
        let (key, new_account, draft) = application(session)?;
        let mut jws = draft.with("alg", algorithm.into()).sign(&key)?;
        jws.signature = match algorithm {
            "none" => String::new(),
            _ => mac(&jws, &key)?,
        };
        let response = session.post_content(&new_account, &jws.content())?;
        let problem = require_problem(&response, algorithm, &[400], &["badSignatureAlgorithm"])?;
        // RFC 8555 §6.2: "The problem document returned with the error MUST include an "algorithms" field with an array of supported
        // "alg" values."
        let algorithms = problem.document.get("algorithms").and_then(Value::as_array);
        let names: Option<Vec<&str>> = algorithms.and_then(|list| list.iter().map(Value::as_str).collect());
        let names = names.filter(|names| names.contains(&"ES256"));
        let names = names.ok_or_else(|| Stop::Fail(format!("{algorithm}: algorithms is {algorithms:?}")))?;
        require(!names.iter().any(|name| *name == "none" || name.starts_with("HS")), || format!("algorithms is {names:?}"))?;
        listed = names.iter().map(|name| (*name).to_owned()).collect();
    }
    Ok(format!("400 badSignatureAlgorithm each; supported: {}", listed.join(" ")))
}

/// A MAC made with the public key, which an implementation that does not keep key and algorithm together would find right.
fn mac(jws: &Jws, key: &AccountKey) -> anyhow::Result<String> {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &key.key().spki()?.encode());
    Ok(base64url(hmac::sign(&secret, format!("{}.{}", jws.protected, jws.payload).as_bytes()).as_ref()))
}

pub(super) fn is_base64url(session: &mut Session<'_>) -> Verdict {
    let mut faults: Vec<&str> = Vec::new();
    for (what, alter) in MISSPELT {
        let (key, new_account, draft) = application(session)?;
        let Some(jws) = alter(&draft, &key)? else {
            return Err(Stop::Fail(format!("in the suite: {what} could not be made")));
        };
        let response = session.post_content(&new_account, &jws.content())?;
        // RFC 8555 §6.1: "Encoded values that include trailing '=' characters MUST be rejected as improperly encoded."
        require_problem(&response, what, &[400], &["malformed"])?;
        faults.push(what);
    }
    Ok(format!("400 malformed: {}", faults.join(", ")))
}

/// A message that is signed rightly but spelt wrongly; `None` when it came out right by chance.
type Misspell = fn(&Draft, &AccountKey) -> anyhow::Result<Option<Jws>>;

const MISSPELT: &[(&str, Misspell)] = &[
    ("a padded header", |draft, key| {
        let stretched = stretch(draft);
        Jws::sign(pad(&stretched.protected()), base64url(&stretched.payload), key).map(Some)
    }),
    ("a padded payload", |draft, key| {
        let payload = base64url(b"{\"termsOfServiceAgreed\":true} ");
        let payload = if payload.len().is_multiple_of(4) { base64url(b"{\"termsOfServiceAgreed\":true}") } else { payload };
        Jws::sign(draft.protected(), pad(&payload), key).map(Some)
    }),
    ("a padded signature", |draft, key| {
        let jws = draft.sign(key)?;
        Ok(Some(Jws { signature: pad(&jws.signature), ..jws }))
    }),
    ("a payload of the other alphabet", |draft, key| {
        let payload = other_alphabet(&base64url(b"{\"termsOfServiceAgreed\":true,\"x\":\"???>>>~~~\"}"));
        Ok(match payload {
            Some(payload) => Some(Jws::sign(draft.protected(), payload, key)?),
            None => None,
        })
    }),
    ("a signature of the other alphabet", |draft, key| {
        for _ in 0..100 {
            let jws = draft.sign(key)?;
            if let Some(signature) = other_alphabet(&jws.signature) {
                return Ok(Some(Jws { signature, ..jws }));
            }
            // ECDSA may be deterministic: the payload makes the difference.
            let other = AccountKey::es256()?;
            let draft = draft.clone().with("jwk", other.jwk().clone());
            let jws = draft.sign(&other)?;
            if let Some(signature) = other_alphabet(&jws.signature) {
                return Ok(Some(Jws { signature, ..jws }));
            }
        }
        Ok(None)
    }),
    ("a coordinate of the key with padding", |draft, key| {
        let mut jwk = key.jwk().clone();
        let x = jwk.get("x").and_then(Value::as_str).map(pad).unwrap_or_default();
        if let Some(member) = jwk.get_mut("x") {
            *member = x.into();
        }
        draft.clone().with("jwk", jwk).sign(key).map(Some)
    }),
    ("a header with a line end", |draft, key| {
        Jws::sign(format!("{}\n", draft.protected()), base64url(&draft.payload), key).map(Some)
    }),
];

/// The message with a header whose encoding needs padding.
fn stretch(draft: &Draft) -> Draft {
    let mut draft = draft.clone();
    let mut more = String::new();
    while draft.protected().len().is_multiple_of(4) {
        more.push('x');
        draft = draft.with("x", more.clone().into());
    }
    draft
}

fn pad(text: &str) -> String {
    format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4))
}

/// The same octets in the alphabet of base64; `None` when that is the same text.
fn other_alphabet(text: &str) -> Option<String> {
    let other = text.replace('-', "+").replace('_', "/");
    (other != text).then_some(other)
}
