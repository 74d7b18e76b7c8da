//! Which certificate opens which endpoint: every profile's certificate, certgate's own among them, at every endpoint, made from the
//! configuration. Authorization comes from the ledger, not from names: all certificates here have the same one.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use certgate::assemble::{Base, Services, fallback_base_url, make_acme, make_app, make_scep, open_authorities};
use certgate::config::{Config, Overrides};
use certgate::data_dir::DataDir;
use certgate::listen::{InFlight, Lifecycle, Peer, ServerIdentity, TlsSession};
use certgate::serve::{CrlService, Exchange, NotValidated, OcspService, ValidatesHttp01};
use certgate::telemetry::{Metrics, start_logs};
use certgate_enrollment::{
    CertificateQuery, Certificates, EstUser, EstUsers, Event, EventKind, InternalPurpose, InternalRequest, SecretHash,
};
use certgate_pki::{Certificate, DigestAlgorithm, GeneralName};
use certgate_testkit::{CsrBuilder, device_key};
use http_body_util::Full;
use hyper::{Request, StatusCode};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;
use tower::ServiceExt;

const CONFIG: &str = r#"
[[authority]]
name = "root"
subject = "CN=Root"
[[authority]]
name = "default"
issuer = "root"
subject = "CN=Devices"
[[authority]]
name = "agents"
issuer = "root"
subject = "CN=Agents"

[[profile]]
name = "device"
authority = "default"
[[profile]]
name = "router"
authority = "default"
[[profile]]
name = "server"
authority = "default"
ekus = ["serverAuth"]
[[profile]]
name = "agent"
authority = "agents"

[[endpoint]]
protocol = "est"
name = "devices"
profile = "device"
[[endpoint]]
protocol = "est"
name = "devices-by-password"
profile = "device"
auth = ["basic"]
[[endpoint]]
protocol = "est"
name = "devices-by-certificate"
profile = "device"
auth = ["mtls"]
[[endpoint]]
protocol = "est"
name = "routers"
profile = "router"
[[endpoint]]
protocol = "est"
name = "servers"
profile = "server"
[[endpoint]]
protocol = "est"
name = "agents"
profile = "agent"
"#;

/// What each certificate may do at each endpoint: E enroll, R renew itself, - neither.
const TABLE: &str = "\
profile              agents  devices  devices-by-certificate  devices-by-password  routers  servers
agent                ER      -        -                       -                    -        -
certgate:issuing-ca  -       -        -                       -                    -        -
certgate:root-ca     -       -        -                       -                    -        -
certgate:tls-server  -       -        -                       -                    -        -
device               -       ER       ER                      -                    -        -
router               -       -        -                       -                    ER       -
server               -       -        -                       -                    -        -
stranger             -       -        -                       -                    -        -
";

/// The name of everyone.
const NAME: &str = "device-1";
const PASSWORD: &str = "secret of the device";

struct Fixture {
    _directory: tempfile::TempDir,
    config: Config,
    base: Base,
    exchange: Exchange,
}

/// Validates nothing: no endpoint asks for it.
struct Nobody;

#[async_trait]
impl ValidatesHttp01 for Nobody {
    async fn http01(&self, _: &GeneralName, _: &str, _: &str) -> Result<(), NotValidated> {
        Err(NotValidated::NotNow)
    }
}

fn server_identity() -> Arc<ServerIdentity> {
    let key = certgate_crypto::provider().sign.generate(certgate_pki::KeyType::P256).unwrap();
    let key = PrivateKeyDer::try_from(key.pkcs8.to_vec()).unwrap();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    Arc::new(ServerIdentity::new(CertifiedKey::new(Vec::new(), key), Vec::new()))
}

