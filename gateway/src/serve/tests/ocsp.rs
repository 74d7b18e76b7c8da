//! OCSP over the whole of the gateway but its sockets.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use certgate_enrollment::{
    CertificateRecord, CertificateState, CertificateStatus, Certificates, CommittedChange, History, InternalPurpose,
    InternalRequest, LedgerError, ListedCertificate, Revocation, RevocationReason, StatusChange, StatusWatcher, Statuses,
    change_status,
};
use certgate_ocsp::{IssuerHashes, OCSP_REQUEST, OCSP_RESPONSE};
use certgate_pki::asn1::{DerWriter, Tlv, tag};
use certgate_pki::{DigestAlgorithm, Serial, Timestamp};
use certgate_testkit::MemoryLedger;
use hyper::header::{CACHE_CONTROL, ETAG, EXPIRES, IF_NONE_MATCH, LAST_MODIFIED};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::*;
use crate::config::Unissued;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

const OPTIONS: OcspOptions = OcspOptions {
    validity: Duration::from_secs(12 * 3600),
    unissued: Unissued::Unknown,
    retain_expired: Duration::from_secs(30 * 86_400),
    reading: Reading::Compatible,
    kept_octets: 1 << 20,
};

/// A ledger that can be away, and that can be made to wait before it answers.
struct Scripted {
    ledger: Arc<MemoryLedger>,
    is_away: AtomicBool,
    /// One permit for each answer.
    gate: Semaphore,
    asked: AtomicUsize,
}

#[async_trait]
impl Statuses for Scripted {
    async fn state_of(&self, authority: &str, serial: &Serial) -> Result<Option<CertificateState>, LedgerError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_away.load(Ordering::SeqCst) {
            return Err(LedgerError::Unavailable("as the test has it".into()));
        }
        let state = self.ledger.state_of(authority, serial).await;
        self.gate.acquire().await.unwrap().forget();
        state
    }

    async fn changes_after(&self, _: &str, _: u64, _: usize) -> Result<Vec<CommittedChange>, LedgerError> {
        unreachable!("nobody asks for it here")
    }

    async fn last_change(&self) -> Result<u64, LedgerError> {
        unreachable!("nobody asks for it here")
    }

    async fn not_good(
        &self,
        _: &str,
        _: Timestamp,
        _: Option<&Serial>,
        _: usize,
    ) -> Result<Vec<CertificateState>, LedgerError> {
        unreachable!("nobody asks for it here")
    }

    fn watch(&self, watcher: Arc<dyn StatusWatcher>) {
        self.ledger.watch(watcher);
    }
}

struct Ocsp {
    ca: CaFixture,
    statuses: Arc<Scripted>,
    responder: Arc<OcspResponder>,
    exchange: Exchange,
    serial: Serial,
    hashes: IssuerHashes,
}

impl Ocsp {
    async fn new(options: OcspOptions) -> Self {
        Self::for_profile(options, profile()).await
    }

    /// A responder, and one certificate of this profile.
    async fn for_profile(options: OcspOptions, profile: Profile) -> Self {
        let Fixture { ca, exchange, .. } = Fixture::new(&[Family::Ocsp]).await;
        let request = InternalRequest {
            purpose: InternalPurpose::OcspResponder,
            subject: "CN=Responder".parse().unwrap(),
            public_key: device_key().public_key().clone(),
            lifetime: 300 * DAY,
        };
        let responder = ca.authority.issue(ca.authority.authorize_internal(request).unwrap()).await.unwrap();
        let csr = CsrBuilder::new(&device_key()).common_name("device").csr();
        let authorized = ca.authority.authorize(&profile, CaFixture::request(csr, &["cn:device"])).unwrap();
        let serial = ca.authority.issue(authorized).await.unwrap().serial.clone();
        let provider = ca.core.provider.clone();
        let signer = OcspSigner::new(responder.certificate().unwrap(), device_key(), &*provider.digest);
        let gate = Semaphore::new(Semaphore::MAX_PERMITS);
        let statuses =
            Scripted { ledger: ca.ledger.clone(), is_away: AtomicBool::new(false), gate, asked: AtomicUsize::new(0) };
        let statuses = Arc::new(statuses);
        let parts = OcspParts {
            clock: ca.clock.clone(),
            statuses: statuses.clone(),
            provider: provider.clone(),
            metrics: Metrics::new().ocsp("default"),
        };
        let responder = Arc::new(OcspResponder::new(&ca.authority, Some(signer), options, parts));
        ca.ledger.watch(responder.clone());
        let mut app = Arc::into_inner(exchange.app).unwrap();
        app.ocsp = OcspService::new([responder.clone()]);
        let own = &ca.authority.chain()[0];
        let hashes = IssuerHashes::new(DigestAlgorithm::Sha1, own.subject(), own.public_key(), &*provider.digest);
        Self { ca, statuses, responder, exchange: Exchange { app: Arc::new(app), ..exchange }, serial, hashes }
    }

