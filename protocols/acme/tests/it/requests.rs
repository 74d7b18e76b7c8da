//! Requests as they come.

use certgate_acme::{Algorithm, ErrorType, Jws, KeyRef, MAX_BODY, MAX_URL, Problem, RequestError, to_json};
use certgate_pki::KeyType;
use serde_json::{Value, json};

use crate::client::{ACCOUNT, NONCE, URL, account_header, base64url, generate, header, jwk, rsa_jwk, signed};

fn parse(body: &Value) -> Result<Jws, RequestError> {
    Jws::parse(body.to_string().as_bytes())
}

/// A request of this header; its signature is not looked at.
fn with_header(header: &str) -> Value {
    json!({"protected": base64url(header), "payload": "", "signature": base64url([7; 64])})
}

/// What is said of a request whose header has another value of a member.
fn kind_with(name: &str, value: Value) -> Option<ErrorType> {
    let mut header = account_header(&*generate(KeyType::P256));
    header[name] = value;
    kind_of(&header)
}

fn kind_of(header: &Value) -> Option<ErrorType> {
    parse(&with_header(&header.to_string())).err().map(|error| error.kind())
}

fn without(header: &Value, name: &str) -> Value {
    let mut header = header.clone();
    header.as_object_mut().unwrap().remove(name);
    header
}

#[test]
fn what_a_request_says() {
    let key = generate(KeyType::P256);
    let jws = parse(&signed(&*key, &header(&*key), b"{\"a\": 1}")).unwrap();
    assert_eq!((jws.protected.nonce.as_str(), jws.protected.url.as_str()), (NONCE, URL));
    assert_eq!((jws.protected.algorithm, jws.payload.as_slice()), (Algorithm::Es256, &b"{\"a\": 1}"[..]));
    let KeyRef::Jwk(jwk) = &jws.protected.key else { panic!("a request with a jwk") };
    assert_eq!(jwk.public_key(), key.public_key());
    let jws = parse(&signed(&*key, &account_header(&*key), b"")).unwrap();
    assert_eq!((jws.protected.key, jws.payload.len()), (KeyRef::Kid(ACCOUNT.into()), 0));
}

#[test]
fn unknown_header_members_are_ignored() {
    for (name, value) in [("typ", json!("JOSE+JSON")), ("x5c", json!([])), ("unheard-of", json!({"a": [null]}))] {
        assert_eq!(kind_with(name, value), None, "{name}");
    }
}

#[test]
fn other_serializations_are_malformed() {
    let key = generate(KeyType::P256);
    let good = signed(&*key, &account_header(&*key), b"");
    let [protected, payload, signature] = ["protected", "payload", "signature"].map(|name| good[name].as_str().unwrap());
    let compact = format!("{protected}.{payload}.{signature}");
    let twice = format!(r#"{{"protected":"{protected}","payload":"","payload":"","signature":"{signature}"}}"#);
    for (what, body) in [
        ("empty", String::new()),
        ("compact", compact.clone()),
        ("compact as a string", json!(compact).to_string()),
        ("general", json!({"payload": "", "signatures": [{"protected": protected, "signature": signature}]}).to_string()),
        ("both", json!({"payload": "", "protected": protected, "signature": signature, "signatures": []}).to_string()),
        ("an array", json!([protected, payload, signature]).to_string()),
        ("a duplicate member", twice),
        ("followed by another", format!("{good}{good}")),
        ("form", format!("protected={protected}&payload=&signature={signature}")),
    ] {
        let error = Jws::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorType::Malformed, "{what}");
    }
    for (name, value) in
        [("header", json!({})), ("header", json!({"kid": ACCOUNT})), ("signatures", Value::Null), ("extra", json!(1))]
    {
        let mut more = good.clone();
        more[name] = value;
        assert!(matches!(parse(&more), Err(RequestError::Malformed(_))), "{name}");
    }
}

#[test]
fn every_part_is_there_and_strict_base64url() {
    let key = generate(KeyType::P256);
    let good = signed(&*key, &account_header(&*key), b"{}");
    assert!(parse(&good).is_ok());
    for name in ["protected", "payload", "signature"] {
        let missing = without(&good, name);
        assert!(matches!(parse(&missing), Err(RequestError::Member { name: told, .. }) if told == name), "{name}");
        let text = good[name].as_str().unwrap();
        for wrong in [
            Value::Null,
            json!({}),
            json!(format!("{text}=")),
            json!(format!("{text}==")),
            json!(format!("{text}\n")),
            json!(format!(" {text}")),
            json!(format!("{}+/", &text[..text.len() - 2])),
            json!("AB"),
            json!("A"),
        ] {
            let mut other = good.clone();
            other[name] = wrong.clone();
            assert_eq!(parse(&other).map_err(|error| error.kind()), Err(ErrorType::Malformed), "{name}: {wrong}");
        }
    }
}

