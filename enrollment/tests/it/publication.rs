//! What certificates say of where to learn more, and CRLs that are signed and recorded.

use std::collections::BTreeMap;
use std::time::Duration;

use certgate_ca_backend_api::BackendError;
use certgate_enrollment::{
    Authority, Certificates, CrlPointers, CrlRecord, CrlScope, Crls, EnrollError, EventKind, InternalPurpose, InternalRequest,
    Publication,
};
use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{Certificate, DistributionPointName, ExtendedKeyUsage, Name, SignatureAlgorithm, Template};
use certgate_policy::Profile;
use certgate_testkit::{CaFixture, CsrBuilder, FailingBackend, KeyBackend, NOW, ca_key, device_key, profile};

const DAY: Duration = Duration::from_secs(86_400);

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn point(url: &str) -> DistributionPointName {
    DistributionPointName::from_urls([url]).unwrap()
}

fn publishing(ca: &CaFixture, crls: Vec<CrlPointers>) -> Authority {
    let publication = Publication {
        ca_issuers: Some("http://pki.example/ca/default.cer".into()),
        ocsp: Some("http://pki.example/ocsp/default".into()),
        crls,
    };
    let backend = Box::new(KeyBackend::new(ca_key()));
    Authority::new(ca.core.clone(), "default", ca.authority.chain().to_vec(), publication, backend).unwrap()
}

async fn enroll(authority: &Authority, profile: &Profile) -> Certificate {
    let csr = CsrBuilder::new(&device_key()).common_name("device-1").csr();
    let authorized = authority.authorize(profile, CaFixture::request(csr, &["cn:device-1"])).unwrap();
    authority.issue(authorized).await.unwrap().certificate().unwrap()
}

#[tokio::test]
async fn a_certificate_names_the_responder_and_the_list_that_would_have_it() {
    let ca = CaFixture::founded().await;
    let delta = point("http://pki.example/crl/default/delta.crl");
    let complete = point("http://pki.example/crl/default.crl");
    let authority = publishing(&ca, vec![CrlPointers { shard: 0, complete: complete.clone(), delta: Some(delta.clone()) }]);
    let extensions = enroll(&authority, &profile()).await.extensions().clone();
    let access = extensions.authority_info_access().unwrap();
    assert_eq!(access.ocsp, ["http://pki.example/ocsp/default"]);
    assert_eq!(access.ca_issuers, ["http://pki.example/ca/default.cer"]);
    assert_eq!(extensions.crl_distribution_points().unwrap(), [complete]);
    assert_eq!(extensions.freshest_crl().unwrap(), [delta]);
    assert!(!extensions.no_rev_avail().unwrap());
}

#[tokio::test]
async fn each_certificate_falls_to_a_shard_which_the_ledger_knows() {
    let ca = CaFixture::founded().await;
    let of =
        |shard| CrlPointers { shard, complete: point(&format!("http://pki.example/crl/default/{shard}.crl")), delta: None };
    let authority = publishing(&ca, (1..=3).map(of).collect());
    let mut counts = BTreeMap::new();
    for _ in 0..60 {
        let certificate = enroll(&authority, &profile()).await;
        let record = ca.ledger.find(certificate.serial()).await.unwrap().unwrap();
        assert_eq!(certificate.extensions().crl_distribution_points().unwrap(), [of(record.shard).complete]);
        *counts.entry(record.shard).or_insert(0) += 1;
    }
    assert_eq!(counts.keys().copied().collect::<Vec<u32>>(), [1, 2, 3]);
    assert!(counts.values().all(|count| *count > 5), "{counts:?}");
}

#[tokio::test]
async fn no_rev_avail_stands_alone() {
    let ca = CaFixture::founded().await;
    let crls = vec![CrlPointers { shard: 1, complete: point("http://pki.example/crl/default/1.crl"), delta: None }];
    let authority = publishing(&ca, crls);
    let certificate = enroll(&authority, &Profile { no_rev_avail: true, ..profile() }).await;
    let extensions = certificate.extensions();
    assert!(extensions.no_rev_avail().unwrap());
    let access = extensions.authority_info_access().unwrap();
    assert_eq!((access.ocsp.len(), access.ca_issuers.len()), (0, 1));
    assert_eq!(extensions.crl_distribution_points().unwrap(), []);
    let record = ca.ledger.find(certificate.serial()).await.unwrap().unwrap();
    assert_eq!((record.no_rev_avail, record.shard), (true, 0));
}

