//! SCEP over the whole of the gateway but its sockets.

use certgate_enrollment::{Enrollments, InternalPurpose, InternalRequest, ScepChallenge, ScepChallenges};
use certgate_pki::asn1::tag;
use certgate_pki::cms::{Attribute, Draft, Seal, SignedData, certs_only};
use certgate_pki::{
    Certificate, CertificateOutline, ContentCipher, Csr, ObjectIdentifier, SignatureAlgorithm, SigningKey, pem,
};
use certgate_policy::Approval;
use certgate_scep::{CA_RA_CERT, PKI_MESSAGE};
use certgate_testkit::{Fault, load_key, rsa_device_key};

use super::*;
use crate::auth::ChallengeAuthenticator;
use crate::config::ContentEncryption;
use crate::work_pool::{Priority, WorkPool};

const RA_KEY: &str = include_str!("../../../../testkit/fixtures/keys/rsa3072-device.pem");
const DEVICE_KEY: &str = include_str!("../../../../testkit/fixtures/keys/rsa2048-device.pem");
const SECRET: &str = "a challenge";
const OPERATION: &str = "/scep/default/pkiclient.exe?operation=PKIOperation";

/// A certificate that the CA issues for a key, whatever it is used for.
async fn certified(ca: &CaFixture, key: &dyn SigningKey) -> Certificate {
    let request = InternalRequest {
        purpose: InternalPurpose::ScepRa,
        subject: "CN=RA".parse().unwrap(),
        public_key: key.public_key().clone(),
        lifetime: std::time::Duration::from_secs(86_400),
    };
    ca.authority.issue(ca.authority.authorize_internal(request).unwrap()).await.unwrap().certificate().unwrap()
}

fn pkcs8(text: &str) -> Vec<u8> {
    pem::decode(pem::PRIVATE_KEY, text).unwrap()
}

/// The endpoint `default`, with a challenge that is good for one certificate.
pub(super) async fn service(ca: &CaFixture, profile: Profile, metrics: &Metrics) -> ScepService {
    let provider = ca.core.provider.clone();
    let signing = load_key(RA_KEY);
    let certificate = certified(ca, &*signing).await;
    let ra = ScepRa { certificate, signing, decryption: provider.decrypt.load(&pkcs8(RA_KEY)).unwrap() };
    let options = ScepOptions { content_encryption: ContentEncryption::Request };
    let authority = Arc::new(ca.over(KeyBackend::new(ca_key())));
    let endpoint = ScepEndpoint::new("default", profile, authority, (ra, options), metrics.enrollment("scep", "default"));
    let challenge = ScepChallenge {
        id: 1,
        endpoint: "default".into(),
        sha256: certgate_pki::sha256(&*provider.digest, SECRET.as_bytes()),
        subject: None,
        created_at: NOW,
        expires_at: NOW.after(std::time::Duration::from_secs(3600)),
        uses: 1,
    };
    ca.ledger.add_challenge(challenge, event()).await.unwrap();
    with(ca, vec![endpoint])
}

/// No endpoint.
pub(super) fn none(ca: &CaFixture) -> ScepService {
    with(ca, Vec::new())
}

fn with(ca: &CaFixture, endpoints: Vec<ScepEndpoint>) -> ScepService {
    let provider = ca.core.provider.clone();
    let authenticator = ChallengeAuthenticator::new(ca.ledger.clone(), Arc::clone(&provider.digest));
    let pool = WorkPool::start("test", 1, 4, Priority::Usual).unwrap();
    ScepService::new(endpoints, authenticator, provider, pool, tokio_util::task::TaskTracker::new())
}

/// A client: a key, its certificate, and that of the RA.
struct Client {
    fixture: Fixture,
    key: Arc<dyn SigningKey>,
    own: Certificate,
    ra: Certificate,
}

/// What a CertRep says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    status: String,
    fail_info: Option<String>,
    certificate: Option<Certificate>,
}

impl Client {
    async fn new(profile: Profile) -> Self {
        let fixture = Fixture::issuing_by(&[Family::Scep], profile).await;
        let (status, headers, body) = fixture.get("/scep/default?operation=GetCACert&message=x").await;
        assert_eq!((status, headers[CONTENT_TYPE].to_str().unwrap()), (StatusCode::OK, CA_RA_CERT));
        let set = SignedData::from_der(&body).unwrap();
        let ra = set.certificates.iter().map(|der| Certificate::from_der(der).unwrap());
        let ra = ra.into_iter().find(|one| one.public_key() == load_key(RA_KEY).public_key()).unwrap();
        let key = rsa_device_key();
        let own = certified(&fixture.ca, &*key).await;
        Self { fixture, key, own, ra }
    }

