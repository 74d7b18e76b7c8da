//! What the tests of approval and renewal share.

use std::time::Duration;

use certgate_enrollment::{
    CertificateRecord, Certificates, EnrollError, EnrollRequest, EnrollmentRecord, Enrollments, EstUser, EstUsers, Event,
    EventKind, Issued, Outcome, Pending, Proof, Recorded, Renewal, SecretHash,
};
use certgate_pki::{Certificate, Csr, Serial};
use certgate_policy::{Approval, NamePattern, Profile};
use certgate_testkit::{CREDENTIAL, CaFixture, CsrBuilder, NOW, device_key, profile};

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
    request.principal.proof = Proof::Certificate(old.serial.clone());
    request.renews = Some(Box::new(Renewal { certificate, asked_subject: old.asked_subject, may_omit_names: false }));
    request
}

/// The request for a new certificate that a certificate authenticates, which grants the names in it.
pub(crate) fn by_certificate(old: &CertificateRecord, csr: Csr) -> EnrollRequest {
    EnrollRequest { renews: None, ..renewal(old, csr) }
}

/// Of the id that [`request`] asks with, at `default`.
pub(crate) fn credential(name: &str) -> EstUser {
    EstUser {
        name: name.into(),
        endpoint: "default".into(),
        secret: SecretHash::Sha256([0; 32]),
        allow: Vec::new(),
        created_at: NOW,
        expires_at: None,
        uses: None,
        id: CREDENTIAL,
    }
}

/// Adds a credential, or puts it in the place of another.
pub(crate) async fn set_credential(ca: &CaFixture, user: EstUser) {
    if !ca.ledger.replace(user.clone(), event(EventKind::EstUserReplaced)).await.unwrap() {
        ca.ledger.add(user, event(EventKind::EstUserAdded)).await.unwrap();
    }
}

pub(crate) fn event(kind: EventKind) -> Event {
    Event { at: NOW, kind, actor: "operator".into(), details: Vec::new() }
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
