//! What is refused, and that nothing comes of it.

use std::sync::Arc;
use std::time::Duration;

use certgate_ca_backend_api::BackendError;
use certgate_enrollment::{Authority, Blame, Core, EnrollError, InternalPurpose, InternalRequest, LedgerError};
use certgate_pki::{CryptoError, CsrError, Provider, Random};
use certgate_policy::{IssuerExpired, Profile};
use certgate_testkit::{CaFixture, CsrBuilder, FailingBackend, Fault, KeyBackend, ca_key, device_key, profile, rsa_device_key};

const GRANTS: [&str; 2] = ["cn:device-*", "dns:*.fleet.example"];

fn good() -> CsrBuilder {
    CsrBuilder::new(&device_key()).common_name("device-1")
}

async fn enroll(authority: &Authority, profile: &Profile, builder: &CsrBuilder) -> Result<(), EnrollError> {
    let request = CaFixture::request(builder.csr(), &GRANTS);
    authority.issue(authority.authorize(profile, request)?).await.map(|_| ())
}

/// Refused with this blame, and the ledger holds the root alone, and the credential.
async fn assert_refused(ca: &CaFixture, authority: &Authority, profile: &Profile, builder: &CsrBuilder) -> EnrollError {
    let error = enroll(authority, profile, builder).await.unwrap_err();
    assert_eq!((ca.ledger.certificates().len(), ca.ledger.events().len()), (1, 2), "{error}");
    error
}

#[tokio::test]
async fn without_proof_of_possession() {
    let ca = CaFixture::founded().await;
    let error = assert_refused(&ca, &ca.authority, &profile(), &good().fault(Fault::BadSignature)).await;
    assert_eq!((error.blame(), error), (Blame::Client, EnrollError::Csr(CsrError::BadSignature)));
}

#[tokio::test]
async fn without_a_grant() {
    let ca = CaFixture::founded().await;
    let empty = CaFixture::request(good().csr(), &[]);
    assert!(matches!(ca.authority.authorize(&profile(), empty), Err(EnrollError::Refused(_))));
    for builder in [good().dns("other.example"), CsrBuilder::new(&device_key()).common_name("admin"), good().ip([192, 0, 2, 1])]
    {
        let error = assert_refused(&ca, &ca.authority, &profile(), &builder).await;
        assert!(matches!(&error, EnrollError::Refused(refusal) if refusal.rule == "names"), "{error}");
    }
}

#[tokio::test]
async fn a_profile_of_another_authority() {
    let ca = CaFixture::founded().await;
    let profile = Profile { authority: "other".into(), ..profile() };
    let error = assert_refused(&ca, &ca.authority, &profile, &good()).await;
    assert_eq!(error, EnrollError::WrongAuthority { authorized: "other".into(), brought: "default".into() });
}

#[tokio::test]
async fn a_permission_of_another_authority() {
    let ca = CaFixture::founded().await;
    let core = Core { certificates: Arc::new(certgate_testkit::MemoryLedger::default()), ..ca.core.clone() };
    let subject = "CN=Other".parse().unwrap();
    let backend = Box::new(KeyBackend::new(rsa_device_key()));
    let key = rsa_device_key().public_key().clone();
    let founded = Authority::found(core, "other", subject, key, Duration::from_secs(86_400), backend).await;
    let (other, _) = founded.unwrap();
    let authorized = ca.authority.authorize(&profile(), CaFixture::request(good().csr(), &GRANTS)).unwrap();
    let error = other.issue(authorized).await.unwrap_err();
    assert_eq!(error, EnrollError::WrongAuthority { authorized: "default".into(), brought: "other".into() });
}

#[tokio::test]
async fn what_the_ledger_does_not_take_is_not_given_out() {
    let ca = CaFixture::founded().await;
    ca.ledger.fail_writes(true);
    let error = assert_refused(&ca, &ca.authority, &profile(), &good()).await;
    assert!(matches!(error, EnrollError::Ledger(LedgerError::Unavailable(_))), "{error}");
    ca.ledger.fail_writes(false);
    assert_eq!(enroll(&ca.authority, &profile(), &good()).await, Ok(()));
}

#[tokio::test]
async fn a_root_that_the_ledger_does_not_take_is_not_founded() {
    let ca = CaFixture::founded().await;
    ca.ledger.fail_writes(true);
    let (subject, backend) = ("CN=Other".parse().unwrap(), Box::new(KeyBackend::new(ca_key())));
    let key = ca_key().public_key().clone();
    let founded = Authority::found(ca.core.clone(), "other", subject, key, Duration::from_secs(1000), backend).await;
    assert!(matches!(founded.map(|_| ()), Err(EnrollError::Ledger(_))));
}

#[tokio::test]
async fn a_back_end_that_does_not_sign() {
    let ca = CaFixture::founded().await;
    let why = "the token is out".to_owned();
    for error in [BackendError::Rejected(why.clone()), BackendError::Retryable(why.clone()), BackendError::Misconfigured(why)] {
        let authority = ca.over(FailingBackend(error.clone()));
        assert_eq!(assert_refused(&ca, &authority, &profile(), &good()).await, EnrollError::Backend(error));
    }
}

#[tokio::test]
async fn an_authority_that_is_over_or_not_yet_good() {
    let ca = CaFixture::founded().await;
    let own = ca.authority.chain()[0].validity();
    for time in [own.not_after.after(Duration::from_secs(1)), own.not_before.before(Duration::from_millis(1))] {
        ca.clock.set(time);
        let error = assert_refused(&ca, &ca.authority, &profile(), &good()).await;
        assert_eq!(error, EnrollError::IssuerExpired(IssuerExpired));
        let request = InternalRequest {
            purpose: InternalPurpose::IssuingCa,
            subject: "CN=Issuing".parse().unwrap(),
            public_key: device_key().public_key().clone(),
            lifetime: Duration::from_secs(86_400),
        };
        let error = ca.authority.authorize_internal(request).unwrap_err();
        assert_eq!(error, EnrollError::IssuerExpired(IssuerExpired), "for certgate's own, too");
    }
}

/// There is none.
#[derive(Debug)]
struct NoRandom;

impl Random for NoRandom {
    fn fill(&self, _: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::Failed("the random number generator"))
    }
}

#[tokio::test]
async fn nothing_is_issued_without_randomness() {
    let mut ca = CaFixture::founded().await;
    ca.core.provider = Provider { random: Arc::new(NoRandom), ..ca.core.provider };
    let authority = ca.over(KeyBackend::new(ca_key()));
    let error = assert_refused(&ca, &authority, &profile(), &good()).await;
    assert_eq!(error, EnrollError::Crypto(CryptoError::Failed("the random number generator")));
}

/// A profile that no configuration should have: what it would make is not signed, and is nobody's fault but ours.
#[tokio::test]
async fn what_a_lint_finds_is_not_signed() {
    let ca = CaFixture::founded().await;
    let profile = Profile { validity: Duration::ZERO, backdate: Duration::ZERO, ..profile() };
    ca.clock.advance(Duration::from_secs(10));
    let error = assert_refused(&ca, &ca.authority, &profile, &good()).await;
    assert!(matches!(&error, EnrollError::Lint(failure) if failure.lint == "validity-within-issuer"), "{error}");
}