    fn cert_id(&self) -> Vec<u8> {
        self.hashes.cert_ids(&self.serial)[0].clone()
    }

    async fn post(&self, request: Vec<u8>) -> (StatusCode, HeaderMap, Vec<u8>) {
        let post = Request::post("/ocsp/default").header(CONTENT_TYPE, OCSP_REQUEST);
        ask(self.exchange.clone(), post.body(Full::<Bytes>::from(request)).unwrap()).await
    }

    async fn get(&self, path: &str, fields: &[(hyper::header::HeaderName, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::get(format!("/ocsp/default{path}"));
        for (name, value) in fields {
            request = request.header(name, *value);
        }
        ask(self.exchange.clone(), request.body(Full::<Bytes>::default()).unwrap()).await
    }

    /// What is said of the certificate, asked for by itself.
    async fn said(&self) -> Said {
        let (status, _, body) = self.post(request(&[self.cert_id()], &[])).await;
        assert_eq!(status, StatusCode::OK);
        Said::read(&body)
    }

    async fn become_so(&self, change: StatusChange) {
        let record = self.record().await;
        change_status(&*self.ca.ledger, &record, change, self.ca.core.clock.now(), "test").await.unwrap();
    }

    async fn record(&self) -> CertificateRecord {
        self.ca.ledger.find(&self.serial).await.unwrap().unwrap()
    }
}

/// An OCSPRequest for these CertIDs, with these extensions.
fn request(cert_ids: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        w.sequence(|w| {
            w.sequence(|w| {
                for id in cert_ids {
                    w.sequence(|w| {
                        w.raw(id);
                    });
                }
            });
            if !extensions.is_empty() {
                w.nested(tag::context_constructed(2), |w| {
                    w.sequence(|w| {
                        for extension in extensions {
                            w.raw(extension);
                        }
                    });
                });
            }
        });
    });
    writer.finish()
}

fn nonce(octets: &[u8]) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        w.oid(&"1.3.6.1.5.5.7.48.1.2".parse().unwrap()).nested(tag::OCTET_STRING, |w| {
            w.tlv(tag::OCTET_STRING, octets);
        });
    });
    writer.finish()
}

/// What a response says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Error(u8),
    /// Tags of the certStatus, and the reason of the first that is revoked.
    Statuses(Vec<u8>, Option<u8>),
}

impl Said {
    fn good() -> Self {
        Self::Statuses(vec![0x80], None)
    }

    fn unknown() -> Self {
        Self::Statuses(vec![0x82], None)
    }

    fn revoked(reason: u8) -> Self {
        Self::Statuses(vec![0xa1], Some(reason))
    }

    fn read(der: &[u8]) -> Self {
        let mut outer = Tlv::only(der).unwrap().contents().unwrap();
        let status = outer.any().unwrap().value[0];
        if status != 0 {
            outer.finish().unwrap();
            return Self::Error(status);
        }
        let bytes = outer.any().unwrap().contents().unwrap().any().unwrap();
        let mut bytes = bytes.contents().unwrap();
        bytes.expect(tag::OID).unwrap();
        let basic = Tlv::only(bytes.expect(tag::OCTET_STRING).unwrap().value).unwrap();
        let data = basic.contents().unwrap().any().unwrap();
        let mut data = data.contents().unwrap();
        data.any().unwrap();
        data.expect(tag::GENERALIZED_TIME).unwrap();
        let mut singles = data.expect(tag::SEQUENCE).unwrap().contents().unwrap();
        let (mut tags, mut reason) = (Vec::new(), None);
        while !singles.is_finished() {
            let mut single = singles.any().unwrap().contents().unwrap();
            single.any().unwrap();
            let status = single.any().unwrap();
            tags.push(status.tag);
            if status.tag == 0xa1 && reason.is_none() {
                let mut revoked = status.contents().unwrap();
                revoked.expect(tag::GENERALIZED_TIME).unwrap();
                reason = revoked.optional(0xa0).unwrap().map(|reason| reason.value[2]);
            }
        }
        Self::Statuses(tags, reason)
    }
}

