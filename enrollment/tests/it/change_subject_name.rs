//! ChangeSubjectName: other names than the certificate has that is renewed.

use certgate_enrollment::{Authorized, CertificateRecord, EnrollError};
use certgate_pki::{DnsName, Extension, GeneralName, Name, NameAttributeType};
use certgate_policy::{ChangeSubject, NamePattern, Profile};
use certgate_testkit::{CaFixture, CsrBuilder, device_key, profile};

use crate::fixture::{builder, issue, record_of, renewal, request, rule};

fn honouring() -> Profile {
    Profile { change_subject: ChangeSubject::Honour, ..profile() }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn dns(names: &[&str]) -> Vec<GeneralName> {
    names.iter().map(|name| GeneralName::Dns(DnsName::parse(name).unwrap())).collect()
}

/// A CA, and a certificate of CN=device-1 with the dNSName a.fleet.example.
async fn issued() -> (CaFixture, CertificateRecord) {
    let ca = CaFixture::founded().await;
    let old = issue(&ca, builder().csr()).await;
    (ca, old)
}

/// Asks with grants of a credential beside those of the certificate.
fn renew(ca: &CaFixture, old: &CertificateRecord, builder: &CsrBuilder, grants: &[&str]) -> Result<Authorized, EnrollError> {
    let mut request = renewal(old, builder.csr());
    request.principal.grants.extend(grants.iter().map(|grant| grant.parse::<NamePattern>().unwrap()));
    ca.authority.authorize(&honouring(), request)
}

/// What a ChangeSubjectName asks for: a subject, dNSNames.
type Asked<'a> = (Option<&'a str>, Option<&'a [&'a str]>);

