//! /simplereenroll (RFC 7030 §4.2.2).

use certgate_enrollment::Clock;

use super::*;

const REENROLL: &str = "/.well-known/est/simplereenroll";
const SESSION: ChannelBinding = ChannelBinding::TlsExporter([9; 32]);

fn renewal(csr: &[u8]) -> Request<Full<Bytes>> {
    let request = Request::post(REENROLL).header("content-type", "application/pkcs10");
    request.body(Full::from(Base64::encode_string(csr))).unwrap()
}

/// The certificate of a first enrollment, DER.
async fn first(fixture: &Fixture) -> Vec<u8> {
    assert_eq!(fixture.ask(enrollment(&csr())).await.0, StatusCode::OK);
    fixture.ca.ledger.certificates().pop().unwrap().der
}

async fn renew(fixture: &Fixture, certificate: &[u8]) -> StatusCode {
    ask(fixture.over_tls(Some(certificate), SESSION), renewal(&csr())).await.0
}

#[tokio::test]
async fn a_certificate_renews_itself() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let old = first(&fixture).await;
    assert_eq!(renew(&fixture, &old).await, StatusCode::OK);
    let renewed = fixture.ca.ledger.certificates().pop().unwrap();
    assert_eq!((renewed.principal.as_str(), renewed.profile.as_str()), ("device", "default"));
    assert_ne!(renewed.der, old);
    let issued = fixture.ca.ledger.events().pop().unwrap();
    assert!(issued.details.iter().any(|(key, _)| *key == "renews"), "{issued:?}");
}

#[tokio::test]
async fn a_password_renews_nothing() {
    let fixture = Fixture::new(&[Family::Est]).await;
    first(&fixture).await;
    let mut request = renewal(&csr());
    request.headers_mut().insert("authorization", AUTHORIZATION.parse().unwrap());
    let (status, _, body) = fixture.ask(request).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(String::from_utf8(body).unwrap().contains("client certificate"));
}

#[tokio::test]
async fn a_certificate_that_ended_renews_nothing() {
    use certgate_enrollment::{Certificates, RevocationReason, StatusChange, change_status};
    let fixture = Fixture::new(&[Family::Est]).await;
    let ledger = &*fixture.ca.ledger;
    let certificate = first(&fixture).await;
    let record = || async { ledger.find(&ledger.certificates()[1].serial).await.unwrap().unwrap() };
    change_status(ledger, &record().await, StatusChange::Hold, NOW, "operator").await.unwrap();
    assert_eq!(renew(&fixture, &certificate).await, StatusCode::FORBIDDEN);
    change_status(ledger, &record().await, StatusChange::Release, NOW, "operator").await.unwrap();
    assert_eq!(renew(&fixture, &certificate).await, StatusCode::OK);
    let revoke = StatusChange::Revoke(RevocationReason::KeyCompromise, None);
    change_status(ledger, &record().await, revoke, NOW, "operator").await.unwrap();
    assert_eq!(renew(&fixture, &certificate).await, StatusCode::FORBIDDEN);
    let renewed = ledger.certificates().pop().unwrap().der;
    assert_eq!(renew(&fixture, &renewed).await, StatusCode::OK, "the one in its place is another");
    fixture.ca.clock.advance(std::time::Duration::from_secs(1));
    let event = Event { at: fixture.ca.clock.now(), kind: EventKind::EstUserRemoved, ..event() };
    ledger.remove("device", event).await.unwrap();
    assert_eq!(renew(&fixture, &renewed).await, StatusCode::FORBIDDEN, "the principal was removed");
}

