//! What is issued and recorded.

use std::time::Duration;

use certgate_enrollment::{
    AuditTrail, Authority, CertificateRecord, CertificateStatus, Certificates, Clock, Core, EventKind, InternalPurpose,
    InternalRequest, Issued, Protocol, Publication, Recorded,
};
use certgate_pki::{Certificate, Csr, DigestAlgorithm, DnsName, GeneralName, KeyIdentifier, Name, Serial, Timestamp, Validity};
use certgate_policy::Profile;
use certgate_testkit::{CaFixture, CsrBuilder, KeyBackend, NOW, ca_key, device_key, profile, rsa_device_key};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn csr() -> Csr {
    CsrBuilder::new(&device_key()).common_name("device-1").dns("device-1.fleet.example").csr()
}

fn sha256(ca: &CaFixture, data: &[u8]) -> [u8; 32] {
    ca.core.provider.digest.digest(DigestAlgorithm::Sha256, data).try_into().unwrap()
}

async fn enroll(authority: &Authority, csr: Csr) -> Recorded<Issued> {
    let request = CaFixture::request(csr, &["cn:device-*", "dns:*.fleet.example", "ip:192.0.2.0/24"]);
    authority.issue(authority.authorize(&profile(), request).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_root_signs_itself_and_is_the_chain() {
    let ca = CaFixture::founded().await;
    let [root] = ca.authority.chain() else { panic!("a root is its own chain") };
    assert!(root.verify_signed_by(ca_key().public_key(), &ca.core.provider).is_ok());
    assert_eq!((root.subject(), root.issuer()), (&name("CN=Testkit Root"), &name("CN=Testkit Root")));
    assert_eq!(root.public_key(), ca_key().public_key());
    assert_eq!(root.validity().not_before, NOW.before(HOUR), "for devices whose clocks are slow");
    let records = ca.ledger.certificates();
    assert_eq!((records.len(), records[0].der.as_slice()), (1, root.as_der()));
    assert_eq!((records[0].profile.as_str(), records[0].protocol), ("certgate:root-ca", Protocol::Internal));
    assert_eq!(ca.ledger.events()[0].kind, EventKind::CertificateIssued);
}

#[tokio::test]
async fn an_issuing_ca_below_a_root_is_an_authority() {
    let ca = CaFixture::founded().await;
    let key = rsa_device_key();
    let request = InternalRequest {
        purpose: InternalPurpose::IssuingCa,
        subject: name("CN=Issuing"),
        public_key: key.public_key().clone(),
        lifetime: 100 * 365 * DAY,
    };
    let issued = ca.authority.issue(ca.authority.authorize_internal(request).unwrap()).await.unwrap();
    let certificate = issued.certificate().unwrap();
    let root = &ca.authority.chain()[0];
    assert_eq!(certificate.validity(), root.validity(), "clamped to the root's");
    assert!(certificate.verify_signed_by(root.public_key(), &ca.core.provider).is_ok());

    let backend = Box::new(KeyBackend::new(key.clone()));
    let publication =
        Publication { ca_issuers: Some("http://pki.example/ca/default.cer".to_owned()), ..Publication::default() };
    let chain = vec![certificate.clone(), root.clone()];
    let issuing = Authority::new(ca.core.clone(), "default", chain, publication, backend).unwrap();
    let leaf = enroll(&issuing, csr()).await.certificate().unwrap();
    assert!(leaf.verify_signed_by(key.public_key(), &ca.core.provider).is_ok());
    assert_eq!(leaf.issuer().as_der(), certificate.subject().as_der());
    let authority_key = KeyIdentifier::of(key.public_key(), &ca.core.provider);
    let value = |oid| leaf.extensions().value_of(certgate_pki::ObjectIdentifier::new_unwrap(oid)).unwrap().to_vec();
    assert!(value("2.5.29.35").ends_with(authority_key.as_octets()), "authorityKeyIdentifier");
    assert!(value("1.3.6.1.5.5.7.1.1").ends_with(b"http://pki.example/ca/default.cer"), "authorityInfoAccess");
}

#[tokio::test]
async fn a_certificate_for_certgates_own_tls() {
    let ca = CaFixture::founded().await;
    ca.clock.advance(DAY);
    let names = vec![GeneralName::Dns(DnsName::parse("localhost").unwrap()), GeneralName::Ip([127, 0, 0, 1].into())];
    let request = InternalRequest {
        purpose: InternalPurpose::TlsServer(names.clone()),
        subject: name("CN=localhost"),
        public_key: device_key().public_key().clone(),
        lifetime: 90 * DAY,
    };
    let issued = ca.authority.issue(ca.authority.authorize_internal(request).unwrap()).await.unwrap();
    let certificate = issued.certificate().unwrap();
    assert_eq!(certificate.extensions().subject_alt_names().unwrap(), names);
    let now = NOW.after(DAY);
    let validity = Validity { not_before: now.before(HOUR), not_after: now.after(90 * DAY).before(SECOND) };
    assert_eq!(certificate.validity(), validity);
    assert_eq!(ca.ledger.find(&issued.serial).await.unwrap().unwrap().profile, "certgate:tls-server");
}

#[tokio::test]
async fn an_enrollment_is_recorded_as_it_was_issued() {
    let ca = CaFixture::founded().await;
    ca.clock.advance(Duration::from_millis(DAY.as_secs() * 1000 + 123));
    let issued = enroll(&ca.authority, csr()).await;
    let certificate = issued.certificate().unwrap();
    let now = NOW.after(DAY);
    let validity = Validity { not_before: now.before(HOUR), not_after: now.after(90 * DAY).before(SECOND) };
    assert_eq!(certificate.validity(), validity);
    assert_eq!(certificate.public_key(), device_key().public_key());
    let expected = CertificateRecord {
        serial: issued.serial.clone(),
        authority: "default".into(),
        profile: "default".into(),
        protocol: Protocol::Est,
        endpoint: "default".into(),
        principal: "first-device".into(),
        validity,
        shard: 0,
        no_rev_avail: false,
        issued_at: ca.clock.now(),
        status: CertificateStatus::Valid,
        asked_subject: Some(sha256(&ca, &csr().subject().as_set())),
        is_ended: false,
        der: issued.der.clone(),
    };
    assert_eq!(ca.ledger.find(&issued.serial).await.unwrap(), Some(expected));
    let event = ca.ledger.events().pop().unwrap();
    assert_eq!((event.kind, event.actor.as_str(), event.at), (EventKind::CertificateIssued, "first-device", ca.clock.now()));
    assert!(event.details.contains(&("serial", issued.serial.to_string())));
    assert_eq!(ca.ledger.head().await.unwrap().events, 3);
}

#[tokio::test]
async fn what_is_not_granted_or_not_copied_is_left_out() {
    let ca = CaFixture::founded().await;
    let organization = certgate_pki::NameAttributeType::Organization;
    let country = certgate_pki::NameAttributeType::Country;
    let asked =
        CsrBuilder::new(&device_key()).attribute(country, "DE").attribute(organization, "Example").common_name("device-1");
    let certificate = enroll(&ca.authority, asked.csr()).await.certificate().unwrap();
    assert_eq!(certificate.subject(), &name("CN=device-1,O=Example"));
    assert_eq!(certificate.extensions().subject_alt_names(), Ok(Vec::new()));
}

#[tokio::test]
async fn a_subject_may_be_empty_when_there_are_alternative_names() {
    let ca = CaFixture::founded().await;
    let csr = CsrBuilder::new(&device_key()).dns("a.fleet.example").csr();
    let certificate = enroll(&ca.authority, csr).await.certificate().unwrap();
    assert!(certificate.subject().is_empty());
    let critical = certificate.extensions().iter().find(|extension| extension.oid.to_string() == "2.5.29.17").unwrap().critical;
    assert!(critical, "RFC 5280 §4.1.2.6");
}

#[tokio::test]
async fn a_certificate_ends_with_its_issuer() {
    let ca = CaFixture::founded().await;
    let end = ca.authority.chain()[0].validity().not_after;
    ca.clock.set(end.before(DAY));
    let validity = enroll(&ca.authority, csr()).await.certificate().unwrap().validity();
    assert_eq!(validity, Validity { not_before: end.before(DAY).before(HOUR), not_after: end });
    ca.clock.set(end.after(Duration::from_millis(999)));
    assert_eq!(enroll(&ca.authority, csr()).await.certificate().unwrap().validity().not_after, end, "the last second counts");
}

#[tokio::test]
async fn a_certificate_does_not_begin_before_its_issuer() {
    let ca = CaFixture::founded().await;
    let profile = Profile { backdate: DAY, ..profile() };
    let request = CaFixture::request(csr(), &["cn:device-*", "dns:*.fleet.example"]);
    let authorized = ca.authority.authorize(&profile, request).unwrap();
    let root = ca.authority.chain()[0].validity();
    assert_eq!(authorized.template().validity.not_before, root.not_before, "backdating stops there");
}

#[tokio::test]
async fn serial_numbers_are_unique_and_in_order_of_time() {
    let ca = CaFixture::founded().await;
    let mut serials: Vec<Serial> = Vec::new();
    for _ in 0..50 {
        ca.clock.advance(Duration::from_millis(1));
        serials.push(enroll(&ca.authority, csr()).await.serial.clone());
    }
    assert!(serials.windows(2).all(|pair| pair[0] < pair[1]), "ordered");
    assert!(serials.iter().all(|serial| serial.as_octets().len() == 16 && serial.as_octets()[0] & 0x80 == 0));
    let same_moment: std::collections::HashSet<Serial> =
        [enroll(&ca.authority, csr()).await.serial.clone(), enroll(&ca.authority, csr()).await.serial.clone()].into();
    assert_eq!(same_moment.len(), 2);
}

#[tokio::test]
async fn a_chain_that_is_none_makes_no_authority() {
    let ca = CaFixture::founded().await;
    let other = Core { certificates: ca.ledger.clone(), ..ca.core.clone() };
    let make = |chain: Vec<Certificate>| {
        Authority::new(other.clone(), "default", chain, Publication::default(), Box::new(KeyBackend::new(ca_key()))).map(|_| ())
    };
    assert_eq!(make(Vec::new()), Err(certgate_enrollment::AuthorityError::NoCertificate));
    let root = ca.authority.chain()[0].clone();
    let request = InternalRequest {
        purpose: InternalPurpose::IssuingCa,
        subject: "CN=Issuing".parse().unwrap(),
        public_key: device_key().public_key().clone(),
        lifetime: Duration::from_secs(86_400),
    };
    let authorized = ca.authority.authorize_internal(request).unwrap();
    let issuing = ca.authority.issue(authorized).await.unwrap().certificate().unwrap();
    assert!(make(vec![root.clone()]).is_ok() && make(vec![issuing.clone(), root.clone()]).is_ok());
    for broken in [vec![issuing.clone()], vec![root.clone(), issuing.clone()], vec![issuing.clone(), issuing, root.clone()]] {
        assert!(matches!(make(broken), Err(certgate_enrollment::AuthorityError::BrokenChain(_))));
    }
    let leaf = enroll(&ca.authority, csr()).await.certificate().unwrap();
    assert!(matches!(make(vec![leaf, root]), Err(certgate_enrollment::AuthorityError::NotACa(_))));
}

#[test]
fn now_is_a_whole_second() {
    assert_eq!(NOW, Timestamp::floor_to_second(NOW), "the tests above add to it");
}