#[tokio::test]
async fn an_ocsp_responder_is_for_that_alone_and_need_not_be_checked() {
    let ca = CaFixture::founded().await;
    let crls = vec![CrlPointers { shard: 0, complete: point("http://pki.example/crl/default.crl"), delta: None }];
    let authority = publishing(&ca, crls);
    let request = InternalRequest {
        purpose: InternalPurpose::OcspResponder,
        subject: name("CN=Responder"),
        public_key: device_key().public_key().clone(),
        lifetime: 30 * DAY,
    };
    let issued = authority.issue(authority.authorize_internal(request).unwrap()).await.unwrap();
    let certificate = issued.certificate().unwrap();
    let extensions = certificate.extensions();
    assert_eq!(extensions.extended_key_usage().unwrap().unwrap(), [ExtendedKeyUsage::OcspSigning]);
    let no_check = extensions.iter().find(|one| one.oid.to_string() == "1.3.6.1.5.5.7.48.1.5").unwrap();
    assert_eq!((no_check.critical, no_check.value.as_slice()), (false, &[5, 0][..]));
    assert_eq!(extensions.authority_info_access().unwrap().ocsp.len(), 0, "RFC 6960 §4.2.2.2.1: nobody has to ask");
    assert_eq!(extensions.crl_distribution_points().unwrap(), []);
    assert_eq!(ca.ledger.find(&issued.serial).await.unwrap().unwrap().profile, "certgate:ocsp-responder");
}

/// What begins as a TBSCertList does.
fn list() -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        w.tlv(tag::INTEGER, &[1]);
        SignatureAlgorithm::EcdsaSha256.write(w);
        w.raw(name("CN=Testkit Root").as_der());
        NOW.write_time(w);
    });
    writer.finish()
}

#[tokio::test]
async fn crls_are_signed_and_nothing_else_is_that_way() {
    let ca = CaFixture::founded().await;
    let algorithm = ca.authority.crl_algorithm().unwrap();
    let signature = ca.authority.sign_crl(&list()).await.unwrap();
    assert!(ca.core.provider.verify.verify(ca_key().public_key(), algorithm, &list(), &signature).is_ok());
    let forged = Template {
        serial: certgate_pki::Serial::from_octets(&[1]).unwrap(),
        issuer: name("CN=Testkit Root"),
        validity: ca.authority.chain()[0].validity(),
        subject: name("CN=Mallory"),
        public_key: device_key().public_key().clone(),
        extensions: Vec::new(),
    };
    for other in [forged.to_be_signed(algorithm), Vec::new(), vec![0x30, 0]] {
        let refused = ca.authority.sign_crl(&other).await;
        assert!(matches!(refused, Err(EnrollError::Backend(BackendError::Misconfigured(_)))), "{refused:?}");
    }
    let unable = ca.over(FailingBackend(BackendError::Retryable("away".into())));
    assert_eq!(unable.crl_algorithm(), None);
    assert!(unable.sign_crl(&list()).await.is_err());
}

#[tokio::test]
async fn crls_are_recorded_before_anyone_sees_them() {
    let ca = CaFixture::founded().await;
    let scope = CrlScope { authority: "default".into(), shard: 4 };
    let record = |number, base| CrlRecord {
        scope: scope.clone(),
        number,
        base,
        this_update: NOW,
        next_update: NOW.after(DAY),
        sequence: 0,
        entries: 0,
        sha256: [9; 32],
    };
    let both = vec![record(1, None), record(1, Some(1))];
    let recorded = ca.authority.record_crls(both.clone(), "certgate").await.unwrap().unwrap();
    assert_eq!(*recorded, both);
    assert_eq!(ca.ledger.last_crl(&scope, true).await, Ok(Some(record(1, Some(1)))));
    let events = ca.ledger.events();
    let event = events.last().unwrap();
    assert_eq!((event.kind, event.actor.as_str()), (EventKind::CrlPublished, "certgate"));
    let hash = "09".repeat(32);
    let details = [("authority", "default"), ("number", "1"), ("sha256", &*hash), ("shard", "4"), ("base", "1")];
    assert_eq!(event.details, details.map(|(name, value)| (name, value.to_owned())));
    assert!(ca.authority.record_crls(vec![record(1, None)], "certgate").await.unwrap().is_none(), "it is late");
    ca.ledger.fail_writes(true);
    let failed = ca.authority.record_crls(vec![record(2, None)], "certgate").await;
    assert!(matches!(failed, Err(EnrollError::Ledger(_))));
}
