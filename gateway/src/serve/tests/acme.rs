//! ACME over the whole of the gateway but its sockets, and with somebody who says which names are controlled.

use async_trait::async_trait;
use base64ct::Base64UrlUnpadded;
use certgate_enrollment::{EnrollmentQuery, Enrollments, OrderFlow, ValidationError};
use certgate_pki::{Certificate, GeneralName, NameAttributeType, SignatureAlgorithm, SigningKey, pem};
use certgate_policy::Approval;
use certgate_testkit::{rsa_device_key, rsa3072_device_key};
use hyper::header::{CACHE_CONTROL, LINK, LOCATION};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::CertifiedKey;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::auth::{AccountAuthenticator, Nonces};
use crate::listen::ServerIdentity;

const BASE: &str = "https://localhost/acme/default";
const SERVER_KEY: &str = include_str!("../../../../testkit/fixtures/keys/p256-ca.pem");
const EMAIL_ADDRESS: certgate_pki::ObjectIdentifier = certgate_pki::ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");
/// How many validations there is room for.
const ROOM_FOR: usize = 2;

/// Names of `good.example` are controlled, those of `silent.example` are never found out about.
struct Oracle;

#[async_trait]
impl ValidatesHttp01 for Oracle {
    async fn http01(&self, name: &GeneralName, token: &str, key_authorization: &str) -> Result<(), NotValidated> {
        assert!(key_authorization.starts_with(&format!("{token}.")));
        match name.to_string() {
            name if name.ends_with("good.example") => Ok(()),
            name if name.ends_with("silent.example") => std::future::pending().await,
            name => Err(NotValidated::Failed(ValidationError { kind: "dns".into(), detail: format!("{name} has no address") })),
        }
    }
}

/// The endpoint `default`.
pub(super) fn service(ca: &CaFixture, profile: Profile, metrics: &Metrics) -> AcmeService {
    let authority = Arc::new(ca.over(KeyBackend::new(ca_key())));
    let endpoint = AcmeEndpoint::new("default".into(), profile, authority, None, metrics.enrollment("acme", "default"));
    let provider = ca.core.provider.clone();
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY.as_bytes()).unwrap();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let name = GeneralName::Dns(certgate_pki::DnsName::parse("localhost").unwrap());
    let tasks = TaskTracker::new();
    let parts = AcmeParts {
        accounts: ca.ledger.clone(),
        orders: OrderFlow {
            clock: ca.clock.clone(),
            provider: provider.clone(),
            orders: ca.ledger.clone(),
            enrollments: ca.ledger.clone(),
        },
        certificates: ca.ledger.clone(),
        authenticator: AccountAuthenticator::new(ca.ledger.clone(), provider.clone()),
        nonces: Nonces::new(&*provider.random).unwrap(),
        identity: Arc::new(ServerIdentity::new(CertifiedKey::new(Vec::new(), key), vec![name])),
        validation: ValidationTasks::new(Arc::new(Oracle), (ROOM_FOR, ROOM_FOR), (tasks.clone(), CancellationToken::new())),
        tasks,
    };
    AcmeService::new(vec![endpoint], parts)
}

/// A client: an account key, and what it knows.
struct Client<'f> {
    fixture: &'f Fixture,
    key: Arc<dyn SigningKey>,
    account: String,
}

/// An answer.
struct Said {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The type of a problem, and its status.
    fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{:?}", self.status);
        let kind = self.json()["type"].as_str().unwrap().to_owned();
        (self.status.as_u16(), kind.strip_prefix("urn:ietf:params:acme:error:").unwrap().to_owned())
    }
}

fn base64url(octets: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(octets.as_ref())
}

fn jwk(key: &dyn SigningKey) -> Value {
    let public = key.public_key();
    json!({"kty": "RSA", "n": base64url(public.rsa_modulus().unwrap()), "e": base64url(public.rsa_exponent().unwrap())})
}

/// A JWS of this header.
fn jws(key: &dyn SigningKey, header: &Value, payload: &str) -> Value {
    let (protected, payload) = (base64url(header.to_string()), base64url(payload));
    let signature = key.sign_as(SignatureAlgorithm::RsaSha256, format!("{protected}.{payload}").as_bytes()).unwrap();
    json!({"protected": protected, "payload": payload, "signature": base64url(signature)})
}

