//! The app without ports: requests in, answers out.

use certgate_pki::Reading;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use certgate_enrollment::{EstUser, EstUsers, Event, EventKind, SecretHash};
use certgate_est::ChannelBinding;
use certgate_policy::Profile;
use certgate_testkit::{CaFixture, CsrBuilder, KeyBackend, NOW, ca_key, device_key, profile};
use http_body_util::{BodyExt, Full};
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use tower::ServiceExt;

use super::*;
use crate::auth::{BasicAuthenticator, CertificateAuthenticator, EstAuthenticator, Methods, PasswordPool, hash_generated};
use crate::listen::TlsSession;
use crate::telemetry::Metrics;

mod acme;
mod approval;
mod authentication;
mod ocsp;
mod renewal;
mod scep;

/// `device:secret of the device`.
const AUTHORIZATION: &str = "Basic ZGV2aWNlOnNlY3JldCBvZiB0aGUgZGV2aWNl";
const ENROLL: &str = "/.well-known/est/simpleenroll";

/// Octets of all bodies together.
const ROOM: usize = 8192;

struct Fixture {
    ca: CaFixture,
    exchange: Exchange,
    passwords: PasswordPool,
}

const OPTIONS: EstOptions = EstOptions {
    methods: Methods { basic: true, certificate: true },
    requires_binding: false,
    retry_after: std::time::Duration::from_secs(60),
    reading: Reading::Compatible,
    base64_line_length: 0,
};

impl Fixture {
    async fn new(serves: &[Family]) -> Self {
        Self::issuing_by(serves, profile()).await
    }

    async fn issuing_by(serves: &[Family], profile: Profile) -> Self {
        let ca = CaFixture::founded().await;
        let digest = Arc::clone(&ca.core.provider.digest);
        let secret = hash_generated(&*digest, "secret of the device");
        ca.ledger.add(user("device", secret), event()).await.unwrap();
        let metrics = Arc::new(Metrics::new());
        let refusals = Arc::clone(&metrics.refusals);
        let (scep_profile, acme_profile) = (profile.clone(), profile.clone());
        let authority = Arc::new(ca.over(KeyBackend::new(ca_key())));
        let counters = metrics.enrollment("est", "default");
        let endpoint = EstEndpoint::new("default", profile, authority, OPTIONS, counters).unwrap();
        let passwords = PasswordPool::start(1, 4).unwrap();
        let authenticator = EstAuthenticator {
            basic: BasicAuthenticator::new(ca.ledger.clone(), ca.clock.clone(), digest, passwords.clone()),
            certificate: CertificateAuthenticator::new(ca.ledger.clone(), ca.clock.clone()),
        };
        // Its RA is one more certificate in the ledger.
        let scep =
            if serves.contains(&Family::Scep) { scep::service(&ca, scep_profile, &metrics).await } else { scep::none(&ca) };
        let app = App {
            est: EstService::new(vec![endpoint], authenticator, tokio_util::task::TaskTracker::new()),
            scep,
            acme: acme::service(&ca, acme_profile, &metrics),
            ocsp: OcspService::new([]),
            crl: CrlService::new(ca.clock.clone(), []),
            ca: CaService::new([&ca.authority]),
            ops: OpsService {
                metrics,
                trail: ca.ledger.clone(),
                gauges: Box::new(AllWell),
                stopping: tokio_util::sync::CancellationToken::new(),
            },
            limits: BodyLimits {
                octets: 4096,
                discarded: 8192,
                time: std::time::Duration::from_millis(200),
                room: Arc::new(tokio::sync::Semaphore::new(ROOM)),
                refusals,
            },
        };
        let exchange = Exchange {
            app: Arc::new(app),
            serves: serves.into(),
            peer: Peer { address: "192.0.2.1:5".parse().unwrap(), tls: None },
            in_flight: InFlight::default(),
        };
        Self { ca, exchange, passwords }
    }

    /// The same over a TLS session in which the client has shown this certificate.
    fn over_tls(&self, client_certificate: Option<&[u8]>, binding: ChannelBinding) -> Exchange {
        let client_certificate = client_certificate.map(Bytes::copy_from_slice);
        let tls = Some(Arc::new(TlsSession { client_certificate, binding: Some(binding) }));
        Exchange { peer: Peer { tls, ..self.exchange.peer.clone() }, ..self.exchange.clone() }
    }

