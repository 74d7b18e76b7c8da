//! Passwords, certificates, and requests that are bound to their session.

use super::*;

const SESSION: ChannelBinding = ChannelBinding::TlsUnique([5; 12]);

fn anonymous(csr: &[u8]) -> Request<Full<Bytes>> {
    let mut request = enrollment(csr);
    request.headers_mut().remove("authorization");
    request
}

#[tokio::test]
async fn a_certificate_enrolls_for_its_own_names_and_no_others() {
    let fixture = Fixture::new(&[Family::Est]).await;
    assert_eq!(fixture.ask(enrollment(&csr())).await.0, StatusCode::OK);
    let own = fixture.ca.ledger.certificates().pop().unwrap().der;
    let by = |certificate: &[u8], name: &str| {
        let csr = CsrBuilder::new(&device_key()).common_name(name).sign();
        ask(fixture.over_tls(Some(certificate), SESSION), anonymous(&csr))
    };
    assert_eq!(by(&own, "device").await.0, StatusCode::OK);
    assert_eq!(by(&own, "other").await.0, StatusCode::FORBIDDEN);
    // Where a password would do, it is asked for.
    let root = fixture.ca.authority.chain()[0].as_der().to_vec();
    for worthless in [&root[..], b"no certificate"] {
        assert_eq!(by(worthless, "device").await.0, StatusCode::UNAUTHORIZED);
        // And who sends it is judged by it alone.
        let (status, ..) = ask(fixture.over_tls(Some(worthless), SESSION), enrollment(&csr())).await;
        assert_eq!(status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_password_that_a_person_chose() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let password = zeroize::Zeroizing::new("correct horse".to_owned());
    let kept = fixture.passwords.hash(password, [1; 16]).await.unwrap().unwrap();
    fixture.ca.ledger.add(user("person", SecretHash::Argon2id(kept)), event()).await.unwrap();
    let attempt = |credentials: &str| {
        let mut request = enrollment(&CsrBuilder::new(&device_key()).common_name("person").sign());
        let header = format!("Basic {}", Base64::encode_string(credentials.as_bytes()));
        request.headers_mut().insert("authorization", header.parse().unwrap());
        fixture.ask(request)
    };
    assert_eq!(attempt("person:correct horse").await.0, StatusCode::OK);
    assert_eq!(attempt("person:correct hors").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(attempt("person:").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_credential_for_one_certificate_gives_one() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let secret = hash_generated(&*fixture.ca.core.provider.digest, "x");
    fixture.ca.ledger.add(EstUser { uses: Some(1), ..user("once", secret) }, event()).await.unwrap();
    let attempt = || {
        let mut request = enrollment(&CsrBuilder::new(&device_key()).common_name("once").sign());
        request.headers_mut().insert("authorization", "Basic b25jZTp4".parse().unwrap());
        request
    };
    assert_eq!(fixture.ask(attempt()).await.0, StatusCode::OK);
    let (status, _, body) = fixture.ask(attempt()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(String::from_utf8(body).unwrap().contains("used up"));
}

#[tokio::test]
async fn what_is_bound_to_a_session_comes_over_that_session() {
    let fixture = Fixture::new(&[Family::Est]).await;
    let bound = |octets: &[u8]| {
        CsrBuilder::new(&device_key()).common_name("device").challenge_password(&Base64::encode_string(octets)).sign()
    };
    let over = |csr: Vec<u8>| ask(fixture.over_tls(None, SESSION), enrollment(&csr));
    assert_eq!(over(bound(&[5; 12])).await.0, StatusCode::OK);
    for wrong in [&[6; 12][..], &[5; 32], b""] {
        assert_eq!(over(bound(wrong)).await.0, StatusCode::BAD_REQUEST);
    }
    assert_eq!(fixture.ask(enrollment(&bound(&[5; 12]))).await.0, StatusCode::BAD_REQUEST, "no session to be bound to");
}

#[tokio::test]
async fn a_forged_certificate_is_nobodys() {
    let fixture = Fixture::new(&[Family::Est]).await;
    assert_eq!(fixture.ask(enrollment(&csr())).await.0, StatusCode::OK);
    let mut forged = fixture.ca.ledger.certificates().pop().unwrap().der;
    // The last octet of the signature: everything else is as it was issued.
    *forged.last_mut().unwrap() ^= 1;
    let (status, ..) = ask(fixture.over_tls(Some(&forged), SESSION), anonymous(&csr())).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}