    /// A message of this type, with these octets in its envelope.
    fn message(&self, message_type: &str, contents: &[u8], cipher: ContentCipher) -> Vec<u8> {
        self.around(message_type, self.envelope(contents, cipher))
    }

    fn envelope(&self, contents: &[u8], cipher: ContentCipher) -> Vec<u8> {
        let content_key = vec![5; cipher.key_octets()];
        let seal = Seal { cipher, content_key: &content_key, iv: [6; 16] };
        let recipient = CertificateOutline::from_der(self.ra.as_der()).unwrap();
        seal.envelop(contents, &recipient, &*certgate_crypto::provider().encrypt).unwrap()
    }

    /// A message of this type around an envelope.
    fn around(&self, message_type: &str, envelope: Vec<u8>) -> Vec<u8> {
        let provider = certgate_crypto::provider();
        let attributes = vec![
            attribute(2, tag::PRINTABLE_STRING, message_type.as_bytes()),
            attribute(7, tag::PRINTABLE_STRING, b"t-1"),
            attribute(5, tag::OCTET_STRING, &[3; 16]),
        ];
        let algorithm = SignatureAlgorithm::RsaSha512;
        let certificates = (vec![self.own.as_der().to_vec()], &*provider.digest);
        let draft = Draft::new(Some(envelope), attributes, &self.own, algorithm, certificates);
        let signature = self.key.sign_as(algorithm, draft.to_be_signed()).unwrap();
        draft.assemble(&signature)
    }

    fn enrollment(&self, csr: &Csr) -> Vec<u8> {
        self.message("19", csr.as_der(), ContentCipher::Aes256Cbc)
    }

    async fn post(&self, message: Vec<u8>) -> Said {
        let request = Request::post(OPERATION).body(Full::new(Bytes::from(message))).unwrap();
        self.read(self.fixture.ask(request).await)
    }

    /// Reads a CertRep as its recipient does.
    fn read(&self, (status, headers, body): (StatusCode, HeaderMap, Vec<u8>)) -> Said {
        assert_eq!((status, headers[CONTENT_TYPE].to_str().unwrap()), (StatusCode::OK, PKI_MESSAGE));
        let provider = certgate_crypto::provider();
        let signed = SignedData::from_der(&body).unwrap();
        let signer = signed.signer().unwrap();
        let content = signed.content.unwrap_or_default();
        assert_eq!(signer.verify(self.ra.public_key(), &signed.content_type, content, &provider), Ok(()));
        let text = |number| {
            let value = signer.attributes.get(&oid(number)).unwrap();
            value.map(|value| String::from_utf8(value.value.to_vec()).unwrap())
        };
        assert_eq!((text(2).as_deref(), text(7).as_deref()), (Some("3"), Some("t-1")));
        assert_eq!(signer.attributes.get(&oid(6)).unwrap().unwrap().value, [3; 16], "recipientNonce");
        let certificate = signed.content.map(|envelope| {
            let envelope = certgate_pki::cms::EnvelopedData::from_der(envelope).unwrap();
            assert_eq!(envelope.cipher.unwrap().0, ContentCipher::Aes256Cbc, "as the request");
            let key = provider.decrypt.load(&pkcs8(DEVICE_KEY)).unwrap();
            let inner = envelope.open(&*key, &[0; 32], &*provider.decrypt).unwrap();
            let [certificate] = SignedData::from_der(&inner).unwrap().certificates[..] else { panic!("one certificate") };
            assert_eq!(*inner, certs_only(&[certificate]));
            Certificate::from_der(certificate).unwrap()
        });
        Said { status: text(3).unwrap(), fail_info: text(4), certificate }
    }
}

fn oid(number: u8) -> ObjectIdentifier {
    ObjectIdentifier::new(&format!("2.16.840.1.113733.1.9.{number}")).unwrap()
}

fn attribute(number: u8, tag: u8, value: &[u8]) -> Attribute {
    Attribute::new(&oid(number), |w| {
        w.tlv(tag, value);
    })
}