#[tokio::test]
async fn what_became_of_a_certificate_is_told_at_once() {
    let ocsp = Ocsp::new(OPTIONS).await;
    assert_eq!(ocsp.said().await, Said::good());
    ocsp.become_so(StatusChange::Hold).await;
    assert_eq!(ocsp.said().await, Said::revoked(6));
    ocsp.become_so(StatusChange::Release).await;
    assert_eq!(ocsp.said().await, Said::good());
    ocsp.become_so(StatusChange::Revoke(RevocationReason::KeyCompromise, None)).await;
    assert_eq!(ocsp.said().await, Said::revoked(1));
    // Whichever way the certificate is named.
    for algorithm in IssuerHashes::ALGORITHMS {
        let own = &ocsp.ca.authority.chain()[0];
        let hashes = IssuerHashes::new(algorithm, own.subject(), own.public_key(), &*ocsp.ca.core.provider.digest);
        for id in hashes.cert_ids(&ocsp.serial) {
            let (_, _, body) = ocsp.post(request(std::slice::from_ref(&id), &[])).await;
            assert_eq!(Said::read(&body), Said::revoked(1));
            assert!(body.windows(id.len()).any(|octets| octets == id), "the CertID is repeated");
        }
    }
}

#[tokio::test]
async fn every_kind_of_cert_id_is_forgotten_when_something_becomes_of_it() {
    let ocsp = Ocsp::new(OPTIONS).await;
    let own = ocsp.ca.authority.chain()[0].clone();
    let all: Vec<Vec<u8>> = IssuerHashes::ALGORITHMS
        .into_iter()
        .flat_map(|algorithm| {
            let digest = &*ocsp.ca.core.provider.digest;
            IssuerHashes::new(algorithm, own.subject(), own.public_key(), digest).cert_ids(&ocsp.serial)
        })
        .collect();
    let say = async |expected: Said| {
        for id in &all {
            assert_eq!(Said::read(&ocsp.post(request(std::slice::from_ref(id), &[])).await.2), expected);
        }
        ocsp.statuses.asked.load(Ordering::SeqCst)
    };
    assert_eq!(say(Said::good()).await, all.len());
    assert_eq!(say(Said::good()).await, all.len(), "each is kept");
    ocsp.become_so(StatusChange::Hold).await;
    assert_eq!(say(Said::revoked(6)).await, 2 * all.len());
}

#[tokio::test]
async fn one_answer_is_made_for_many_and_kept_for_half_its_time() {
    let ocsp = Arc::new(Ocsp::new(OPTIONS).await);
    ocsp.statuses.gate.forget_permits(Semaphore::MAX_PERMITS);
    let mut waiting = JoinSet::new();
    for _ in 0..50 {
        let ocsp = ocsp.clone();
        waiting.spawn(async move { ocsp.post(request(&[ocsp.cert_id()], &[])).await.2 });
    }
    while ocsp.statuses.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    ocsp.statuses.gate.add_permits(1000);
    let answers = waiting.join_all().await;
    let asked = || ocsp.statuses.asked.load(Ordering::SeqCst);
    assert!(answers.iter().all(|answer| *answer == answers[0]) && asked() == 1);
    ocsp.ca.clock.advance(6 * HOUR - Duration::from_secs(1));
    assert_eq!((ocsp.post(request(&[ocsp.cert_id()], &[])).await.2 == answers[0], asked()), (true, 1));
    ocsp.ca.clock.advance(Duration::from_secs(1));
    assert_eq!((ocsp.post(request(&[ocsp.cert_id()], &[])).await.2 == answers[0], asked()), (false, 2));
}

