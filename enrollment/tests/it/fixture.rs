//! What the tests of approval and renewal share.

use std::time::Duration;

use certgate_enrollment::{
    CertificateRecord, Certificates, EnrollError, EnrollRequest, EnrollmentRecord, Enrollments, Issued, Outcome, Pending,
    Recorded, Renewal,
};
use certgate_pki::{Certificate, Csr, Serial};
use certgate_policy::{Approval, NamePattern, Profile};
use certgate_testkit::{CaFixture, CsrBuilder, device_key, profile};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// What the credential of a device grants.
pub(crate) const GRANTS: [&str; 3] = ["cn:device-*", "dns:*.fleet.example", "ip:192.0.2.0/24"];

/// [`profile`], with a person who says yes.
pub(crate) fn manual() -> Profile {
    Profile { approval: Approval::Manual, renewal_approval: Approval::Manual, ..profile() }
}

/// A request that policy grants.
pub(crate) fn builder() -> CsrBuilder {
    CsrBuilder::new(&device_key()).common_name("device-1").dns("a.fleet.example")
}

pub(crate) fn request(csr: Csr) -> EnrollRequest {
    CaFixture::request(csr, &GRANTS)
}

/// The request to renew a certificate: granted is what is in it, as when it is a client certificate that asks.
pub(crate) fn renewal(old: &CertificateRecord, csr: Csr) -> EnrollRequest {
    let certificate = Certificate::from_der(&old.der).unwrap();
    let grants = NamePattern::of_certificate(certificate.subject(), &certificate.extensions().subject_alt_names().unwrap());
    let mut request = CaFixture::request(csr, &[]);
    request.principal.grants = grants;
    request.principal.vouched_by = Some(old.serial.clone());
    request.renews = Some(Box::new(Renewal { certificate, asked_subject: old.asked_subject, may_omit_names: false }));
    request
}

/// What is recorded of a certificate.
pub(crate) async fn record_of(ca: &CaFixture, serial: &Serial) -> CertificateRecord {
    ca.ledger.find_issued("default", serial).await.unwrap().unwrap()
}

/// Enrolls by policy alone.
pub(crate) async fn issue(ca: &CaFixture, csr: Csr) -> CertificateRecord {
    let authorized = ca.authority.authorize(&profile(), request(csr)).unwrap();
    let issued = ca.authority.issue(authorized).await.unwrap();
    record_of(ca, &issued.serial).await
}

/// The enrollment that waits.
pub(crate) fn waiting(outcome: Result<Recorded<Outcome>, EnrollError>) -> Pending {
    match &*outcome.unwrap() {
        Outcome::Pending(pending) => pending.clone(),
        Outcome::Issued(issued) | Outcome::Served(issued) => panic!("{} was issued", issued.serial),
    }
}

/// The certificate that was issued.
pub(crate) fn issued(outcome: Result<Recorded<Outcome>, EnrollError>) -> Issued {
    match &*outcome.unwrap() {
        Outcome::Issued(issued) | Outcome::Served(issued) => issued.clone(),
        Outcome::Pending(pending) => panic!("{} waits", pending.id),
    }
}

/// What is recorded of an enrollment.
pub(crate) async fn enrollment(ca: &CaFixture, pending: &Pending) -> EnrollmentRecord {
    ca.ledger.find_by_id(&pending.id).await.unwrap().unwrap()
}

/// The rule that has refused.
pub(crate) fn rule<T>(outcome: Result<T, EnrollError>) -> &'static str {
    match outcome.map(drop) {
        Err(EnrollError::Refused(refusal)) => refusal.rule,
        other => panic!("{other:?}"),
    }
}
