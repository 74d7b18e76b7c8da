//! What finalize must not take (RFC 8555 §7.4, §11.1).

use const_oid::ObjectIdentifier;
use serde_json::{Value, json};

use super::{
    certificates::read_chain,
    jws::base64url,
    objects::{Order, Status, object, require_problem, require_status},
    payloads::{csr_payload, wish},
    place,
    session::Session,
    steps::{Account, Placed},
};
use crate::{
    asn1::{Element, tag},
    certificate::extension,
    csr::Wish,
    key::Key,
    parts::Parts,
    verdict::{Stop, Verdict, require},
};

/// `emailAddress` (RFC 2985 §5.2.1), a name that nobody validated.
const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

/// What a refusal may say: RFC 8555 §7.4 has "SHOULD use error code "badCSR"".
const BAD_CSR: &[&str] = &["badCSR"];
/// The same where it is not the CSR but the request that is bad.
const BAD_REQUEST: &[&str] = &["badCSR", "malformed"];
/// The same for a key.
const BAD_KEY: &[&str] = &["badCSR", "badPublicKey"];

/// One payload, and what a refusal of it may say.
type Fault = (&'static str, Value, &'static [&'static str]);

pub(super) fn are_refused(session: &mut Session<'_>) -> Verdict {
    let account = session.account()?;
    let names = session.new_names(2)?;
    let placed = session.ready_order(&account, &names)?;
    let key = session.device_key()?;
    let mut faults = wrong_names(session, &names, &key)?;
    faults.extend(wrong_keys(&account, &names, &key)?);
    faults.extend(wrong_spellings(&names, &key)?);
    for (what, payload, kinds) in &faults {
        let response = session.post_json(account.signer(), &placed.finalize(), payload)?;
        require_problem(&response, what, &[400, 403], kinds)?;
        // RFC 8555 §7.4: "After returning such an error, the server SHOULD leave the order in the "ready" state, to allow the client to
        // submit a new finalize request with an amended CSR."
        let order: Order = session.read(&account, &placed.place)?;
        require(order.status == Status::Ready, || format!("after {what} the order is {:?}", order.status))?;
    }
    session.finalize(&account, &placed, &wish(&names).sign(&key)?)?;
    session.await_order(&account, &placed.place, &[Status::Valid])?;
    let mut parts = Parts::default();
    parts.add("refused", Ok(format!("{} CSRs, and the order was still good", faults.len())))?;
    let verdict = is_no_authority(session, &account);
    parts.add("cA TRUE", verdict)?;
    parts.verdict()
}

/// RFC 8555 §7.4: "The CSR MUST indicate the exact same set of requested identifiers as the initial newOrder request."
fn wrong_names(session: &Session<'_>, names: &[String], key: &Key) -> Result<Vec<Fault>, Stop> {
    let other = session.new_name()?;
    let more = [names, std::slice::from_ref(&other)].concat();
    let fewer = names.get(..1).unwrap_or_default();
    let one = names.first().map(String::as_str).unwrap_or_default();
    let address = Element::primitive(tag::context_primitive(7), &[127, 0, 0, 1]);
    let dns = names.iter().map(|name| Element::primitive(tag::context_primitive(2), name.as_bytes()));
    let with_address = Element::sequence(dns.chain([address]).collect());
    let wildcard = format!("*.{one}");
    let wishes = [
        ("a name too many", wish(&more)),
        ("a name too few", wish(fewer)),
        ("other names", wish(&[other.clone(), other.clone() + ".x"])),
        ("one other name", wish(&[one.to_owned(), other.clone()])),
        ("a wildcard for a name", wish(&[one.to_owned(), wildcard])),
        ("a CN alone, of one of two names", Wish::common_name(one)),
        ("a CN that was not ordered", with_dns_names(Wish::common_name(&other), names)),
        ("no names", Wish::empty()),
        ("an address besides the names", Wish::empty().with_alternative_names(&with_address)),
        ("an e-mail address besides the names", with_dns_names(Wish::empty().with_name(EMAIL_ADDRESS, "a@b.example"), names)),
    ];
    let faults = wishes.into_iter().map(|(what, wish)| Ok((what, csr_payload(&wish.sign(key)?), BAD_CSR)));
    faults.collect()
}

fn with_dns_names(wish: Wish, names: &[String]) -> Wish {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    wish.with_dns_names(&names)
}

fn wrong_keys(account: &Account, names: &[String], key: &Key) -> Result<Vec<Fault>, Stop> {
    Ok(vec![
        ("a wrong signature", csr_payload(&wish(names).sign_wrongly(key)?), BAD_CSR),
        ("an RSA key of 1024 bits", csr_payload(&wish(names).sign(&Key::weak()?)?), BAD_KEY),
        // RFC 8555 §11.1: "when a server receives a finalize request, it MUST verify that the public key in a CSR is not the same as the
        // public key of the account key pair used to authenticate that request."
        ("the account's key", csr_payload(&wish(names).sign(account.key.key())?), BAD_KEY),
    ])
}

fn wrong_spellings(names: &[String], key: &Key) -> Result<Vec<Fault>, Stop> {
    let mut csr = wish(names).sign(key)?;
    // A length that base64 pads.
    let mut more = String::new();
    while csr.len().is_multiple_of(3) {
        more.push('x');
        csr = wish(names).with_challenge(&more).sign(key)?;
    }
    let text = base64url(&csr);
    let padded = format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4));
    let other_alphabet = text.replace('-', "+").replace('_', "/");
    let truncated = csr.get(..csr.len() - 10).unwrap_or_default();
    let mut faults: Vec<Fault> = vec![
        ("no DER", csr_payload(b"this is no certification request"), BAD_REQUEST),
        ("nothing in base64url", json!({"csr": ""}), BAD_REQUEST),
        ("truncated DER", csr_payload(truncated), BAD_REQUEST),
        ("octets behind the CSR", csr_payload(&[&csr[..], &[5, 0]].concat()), BAD_REQUEST),
        ("padded base64url", json!({"csr": padded}), BAD_REQUEST),
        (
            "PEM",
            json!({"csr": format!("-----BEGIN CERTIFICATE REQUEST-----\n{padded}\n-----END CERTIFICATE REQUEST-----\n")}),
            BAD_REQUEST,
        ),
        ("no csr", json!({}), BAD_REQUEST),
        ("a csr that is no text", json!({"csr": 5}), BAD_REQUEST),
    ];
    if other_alphabet != text {
        faults.push(("base64", json!({"csr": other_alphabet}), BAD_REQUEST));
    }
    Ok(faults)
}