/// Invariant 11: what was read before the commit is not given after it.
#[tokio::test]
async fn an_answer_that_was_being_made_is_made_again_when_the_certificate_is_revoked() {
    let ocsp = Arc::new(Ocsp::new(OPTIONS).await);
    ocsp.statuses.gate.forget_permits(Semaphore::MAX_PERMITS);
    let mut waiting = JoinSet::new();
    for _ in 0..8 {
        let ocsp = ocsp.clone();
        waiting.spawn(async move { ocsp.said().await });
    }
    while ocsp.statuses.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    // It was read that the certificate is good, and nobody was told yet.
    ocsp.become_so(StatusChange::Revoke(RevocationReason::Superseded, None)).await;
    ocsp.statuses.gate.add_permits(1000);
    assert_eq!(waiting.join_all().await, vec![Said::revoked(4); 8]);
    assert_eq!(ocsp.said().await, Said::revoked(4));
}

/// Some see a change before [`StatusWatcher::committed`] is called, and who heard of it asks in another way next.
#[tokio::test]
async fn nothing_is_kept_while_a_change_is_being_committed() {
    let ocsp = Ocsp::new(OPTIONS).await;
    let state = ocsp.ca.ledger.state_of("default", &ocsp.serial).await.unwrap().unwrap();
    let change = CommittedChange { sequence: 1, authority: "default".into(), state };
    let asked = async || {
        assert_eq!(ocsp.said().await, Said::good());
        ocsp.statuses.asked.load(Ordering::SeqCst)
    };
    assert_eq!((asked().await, asked().await), (1, 1));
    ocsp.responder.committing(&change);
    assert_eq!((asked().await, asked().await), (2, 3));
    // Another one of the same certificate, in the same transaction.
    ocsp.responder.committing(&change);
    ocsp.responder.settled(&change);
    assert_eq!((asked().await, asked().await), (4, 5));
    ocsp.responder.settled(&change);
    assert_eq!((asked().await, asked().await), (6, 6));
}

/// Invariant 10.
#[tokio::test]
async fn what_is_kept_is_told_until_its_time_is_over_while_the_ledger_is_away() {
    let ocsp = Ocsp::new(OPTIONS).await;
    assert_eq!(ocsp.said().await, Said::good());
    ocsp.statuses.is_away.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        ocsp.ca.clock.advance(5 * HOUR);
        assert_eq!(ocsp.said().await, Said::good());
    }
    // What others keep by then ends before nextUpdate.
    let path = format!("/{}", Base64::encode_string(&request(&[ocsp.cert_id()], &[])));
    assert_eq!(ocsp.get(&path, &[]).await.1[CACHE_CONTROL], "max-age=7199,public,no-transform,must-revalidate");
    // What is not kept cannot be told, and says that asking again may help.
    let (status, _, body) = ocsp.post(request(&[ocsp.cert_id()], &[nonce(&[1; 16])])).await;
    assert_eq!((status, Said::read(&body)), (StatusCode::OK, Said::Error(3)));
    // A change that nobody could read is not passed over.
    ocsp.become_so(StatusChange::Hold).await;
    assert_eq!(ocsp.said().await, Said::Error(3));
    ocsp.statuses.is_away.store(false, Ordering::SeqCst);
    assert_eq!(ocsp.said().await, Said::revoked(6));
    ocsp.statuses.is_away.store(true, Ordering::SeqCst);
    ocsp.ca.clock.advance(12 * HOUR);
    assert_eq!(ocsp.said().await, Said::Error(3), "its time is over");
}

#[tokio::test]
async fn a_nonce_needs_no_second_look_at_the_ledger() {
    let ocsp = Ocsp::new(OPTIONS).await;
    let asked = || ocsp.statuses.asked.load(Ordering::SeqCst);
    for _ in 0..3 {
        let (_, _, body) = ocsp.post(request(&[ocsp.cert_id()], &[nonce(&[1; 16])])).await;
        assert_eq!((Said::read(&body), asked()), (Said::good(), 1));
    }
    assert_eq!((ocsp.said().await, asked()), (Said::good(), 1), "nor does the answer for everyone");
    ocsp.become_so(StatusChange::Hold).await;
    let (_, _, body) = ocsp.post(request(&[ocsp.cert_id()], &[nonce(&[1; 16])])).await;
    assert_eq!((Said::read(&body), asked()), (Said::revoked(6), 2));
    ocsp.ca.clock.advance(6 * HOUR);
    assert_eq!((ocsp.said().await, asked()), (Said::revoked(6), 3));
}