/// The names that are issued.
async fn names(ca: &CaFixture, authorized: Authorized) -> (String, Vec<String>) {
    let certificate = ca.authority.issue(authorized).await.unwrap().certificate().unwrap();
    let names = certificate.extensions().subject_alt_names().unwrap();
    (certificate.subject().to_string(), names.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn it_is_refused_unless_the_profile_honours_it() {
    let (ca, old) = issued().await;
    // Also when it asks for nothing new.
    for subject in ["CN=device-2", "CN=device-1"] {
        let csr = builder().change_subject_name(Some(name(subject)), None).csr();
        let mut request = renewal(&old, csr);
        request.principal.grants.push("cn:*".parse().unwrap());
        assert_eq!(rule(ca.authority.authorize(&profile(), request)), "change-subject-name");
    }
}

#[tokio::test]
async fn in_a_new_enrollment_it_is_refused() {
    let (ca, _) = issued().await;
    let csr = builder().change_subject_name(Some(name("CN=device-1")), None).csr();
    for profile in [profile(), honouring()] {
        assert_eq!(rule(ca.authority.authorize(&profile, request(csr.clone()))), "change-subject-name");
    }
}

#[tokio::test]
async fn it_changes_what_it_names_and_keeps_the_rest() {
    let (ca, old) = issued().await;
    let table: [(Asked<'_>, &str, &[&str]); 4] = [
        ((Some("CN=device-2"), None), "CN=device-2", &["dns:a.fleet.example"]),
        ((None, Some(&["b.fleet.example"])), "CN=device-1", &["dns:b.fleet.example"]),
        ((Some("CN=device-2"), Some(&["b.fleet.example"])), "CN=device-2", &["dns:b.fleet.example"]),
        // Old and new together.
        ((None, Some(&["b.fleet.example", "a.fleet.example"])), "CN=device-1", &["dns:b.fleet.example", "dns:a.fleet.example"]),
    ];
    for ((subject, alternatives), expected, expected_names) in table {
        let builder = builder().change_subject_name(subject.map(name), alternatives.map(dns));
        let authorized = renew(&ca, &old, &builder, &["cn:device-2", "dns:b.fleet.example"]).unwrap();
        let (subject, names) = names(&ca, authorized).await;
        assert_eq!((subject.as_str(), names), (expected, expected_names.iter().map(|name| (*name).to_owned()).collect()));
    }
}

#[tokio::test]
async fn new_names_need_a_grant() {
    let (ca, old) = issued().await;
    let asked = |subject: Option<&str>, alternatives: Option<&[&str]>| {
        builder().change_subject_name(subject.map(name), alternatives.map(dns))
    };
    for builder in [
        asked(Some("CN=device-2"), None),
        asked(None, Some(&["b.fleet.example"])),
        asked(None, Some(&["a.fleet.example", "b.fleet.example"])),
        asked(Some("CN=device-1"), Some(&["*.fleet.example"])),
        builder().change_subject_name(None, Some(vec![GeneralName::Email("a@fleet.example".into())])),
        builder().change_subject_name(None, Some(vec![GeneralName::Other(vec![0x82, 1, b'_'])])),
    ] {
        assert_eq!(rule(renew(&ca, &old, &builder, &[])), "names");
    }
    // The names of the certificate itself are its holder's.
    for builder in [asked(Some("CN=device-1"), None), asked(None, Some(&["a.fleet.example"]))] {
        assert!(renew(&ca, &old, &builder, &[]).is_ok());
    }
}

#[tokio::test]
async fn the_request_itself_still_repeats_the_old_names() {
    let (ca, old) = issued().await;
    let grants = ["cn:*", "dns:*.fleet.example"];
    let change = |builder: CsrBuilder| builder.change_subject_name(Some(name("CN=device-2")), Some(dns(&["b.fleet.example"])));
    let new = CsrBuilder::new(&device_key()).common_name("device-2").dns("b.fleet.example");
    for wrong in
        [new, builder().dns("b.fleet.example"), CsrBuilder::new(&device_key()).common_name("device-2").dns("a.fleet.example")]
    {
        assert_eq!(rule(renew(&ca, &old, &change(wrong), &grants)), "same-names");
    }
    assert!(renew(&ca, &old, &change(builder()), &grants).is_ok());
}

#[tokio::test]
async fn a_new_subject_is_copied_as_the_profile_says_and_within_its_bounds() {
    let (ca, old) = issued().await;
    let renew = |subject: Name| {
        let builder = builder().change_subject_name(Some(subject), None);
        renew(&ca, &old, &builder, &["cn:*"])
    };
    let changed = renew(name("CN=device-2,OU=Lab,O=Example")).unwrap();
    assert_eq!(changed.template().subject.to_string(), "CN=device-2,O=Example");
    assert_eq!(rule(renew(name("CN=device-2,CN=device-3"))), "subject");
    let long = certgate_pki::NameAttribute::new(NameAttributeType::CommonName, "x".repeat(65));
    assert_eq!(rule(renew(Name::from_attributes(vec![long]))), "subject");
    // Nothing is left of it, and there are alternative names still: critical (RFC 5280 §4.1.2.6).
    let nobody = renew(Name::from_attributes(Vec::new())).unwrap();
    let is_critical = |extension: &Extension| extension.oid.to_string() == "2.5.29.17" && extension.critical;
    assert!(nobody.template().subject.is_empty() && nobody.template().extensions.iter().any(is_critical));
}

#[tokio::test]
async fn who_has_another_name_renews_by_that_name() {
    let (ca, old) = issued().await;
    let grants = ["cn:*", "dns:*.fleet.example"];
    let builder = builder().change_subject_name(Some(name("CN=device-2,C=DE")), Some(dns(&["b.fleet.example"])));
    let issued = ca.authority.issue(renew(&ca, &old, &builder, &grants).unwrap()).await.unwrap();
    let changed = record_of(&ca, &issued.serial).await;
    let renew = |builder: &CsrBuilder| renew(&ca, &changed, builder, &[]);
    let by_new_name = |builder: CsrBuilder| builder.common_name("device-2").dns("b.fleet.example");
    assert!(renew(&by_new_name(CsrBuilder::new(&device_key()))).is_ok(), "as the certificate has it");
    let country = CsrBuilder::new(&device_key()).attribute(NameAttributeType::Country, "DE");
    assert!(renew(&by_new_name(country)).is_ok(), "as it was asked for");
    let by_old_name = CsrBuilder::new(&device_key()).common_name("device-1").dns("b.fleet.example");
    assert_eq!(rule(renew(&by_old_name)), "same-names", "the old name is over");
}

#[tokio::test]
async fn who_keeps_the_subject_may_go_on_to_ask_for_it_as_at_first() {
    let ca = CaFixture::founded().await;
    let at_first = || builder().attribute(NameAttributeType::Country, "DE");
    let old = issue(&ca, at_first().csr()).await;
    let builder = builder().change_subject_name(None, Some(dns(&["b.fleet.example"])));
    let issued = ca.authority.issue(renew(&ca, &old, &builder, &["dns:b.fleet.example"]).unwrap()).await.unwrap();
    let changed = record_of(&ca, &issued.serial).await;
    let again = CsrBuilder::new(&device_key()).common_name("device-1").attribute(NameAttributeType::Country, "DE");
    assert!(renew(&ca, &changed, &again.dns("b.fleet.example"), &[]).is_ok());
}