async fn post(fixture: &Fixture, url: &str, body: &Value) -> Said {
    let path = url.strip_prefix("https://localhost").unwrap();
    let request = Request::post(path).header("content-type", "application/jose+json");
    let (status, headers, body) = fixture.ask(request.body(Full::<Bytes>::from(body.to_string())).unwrap()).await;
    Said { status, headers, body }
}

async fn nonce(fixture: &Fixture) -> String {
    let (status, headers, _) = fixture.get("/acme/default/new-nonce").await;
    assert_eq!((status, headers[CACHE_CONTROL].as_bytes()), (StatusCode::NO_CONTENT, &b"no-store"[..]));
    headers["replay-nonce"].to_str().unwrap().to_owned()
}

impl<'f> Client<'f> {
    async fn new(fixture: &'f Fixture, key: Arc<dyn SigningKey>) -> Self {
        let mut client = Self { fixture, key, account: String::new() };
        let said = client.open(r#"{"termsOfServiceAgreed":true,"contact":["mailto:a@example.org"],"x":1}"#).await;
        assert_eq!(said.status, StatusCode::CREATED);
        client.account = said.header("location").to_owned();
        client
    }

    async fn open(&self, payload: &str) -> Said {
        let url = format!("{BASE}/new-account");
        let header = json!({"alg": "RS256", "jwk": jwk(&*self.key), "nonce": nonce(self.fixture).await, "url": url});
        post(self.fixture, &url, &jws(&*self.key, &header, payload)).await
    }

    fn header(&self, url: &str, nonce: &str) -> Value {
        json!({"alg": "RS256", "kid": self.account, "nonce": nonce, "url": url})
    }

    async fn post(&self, url: &str, payload: &str) -> Said {
        let header = self.header(url, &nonce(self.fixture).await);
        let said = post(self.fixture, url, &jws(&*self.key, &header, payload)).await;
        assert!(said.headers.contains_key("replay-nonce"), "{url}");
        assert_eq!(
            said.headers.get_all(LINK).iter().any(|link| link.as_bytes().ends_with(b";rel=\"index\"")),
            !url.ends_with("/directory")
        );
        said
    }

    /// Opens an order.
    async fn order(&self, names: &[&str]) -> (String, Value) {
        let identifiers: Vec<Value> = names.iter().map(|name| json!({"type": "dns", "value": name})).collect();
        let said = self.post(&format!("{BASE}/new-order"), &json!({"identifiers": identifiers}).to_string()).await;
        assert_eq!(said.status, StatusCode::CREATED);
        (said.header("location").to_owned(), said.json())
    }

    /// Answers every challenge of an order and waits until all are decided.
    async fn authorize(&self, order: &Value) {
        for url in order["authorizations"].as_array().unwrap() {
            let url = url.as_str().unwrap();
            let challenge = self.post(url, "").await.json()["challenges"][0]["url"].as_str().unwrap().to_owned();
            assert_eq!(self.post(&challenge, "{}").await.status, StatusCode::OK);
            while self.post(url, "").await.json()["status"] == "pending" {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn finalize(&self, order: &Value, csr: &[u8]) -> Said {
        self.post(order["finalize"].as_str().unwrap(), &json!({"csr": base64url(csr)}).to_string()).await
    }
}

fn csr_of(names: &[&str]) -> Vec<u8> {
    names.iter().fold(CsrBuilder::new(&device_key()), |builder, name| builder.dns(name)).sign()
}

async fn fixture(profile: Profile) -> Fixture {
    Fixture::issuing_by(&[Family::Acme], profile).await
}

#[tokio::test]
async fn from_an_account_to_a_certificate() {
    let fixture = fixture(profile()).await;
    let client = Client::new(&fixture, rsa_device_key()).await;
    let (url, order) = client.order(&["www.good.example", "Good.example"]).await;
    assert_eq!((&order["status"], &order["identifiers"][1]["value"]), (&json!("pending"), &json!("good.example")));
    assert_eq!(
        client.finalize(&order, &csr_of(&["www.good.example", "good.example"])).await.problem(),
        (403, "orderNotReady".into())
    );
    client.authorize(&order).await;
    let ready = client.post(&url, "").await.json();
    assert_eq!((&ready["status"], &ready["authorizations"]), (&json!("ready"), &order["authorizations"]));
    let authorization = client.post(order["authorizations"][0].as_str().unwrap(), "").await.json();
    assert_eq!((&authorization["status"], &authorization["challenges"][0]["status"]), (&json!("valid"), &json!("valid")));
    assert!(authorization["challenges"][0]["validated"].is_string());

    let done = client.finalize(&order, &csr_of(&["good.example", "www.good.example"])).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::OK, url.as_str()));
    assert_eq!(done.json()["status"], "valid");
    let certificate = client.post(done.json()["certificate"].as_str().unwrap(), "").await;
    assert_eq!(certificate.header("content-type"), "application/pem-certificate-chain");
    let [leaf] = &pem::decode_all(pem::CERTIFICATE, std::str::from_utf8(&certificate.body).unwrap()).unwrap()[..] else {
        panic!("the leaf, and not the root that has signed it")
    };
    let leaf = Certificate::from_der(leaf).unwrap();
    let names = leaf.extensions().subject_alt_names().unwrap();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    assert_eq!(
        (names, leaf.public_key()),
        (vec!["dns:good.example".into(), "dns:www.good.example".into()], device_key().public_key())
    );
    assert_eq!(
        client.finalize(&order, &csr_of(&["good.example", "www.good.example"])).await.problem(),
        (403, "orderNotReady".into())
    );
    assert_eq!(fixture.ca.ledger.certificates().len(), 2, "the root and this one");
}

#[tokio::test]
async fn accounts_are_opened_once_and_are_their_holders_alone() {
    let fixture = fixture(profile()).await;
    let client = Client::new(&fixture, rsa_device_key()).await;
    let again = client.open(r#"{"contact":["tel:1"]}"#).await;
    assert_eq!((again.status, again.header("location")), (StatusCode::OK, client.account.as_str()));
    let stored =
        json!({"status": "valid", "contact": ["mailto:a@example.org"], "orders": format!("{}/orders", client.account)});
    assert_eq!(again.json(), stored);
    assert_eq!(client.post(&client.account, "").await.json(), stored);
    assert_eq!(client.post(&client.account, r#"{"status":"revoked"}"#).await.json(), stored);
    assert_eq!(client.post(&client.account, r#"{"status":"deactivated"}"#).await.problem(), (400, "malformed".into()));

    let other = Client { fixture: &fixture, key: rsa3072_device_key(), account: String::new() };
    assert_eq!(other.open(r#"{"onlyReturnExisting":true}"#).await.problem(), (400, "accountDoesNotExist".into()));
    assert_eq!(other.open(r#"{"contact":["tel:1"]}"#).await.problem(), (400, "unsupportedContact".into()));
    let other = Client::new(&fixture, rsa3072_device_key()).await;
    let (url, order) = client.order(&["good.example"]).await;
    assert_eq!(other.post(&client.account, "").await.problem(), (403, "unauthorized".into()));
    let challenge = order["authorizations"][0].as_str().unwrap().replace("/authz/", "/challenge/");
    let certificate = url.replace("/order/", "/certificate/");
    for theirs in [url.as_str(), order["authorizations"][0].as_str().unwrap(), &challenge, &certificate] {
        assert_eq!(other.post(theirs, "").await.problem(), (404, "malformed".into()), "{theirs}");
    }
    let pretended = Client { account: client.account.clone(), ..other };
    assert_eq!(pretended.post(&url, "").await.problem(), (400, "malformed".into()));
}

#[tokio::test]
async fn what_is_not_controlled_makes_the_order_invalid() {
    let fixture = fixture(profile()).await;
    let client = Client::new(&fixture, rsa_device_key()).await;
    let (url, order) = client.order(&["bad.example", "good.example"]).await;
    client.authorize(&order).await;
    let order = client.post(&url, "").await.json();
    assert_eq!((&order["status"], &order["error"]["type"]), (&json!("invalid"), &json!("urn:ietf:params:acme:error:dns")));
    let authorization = client.post(order["authorizations"][0].as_str().unwrap(), "").await.json();
    let challenge = &authorization["challenges"][0];
    assert_eq!(
        (&challenge["status"], &challenge["error"]["detail"]),
        (&json!("invalid"), &json!("dns:bad.example has no address"))
    );
    assert_eq!(
        client.finalize(&order, &csr_of(&["bad.example", "good.example"])).await.problem(),
        (403, "orderNotReady".into())
    );
}

#[tokio::test]
async fn validations_are_as_many_as_there_is_room_for() {
    let fixture = fixture(profile()).await;
    let client = Client::new(&fixture, rsa_device_key()).await;
    let (_, order) = client.order(&["a.silent.example", "b.silent.example", "c.silent.example"]).await;
    let mut answers = Vec::new();
    for url in order["authorizations"].as_array().unwrap() {
        let challenge = url.as_str().unwrap().replace("/authz/", "/challenge/");
        let said = client.post(&challenge, "{}").await;
        answers.push(said.status.as_u16());
        let up = format!("<{}>;rel=\"up\"", url.as_str().unwrap());
        if said.status == StatusCode::OK {
            assert_eq!((&said.json()["status"], said.header("retry-after")), (&json!("processing"), "2"));
            assert!(said.headers.get_all(LINK).iter().any(|link| link.as_bytes() == up.as_bytes()));
        } else {
            assert_eq!(said.problem(), (503, "rateLimited".into()));
            assert_eq!(client.post(&challenge, "").await.json()["status"], "pending", "it can be asked for again");
        }
    }
    assert_eq!(answers, [200, 200, 503]);
}

#[tokio::test]
async fn a_csr_is_exactly_for_its_order() {
    let fixture = fixture(profile()).await;
    let client = Client::new(&fixture, rsa_device_key()).await;
    let (url, order) = client.order(&["a.good.example", "b.good.example"]).await;
    client.authorize(&order).await;
    let both = || CsrBuilder::new(&device_key()).dns("a.good.example").dns("b.good.example");
    for (what, csr) in [
        ("a name less", csr_of(&["a.good.example"])),
        ("a name more", both().dns("c.good.example").sign()),
        ("an address more", both().ip([192, 0, 2, 1]).sign()),
        ("no names", CsrBuilder::new(&device_key()).sign()),
        ("a common name alone", CsrBuilder::new(&device_key()).common_name("a.good.example").sign()),
        ("another common name", both().common_name("c.good.example").sign()),
        ("an e-mail address", both().attribute(NameAttributeType::Other(EMAIL_ADDRESS), "a@good.example").sign()),
        ("a name twice", both().dns("b.good.example").sign()),
        ("CA powers", both().ca().sign()),
        ("the key of the account", CsrBuilder::new(&rsa_device_key()).dns("a.good.example").dns("b.good.example").sign()),
        ("a broken signature", both().fault(certgate_testkit::Fault::BadSignature).sign()),
        ("no CSR", b"no CSR".to_vec()),
    ] {
        assert_eq!(client.finalize(&order, &csr).await.problem(), (400, "badCSR".into()), "{what}");
    }
    assert_eq!(client.post(&url, "").await.json()["status"], "ready");
    // Nobody vouches for what else a request says of its holder.
    let much = both().common_name("B.good.example").attribute(NameAttributeType::SerialNumber, "FACTORY-0001");
    let done = client.finalize(&order, &much.sign()).await;
    assert_eq!((done.status, &done.json()["status"]), (StatusCode::OK, &json!("valid")));
    let issued = fixture.ca.ledger.certificates().pop().unwrap();
    assert_eq!(Certificate::from_der(&issued.der).unwrap().subject().to_string(), "CN=B.good.example");
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_nothing_behind_that_nobody_works_at() {
    let fixture = fixture(profile()).await;
    let client = Client::new(&fixture, rsa_device_key()).await;
    let (_, order) = client.order(&["good.example"]).await;
    let url = order["authorizations"][0].as_str().unwrap();
    let challenge = url.replace("/authz/", "/challenge/");
    let signed = jws(&*client.key, &client.header(&challenge, &nonce(&fixture).await), "{}");
    let mut post = Box::pin(post(&fixture, &challenge, &signed));
    // Polled until it waits, then dropped, as hyper does when the connection is gone.
    let waits = std::future::poll_fn(|cx| Poll::Ready(post.as_mut().poll(cx).is_pending())).await;
    assert!(waits);
    drop(post);
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while client.post(url, "").await.json()["status"] != "valid" {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn an_order_waits_for_a_person() {
    let manual = Profile { approval: Approval::Manual, renewal_approval: Approval::Manual, ..profile() };
    let fixture = fixture(manual.clone()).await;
    let client = Client::new(&fixture, rsa_device_key()).await;
    for is_approved in [true, false] {
        let name = if is_approved { "yes.good.example" } else { "no.good.example" };
        let (url, order) = client.order(&[name]).await;
        client.authorize(&order).await;
        let said = client.finalize(&order, &csr_of(&[name])).await;
        assert_eq!(
            (said.status, &said.json()["status"], said.header("retry-after")),
            (StatusCode::OK, &json!("processing"), "2")
        );
        fixture.ca.clock.advance(std::time::Duration::from_secs(3600));
        assert_eq!(client.post(&url, "").await.header("retry-after"), "15");
        let all = EnrollmentQuery { state: Some(certgate_enrollment::EnrollmentState::Pending), limit: 10, cursor: None };
        let waiting = fixture.ca.ledger.list_enrollments(all).await.unwrap().items.remove(0);
        let authority = fixture.ca.over(KeyBackend::new(ca_key()));
        if is_approved {
            let issued = authority.approve(&manual, waiting, "operator").await.unwrap();
            let order = client.post(&url, "").await.json();
            let certificate = client.post(order["certificate"].as_str().unwrap(), "").await;
            assert_eq!(String::from_utf8(certificate.body).unwrap(), pem::encode(pem::CERTIFICATE, &issued.der));
        } else {
            authority.deny(&waiting, "never heard of it", "operator").await.unwrap();
            let order = client.post(&url, "").await.json();
            assert_eq!((&order["status"], &order["error"]["detail"]), (&json!("invalid"), &json!("never heard of it")));
        }
    }
}

#[tokio::test]
async fn orders_for_what_is_not_certified_are_refused() {
    let only_dns = Profile { sans: vec![certgate_policy::SanKind::Dns], ..profile() };
    let fixture = fixture(only_dns).await;
    let client = Client::new(&fixture, rsa_device_key()).await;
    let ask = async |payload: Value| client.post(&format!("{BASE}/new-order"), &payload.to_string()).await;
    let of = |kind: &str, value: &str| json!({"identifiers": [{"type": "dns", "value": "good.example"}, {"type": kind, "value": value}]});
    let wildcard = ask(of("dns", "*.good.example")).await;
    assert_eq!(wildcard.problem(), (400, "rejectedIdentifier".into()));
    let subproblems = &wildcard.json()["subproblems"];
    assert_eq!((subproblems.as_array().unwrap().len(), &subproblems[0]["identifier"]["value"]), (1, &json!("*.good.example")));
    assert_eq!(ask(of("ip", "192.0.2.1")).await.problem(), (400, "rejectedIdentifier".into()));
    assert_eq!(ask(of("email", "a@example.org")).await.problem(), (400, "unsupportedIdentifier".into()));
    let mut dated = of("dns", "www.good.example");
    dated["notAfter"] = json!("2030-01-01T00:00:00Z");
    assert_eq!(ask(dated).await.problem(), (400, "malformed".into()));
}

#[tokio::test]
async fn requests_are_signed_for_this_url_and_this_once() {
    let fixture = fixture(profile()).await;
    let client = Client::new(&fixture, rsa_device_key()).await;
    let url = format!("{BASE}/new-order");
    let payload = r#"{"identifiers":[{"type":"dns","value":"good.example"}]}"#;
    let once = jws(&*client.key, &client.header(&url, &nonce(&fixture).await), payload);
    assert_eq!(post(&fixture, &url, &once).await.status, StatusCode::CREATED);
    let replayed = post(&fixture, &url, &once).await;
    assert_eq!(replayed.problem(), (400, "badNonce".into()));
    // The nonce of the refusal is good, and one that was made elsewhere is not.
    let good = jws(&*client.key, &client.header(&url, replayed.header("replay-nonce")), payload);
    assert_eq!(post(&fixture, &url, &good).await.status, StatusCode::CREATED);
    let invented = jws(&*client.key, &client.header(&url, "oFvnlFP1wIhRlYS2jTaXbA"), payload);
    assert_eq!(post(&fixture, &url, &invented).await.problem(), (400, "badNonce".into()));

    for wrong in [
        "http://localhost/acme/default/new-order",
        "https://LOCALHOST/acme/default/new-order",
        "https://localhost/acme/default/new-order/",
        &client.account,
    ] {
        let signed = jws(&*client.key, &client.header(wrong, &nonce(&fixture).await), payload);
        assert_eq!(post(&fixture, &url, &signed).await.problem(), (403, "unauthorized".into()), "{wrong}");
    }
    let mut changed = jws(&*client.key, &client.header(&url, &nonce(&fixture).await), payload);
    changed["payload"] = json!(base64url(r#"{"identifiers":[{"type":"dns","value":"evil.example"}]}"#));
    assert_eq!(post(&fixture, &url, &changed).await.problem(), (400, "malformed".into()));

    let by_key = json!({"alg": "RS256", "jwk": jwk(&*client.key), "nonce": nonce(&fixture).await, "url": url});
    assert_eq!(post(&fixture, &url, &jws(&*client.key, &by_key, payload)).await.problem(), (400, "malformed".into()));
    let opening = format!("{BASE}/new-account");
    let by_account = jws(&*client.key, &client.header(&opening, &nonce(&fixture).await), "{}");
    assert_eq!(post(&fixture, &opening, &by_account).await.problem(), (400, "malformed".into()));
    for unknown in
        ["https://localhost/acme/default/account/0000000000000000", "https://other.example/acme/default/account/1", "x"]
    {
        let stranger = Client { fixture: &fixture, key: rsa_device_key(), account: unknown.to_owned() };
        assert_eq!(stranger.post(&url, payload).await.problem(), (400, "accountDoesNotExist".into()), "{unknown}");
    }
}

#[tokio::test]
async fn what_http_has_to_say() {
    let fixture = fixture(profile()).await;
    let ask = async |method: &str, path: &str, content_type: &str| {
        let request = Request::builder().method(method).uri(path).header("content-type", content_type);
        let (status, headers, body) = fixture.ask(request.body(Full::<Bytes>::default()).unwrap()).await;
        Said { status, headers, body }
    };
    let directory = ask("GET", "/acme/default/directory", "").await;
    assert_eq!((directory.status, directory.header("content-type")), (StatusCode::OK, "application/json"));
    let urls = json!({"newNonce": format!("{BASE}/new-nonce"), "newAccount": format!("{BASE}/new-account"), "newOrder": format!("{BASE}/new-order")});
    assert_eq!(directory.json(), urls);
    assert!(!directory.headers.contains_key(LINK));
    let head = ask("HEAD", "/acme/default/new-nonce", "").await;
    assert!(head.status == StatusCode::OK && head.headers.contains_key("replay-nonce"));
    assert_eq!(ask("GET", "/acme/default/account/0000000000000001", "").await.problem(), (405, "malformed".into()));
    assert_eq!(ask("PUT", "/acme/default/directory", "").await.header("allow"), "GET, HEAD, POST");
    assert_eq!(ask("POST", "/acme/default/new-order", "application/json").await.problem(), (415, "malformed".into()));
    assert_eq!(
        ask("POST", "/acme/default/new-order", "Application/JOSE+json; charset=utf-8").await.problem(),
        (400, "malformed".into())
    );
    assert_eq!(ask("GET", "/acme/other/directory", "").await.problem(), (404, "malformed".into()));
    assert_eq!(ask("GET", "/acme/default/new-authz", "").await.problem(), (404, "malformed".into()));
    assert_eq!(ask("POST", "/acme/default/new-order?x=1", "application/jose+json").await.problem(), (404, "malformed".into()));

    // Nobody else's name gets into a URL.
    let mut request = Request::get("/acme/default/directory").body(Full::<Bytes>::default()).unwrap();
    request.headers_mut().insert("host", "evil.example".parse().unwrap());
    let answer = fixture.exchange.clone().oneshot(request).await.unwrap();
    assert_eq!((answer.status(), answer.headers().contains_key(LOCATION)), (StatusCode::MISDIRECTED_REQUEST, false));
}
