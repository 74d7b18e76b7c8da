//! An authority without cryptography, and what it may issue.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use certgate_ca_backend_api::{BackendError, CaBackend, Locality, Order, SignedCertificate};
pub use certgate_enrollment::Authority;
use certgate_enrollment::{Authorized, Clock, Core, Issued, Publication};
use certgate_pki::{Certificate, ExtendedKeyUsage, NameAttributeType, SignatureAlgorithm, Template, Timestamp};
use certgate_policy::{AllowedKey, Approval, ChangeSubject, Profile, Rekey, SanKind};

use crate::ledger::{NoCrls, NoEnrollments, Records};

/// Made by openssl: `root-p256.der` of the fixtures of certgate-pki.
const ROOT: &[u8] = include_bytes!("../../protocols/pki/tests/fixtures/certificate/root-p256.der");

/// The certificate of the authority.
#[must_use]
pub fn root() -> Certificate {
    Certificate::from_der(ROOT).unwrap_or_else(|error| panic!("{error}"))
}

/// The profile `default`: all keys, both kinds of names, three attributes beside the common name, for TLS clients.
#[must_use]
pub fn profile() -> Profile {
    Profile {
        name: "default".into(),
        authority: "default".into(),
        approval: Approval::Auto,
        renewal_approval: Approval::Auto,
        validity: Duration::from_secs(90 * 86_400),
        backdate: Duration::from_secs(3600),
        key_types: AllowedKey::ALL.into(),
        subject_copy: vec![NameAttributeType::Organization, NameAttributeType::Country, NameAttributeType::SerialNumber],
        sans: vec![SanKind::Dns, SanKind::Ip],
        extended_key_usage: vec![ExtendedKeyUsage::ClientAuth],
        renew_grace: Duration::ZERO,
        rekey: Rekey::Allow,
        change_subject: ChangeSubject::Refuse,
        no_rev_avail: false,
    }
}

/// The authority `default`; `locality` says whether its work is verified.
#[must_use]
pub fn authority(locality: Locality) -> (Authority, Arc<Records>) {
    let (root, records) = (root(), Arc::new(Records::default()));
    let now = root.validity().not_before.after(Duration::from_secs(86_400));
    let core = Core {
        clock: Arc::new(StandingClock(now)),
        provider: crate::provider(),
        certificates: records.clone(),
        crls: Arc::new(NoCrls),
        enrollments: Arc::new(NoEnrollments),
        compromised_keys: Arc::default(),
    };
    let publication =
        Publication { ca_issuers: Some("http://pki.example/ca/default.cer".to_owned()), ..Publication::default() };
    let made = Authority::new(core, "default", vec![root], publication, Box::new(AnySignature(locality)));
    (made.unwrap_or_else(|error| panic!("{error}")), records)
}

/// Issues what is authorized; the one record that is made of it is what was issued.
#[must_use]
pub fn issue(authority: &Authority, records: &Records, authorized: Authorized) -> Issued {
    let issued = match ready(authority.issue(authorized)) {
        Ok(issued) => (*issued).clone(),
        Err(error) => panic!("what is authorized is issued: {error}"),
    };
    let [record] = &records.take()[..] else { panic!("issued once, recorded once") };
    assert_eq!((&record.der, &record.serial), (&issued.der, &issued.serial));
    issued
}

/// Nothing here waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("there is nothing to wait for"),
    }
}

/// Signs with something that is no signature.
struct AnySignature(Locality);

#[async_trait]
impl CaBackend for AnySignature {
    fn name(&self) -> &'static str {
        "test"
    }

    fn locality(&self) -> Locality {
        self.0
    }

    async fn sign(&self, order: Order) -> Result<SignedCertificate, BackendError> {
        let algorithm = SignatureAlgorithm::EcdsaSha256;
        Ok(SignedCertificate(Template::assemble(&order.template.to_be_signed(algorithm), algorithm, b"no signature")))
    }
}

struct StandingClock(Timestamp);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