fn csr(secret: Option<&str>) -> Csr {
    let builder = CsrBuilder::new(&rsa_device_key()).common_name("device").dns("device.example");
    secret.map_or(builder.clone(), |secret| builder.challenge_password(secret)).csr()
}

fn failure(info: &str) -> Said {
    Said { status: "2".into(), fail_info: Some(info.into()), certificate: None }
}

#[tokio::test]
async fn a_challenge_is_good_for_one_certificate() {
    let client = Client::new(profile()).await;
    let message = client.enrollment(&csr(Some(SECRET)));
    let first = client.post(message.clone()).await;
    let certificate = first.certificate.clone().unwrap();
    assert_eq!((first.status.as_str(), &first.fail_info), ("0", &None));
    assert_eq!(certificate.public_key(), client.key.public_key());
    assert_eq!(certificate.subject().to_string(), "CN=device");
    // The same again, by either method, is the same certificate.
    assert_eq!(client.post(message.clone()).await, first);
    let query = Base64::encode_string(&message).replace('+', "%2B");
    assert_eq!(client.read(client.fixture.get(&format!("{OPERATION}&message={query}")).await), first);
    assert_eq!(client.post(client.message("20", b"whatever", ContentCipher::Aes256Cbc)).await.status, "0");
    let other = CsrBuilder::new(&rsa_device_key()).common_name("another").challenge_password(SECRET).csr();
    assert_eq!(client.post(client.enrollment(&other)).await, failure("2"));
}

#[tokio::test]
async fn what_is_refused_is_said_in_a_signed_answer() {
    let client = Client::new(profile()).await;
    let good = csr(Some(SECRET));
    let no_subject = CsrBuilder::new(&rsa_device_key()).dns("device.example").challenge_password(SECRET).csr();
    let other_key = CsrBuilder::new(&device_key()).common_name("device").challenge_password(SECRET).csr();
    let broken = CsrBuilder::new(&rsa_device_key()).common_name("device").challenge_password(SECRET).fault(Fault::BadSignature);
    for (what, csr) in [
        ("no challenge", csr(None)),
        ("a wrong one", csr(Some("another challenge"))),
        ("an empty one", csr(Some(""))),
        ("no subject", no_subject),
        ("another key", other_key),
        ("a broken signature", broken.csr()),
    ] {
        assert_eq!(client.post(client.enrollment(&csr)).await, failure("2"), "{what}");
    }
    let mut changed = client.enrollment(&good);
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(client.post(changed).await, failure("1"));
    assert_eq!(client.post(client.message("20", &[], ContentCipher::Aes128Cbc)).await, failure("4"), "nothing was begun");
    for message_type in ["17", "21", "22", "99"] {
        let message = client.message(message_type, good.as_der(), ContentCipher::Aes128Cbc);
        assert_eq!(client.post(message).await, failure("2"), "{message_type}");
    }
    let certificates = client.fixture.ca.ledger.certificates();
    assert_eq!(certificates.len(), 3, "the root, the RA and the client's own");
}

/// Whether nothing could be decrypted, or something that is no request was, is not told: RFC 3218 §2.3.2.
#[tokio::test]
async fn whatever_is_wrong_with_an_envelope_is_one_answer() {
    let client = Client::new(profile()).await;
    let no_request = client.message("19", b"no request", ContentCipher::Aes256Cbc);
    let mut for_another = Client::new(profile()).await;
    for_another.ra = for_another.own.clone();
    let for_another = for_another.message("19", csr(Some(SECRET)).as_der(), ContentCipher::Aes256Cbc);
    let of_another = CsrBuilder::new(&device_key()).common_name("device").challenge_password(SECRET).csr();
    let of_another = client.message("19", of_another.as_der(), ContentCipher::Aes256Cbc);
    // contentType in the envelope is id-signedData, not id-data.
    let mut of_another_kind = client.envelope(csr(Some(SECRET)).as_der(), ContentCipher::Aes256Cbc);
    let content_type = of_another_kind.windows(3).position(|octets| octets == [1, 7, 1]).unwrap();
    of_another_kind[content_type + 2] = 2;
    let of_another_kind = client.around("19", of_another_kind);
    let mut answers = Vec::new();
    for message in [no_request, for_another, of_another, of_another_kind] {
        let request = Request::post(OPERATION).body(Full::new(Bytes::from(message))).unwrap();
        let (_, _, body) = client.fixture.ask(request).await;
        let signed = SignedData::from_der(&body).unwrap();
        let text = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.24.1");
        let of = |oid| signed.signer().unwrap().attributes.get(&oid).unwrap().map(|value| value.raw.to_vec());
        answers.push([of(oid(3)), of(oid(4)), of(text)]);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:02x?}");
}

