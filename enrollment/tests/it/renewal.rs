//! Re-enrollment: which names a renewed certificate has, and when it is refused.

use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{Authorized, CertificateRecord, EnrollError};
use certgate_pki::{
    Certificate, ExtendedKeyUsage, Extension, GeneralName, KeyUsage, NameAttributeType, ObjectIdentifier, SigningKey,
    StringType, Validity,
};
use certgate_policy::{AllowedKey, Profile, Rekey, SanKind};
use certgate_testkit::{CaFixture, CsrBuilder, NOW, device_key, profile, rsa_device_key};

use crate::fixture::{DAY, SECOND, issue, record_of, renewal, request, rule};

/// A CA, and a certificate of O=Example, CN=device-1 with two dNSNames and an iPAddress.
struct Issued {
    ca: CaFixture,
    old: CertificateRecord,
}

/// Who the certificate is for.
fn subject(key: &Arc<dyn SigningKey>) -> CsrBuilder {
    CsrBuilder::new(key).attribute(NameAttributeType::Organization, "Example").common_name("device-1")
}

/// The request for it.
fn asked() -> CsrBuilder {
    subject(&device_key()).dns("b.fleet.example").dns("a.fleet.example").ip([192, 0, 2, 1])
}

impl Issued {
    async fn new() -> Self {
        let ca = CaFixture::founded().await;
        let old = issue(&ca, asked().csr()).await;
        Self { ca, old }
    }

    fn certificate(&self) -> Certificate {
        Certificate::from_der(&self.old.der).unwrap()
    }

    /// Asks for its renewal.
    fn renew_by(&self, profile: &Profile, builder: &CsrBuilder) -> Result<Authorized, EnrollError> {
        self.ca.authority.authorize(profile, renewal(&self.old, builder.csr()))
    }

    fn renew(&self, builder: &CsrBuilder) -> Result<Authorized, EnrollError> {
        self.renew_by(&profile(), builder)
    }

    /// Asks for its renewal where subjectAltName may be left out.
    fn renew_compatibly(&self, builder: &CsrBuilder) -> Result<Authorized, EnrollError> {
        let mut request = renewal(&self.old, builder.csr());
        request.renews.as_mut().unwrap().may_omit_names = true;
        self.ca.authority.authorize(&profile(), request)
    }

    /// What would be signed has exactly the names of the old certificate, to the octet.
    fn assert_same_names(&self, authorized: &Authorized) {
        let (template, old) = (authorized.template(), self.certificate());
        assert_eq!(template.subject.as_der(), old.subject().as_der());
        let is_of_names = |extension: &&Extension| extension.oid.to_string() == "2.5.29.17";
        assert_eq!(template.extensions.iter().find(is_of_names), old.extensions().iter().find(is_of_names));
    }
}

#[tokio::test]
async fn the_key_stays_or_is_new() {
    let issued = Issued::new().await;
    for key in [device_key(), rsa_device_key()] {
        let builder = subject(&key).dns("b.fleet.example").dns("a.fleet.example").ip([192, 0, 2, 1]);
        let authorized = issued.renew(&builder).unwrap();
        assert_eq!(&authorized.template().public_key, key.public_key());
        issued.assert_same_names(&authorized);
    }
}

#[tokio::test]
async fn the_profile_says_whether_the_key_must_change() {
    let issued = Issued::new().await;
    let new_key = subject(&rsa_device_key()).dns("b.fleet.example").dns("a.fleet.example").ip([192, 0, 2, 1]);
    for (rekey, same, new) in [(Rekey::Allow, true, true), (Rekey::Require, false, true), (Rekey::Forbid, true, false)] {
        let profile = Profile { rekey, ..profile() };
        for (builder, is_right) in [(&asked(), same), (&new_key, new)] {
            let outcome = issued.renew_by(&profile, builder);
            assert!(is_right == outcome.is_ok() && (is_right || rule(outcome) == "rekey"), "{rekey:?}");
            assert!(issued.ca.authority.authorize(&profile, request(builder.csr())).is_ok(), "{rekey:?}: a new enrollment");
        }
    }
}

#[tokio::test]
async fn a_new_key_is_one_that_the_profile_certifies() {
    let issued = Issued::new().await;
    let profile = Profile { key_types: vec![AllowedKey::Rsa2048], ..profile() };
    assert_eq!(rule(issued.renew_by(&profile, &asked())), "key-strength", "the old key is weighed anew, too");
}

#[tokio::test]
async fn in_which_order_names_are_asked_for_says_nothing() {
    let issued = Issued::new().await;
    let named = |order: [&str; 2]| asked_in_order(&["CN", "O"], &order);
    for builder in [
        subject(&device_key()).ip([192, 0, 2, 1]).dns("a.fleet.example").dns("b.fleet.example"),
        named(["a.fleet.example", "b.fleet.example"]),
        asked().dns("A.Fleet.example"),
    ] {
        issued.assert_same_names(&issued.renew(&builder).unwrap());
    }
}