#[tokio::test]
async fn without_a_valid_signer_asking_again_later_may_help() {
    let ocsp = Ocsp::new(OcspOptions { retain_expired: 1000 * DAY, ..OPTIONS }).await;
    assert_eq!(ocsp.said().await, Said::good());
    // The signer's certificate is over.
    ocsp.ca.clock.advance(301 * DAY);
    assert_eq!(ocsp.said().await, Said::Error(3));
    let (_, _, body) = ocsp.post(request(&[ocsp.cert_id()], &[nonce(&[1; 16])])).await;
    assert_eq!(Said::read(&body), Said::Error(3));
    let request = InternalRequest {
        purpose: InternalPurpose::OcspResponder,
        subject: "CN=Responder".parse().unwrap(),
        public_key: device_key().public_key().clone(),
        lifetime: 300 * DAY,
    };
    let issued = ocsp.ca.authority.issue(ocsp.ca.authority.authorize_internal(request).unwrap()).await.unwrap();
    let certificate = issued.certificate().unwrap();
    assert!(!ocsp.responder.signs_by(&certificate));
    let signer = OcspSigner::new(certificate.clone(), device_key(), &*ocsp.ca.core.provider.digest);
    ocsp.responder.replace_signer(signer);
    assert!(ocsp.responder.signs_by(&certificate));
    assert_eq!(ocsp.said().await, Said::good());
}

#[tokio::test]
async fn nonces_go_back_and_are_for_one_client() {
    let ocsp = Ocsp::new(OPTIONS).await;
    let mut answers = Vec::new();
    for length in [1, 16, 32, 128] {
        let (_, headers, body) = ocsp.post(request(&[ocsp.cert_id()], &[nonce(&vec![0xa5; length])])).await;
        assert_eq!((Said::read(&body), headers[CACHE_CONTROL].as_bytes()), (Said::good(), &b"no-store"[..]));
        assert!(body.windows(length).any(|octets| octets == vec![0xa5; length]));
        answers.push(body);
    }
    for length in [0, 129] {
        let (status, _, body) = ocsp.post(request(&[ocsp.cert_id()], &[nonce(&vec![0xa5; length])])).await;
        assert_eq!((status, Said::read(&body)), (StatusCode::OK, Said::Error(1)), "{length}");
    }
    let (_, headers, body) = ocsp.post(request(&[ocsp.cert_id()], &[])).await;
    assert!(!body.windows(16).any(|octets| octets == [0xa5; 16]) && !headers.contains_key(CACHE_CONTROL));
}

#[tokio::test]
async fn several_certificates_are_answered_each() {
    let ocsp = Ocsp::new(OPTIONS).await;
    let never = ocsp.hashes.cert_ids(&Serial::from_octets(&[9; 16]).unwrap())[0].clone();
    let other = IssuerHashes::new(
        DigestAlgorithm::Sha1,
        &"CN=Other".parse().unwrap(),
        device_key().public_key(),
        &*ocsp.ca.core.provider.digest,
    );
    let foreign = other.cert_ids(&ocsp.serial)[0].clone();
    let (_, _, body) = ocsp.post(request(&[ocsp.cert_id(), never.clone(), foreign.clone()], &[])).await;
    assert_eq!(Said::read(&body), Said::Statuses(vec![0x80, 0x82, 0x82], None));
    for ids in [vec![foreign.clone()], vec![foreign.clone(), foreign]] {
        assert_eq!(Said::read(&ocsp.post(request(&ids, &[])).await.2), Said::Error(6), "nothing to say");
    }
    assert_eq!(Said::read(&ocsp.post(request(&[never], &[])).await.2), Said::unknown());
}

#[tokio::test]
async fn what_was_never_issued_is_called_revoked_where_that_is_configured() {
    let ocsp = Ocsp::new(OcspOptions { unissued: Unissued::Revoked, ..OPTIONS }).await;
    let never = ocsp.hashes.cert_ids(&Serial::from_octets(&[9; 16]).unwrap())[0].clone();
    let (_, headers, body) = ocsp.post(request(&[never], &[])).await;
    assert_eq!((Said::read(&body), headers[CACHE_CONTROL].as_bytes()), (Said::revoked(6), &b"no-store"[..]));
    assert!(body.windows(15).any(|octets| octets == b"19700101000000Z"));
    assert_eq!(ocsp.said().await, Said::good());
}