/// As one that the authority has signed before it came here.
async fn imported(profile: &str) -> (Fixture, StatusCode) {
    use certgate_enrollment::{CertificateImported, History, IMPORTED_PRINCIPAL, Protocol};
    let (elsewhere, fixture) = (Fixture::new(&[Family::Est]).await, Fixture::new(&[Family::Est]).await);
    let old = first(&elsewhere).await;
    assert_eq!(renew(&fixture, &old).await, StatusCode::FORBIDDEN, "the ledger does not know it");
    let record = elsewhere.ca.ledger.certificates().pop().unwrap();
    let record = certgate_enrollment::CertificateRecord {
        profile: profile.into(),
        protocol: Protocol::Imported,
        endpoint: String::new(),
        principal: IMPORTED_PRINCIPAL.into(),
        ..record
    };
    let event = Event { kind: EventKind::CertificateImported, ..event() };
    let came = fixture.ca.ledger.import_certificates(vec![(record, event)]).await;
    assert_eq!(came, Ok(vec![CertificateImported::Recorded]));
    // Both draw the same random numbers: at another time, serial numbers are others.
    fixture.ca.clock.advance(std::time::Duration::from_secs(1));
    let status = renew(&fixture, &old).await;
    (fixture, status)
}

#[tokio::test]
async fn a_certificate_that_was_imported_for_the_profile_renews_itself() {
    let (fixture, status) = imported("default").await;
    assert_eq!(status, StatusCode::OK);
    let renewed = fixture.ca.ledger.certificates().pop().unwrap();
    assert_eq!((renewed.principal.as_str(), renewed.profile.as_str()), ("imported", "default"));
    assert_eq!(renewed.protocol, certgate_enrollment::Protocol::Est);
    assert_eq!(renew(&fixture, &renewed.der).await, StatusCode::OK, "and so does what came of it");
}

#[tokio::test]
async fn a_certificate_that_was_imported_for_no_profile_authenticates_nobody() {
    assert_eq!(imported(certgate_enrollment::IMPORTED).await.1, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn omitted_names_are_kept_and_counted() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let named = CsrBuilder::new(&device_key()).common_name("device").dns("device").sign();
    assert_eq!(fixture.ask(enrollment(&named)).await.0, StatusCode::OK);
    let old = fixture.ca.ledger.certificates().pop().unwrap().der;
    assert_eq!(renew(&fixture, &old).await, StatusCode::OK);
    let renewed = fixture.ca.ledger.certificates().pop().unwrap();
    let names = |der: &[u8]| certgate_pki::Certificate::from_der(der).unwrap().extensions().subject_alt_names().unwrap();
    assert_eq!(names(&renewed.der), names(&old));
    let metrics = fixture.exchange.app.ops.metrics.encode();
    assert!(metrics.contains("lenience=\"omitted-names\"} 1"), "{metrics}");
}

#[tokio::test]
async fn other_names_need_a_credential_that_grants_them() {
    let profile = Profile { change_subject: certgate_policy::ChangeSubject::Honour, ..profile() };
    let fixture = Fixture::issuing_by(&[Family::Est], profile).await;
    let old = first(&fixture).await;
    let renamed = |name: &str| {
        let subject: certgate_pki::Name = format!("CN={name}").parse().unwrap();
        CsrBuilder::new(&device_key()).common_name("device").change_subject_name(Some(subject), None).sign()
    };
    let attempt = |csr: Vec<u8>| ask(fixture.over_tls(Some(&old), SESSION), renewal(&csr));
    assert_eq!(attempt(renamed("router")).await.0, StatusCode::FORBIDDEN);
    let secret = hash_generated(&*fixture.ca.core.provider.digest, "x");
    let grants = vec!["cn:rout*".parse().unwrap()];
    assert_eq!(fixture.ca.ledger.replace(EstUser { allow: grants, ..user("device", secret) }, event()).await, Ok(true));
    assert_eq!(attempt(renamed("router")).await.0, StatusCode::OK);
    assert_eq!(attempt(renamed("switch")).await.0, StatusCode::FORBIDDEN);
    let grants = vec!["cn:rout*".parse().unwrap()];
    let used_up =
        EstUser { allow: grants, uses: Some(0), ..user("device", hash_generated(&*fixture.ca.core.provider.digest, "x")) };
    assert_eq!(fixture.ca.ledger.replace(used_up, event()).await, Ok(true));
    assert_eq!(attempt(renamed("router-2")).await.0, StatusCode::FORBIDDEN, "by a credential that has no use left");
}