#[test]
fn a_request_is_bounded() {
    let key = generate(KeyType::P256);
    let body = |payload: usize| signed(&*key, &account_header(&*key), &vec![b' '; payload]).to_string();
    let overhead = body(0).len();
    let largest = (MAX_BODY - overhead) / 4 * 3;
    assert!(Jws::parse(body(largest).as_bytes()).is_ok());
    assert_eq!(Jws::parse(body(largest + 6).as_bytes()), Err(RequestError::TooLarge));
    let deep = format!(r#"{{"protected":{}"#, "[".repeat(60_000));
    assert!(matches!(Jws::parse(deep.as_bytes()), Err(RequestError::Malformed(_))));
    let deep = format!(r#"{{"alg":"ES256","x":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    assert!(matches!(parse(&with_header(&deep)), Err(RequestError::Malformed(_))));
}

#[test]
fn a_header_that_is_no_json_object_is_malformed() {
    for wrong in ["", "{", "[]", "null", "\"ES256\"", "{} {}", r#"{"alg":"ES256","alg":"ES256"}"#, "\u{feff}{}"] {
        assert!(matches!(parse(&with_header(wrong)), Err(RequestError::Malformed(_))), "{wrong}");
    }
    let duplicate = account_header(&*generate(KeyType::P256)).to_string().replacen('{', r#"{"x":1,"x":1,"#, 1);
    assert!(matches!(parse(&with_header(&duplicate)), Err(RequestError::Malformed(_))), "of a member that nobody knows");
}

#[test]
fn crit_and_b64_are_malformed() {
    for (name, value) in [
        ("crit", json!(["b64"])),
        ("crit", json!(["http://example.invalid/UNDEFINED"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("b64", Value::Null),
    ] {
        assert_eq!(kind_with(name, value), Some(ErrorType::Malformed), "{name}");
    }
}

#[test]
fn an_unsupported_algorithm_is_told_with_those_that_are_supported() {
    for name in ["none", "HS256", "HS512", "ES256K", "RS384", "RS512", "PS256", "es256", "Ed25519", ""] {
        let mut header = account_header(&*generate(KeyType::P256));
        header["alg"] = json!(name);
        let error = parse(&with_header(&header.to_string())).unwrap_err();
        assert_eq!(error, RequestError::BadSignatureAlgorithm(Algorithm::ALL.to_vec()), "{name}");
        let problem: Value = serde_json::from_slice(&to_json(&Problem::from(error))).unwrap();
        assert_eq!(problem["type"], "urn:ietf:params:acme:error:badSignatureAlgorithm");
        assert_eq!(problem["algorithms"], json!(["ES256", "ES384", "ES512", "RS256", "EdDSA"]));
    }
    for wrong in [Value::Null, json!(256), json!(["ES256"])] {
        assert_eq!(kind_with("alg", wrong), Some(ErrorType::Malformed));
    }
}

#[test]
fn jwk_or_kid_but_not_both_and_not_neither() {
    let key = generate(KeyType::P256);
    let mut both = header(&*key);
    both["kid"] = json!(ACCOUNT);
    assert_eq!(kind_of(&both), Some(ErrorType::Malformed));
    both["kid"] = Value::Null;
    assert_eq!(kind_of(&both), Some(ErrorType::Malformed));
    assert_eq!(kind_of(&without(&header(&*key), "jwk")), Some(ErrorType::Malformed));
    for wrong in [Value::Null, json!(""), json!(1), json!(["a"]), json!("a".repeat(MAX_URL + 1))] {
        assert_eq!(kind_with("kid", wrong.clone()), Some(ErrorType::Malformed), "{wrong}");
    }
    for wrong in [Value::Null, json!("EC"), json!([]), json!({})] {
        let mut other = header(&*key);
        other["jwk"] = wrong.clone();
        assert_eq!(kind_of(&other), Some(ErrorType::Malformed), "{wrong}");
    }
}

#[test]
fn a_key_that_is_not_accepted_or_not_the_algorithms_is_a_bad_public_key() {
    let key = generate(KeyType::P256);
    for other in [
        rsa_jwk(&[0xc5; 128], &[1, 0, 1]),
        rsa_jwk(&[0xc5; 256], &[1, 0, 1]),
        json!({"kty": "OKP", "crv": "Ed448", "x": base64url([7; 57])}),
        json!({"kty": "EC", "crv": "P-256", "x": base64url([7; 32]), "y": base64url([7; 32])}),
        jwk(generate(KeyType::P384).public_key()),
        jwk(generate(KeyType::Ed25519).public_key()),
    ] {
        let mut header = header(&*key);
        header["jwk"] = other.clone();
        assert_eq!(kind_of(&header), Some(ErrorType::BadPublicKey), "{other}");
    }
}

#[test]
fn a_url_is_a_string_that_is_there() {
    let header = account_header(&*generate(KeyType::P256));
    assert_eq!(kind_of(&without(&header, "url")), Some(ErrorType::Malformed));
    for wrong in [Value::Null, json!(""), json!(1), json!("a".repeat(MAX_URL + 1))] {
        assert_eq!(kind_with("url", wrong), Some(ErrorType::Malformed));
    }
}

#[test]
fn a_missing_nonce_is_a_bad_nonce() {
    let header = without(&account_header(&*generate(KeyType::P256)), "nonce");
    let error = parse(&with_header(&header.to_string())).unwrap_err();
    assert_eq!((error.kind(), error), (ErrorType::BadNonce, RequestError::MissingNonce));
}

#[test]
fn a_nonce_that_is_no_base64url_is_malformed() {
    for wrong in [
        Value::Null,
        json!(1),
        json!(""),
        json!("a"),
        json!("aaaaa"),
        json!("YQ=="),
        json!("ab+/"),
        json!("ab c"),
        json!("äää"),
    ] {
        assert_eq!(kind_with("nonce", wrong.clone()), Some(ErrorType::Malformed), "{wrong}");
    }
    // Invented, and perhaps not what an encoder would write; it is for the server's list of nonces to refuse it.
    for invented in ["aaaa", "ab", "im-a-nonce", "-_-_"] {
        assert_eq!(kind_with("nonce", json!(invented)), None, "{invented}");
    }
}