#[tokio::test]
async fn what_nobody_has_imported_is_called_good_where_that_is_declared() {
    let ocsp = Ocsp::new(OcspOptions { unissued: Unissued::Good, ..OPTIONS }).await;
    let serial = Serial::from_octets(&[9; 16]).unwrap();
    let never = ocsp.hashes.cert_ids(&serial)[0].clone();
    let ask = async || {
        let (_, headers, body) = ocsp.post(request(std::slice::from_ref(&never), &[])).await;
        (Said::read(&body), headers.get(CACHE_CONTROL).cloned())
    };
    let (said, cached) = ask().await;
    assert_eq!((said, cached.unwrap().as_bytes()), (Said::good(), &b"no-store"[..]), "nobody keeps what is only supposed");
    // Once a CRL has named it, that counts.
    let at = ocsp.ca.core.clock.now();
    let status = CertificateStatus::Revoked(Revocation::new(at, RevocationReason::KeyCompromise));
    let not_after = at.after(DAY);
    let listed = ListedCertificate { authority: ocsp.record().await.authority, serial, not_after, status };
    let event = Event { at, kind: EventKind::CertificateRevoked, actor: String::new(), details: Vec::new() };
    ocsp.ca.ledger.import_entries(vec![(listed, event)]).await.unwrap();
    assert_eq!(ask().await.0, Said::revoked(1));
    assert_eq!(ocsp.said().await, Said::good());
}

#[tokio::test]
async fn nothing_is_told_of_what_says_so_or_is_long_over() {
    let without = Ocsp::for_profile(OPTIONS, Profile { no_rev_avail: true, ..profile() }).await;
    assert_eq!(without.said().await, Said::Error(6));
    let ocsp = Ocsp::new(OPTIONS).await;
    let end = ocsp.record().await.validity.not_after;
    let until = |time: Timestamp| Duration::from_millis(time.millis() - ocsp.ca.core.clock.now().millis());
    ocsp.ca.clock.advance(until(end.after(29 * DAY)));
    let (_, _, body) = ocsp.post(request(&[ocsp.cert_id()], &[])).await;
    assert_eq!(Said::read(&body), Said::good());
    let cutoff = [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 6];
    assert!(body.windows(cutoff.len()).any(|octets| octets == cutoff), "archiveCutoff");
    ocsp.ca.clock.advance(2 * DAY);
    assert_eq!(ocsp.said().await, Said::Error(6));
}

#[tokio::test]
async fn what_a_get_brings_can_be_kept_by_others() {
    let ocsp = Ocsp::new(OPTIONS).await;
    let path = format!("/{}", Base64::encode_string(&request(&[ocsp.cert_id()], &[])));
    let (status, headers, body) = ocsp.get(&path, &[]).await;
    assert_eq!((status, headers[CONTENT_TYPE].as_bytes()), (StatusCode::OK, OCSP_RESPONSE.as_bytes()));
    assert_eq!(headers[CACHE_CONTROL], "max-age=21599,public,no-transform,must-revalidate");
    assert_eq!(headers[LAST_MODIFIED], "Mon, 21 Sep 2026 14:13:20 GMT");
    assert_eq!(headers[EXPIRES], "Tue, 22 Sep 2026 02:13:20 GMT");
    assert_eq!(Said::read(&body), Said::good());
    let tag = headers[ETAG].to_str().unwrap();
    let date = headers[LAST_MODIFIED].to_str().unwrap();
    let (status, _, _) = ocsp.get(&path, &[(hyper::header::IF_MODIFIED_SINCE, date)]).await;
    assert_eq!(status, StatusCode::OK, "there may be another answer of the same second");
    let (status, again, body) = ocsp.get(&path, &[(IF_NONE_MATCH, tag)]).await;
    assert_eq!((status, body.len(), &again[ETAG]), (StatusCode::NOT_MODIFIED, 0, &headers[ETAG]));
    assert_eq!((again.get(CONTENT_TYPE), &again[CACHE_CONTROL]), (None, &headers[CACHE_CONTROL]));
    // The same request by other ways of writing its path.
    for other in [path.replace('=', "%3d").replace('+', "%2B"), format!("/{path}"), path.trim_end_matches('=').to_owned()] {
        assert_eq!(ocsp.get(&other, &[]).await.2, ocsp.get(&path, &[]).await.2, "{other}");
    }
    ocsp.become_so(StatusChange::Hold).await;
    let (status, headers, _) = ocsp.get(&path, &[(IF_NONE_MATCH, tag)]).await;
    assert!(status == StatusCode::OK && headers[ETAG] != tag);
}