/// As clients on BouncyCastle send it: BER of indefinite length without and within the string that is signed.
#[tokio::test]
async fn a_message_and_its_envelope_may_be_ber() {
    let open_ended = |der: &[u8]| {
        assert_eq!(der[..2], [0x30, 0x82]);
        [&[0x30, 0x80], &der[4..], &[0, 0]].concat()
    };
    let client = Client::new(profile()).await;
    let envelope = client.envelope(csr(Some(SECRET)).as_der(), ContentCipher::Aes256Cbc);
    let message = client.around("19", open_ended(&envelope));
    assert_eq!(client.post(open_ended(&message)).await.status, "0");
}

#[tokio::test]
async fn what_a_person_approves_is_polled() {
    let manual = Profile { approval: Approval::Manual, renewal_approval: Approval::Manual, ..profile() };
    let client = Client::new(manual.clone()).await;
    let pending = Said { status: "3".into(), fail_info: None, certificate: None };
    assert_eq!(client.post(client.enrollment(&csr(Some(SECRET)))).await, pending);
    let poll = client.message("20", &[], ContentCipher::Aes256Cbc);
    assert_eq!(client.post(poll.clone()).await, pending);
    let found = client
        .fixture
        .ca
        .ledger
        .find_by_csr(
            &client
                .fixture
                .ca
                .core
                .provider
                .digest
                .digest(certgate_pki::DigestAlgorithm::Sha256, csr(Some(SECRET)).as_der())
                .try_into()
                .unwrap(),
            2,
        )
        .await
        .unwrap();
    let [waiting] = &found[..] else { panic!("one request, one enrollment") };
    let authority = client.fixture.ca.over(KeyBackend::new(ca_key()));
    let issued = authority.approve(&manual, waiting.clone(), "operator").await.unwrap();
    let said = client.post(poll).await;
    assert_eq!(said.certificate.unwrap().as_der(), issued.der);
    assert_eq!(client.post(client.enrollment(&csr(Some(SECRET)))).await.status, "0");
}

#[tokio::test]
async fn what_is_no_message_is_an_http_fault() {
    let client = Client::new(profile()).await;
    let ask = async |method: &str, path: &str, body: &[u8]| {
        let request = Request::builder().method(method).uri(path).body(Full::new(Bytes::copy_from_slice(body))).unwrap();
        client.fixture.ask(request).await.0
    };
    for (method, path, body, status) in [
        ("POST", OPERATION, &b""[..], StatusCode::BAD_REQUEST),
        ("POST", OPERATION, b"garbage", StatusCode::BAD_REQUEST),
        ("POST", OPERATION, &[0x30; 5000], StatusCode::PAYLOAD_TOO_LARGE),
        ("GET", OPERATION, b"", StatusCode::BAD_REQUEST),
        ("GET", "/scep/default?operation=PKIOperation&message=!", b"", StatusCode::BAD_REQUEST),
        ("GET", "/scep/default?operation=GetNextCACert", b"", StatusCode::BAD_REQUEST),
        ("GET", "/scep/default", b"", StatusCode::BAD_REQUEST),
        ("GET", "/scep/other?operation=GetCACaps", b"", StatusCode::NOT_FOUND),
        ("PUT", OPERATION, b"", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/scep/default?operation=GetCACaps", b"", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/scep/default/cgi-bin/pkiclient.exe?operation=getcacaps", b"", StatusCode::OK),
        ("HEAD", "/scep/default?operation=GetCACaps", b"", StatusCode::OK),
    ] {
        assert_eq!(ask(method, path, body).await, status, "{method} {path}");
    }
    let trailing = [&client.enrollment(&csr(Some(SECRET)))[..], &[0]].concat();
    assert_eq!(ask("POST", OPERATION, &trailing).await, StatusCode::BAD_REQUEST);
    let caps = client.fixture.get("/scep/default?operation=GetCACaps").await;
    assert_eq!(caps.1[CONTENT_TYPE], "text/plain");
    assert_eq!(String::from_utf8(caps.2).unwrap(), "AES\nPOSTPKIOperation\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n");
}
