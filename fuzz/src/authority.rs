//! An authority without cryptography, and what it may issue.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use certgate_ca_backend_api::{BackendError, CaBackend, Locality, Order, SignedCertificate};
pub use certgate_enrollment::Authority;
use certgate_enrollment::{CertificateQuery, CertificateRecord, Certificates, Clock, Core, Event, LedgerError, Page};
use certgate_pki::{Certificate, Serial, SignatureAlgorithm, Template, Timestamp};

/// Names that the requester is granted.
#[must_use]
pub const fn allowed_names() -> [&'static str; 4] {
    ["cn:device-*", "dns:*.fleet.example", "ip:192.0.2.0/24", "ip:2001:db8::/32"]
}

/// The authority `default`, with the certificate that was given; `locality` says whether its work is verified.
#[must_use]
pub fn authority(root: Certificate, locality: Locality) -> (Authority, Arc<Records>) {
    let records = Arc::new(Records::default());
    let now = root.validity().not_before.after(Duration::from_secs(86_400));
    let core = Core { clock: Arc::new(StandingClock(now)), provider: crate::provider(), certificates: records.clone() };
    let url = Some("http://pki.example/ca/default.cer".to_owned());
    let made = Authority::new(core, "default", vec![root], url, Box::new(AnySignature(locality)));
    (made.unwrap_or_else(|error| panic!("{error}")), records)
}

/// Signs with something that is no signature.
struct AnySignature(Locality);

#[async_trait]
impl CaBackend for AnySignature {
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

/// What was recorded since it was asked last.
#[derive(Debug, Default)]
pub struct Records(Mutex<Vec<CertificateRecord>>);

impl Records {
    /// Takes them.
    #[must_use]
    pub fn take(&self) -> Vec<CertificateRecord> {
        self.0.lock().map(|mut records| std::mem::take(&mut *records)).unwrap_or_default()
    }
}

#[async_trait]
impl Certificates for Records {
    async fn record(&self, certificate: CertificateRecord, _: Event) -> Result<(), LedgerError> {
        self.0.lock().map_err(|_| LedgerError::Conflict("a panic"))?.push(certificate);
        Ok(())
    }

    async fn find(&self, _: &Serial) -> Result<Option<CertificateRecord>, LedgerError> {
        Ok(None)
    }

    async fn list(&self, _: CertificateQuery) -> Result<Page<CertificateRecord>, LedgerError> {
        Ok(Page { items: Vec::new(), next: None })
    }
}