#[tokio::test]
async fn what_is_no_request_hears_so() {
    let ocsp = Ocsp::new(OPTIONS).await;
    for body in [&b""[..], b"garbage", &[0x30, 0], &[0x30, 0x80]] {
        let (status, headers, answer) = ocsp.post(body.to_vec()).await;
        assert_eq!((status, Said::read(&answer)), (StatusCode::OK, Said::Error(1)), "{body:02x?}");
        assert_eq!(headers[CACHE_CONTROL], "no-store");
    }
    assert_eq!(Said::read(&ocsp.get("/!!!!", &[]).await.2), Said::Error(1));
    for path in ["", "/", "//"] {
        assert_eq!(ocsp.get(path, &[]).await.0, StatusCode::BAD_REQUEST, "{path:?}");
    }
    let send = async |request: hyper::http::request::Builder, body: Vec<u8>| {
        let (status, headers, body) = ask(ocsp.exchange.clone(), request.body(Full::<Bytes>::from(body)).unwrap()).await;
        (status, headers.get(ALLOW).map(|allowed| allowed.to_str().unwrap().to_owned()), body)
    };
    let whole = request(&[ocsp.cert_id()], &[]);
    let (status, _, _) = send(Request::post("/ocsp/default").header(CONTENT_TYPE, "text/plain"), whole.clone()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let (status, _, body) = send(Request::post("/ocsp/default/"), whole.clone()).await;
    assert_eq!((status, Said::read(&body)), (StatusCode::OK, Said::good()), "some clients name no type");
    let typed = Request::post("/ocsp/default").header(CONTENT_TYPE, "Application/OCSP-Request; charset=binary");
    assert_eq!(send(typed, whole.clone()).await.0, StatusCode::OK);
    let (status, allowed, _) = send(Request::put("/ocsp/default"), whole.clone()).await;
    assert_eq!((status, allowed.as_deref()), (StatusCode::METHOD_NOT_ALLOWED, Some("GET, HEAD, POST")));
    for path in ["/ocsp/other", "/ocsp/", "/ocsp/default/abc"] {
        assert_eq!(send(Request::post(path).header(CONTENT_TYPE, OCSP_REQUEST), whole.clone()).await.0, StatusCode::NOT_FOUND);
    }
    let large = Request::post("/ocsp/default").header(CONTENT_TYPE, OCSP_REQUEST);
    assert_eq!(send(large, vec![0x30; 5000]).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn strict_reading_takes_what_the_rfc_has() {
    let ocsp = Ocsp::new(OcspOptions { reading: Reading::Strict, ..OPTIONS }).await;
    let path = format!("/{}", Base64::encode_string(&request(&[ocsp.cert_id()], &[])));
    assert_eq!(Said::read(&ocsp.get(&path, &[]).await.2), Said::good());
    let unpadded = path.trim_end_matches('=');
    if unpadded != path {
        assert_eq!(Said::read(&ocsp.get(unpadded, &[]).await.2), Said::Error(1));
    }
    let untyped = Request::post("/ocsp/default").body(Full::<Bytes>::from(request(&[ocsp.cert_id()], &[]))).unwrap();
    assert_eq!(ask(ocsp.exchange.clone(), untyped).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn revocations_and_their_times_agree_with_the_ledger() {
    let ocsp = Ocsp::new(OPTIONS).await;
    for (reason, code) in RevocationReason::ALL.map(|reason| (reason, reason.code())) {
        let ocsp = Ocsp::new(OPTIONS).await;
        ocsp.become_so(StatusChange::Revoke(reason, None)).await;
        let expected = Said::Statuses(vec![0xa1], (code != 0).then_some(code));
        assert_eq!(ocsp.said().await, expected, "{reason:?}");
    }
    ocsp.ca.clock.advance(Duration::from_millis(1_500));
    ocsp.become_so(StatusChange::Revoke(RevocationReason::Superseded, None)).await;
    let CertificateStatus::Revoked(Revocation { at, .. }) = ocsp.record().await.status else { panic!("it is revoked") };
    assert_eq!(at.to_string(), "2026-09-21T14:13:21Z");
    let (_, _, body) = ocsp.post(request(&[ocsp.cert_id()], &[])).await;
    let times = body.windows(15).filter(|octets| *octets == b"20260921141321Z").count();
    assert_eq!(times, 3, "revocationTime, thisUpdate and producedAt");
}
