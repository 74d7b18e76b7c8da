//! Requests that a person has to approve (RFC 7030 §4.2.3).

use certgate_enrollment::{EnrollmentQuery, EnrollmentRecord, Enrollments};
use certgate_policy::Approval;

use super::*;

async fn fixture() -> (Fixture, Profile) {
    let profile = Profile { approval: Approval::Manual, renewal_approval: Approval::Auto, ..profile() };
    (Fixture::issuing_by(&[Family::Est], profile.clone()).await, profile)
}

async fn waiting(fixture: &Fixture) -> Vec<EnrollmentRecord> {
    let all = EnrollmentQuery { state: None, limit: 10, cursor: None };
    fixture.ca.ledger.list_enrollments(all).await.unwrap().items
}

#[tokio::test]
async fn it_is_waited_for_approved_and_served_again() {
    let (fixture, profile) = fixture().await;
    let csr = csr();
    for minute in 0..3 {
        let (status, headers, body) = fixture.ask(enrollment(&csr)).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        let wait: u64 = headers[RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((60..=75).contains(&wait), "minute {minute}: {wait}");
        assert!(String::from_utf8(body).unwrap().contains("waiting for approval"));
        fixture.ca.clock.advance(std::time::Duration::from_secs(60));
    }
    let [enrollment_record] = &waiting(&fixture).await[..] else { panic!("one request, one enrollment") };
    let authority = fixture.ca.over(KeyBackend::new(ca_key()));
    let issued = authority.approve(&profile, enrollment_record.clone(), "operator").await.unwrap();
    for _ in 0..2 {
        let (status, _, body) = fixture.ask(enrollment(&csr)).await;
        assert_eq!(status, StatusCode::OK);
        let expected = certgate_pki::cms::certs_only(&[&issued.der]);
        assert_eq!(Base64::decode_vec(std::str::from_utf8(&body).unwrap()).unwrap(), expected);
    }
    assert_eq!(fixture.ca.ledger.certificates().len(), 2, "the root and this one");
}

#[tokio::test]
async fn a_denial_says_why() {
    let (fixture, _) = fixture().await;
    assert_eq!(fixture.ask(enrollment(&csr())).await.0, StatusCode::ACCEPTED);
    let waiting = waiting(&fixture).await;
    fixture.ca.authority.deny(&waiting[0], "never heard of it", "operator").await.unwrap();
    let (status, _, body) = fixture.ask(enrollment(&csr())).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(String::from_utf8(body).unwrap().contains("never heard of it"));
}

#[tokio::test]
async fn what_policy_refuses_does_not_wait() {
    let (fixture, _) = fixture().await;
    let foreign = CsrBuilder::new(&device_key()).common_name("somebody else").sign();
    assert_eq!(fixture.ask(enrollment(&foreign)).await.0, StatusCode::FORBIDDEN);
    assert!(waiting(&fixture).await.is_empty());
}

#[tokio::test]
async fn a_renewal_may_go_without_a_person() {
    let (fixture, profile) = fixture().await;
    assert_eq!(fixture.ask(enrollment(&csr())).await.0, StatusCode::ACCEPTED);
    let authority = fixture.ca.over(KeyBackend::new(ca_key()));
    let issued = authority.approve(&profile, waiting(&fixture).await.remove(0), "operator").await.unwrap();
    let mut renewal = enrollment(&csr());
    *renewal.uri_mut() = "/.well-known/est/simplereenroll".parse().unwrap();
    let over = fixture.over_tls(Some(&issued.der), ChannelBinding::TlsUnique([1; 12]));
    assert_eq!(ask(over, renewal).await.0, StatusCode::OK);
}
