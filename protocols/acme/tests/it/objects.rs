//! Objects as clients read them.

use certgate_acme::{
    Account, AccountStatus, Authorization, AuthorizationStatus, Challenge, ChallengeStatus, ChallengeType, Contact, Directory,
    ErrorType, Identifier, IdentifierObject, Meta, Order, OrderStatus, Orders, Problem, Token, to_json,
};
use certgate_pki::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

fn read(object: &impl Serialize) -> Value {
    let value: Value = serde_json::from_slice(&to_json(object)).unwrap();
    assert!(!value.to_string().contains("null"), "null is for nobody: {value}");
    value
}

fn dns(value: &str) -> Identifier {
    Identifier::parse(IdentifierObject { kind: "dns".into(), value: value.into() }).unwrap()
}

const EXPIRES: Timestamp = Timestamp::from_seconds(1_453_298_947);

#[test]
fn a_directory_names_what_is_served() {
    let directory = Directory {
        new_nonce: "https://example.com/acme/new-nonce".into(),
        new_account: "https://example.com/acme/new-account".into(),
        new_order: "https://example.com/acme/new-order".into(),
        ..Directory::default()
    };
    let least = json!({
        "newNonce": "https://example.com/acme/new-nonce",
        "newAccount": "https://example.com/acme/new-account",
        "newOrder": "https://example.com/acme/new-order"
    });
    assert_eq!(read(&directory), least);
    let meta = Meta {
        terms_of_service: Some("https://example.com/acme/terms/2017-5-30".into()),
        website: Some("https://www.example.com/".into()),
        caa_identities: vec!["example.com".into()],
        external_account_required: true,
    };
    let whole = Directory {
        new_authz: Some("https://example.com/acme/new-authz".into()),
        revoke_cert: Some("https://example.com/acme/revoke-cert".into()),
        key_change: Some("https://example.com/acme/key-change".into()),
        meta: Some(meta),
        ..directory
    };
    let mut expected = least;
    expected["newAuthz"] = json!("https://example.com/acme/new-authz");
    expected["revokeCert"] = json!("https://example.com/acme/revoke-cert");
    expected["keyChange"] = json!("https://example.com/acme/key-change");
    expected["meta"] = json!({
        "termsOfService": "https://example.com/acme/terms/2017-5-30",
        "website": "https://www.example.com/",
        "caaIdentities": ["example.com"],
        "externalAccountRequired": true
    });
    assert_eq!(read(&whole), expected);
    assert_eq!(read(&Meta::default()), json!({}));
}

#[test]
fn an_account_shows_what_is_stored() {
    let orders = "https://example.com/acme/acct/evOfKhNU60wg/orders";
    let contact = vec![Contact::parse("mailto:cert-admin@example.org").unwrap()];
    let account = Account { status: AccountStatus::Valid, contact, orders: orders.into() };
    assert_eq!(read(&account), json!({"status": "valid", "contact": ["mailto:cert-admin@example.org"], "orders": orders}));
    let account = Account { status: AccountStatus::Deactivated, contact: Vec::new(), orders: orders.into() };
    assert_eq!(read(&account), json!({"status": "deactivated", "orders": orders}));
    assert_eq!(read(&Orders::default()), json!({"orders": []}));
}

#[test]
fn an_order_from_pending_to_valid() {
    let pending = Order {
        status: OrderStatus::Pending,
        expires: Some(EXPIRES),
        identifiers: vec![dns("www.example.org"), dns("*.Example.org")],
        not_before: None,
        not_after: Some("2016-01-08T00:00:00Z".into()),
        error: None,
        authorizations: vec!["https://example.com/acme/authz/PAniVnsZcis".into()],
        finalize: "https://example.com/acme/order/TOlocE8rfgo/finalize".into(),
        certificate: None,
    };
    let mut expected = json!({
        "status": "pending",
        "expires": "2016-01-20T14:09:07Z",
        "identifiers": [{"type": "dns", "value": "www.example.org"}, {"type": "dns", "value": "*.example.org"}],
        "notAfter": "2016-01-08T00:00:00Z",
        "authorizations": ["https://example.com/acme/authz/PAniVnsZcis"],
        "finalize": "https://example.com/acme/order/TOlocE8rfgo/finalize"
    });
    assert_eq!(read(&pending), expected);
    let certificate = "https://example.com/acme/cert/mAt3xBGaobw";
    expected["status"] = json!("valid");
    expected["certificate"] = json!(certificate);
    assert_eq!(read(&Order { status: OrderStatus::Valid, certificate: Some(certificate.into()), ..pending.clone() }), expected);
    let error = Some(Problem::new(ErrorType::Unauthorized, "a challenge has failed"));
    let invalid = read(&Order { status: OrderStatus::Invalid, expires: None, error, ..pending });
    let told = json!({"type": "urn:ietf:params:acme:error:unauthorized", "detail": "a challenge has failed"});
    assert_eq!((&invalid["status"], &invalid["error"], invalid.get("expires")), (&json!("invalid"), &told, None));
    assert_eq!(read(&OrderStatus::Ready), json!("ready"));
    assert_eq!(read(&OrderStatus::Processing), json!("processing"));
}

#[test]
fn an_authorization_of_a_wildcard_says_so_and_no_other_does() {
    let token = Token::parse("DGyRejmCefe7v4NfDGDKfA").unwrap();
    let challenge = |kind| Challenge {
        kind,
        url: "https://example.com/acme/chall/prV_B7yEyA4".into(),
        status: ChallengeStatus::Pending,
        token: token.clone(),
        validated: None,
        error: None,
    };
    let ordered = dns("*.example.org");
    let authorization = Authorization {
        identifier: ordered.authorized(),
        status: AuthorizationStatus::Pending,
        expires: Some(EXPIRES),
        challenges: vec![challenge(ChallengeType::Dns01)],
        wildcard: ordered.is_wildcard(),
    };
    let mut expected = json!({
        "identifier": {"type": "dns", "value": "example.org"},
        "status": "pending",
        "expires": "2016-01-20T14:09:07Z",
        "challenges": [{
            "type": "dns-01",
            "url": "https://example.com/acme/chall/prV_B7yEyA4",
            "status": "pending",
            "token": "DGyRejmCefe7v4NfDGDKfA"
        }],
        "wildcard": true
    });
    assert_eq!(read(&authorization), expected);
    expected.as_object_mut().unwrap().remove("wildcard");
    assert_eq!(read(&Authorization { wildcard: false, ..authorization }), expected);
}

#[test]
fn a_challenge_that_is_over() {
    let pending = Challenge {
        kind: ChallengeType::Http01,
        url: "https://example.com/acme/chall/prV_B7yEyA4".into(),
        status: ChallengeStatus::Valid,
        token: Token::parse("DGyRejmCefe7v4NfDGDKfA").unwrap(),
        validated: Some(EXPIRES),
        error: None,
    };
    let valid = read(&pending);
    assert_eq!((&valid["type"], &valid["validated"]), (&json!("http-01"), &json!("2016-01-20T14:09:07Z")));
    let error = Some(Problem::new(ErrorType::Connection, "nobody answers"));
    let failed =
        Challenge { kind: ChallengeType::TlsAlpn01, status: ChallengeStatus::Invalid, validated: None, error, ..pending };
    let failed = read(&failed);
    assert_eq!((&failed["type"], &failed["status"], failed.get("validated")), (&json!("tls-alpn-01"), &json!("invalid"), None));
    assert_eq!(failed["error"]["type"], "urn:ietf:params:acme:error:connection");
}