impl Fixture {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("certgate.toml");
        std::fs::write(&file, CONFIG).unwrap();
        let config = Config::load(Some(&file), &Overrides::default()).unwrap();
        let data_dir = DataDir::open(&directory.path().join("d")).unwrap();
        let base = Base::open(&config, &data_dir).unwrap();
        let metrics = Arc::new(Metrics::new());
        let authorities =
            open_authorities(&config.authorities, &base, &data_dir, (fallback_base_url(&[]).as_deref(), &[]), &metrics)
                .await
                .unwrap();
        let issuer = authorities.get("default").unwrap();
        let request = InternalRequest {
            purpose: InternalPurpose::TlsServer(Vec::new()),
            subject: format!("CN={NAME}").parse().unwrap(),
            public_key: device_key().public_key().clone(),
            lifetime: std::time::Duration::from_secs(86_400),
        };
        issuer.issue(issuer.authorize_internal(request).unwrap()).await.unwrap();
        let lifecycle = Lifecycle::new(1, 0);
        let scep = make_scep(&config, &base, &data_dir, &authorities, (&metrics, &lifecycle)).await.unwrap();
        let validator = Arc::new(Nobody) as Arc<dyn ValidatesHttp01>;
        let acme = make_acme(&config, &base, &authorities, (validator, server_identity()), (&metrics, &lifecycle)).await;
        let acme = acme.unwrap();
        let services = Services { scep, acme, ocsp: OcspService::new([]), crl: CrlService::new(base.clock.clone(), []) };
        let logs = start_logs(&config.log);
        let app = make_app(&config, &base, &authorities, services, (&metrics, &logs), &lifecycle).unwrap();
        let exchange = Exchange {
            app: Arc::new(app),
            serves: config.listeners[0].serves.clone().into(),
            peer: Peer { address: "192.0.2.1:5".parse().unwrap(), tls: None },
            in_flight: InFlight::default(),
        };
        Self { _directory: directory, config, base, exchange }
    }

    /// The status of a request for a certificate.
    async fn ask(&self, (endpoint, operation): (&str, &str), csr: &[u8], certificate: Option<&[u8]>) -> StatusCode {
        let client_certificate = certificate.map(Bytes::copy_from_slice);
        let tls = Some(Arc::new(TlsSession { client_certificate, binding: None }));
        let exchange = Exchange { peer: Peer { tls, ..self.exchange.peer.clone() }, ..self.exchange.clone() };
        let mut request = Request::post(format!("/.well-known/est/{endpoint}/{operation}")).header("host", "localhost");
        if certificate.is_none() {
            let credentials = Base64::encode_string(format!("{NAME}:{PASSWORD}").as_bytes());
            request = request.header("authorization", format!("Basic {credentials}"));
        }
        exchange.oneshot(request.body(Full::from(Base64::encode_string(csr))).unwrap()).await.unwrap().status()
    }

    /// A certificate of each profile, by the profile's name: enrolled by password, or certgate's own.
    async fn certificates(&self) -> BTreeMap<String, Vec<u8>> {
        let digest = self.base.provider.digest.digest(DigestAlgorithm::Sha256, PASSWORD.as_bytes());
        let secret = SecretHash::Sha256(digest.try_into().unwrap());
        let csr = CsrBuilder::new(&device_key()).common_name(NAME).sign();
        for endpoint in &self.config.endpoints {
            let user = EstUser {
                name: NAME.into(),
                endpoint: endpoint.name.clone(),
                secret: secret.clone(),
                allow: vec![format!("cn:{NAME}").parse().unwrap()],
                created_at: self.base.clock.now(),
                expires_at: None,
                uses: None,
                id: 1,
            };
            let event = Event { at: user.created_at, kind: EventKind::EstUserAdded, actor: "test".into(), details: Vec::new() };
            self.base.ledger.add(user, event).await.unwrap();
            self.ask((&endpoint.name, "simpleenroll"), &csr, None).await;
        }
        let all = self.base.ledger.list(CertificateQuery::all(self.base.clock.now(), 100)).await.unwrap().items;
        let mut found: BTreeMap<String, Vec<u8>> = all.into_iter().map(|record| (record.profile, record.der)).collect();
        let stranger = include_bytes!("../../../protocols/pki/tests/fixtures/certificate/root-p256.der");
        found.insert("stranger".into(), stranger.to_vec());
        found
    }

    /// What a certificate is good for at an endpoint, asking for the names that it has.
    async fn cell(&self, endpoint: &str, certificate: &[u8]) -> &'static str {
        let subject = Certificate::from_der(certificate).unwrap().subject().clone();
        let mut csr = CsrBuilder::new(&device_key());
        for attribute in subject.attributes() {
            csr = csr.attribute(attribute.kind, &attribute.value);
        }
        let csr = csr.sign();
        let enrolls = self.ask((endpoint, "simpleenroll"), &csr, Some(certificate)).await == StatusCode::OK;
        let renews = self.ask((endpoint, "simplereenroll"), &csr, Some(certificate)).await == StatusCode::OK;
        match (enrolls, renews) {
            (true, true) => "ER",
            (true, false) => "E",
            (false, true) => "R",
            (false, false) => "-",
        }
    }
}

#[tokio::test]
async fn only_the_intended_pairs_are_open() {
    let fixture = Fixture::new().await;
    let mut endpoints: Vec<&str> = fixture.config.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
    endpoints.sort_unstable();
    let certificates = fixture.certificates().await;
    let width = certificates.keys().map(String::len).max().unwrap();
    let mut table = format!("{:width$}  {}\n", "profile", endpoints.join("  "));
    for (profile, certificate) in &certificates {
        let mut row = format!("{profile:width$}");
        for endpoint in &endpoints {
            let cell = fixture.cell(endpoint, certificate).await;
            row.push_str(&format!("  {cell:width$}", width = endpoint.len()));
            let configured = fixture.config.endpoints.iter().find(|one| one.name == *endpoint).unwrap();
            assert!(cell == "-" || configured.profile.get_ref() == profile, "{profile} opens {endpoint}");
        }
        table.push_str(row.trim_end());
        table.push('\n');
    }
    assert_eq!(table, TABLE, "\n{table}");
}
