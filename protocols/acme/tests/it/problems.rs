//! Problem documents.

use std::collections::HashSet;

use certgate_acme::{ErrorType, NewOrder, Problem, RequestError, to_json};
use serde_json::{Value, json};

fn document(problem: &Problem) -> Value {
    serde_json::from_slice(&to_json(problem)).unwrap()
}

#[test]
fn types_are_those_of_rfc_8555() {
    let expected = "accountDoesNotExist alreadyRevoked badCSR badNonce badPublicKey badRevocationReason badSignatureAlgorithm caa compound \
connection dns externalAccountRequired incorrectResponse invalidContact malformed orderNotReady rateLimited rejectedIdentifier \
serverInternal tls unauthorized unsupportedContact unsupportedIdentifier userActionRequired";
    let tokens: Vec<&str> = ErrorType::ALL.iter().map(|kind| kind.token()).collect();
    assert_eq!(tokens.join(" "), expected);
    assert_eq!(tokens.iter().collect::<HashSet<_>>().len(), 24);
    for kind in ErrorType::ALL {
        let token = kind.token();
        let expected = json!({"type": format!("urn:ietf:params:acme:error:{token}"), "detail": "why"});
        assert_eq!(document(&Problem::new(kind, "why")), expected);
        assert!(matches!(kind.status(), 400 | 403 | 429 | 500), "{token}");
    }
    // RFC 8555 §6.2, §6.5, §7.3.1, §7.3.3, §7.4, §7.6 name these.
    for (kind, status) in [
        (ErrorType::BadSignatureAlgorithm, 400),
        (ErrorType::BadPublicKey, 400),
        (ErrorType::BadNonce, 400),
        (ErrorType::AccountDoesNotExist, 400),
        (ErrorType::UserActionRequired, 403),
        (ErrorType::OrderNotReady, 403),
        (ErrorType::AlreadyRevoked, 400),
        (ErrorType::RateLimited, 429),
        (ErrorType::ServerInternal, 500),
    ] {
        assert_eq!(kind.status(), status, "{}", kind.token());
    }
}

/// The document of RFC 8555 §6.7.1, as far as a codec knows what is wrong.
#[test]
fn each_identifier_has_a_subproblem() {
    let payload = br#"{"identifiers":[{"type":"dns","value":"_example.org"},{"type":"dns","value":"example.net"},{"type":"tn","value":"1"}]}"#;
    let error = NewOrder::parse(payload).unwrap_err();
    let expected = json!({
        "type": "urn:ietf:params:acme:error:compound",
        "detail": "some of the identifiers are not accepted",
        "subproblems": [
            {
                "type": "urn:ietf:params:acme:error:malformed",
                "detail": "a dns name must not have underscores",
                "identifier": {"type": "dns", "value": "_example.org"}
            },
            {
                "type": "urn:ietf:params:acme:error:unsupportedIdentifier",
                "detail": "identifiers of this type are not supported; those of type dns and ip are",
                "identifier": {"type": "tn", "value": "1"}
            }
        ]
    });
    assert_eq!(document(&error.into()), expected);
}

#[test]
fn terms_that_have_changed_have_an_instance() {
    let instance = "https://example.com/acme/agreement/?token=W8Ih3PswD-8";
    let problem = Problem {
        instance: Some(instance.into()),
        ..Problem::new(ErrorType::UserActionRequired, "Terms of service have changed")
    };
    assert_eq!(document(&problem)["instance"], instance);
}

#[test]
fn every_error_has_a_type_and_a_text() {
    for (error, kind) in [
        (RequestError::TooLarge, ErrorType::Malformed),
        (RequestError::Malformed("why"), ErrorType::Malformed),
        (RequestError::Member { name: "csr", shape: "a string" }, ErrorType::Malformed),
        (RequestError::MissingNonce, ErrorType::BadNonce),
        (RequestError::BadSignatureAlgorithm(Vec::new()), ErrorType::BadSignatureAlgorithm),
        (RequestError::BadPublicKey("why"), ErrorType::BadPublicKey),
        (RequestError::BadSignature, ErrorType::Malformed),
        (RequestError::UnsupportedContact, ErrorType::UnsupportedContact),
        (RequestError::InvalidContact("why"), ErrorType::InvalidContact),
        (RequestError::BadCsr, ErrorType::BadCsr),
        (RequestError::BadIdentifiers(Vec::new()), ErrorType::Malformed),
    ] {
        let text = error.to_string();
        assert_eq!((error.kind(), Problem::from(error).detail), (kind, text.clone()));
        assert!(!text.is_empty());
    }
}