/// The same names, the subject's attributes and the dNSNames in this order.
fn asked_in_order(subject: &[&str], names: &[&str]) -> CsrBuilder {
    let mut builder = CsrBuilder::new(&device_key()).ip([192, 0, 2, 1]);
    for kind in subject {
        builder = match *kind {
            "CN" => builder.common_name("device-1"),
            _ => builder.attribute(NameAttributeType::Organization, "Example"),
        };
    }
    names.iter().fold(builder, |builder, name| builder.dns(name))
}

#[tokio::test]
async fn names_are_neither_added_nor_dropped() {
    let issued = Issued::new().await;
    for (builder, named) in [
        (asked().dns("c.fleet.example"), "the subjectAltName dns:c.fleet.example, which"),
        (asked().ip([192, 0, 2, 2]), "the subjectAltName ip:192.0.2.2, which"),
        (asked().general_name(GeneralName::Email("a@fleet.example".into())), "the subjectAltName email:a@fleet.example, which"),
        (subject(&device_key()).dns("b.fleet.example").ip([192, 0, 2, 1]), "lacks the subjectAltName dns:a.fleet.example"),
        (subject(&device_key()).dns("b.fleet.example").dns("a.fleet.example"), "lacks the subjectAltName ip:192.0.2.1"),
    ] {
        for outcome in [issued.renew(&builder), issued.renew_compatibly(&builder)] {
            match outcome {
                Err(EnrollError::Refused(refusal)) if refusal.rule == "same-names" => {
                    assert!(refusal.reason.contains(named), "{refusal}");
                }
                other => panic!("{named}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_request_without_names_keeps_them_or_is_refused_by_the_reading() {
    let issued = Issued::new().await;
    let without = subject(&device_key());
    issued.assert_same_names(&issued.renew_compatibly(&without).unwrap());
    assert_eq!(rule(issued.renew(&without)), "same-names");
}

#[tokio::test]
async fn the_subject_is_the_same_in_every_attribute() {
    let issued = Issued::new().await;
    let names = |builder: CsrBuilder| builder.dns("b.fleet.example").dns("a.fleet.example").ip([192, 0, 2, 1]);
    let empty = || CsrBuilder::new(&device_key());
    let organization = || empty().attribute(NameAttributeType::Organization, "Example");
    let printable = |kind, value| empty().attribute_as(kind, value, StringType::Printable);
    for builder in [
        organization().common_name("device-2"),
        organization().common_name("Device-1"),
        organization().common_name("device-1 "),
        organization(),
        empty().common_name("device-1"),
        empty(),
        subject(&device_key()).attribute(NameAttributeType::SerialNumber, "7"),
        subject(&device_key()).common_name("device-1"),
        empty().attribute(NameAttributeType::Organization, "Other").common_name("device-1"),
        organization().attribute_as(NameAttributeType::CommonName, "device-1", StringType::Printable),
        organization().attribute_as(NameAttributeType::CommonName, "device-1", StringType::Other),
        printable(NameAttributeType::Organization, "Example").common_name("device-1"),
    ] {
        let builder = names(builder);
        assert_eq!(rule(issued.renew(&builder)), "same-names", "{}", builder.csr().subject());
        assert_eq!(rule(issued.renew_compatibly(&builder)), "same-names", "{}", builder.csr().subject());
    }
}

#[tokio::test]
async fn a_subject_in_the_string_types_of_its_requester_is_renewed_in_them() {
    let ca = CaFixture::founded().await;
    let printable = |builder: CsrBuilder| {
        builder.attribute_as(NameAttributeType::Organization, "Example", StringType::Printable).attribute_as(
            NameAttributeType::CommonName,
            "device-1",
            StringType::Printable,
        )
    };
    let old = issue(&ca, printable(CsrBuilder::new(&device_key())).csr()).await;
    let issued = Issued { ca, old };
    issued.assert_same_names(&issued.renew(&printable(CsrBuilder::new(&device_key()))).unwrap());
    assert_eq!(rule(issued.renew(&subject(&device_key()))), "same-names");
}

#[tokio::test]
async fn a_device_may_ask_as_it_did_at_first() {
    let ca = CaFixture::founded().await;
    let narrow = Profile { subject_copy: Vec::new(), ..profile() };
    let issue = async |request| {
        let issued = ca.authority.issue(ca.authority.authorize(&narrow, request).unwrap()).await.unwrap();
        record_of(&ca, &issued.serial).await
    };
    // The profile leaves O out, and TeletexString is written as UTF8String.
    let at_first = || {
        let builder = CsrBuilder::new(&device_key()).attribute(NameAttributeType::Organization, "Example");
        builder.attribute_as(NameAttributeType::CommonName, "device-1", StringType::Other).dns("a.fleet.example")
    };
    let as_issued = || CsrBuilder::new(&device_key()).common_name("device-1").dns("a.fleet.example");
    let first = issue(request(at_first().csr())).await;
    // From one renewal to the next, and also after one that asked for what the certificate has.
    let second = issue(renewal(&first, at_first().csr())).await;
    let third = issue(renewal(&second, as_issued().csr())).await;
    let fourth = issue(renewal(&third, at_first().csr())).await;
    for record in [first, second, third, fourth] {
        let certificate = Certificate::from_der(&record.der).unwrap();
        assert_eq!(certificate.subject().to_string(), "CN=device-1");
        let other = as_issued().attribute(NameAttributeType::Organization, "Other");
        assert_eq!(rule(ca.authority.authorize(&narrow, renewal(&record, other.csr()))), "same-names");
        let forgotten = CertificateRecord { asked_subject: None, ..record };
        assert_eq!(rule(ca.authority.authorize(&narrow, renewal(&forgotten, at_first().csr()))), "same-names");
        assert!(ca.authority.authorize(&narrow, renewal(&forgotten, as_issued().csr())).is_ok());
    }
}

#[tokio::test]
async fn what_no_request_may_ask_for_no_renewal_may() {
    let issued = Issued::new().await;
    let name_constraints = Extension { oid: ObjectIdentifier::new_unwrap("2.5.29.30"), critical: true, value: vec![5, 0] };
    for builder in [
        asked().ca(),
        asked().key_usage(KeyUsage::KEY_CERT_SIGN),
        asked().extended_key_usage(&[ExtendedKeyUsage::OcspSigning]),
        asked().extension(name_constraints),
    ] {
        assert_eq!(rule(issued.renew(&builder)), "forbidden-extensions");
    }
    let unproven = issued.renew(&asked().fault(certgate_testkit::Fault::BadSignature));
    assert!(matches!(unproven, Err(EnrollError::Csr(_))));
}

#[tokio::test]
async fn names_need_no_grant_to_stay_and_a_profile_that_issues_their_kind() {
    let issued = Issued::new().await;
    let mut ungranted = renewal(&issued.old, asked().csr());
    ungranted.principal.grants.clear();
    issued.assert_same_names(&issued.ca.authority.authorize(&profile(), ungranted).unwrap());
    let narrow = Profile { sans: vec![SanKind::Dns], ..profile() };
    assert_eq!(rule(issued.renew_by(&narrow, &asked())), "names", "no iPAddresses any more");
    let narrow = Profile { subject_copy: Vec::new(), ..profile() };
    issued.assert_same_names(&issued.renew_by(&narrow, &asked()).unwrap());
}

#[tokio::test]
async fn everything_but_the_names_is_made_anew() {
    let issued = Issued::new().await;
    issued.ca.clock.advance(60 * DAY);
    let profile = Profile { extended_key_usage: vec![ExtendedKeyUsage::ClientAuth], ..profile() };
    let authorized = issued.renew_by(&profile, &asked()).unwrap();
    let (template, now) = (authorized.template(), NOW.after(60 * DAY));
    let not_after = now.after(90 * DAY).before(SECOND);
    assert_eq!(template.validity, Validity { not_before: now.before(Duration::from_secs(3600)), not_after });
    assert_ne!(template.serial, issued.old.serial);
    assert!(template.extensions.contains(&Extension::extended_key_usage(&[ExtendedKeyUsage::ClientAuth])));
    let made = issued.ca.authority.issue(authorized).await.unwrap();
    let event = issued.ca.ledger.events().pop().unwrap();
    assert!(event.details.contains(&("renews", issued.old.serial.to_string())));
    assert_eq!(record_of(&issued.ca, &issued.old.serial).await, issued.old, "the old one stays as it was");
    assert_eq!(record_of(&issued.ca, &made.serial).await.asked_subject, issued.old.asked_subject);
}

#[tokio::test]
async fn a_certificate_that_is_revoked_meanwhile_renews_nothing() {
    use certgate_enrollment::{Certificates, StatusChange, change_status};
    let fixture = Issued::new().await;
    let authorized = fixture.renew(&asked()).unwrap();
    change_status(&*fixture.ca.ledger, &fixture.old, StatusChange::Hold, NOW, "operator").await.unwrap();
    let before = fixture.ca.ledger.certificates().len();
    assert_eq!(fixture.ca.authority.issue(authorized).await.unwrap_err(), EnrollError::ProofEnded);
    assert_eq!(fixture.ca.ledger.certificates().len(), before);
    assert!(fixture.ca.ledger.find(&fixture.old.serial).await.unwrap().is_some());
}
