//! Invariant 8: what comes back from a CA elsewhere is verified before anyone sees it.

use std::time::Duration;

use certgate_enrollment::{Authority, EnrollError, LedgerError, Publication};
use certgate_pki::{Extension, KeyUsage, Serial, Template, Timestamp};
use certgate_testkit::{CaFixture, CsrBuilder, KeyBackend, NOW, ca_key, device_key, profile, rsa_device_key};

async fn enroll(authority: &Authority) -> Result<Vec<u8>, EnrollError> {
    let csr = CsrBuilder::new(&device_key()).common_name("device-1").csr();
    let authorized = authority.authorize(&profile(), CaFixture::request(csr, &["cn:device-1"]))?;
    authority.issue(authorized).await.map(|issued| issued.der.clone())
}

async fn assert_caught(ca: &CaFixture, backend: KeyBackend, what: &'static str) {
    assert_eq!(enroll(&ca.over(backend)).await, Err(EnrollError::NotAsOrdered(what)));
    assert_eq!(ca.ledger.certificates().len(), 1, "{what}: nothing was recorded");
}

#[tokio::test]
async fn an_honest_one_is_believed() {
    let ca = CaFixture::founded().await;
    assert!(enroll(&ca.over(KeyBackend::elsewhere(ca_key()))).await.is_ok());
}

#[tokio::test]
async fn an_honest_one_founds_a_root() {
    let ca = CaFixture::founded().await;
    for (key, good) in [(ca_key(), true), (device_key(), false)] {
        for backend in [KeyBackend::elsewhere(key.clone()), KeyBackend::new(key.clone())] {
            let (subject, public_key) = ("CN=Remote Root".parse().unwrap(), ca_key().public_key().clone());
            let lifetime = Duration::from_secs(86_400);
            let founded = Authority::found(ca.core.clone(), "remote", subject, public_key, lifetime, Box::new(backend)).await;
            let expected = if good { Ok(()) } else { Err(EnrollError::NotAsOrdered("a signature that does not verify")) };
            assert_eq!(founded.map(|_| ()), expected);
        }
    }
    assert_eq!(ca.ledger.certificates().len(), 3, "the fixture's root, and the two good ones");
}

#[tokio::test]
async fn every_field_that_is_not_as_ordered_is_caught() {
    type Change = fn(&mut Template);
    let ca = CaFixture::founded().await;
    let changes: [(&'static str, Change); 12] = [
        ("another public key", |template| template.public_key = rsa_device_key().public_key().clone()),
        ("another subject", |template| template.subject = "CN=device-2".parse().unwrap()),
        ("another subject", |template| template.subject = "CN=device-1,O=Example".parse().unwrap()),
        ("another issuer", |template| template.issuer = "CN=Testkit root".parse().unwrap()),
        ("another serial number", |template| template.serial = Serial::from_parts(NOW, [0; 10])),
        ("another validity", |template| template.validity.not_before = template.validity.not_before.before(SECOND)),
        ("another validity", |template| template.validity.not_after = template.validity.not_after.after(SECOND)),
        ("another validity", |template| template.validity.not_after = Timestamp::NO_EXPIRATION),
        ("other extensions", |template| drop(template.extensions.pop())),
        ("other extensions", |template| template.extensions.swap(0, 1)),
        ("other extensions", |template| template.extensions[0] = Extension::basic_constraints_ca(None)),
        ("other extensions", |template| {
            template.extensions[1].critical = false;
            template.extensions.push(Extension::key_usage(KeyUsage::KEY_CERT_SIGN));
            template.extensions.remove(1);
        }),
    ];
    for (what, change) in changes {
        let backend = KeyBackend::elsewhere(ca_key()).altering(move |mut template| {
            change(&mut template);
            template
        });
        assert_caught(&ca, backend, what).await;
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_signature_that_is_not_the_authoritys_is_caught() {
    let ca = CaFixture::founded().await;
    let what = "a signature that does not verify";
    for key in [device_key(), rsa_device_key()] {
        assert_caught(&ca, KeyBackend::elsewhere(key), what).await;
    }
    let flipped = KeyBackend::elsewhere(ca_key()).spoiling(|mut der| {
        der.last_mut().into_iter().for_each(|octet| *octet ^= 1);
        der
    });
    assert_caught(&ca, flipped, what).await;
}

#[tokio::test]
async fn what_is_no_certificate_is_caught() {
    let ca = CaFixture::founded().await;
    assert_caught(&ca, KeyBackend::elsewhere(ca_key()).spoiling(|_| Vec::new()), "Certificate").await;
    let longer = |der: Vec<u8>| [der, vec![0]].concat();
    assert_caught(&ca, KeyBackend::elsewhere(ca_key()).spoiling(longer), "Certificate").await;
    let huge = |_| vec![0x30; 1_000_000];
    assert_caught(&ca, KeyBackend::elsewhere(ca_key()).spoiling(huge), "too large").await;
}

/// A certificate of before is not a new one.
#[tokio::test]
async fn an_old_answer_is_caught() {
    let ca = CaFixture::founded().await;
    let old = enroll(&ca.authority).await.unwrap();
    let replay = ca.over(KeyBackend::elsewhere(ca_key()).spoiling(move |_| old.clone()));
    assert_eq!(enroll(&replay).await, Err(EnrollError::NotAsOrdered("another serial number")));
}

/// A back end in process is trusted; a serial number that is taken is still not recorded twice.
#[tokio::test]
async fn a_serial_number_is_not_recorded_twice() {
    let ca = CaFixture::founded().await;
    let mut same = ca.core.clone();
    same.provider.random = std::sync::Arc::new(Zeros);
    let authority = |core| {
        Authority::new(
            core,
            "default",
            ca.authority.chain().to_vec(),
            Publication::default(),
            Box::new(KeyBackend::new(ca_key())),
        )
    };
    let authority = authority(same).unwrap();
    assert!(enroll(&authority).await.is_ok());
    assert!(matches!(enroll(&authority).await, Err(EnrollError::Ledger(LedgerError::Conflict(_)))));
}

/// A source of randomness that is broken.
#[derive(Debug)]
struct Zeros;

impl certgate_pki::Random for Zeros {
    fn fill(&self, octets: &mut [u8]) -> Result<(), certgate_pki::CryptoError> {
        octets.fill(0);
        Ok(())
    }
}