    async fn ask<B>(&self, request: Request<B>) -> (StatusCode, HeaderMap, Vec<u8>)
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        ask(self.exchange.clone(), request).await
    }

    async fn get(&self, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        self.ask(Request::get(path).body(Full::<Bytes>::default()).unwrap()).await
    }
}

async fn ask<B>(exchange: Exchange, mut request: Request<B>) -> (StatusCode, HeaderMap, Vec<u8>)
where
    B: Body<Data = Bytes> + Send + 'static,
{
    request.headers_mut().insert("host", "localhost".parse().unwrap());
    let answer = exchange.oneshot(request).await.unwrap();
    let (head, body) = answer.into_parts();
    (head.status, head.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

struct AllWell;

impl Gauges for AllWell {
    fn queued_writes(&self) -> u64 {
        0
    }

    fn is_writable(&self) -> bool {
        true
    }

    fn dropped_lines(&self) -> u64 {
        0
    }
}

fn user(name: &str, secret: SecretHash) -> EstUser {
    let allow = certgate_policy::NamePattern::of_principal(name);
    EstUser {
        name: name.into(),
        endpoint: "default".into(),
        secret,
        allow,
        created_at: NOW,
        expires_at: None,
        uses: None,
        id: 1,
    }
}

fn event() -> Event {
    Event { at: NOW, kind: EventKind::EstUserAdded, actor: "test".into(), details: Vec::new() }
}

fn enrollment(csr: &[u8]) -> Request<Full<Bytes>> {
    let request = Request::post(ENROLL).header("authorization", AUTHORIZATION).header("content-type", "application/pkcs10");
    request.body(Full::from(Base64::encode_string(csr))).unwrap()
}

fn csr() -> Vec<u8> {
    CsrBuilder::new(&device_key()).common_name("device").sign()
}

#[tokio::test]
async fn an_enrollment_is_recorded_and_answered() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let (status, headers, body) = fixture.ask(enrollment(&csr())).await;
    assert_eq!(
        (status, headers[CONTENT_TYPE].as_bytes()),
        (StatusCode::OK, &b"application/pkcs7-mime; smime-type=certs-only"[..])
    );
    let recorded = fixture.ca.ledger.certificates().pop().unwrap();
    assert_eq!((recorded.principal.as_str(), recorded.profile.as_str()), ("device", "default"));
    assert_eq!(
        Base64::decode_vec(std::str::from_utf8(&body).unwrap()).unwrap(),
        certgate_pki::cms::certs_only(&[&recorded.der])
    );
    let metrics = fixture.exchange.app.ops.metrics.encode();
    assert!(
        metrics.contains("certgate_enrollments_total{protocol=\"est\",endpoint=\"default\",outcome=\"issued\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn nobody_is_answered_with_a_demand_for_credentials() {
    let fixture = Fixture::new(&[Family::Est]).await;
    fixture.ca.ledger.add(user("", SecretHash::Sha256([0; 32])), event()).await.unwrap();
    for wrong in [
        None,
        Some("Bearer x"),
        Some("Basic %%"),
        Some("Basic ZGV2aWNlOndyb25n"),
        Some("Basic bm9ib2R5Ong="),
        Some("Basic Og=="),
    ] {
        let mut request = enrollment(&csr());
        request.headers_mut().remove("authorization");
        if let Some(header) = wrong {
            request.headers_mut().insert("authorization", header.parse().unwrap());
        }
        let (status, headers, body) = fixture.ask(request).await;
        assert_eq!((status, body), (StatusCode::UNAUTHORIZED, Vec::new()), "{wrong:?}");
        assert!(headers[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic realm="));
    }
    assert_eq!(fixture.ca.ledger.certificates().len(), 1, "the root alone");
}

#[tokio::test]
async fn an_expired_credential_is_over() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let secret = hash_generated(&*fixture.ca.core.provider.digest, "x");
    let soon = EstUser { expires_at: Some(NOW.after(std::time::Duration::from_secs(60))), ..user("late", secret) };
    fixture.ca.ledger.add(soon, event()).await.unwrap();
    let attempt = || {
        let mut request = enrollment(&CsrBuilder::new(&device_key()).common_name("late").sign());
        request.headers_mut().insert("authorization", "Basic bGF0ZTp4".parse().unwrap());
        request
    };
    assert_eq!(fixture.ask(attempt()).await.0, StatusCode::OK);
    fixture.ca.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(fixture.ask(attempt()).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_client_that_hangs_up_drops_neither_count_nor_record() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let mut request = enrollment(&csr());
    request.headers_mut().insert("host", "localhost".parse().unwrap());
    // Polled once, then dropped, as hyper does when the connection is gone.
    let mut exchange = Box::pin(fixture.exchange.clone().oneshot(request));
    let is_pending = std::future::poll_fn(|cx| Poll::Ready(exchange.as_mut().poll(cx).is_pending())).await;
    assert!(is_pending, "the certificate is being issued");
    drop(exchange);
    while !fixture.exchange.app.ops.metrics.encode().contains("outcome=\"issued\"} 1") {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.ca.ledger.certificates().len(), 2, "the root and this one");
}

#[tokio::test]
async fn a_ledger_that_fails_gives_no_certificate_and_says_when_to_come_back() {
    let fixture = Fixture::new(&[Family::Est]).await;
    fixture.ca.ledger.fail_writes(true);
    let (status, headers, body) = fixture.ask(enrollment(&csr())).await;
    assert_eq!((status, headers[RETRY_AFTER].as_bytes()), (StatusCode::SERVICE_UNAVAILABLE, &b"30"[..]));
    assert!(!body.starts_with(b"MII"));
    fixture.ca.ledger.fail_writes(false);
    assert_eq!(fixture.ask(enrollment(&csr())).await.0, StatusCode::OK);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let fixture = Fixture::new(&[Family::Est]).await;
    assert_eq!(fixture.ask(enrollment(&[0x30; 4000])).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let request = Request::post(ENROLL).header("authorization", AUTHORIZATION).body(EndlessFrames).unwrap();
    assert_eq!(fixture.ask(request).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let silent = Request::post(ENROLL).header("authorization", AUTHORIZATION).body(Silent).unwrap();
    assert_eq!(fixture.ask(silent).await.0, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn all_bodies_together_are_bounded() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let room = &fixture.exchange.app.limits.room;
    let others = room.clone().try_acquire_many_owned(6144).unwrap();
    let endless = || Request::post(ENROLL).header("authorization", AUTHORIZATION).body(EndlessFrames).unwrap();
    let (status, headers, _) = fixture.ask(endless()).await;
    assert_eq!((status, headers[RETRY_AFTER].as_bytes()), (StatusCode::SERVICE_UNAVAILABLE, &b"30"[..]));
    drop(others);
    assert_eq!(fixture.ask(endless()).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(room.available_permits(), ROOM, "what was refused counts no more");
}

#[tokio::test]
async fn a_body_that_is_to_make_way_is_told_so_and_counted() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let silent = || Request::post(ENROLL).header("authorization", AUTHORIZATION).body(Silent).unwrap();
    let make_way = async {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        fixture.exchange.in_flight.make_way();
    };
    let ((status, headers, _), ()) = tokio::join!(fixture.ask(silent()), make_way);
    assert_eq!((status, headers["connection"].as_bytes()), (StatusCode::REQUEST_TIMEOUT, &b"close"[..]));
    let metrics = fixture.exchange.app.ops.metrics.encode();
    assert!(metrics.contains("certgate_bodies_refused_total{reason=\"displaced\"} 1\n"), "{metrics}");
    assert!(metrics.contains("certgate_bodies_refused_total{reason=\"too-slow\"} 0\n"), "{metrics}");
    assert!(metrics.contains("certgate_requests_refused_total{protocol=\"est\",status=\"408\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn a_connection_ends_when_a_body_that_was_announced_is_not_read() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let in_chunks = |authorization: &str| {
        let body = Base64::encode_string(&csr());
        let (first, rest) = body.split_at(100);
        let chunks = [first, rest].map(|part| Bytes::from(part.to_owned())).into();
        Request::post(ENROLL)
            .header("authorization", authorization)
            .header("expect", "100-continue")
            .body(InChunks(chunks))
            .unwrap()
    };
    for (authorization, status, closes) in
        [(AUTHORIZATION, StatusCode::OK, false), ("Basic Og==", StatusCode::UNAUTHORIZED, true)]
    {
        let (answered, headers, _) = fixture.ask(in_chunks(authorization)).await;
        assert_eq!((answered, headers.contains_key("connection")), (status, closes));
    }
}

#[tokio::test]
async fn head_is_answered_without_content() {
    let fixture = Fixture::new(&[Family::Est, Family::Ca]).await;
    for path in ["/.well-known/est/cacerts", "/ca/default.pem", "/.well-known/est/other/cacerts"] {
        let (status, headers, body) = fixture.get(path).await;
        let head = Request::head(path).body(Full::<Bytes>::default()).unwrap();
        let (head_status, head_headers, nothing) = fixture.ask(head).await;
        assert_eq!((head_status, head_headers[CONTENT_LENGTH].to_str().unwrap()), (status, body.len().to_string().as_str()));
        assert_eq!((&head_headers[CONTENT_TYPE], nothing), (&headers[CONTENT_TYPE], Vec::new()), "{path}");
    }
}

#[tokio::test]
async fn methods_and_paths() {
    let fixture = Fixture::new(&[Family::Est, Family::Ca, Family::Ops]).await;
    for (path, status) in [
        ("/.well-known/est/cacerts", 200),
        ("/.well-known/est/default/cacerts", 200),
        ("/.well-known/est/other/cacerts", 404),
        ("/.well-known/est/simpleenroll", 405),
        ("/.well-known/est/simplereenroll", 405),
        ("/.well-known/est/csrattrs", 204),
        ("/.well-known/est/serverkeygen", 404),
        ("/.well-known/est/fullcmc", 404),
        ("/ca/default.cer", 200),
        ("/ca/default.p7c", 200),
        ("/ca/default.pem", 200),
        ("/ca/other.cer", 404),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/", 404),
    ] {
        assert_eq!(fixture.get(path).await.0, status, "{path}");
    }
    let post = Request::post("/.well-known/est/cacerts").body(Full::<Bytes>::default()).unwrap();
    let (status, headers, _) = fixture.ask(post).await;
    assert_eq!((status, headers[ALLOW].as_bytes()), (StatusCode::METHOD_NOT_ALLOWED, &b"GET, HEAD"[..]));
    fixture.exchange.app.ops.stopping.cancel();
    assert_eq!(fixture.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_listener_serves_its_own_families_only() {
    let fixture = Fixture::new(&[Family::Ca]).await;
    for path in ["/.well-known/est/cacerts", "/metrics", "/healthz"] {
        assert_eq!(fixture.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_request_names_its_host_once() {
    let fixture = Fixture::new(&[Family::Ops]).await;
    let ask = |hosts: &[&str], version| {
        let mut request = Request::get("/healthz").version(version);
        for host in hosts {
            request = request.header("host", *host);
        }
        fixture.exchange.clone().oneshot(request.body(Full::<Bytes>::default()).unwrap())
    };
    for (hosts, version, status) in [
        (&[][..], Version::HTTP_11, 400),
        (&["a", "b"], Version::HTTP_11, 400),
        (&["a"], Version::HTTP_11, 200),
        (&["user@a"], Version::HTTP_11, 400),
        (&[], Version::HTTP_10, 200),
    ] {
        assert_eq!(ask(hosts, version).await.unwrap().status(), status, "{hosts:?}");
    }
}

/// Comes in chunks, without a length and without a word that the last one was the last.
struct InChunks(std::collections::VecDeque<Bytes>);

impl Body for InChunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|chunk| Ok(hyper::body::Frame::data(chunk))))
    }
}

/// Goes on for ever, without a length.
struct EndlessFrames;

impl Body for EndlessFrames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(&[b'A'; 1024])))))
    }
}

/// Never says anything.
struct Silent;

impl Body for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}
