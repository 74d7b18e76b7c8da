//! Payloads of ACME, every one of them read as each kind of request; and paths.
#![no_main]

use std::collections::HashSet;

use base64ct::{Base64UrlUnpadded, Encoding};
use certgate_acme::{
    AccountUpdate, AcmePath, ChallengeResponse, Contact, ErrorType, Finalize, Identifier, IdentifierObject, MAX_CONTACTS,
    MAX_DATE, MAX_IDENTIFIERS, NewAccount, NewOrder, PREFIX, PostAsGet, Problem, RequestError, to_json,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    assert_eq!(PostAsGet::parse(payload).is_ok(), payload.is_empty());
    let is_object = ChallengeResponse::parse(payload).is_ok();
    let read = [look_at_account(payload), look_at_update(payload), look_at_order(payload), look_at_csr(payload)];
    assert!(is_object || !read.contains(&true), "what is no object is no request");
    if let Ok(text) = std::str::from_utf8(payload) {
        look_at_text(text);
    }
});

fn look_at_account(payload: &[u8]) -> bool {
    let Ok(request) = NewAccount::parse(payload) else { return false };
    match &request.contact {
        Ok(contacts) => look_at_contacts(contacts),
        Err(error) => assert!(matches!(error.kind(), ErrorType::UnsupportedContact | ErrorType::InvalidContact)),
    }
    assert!(request.external_account_binding.is_none_or(|binding| binding.is_object()));
    true
}

fn look_at_update(payload: &[u8]) -> bool {
    let Ok(request) = AccountUpdate::parse(payload) else { return false };
    look_at_contacts(&request.contact.unwrap_or_default());
    true
}

fn look_at_contacts(contacts: &[Contact]) {
    assert!(contacts.len() <= MAX_CONTACTS);
    for contact in contacts {
        let text = contact.as_str();
        assert_eq!(Contact::parse(text).as_ref(), Ok(contact));
        assert!(text[..7].eq_ignore_ascii_case("mailto:") && text.matches('@').count() == 1);
        assert!(text.is_ascii() && !text.contains(['?', ',', '%', ' ', '\n', '"']));
    }
}

fn look_at_order(payload: &[u8]) -> bool {
    match NewOrder::parse(payload) {
        Ok(order) => {
            assert!((1..=MAX_IDENTIFIERS).contains(&order.identifiers.len()));
            assert_eq!(order.identifiers.iter().collect::<HashSet<_>>().len(), order.identifiers.len());
            assert!([&order.not_before, &order.not_after].into_iter().flatten().all(|date| date.len() <= MAX_DATE));
            order.identifiers.iter().for_each(look_at_identifier);
            // Sent in its one spelling, it is the same order.
            let again = format!(r#"{{"identifiers":{}}}"#, String::from_utf8_lossy(&to_json(&order.identifiers)));
            assert_eq!(NewOrder::parse(again.as_bytes()).map(|again| again.identifiers), Ok(order.identifiers));
            true
        }
        Err(RequestError::BadIdentifiers(faults)) => {
            assert!((1..=MAX_IDENTIFIERS).contains(&faults.len()));
            let problem = Problem::from(RequestError::BadIdentifiers(faults.clone()));
            assert_eq!(problem.subproblems.len(), faults.len());
            assert!(problem.subproblems.iter().all(|one| one.kind == problem.kind || problem.kind == ErrorType::Compound));
            assert!(ChallengeResponse::parse(&to_json(&problem)).is_ok(), "a problem is an object");
            true
        }
        Err(_) => false,
    }
}

fn look_at_identifier(identifier: &Identifier) {
    let object = IdentifierObject::from(identifier);
    assert_eq!(Identifier::parse(object.clone()).as_ref(), Ok(identifier));
    assert_eq!(object.value, object.value.to_ascii_lowercase());
    let authorized = identifier.authorized();
    assert!(!authorized.is_wildcard() && object.value.ends_with(&authorized.value()));
    assert_eq!(object.value.contains('*'), identifier.is_wildcard());
    // An address is never a name.
    assert_eq!(object.value.parse::<std::net::IpAddr>().is_ok(), identifier.kind() == "ip");
}

fn look_at_csr(payload: &[u8]) -> bool {
    let Ok(Finalize { csr }) = Finalize::parse(payload) else { return false };
    let again = format!(r#"{{"csr":"{}"}}"#, Base64UrlUnpadded::encode_string(&csr));
    assert_eq!(Finalize::parse(again.as_bytes()), Ok(Finalize { csr }));
    true
}

/// The same octets as an identifier, as a contact, and as a path.
fn look_at_text(text: &str) {
    for kind in ["dns", "ip"] {
        if let Ok(identifier) = Identifier::parse(IdentifierObject { kind: kind.into(), value: text.into() }) {
            look_at_identifier(&identifier);
        }
    }
    if let Ok(contact) = Contact::parse(text) {
        look_at_contacts(&[contact]);
    }
    for path in [text.to_owned(), format!("{PREFIX}{text}"), format!("{PREFIX}default/{text}")] {
        if let Ok(AcmePath { endpoint, resource }) = AcmePath::parse(&path) {
            assert_eq!(format!("{PREFIX}{endpoint}/{resource}"), path, "one path, one meaning");
        }
    }
}