/// A CSR that asks to be an authority is refused, or what it asks for is left out.
fn is_no_authority(session: &mut Session<'_>, account: &Account) -> Verdict {
    let names = session.new_names(1)?;
    let placed = session.ready_order(account, &names)?;
    let key = session.device_key()?;
    let authority = Element::sequence(vec![Element::primitive(tag::BOOLEAN, &[0xff])]);
    let csr = wish(&names).with_extension(extension::BASIC_CONSTRAINTS, true, &authority).sign(&key)?;
    let response = session.post_json(account.signer(), &placed.finalize(), &csr_payload(&csr))?;
    if response.is_client_error() {
        require_problem(&response, "refused", &[400, 403], BAD_CSR)?;
        let order: Order = session.read(account, &placed.place)?;
        require(order.status == Status::Ready, || format!("afterwards the order is {:?}", order.status))?;
        return Ok("refused".into());
    }
    require_status(&response, "finalize", 200)?;
    object::<Order>(&response, "finalize")?;
    is_left_out(session, account, &placed)
}

fn is_left_out(session: &mut Session<'_>, account: &Account, placed: &Placed) -> Verdict {
    let order = session.await_order(account, &placed.place, &[Status::Valid])?;
    let url = order.certificate.ok_or_else(|| Stop::fail("a valid order without certificate"))?;
    let response = session.post(account.signer(), &place::CERTIFICATE.at(&url), b"")?;
    let leaf = read_chain(&response)?.remove(0);
    require(!leaf.is_authority(), || "the certificate is an authority's".into())?;
    Ok("left out".into())
}
