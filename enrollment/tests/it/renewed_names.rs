//! Whatever was issued before and whatever is asked now: a renewed certificate has the names of the old one, to the octet, unless a
//! ChangeSubjectName is honoured, and never a name that is neither granted nor in the old one.

use std::cell::Cell;
use std::sync::LazyLock;

use certgate_enrollment::{EnrollError, EnrollRequest, Principal, Proof, Protocol, Renewal};
use certgate_pki::{
    Certificate, Csr, DigestAlgorithm, DnsName, Extension, GeneralName, Name, NameAttribute, NameAttributeType, Serial,
    SignatureAlgorithm, StringType, Template, Validity,
};
use certgate_policy::{ChangeSubject, NamePattern, Profile};
use certgate_testkit::{CREDENTIAL, CaFixture, CsrBuilder, NOW, device_key, profile, rsa_device_key};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::TestRunner;

use crate::fixture::DAY;

static CA: LazyLock<CaFixture> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(CaFixture::founded())
});

type Attributes = Vec<NameAttribute>;
type Names = Vec<GeneralName>;

/// A certificate, and a request to renew it.
#[derive(Clone, Debug)]
struct Case {
    old: (Attributes, Names),
    csr: (Attributes, Names),
    change: Option<(Option<Attributes>, Option<Names>)>,
    asked_before: Option<Attributes>,
    grants: Vec<&'static str>,
    honours: bool,
    may_omit_names: bool,
    has_new_key: bool,
}

fn attribute() -> impl Strategy<Value = NameAttribute> {
    let values = ["device-1", "device-1", "device-2", "Device-1", "admin", "*"];
    let kinds = [NameAttributeType::CommonName, NameAttributeType::Organization, NameAttributeType::OrganizationalUnit];
    let string_types = [StringType::Utf8, StringType::Utf8, StringType::Printable];
    (select(kinds.to_vec()), select(values.to_vec()), select(string_types.to_vec()))
        .prop_map(|(kind, value, string_type)| NameAttribute { string_type, ..NameAttribute::new(kind, value) })
}

fn general_name() -> impl Strategy<Value = GeneralName> {
    let dns = |name: &str| GeneralName::Dns(DnsName::parse(name).unwrap());
    let good = [dns("a.fleet.example"), dns("b.fleet.example"), dns("evil.example"), GeneralName::Ip([192, 0, 2, 1].into())];
    let odd = [dns("*.fleet.example"), GeneralName::Ip([10, 0, 0, 1].into()), GeneralName::Email("a@fleet.example".into())];
    prop_oneof![12 => select(good.to_vec()), 1 => select(odd.to_vec())]
}

fn names() -> impl Strategy<Value = (Attributes, Names)> {
    (vec(attribute(), 0..3), vec(general_name(), 0..4))
}

/// The names of the old certificate in some order, sometimes without one of them, or with another one.
fn repeated(old: (Attributes, Names)) -> impl Strategy<Value = (Attributes, Names)> {
    let (attributes, names) = (Just(old.0).prop_shuffle(), Just(old.1).prop_shuffle());
    (attributes, names, 0..12_u8, attribute(), general_name()).prop_map(
        |(mut attributes, mut names, change, attribute, name)| {
            match change {
                0 => attributes.push(attribute),
                1 => drop(attributes.pop()),
                2 => names.push(name),
                3 => drop(names.pop()),
                4 => names.clear(),
                _ => {}
            }
            (attributes, names)
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    names().prop_flat_map(|old| {
        let csr = prop_oneof![6 => repeated(old.clone()), 1 => names()];
        let change = (option::of(vec(attribute(), 0..3)), option::of(vec(general_name(), 1..4)));
        let change = option::weighted(0.4, change.prop_filter("one of both is there", |(a, b)| a.is_some() || b.is_some()));
        let asked_before = option::of(prop_oneof![Just(old.0.clone()), vec(attribute(), 0..3)]);
        let grants = ["cn:device-*", "dns:*.fleet.example", "ip:192.0.2.0/24"];
        let grants = prop_oneof![Just(grants.to_vec()), subsequence(grants.to_vec(), 0..=3)];
        (Just(old), csr, change, asked_before, grants, any::<[bool; 3]>()).prop_map(
            |(old, csr, change, asked_before, grants, [honours, may_omit_names, has_new_key])| Case {
                old,
                csr,
                change,
                asked_before,
                grants,
                honours,
                may_omit_names,
                has_new_key,
            },
        )
    })
}

/// A certificate with these names, by whomever.
fn certificate((subject, names): &(Attributes, Names)) -> Certificate {
    let subject = Name::from_attributes(subject.clone());
    let extensions = (!names.is_empty()).then(|| Extension::subject_alt_name(names, subject.is_empty()));
    let template = Template {
        serial: Serial::from_octets(&[1]).unwrap(),
        issuer: "CN=Testkit Root".parse().unwrap(),
        validity: Validity { not_before: NOW, not_after: NOW.after(DAY) },
        subject,
        public_key: device_key().public_key().clone(),
        extensions: Vec::from_iter(extensions),
    };
    let algorithm = SignatureAlgorithm::Ed25519;
    Certificate::from_der(&Template::assemble(&template.to_be_signed(algorithm), algorithm, &[])).unwrap()
}

fn csr(case: &Case) -> Csr {
    let key = if case.has_new_key { rsa_device_key() } else { device_key() };
    let (subject, names) = &case.csr;
    let attribute = |builder: CsrBuilder, one: &NameAttribute| builder.attribute_as(one.kind, &one.value, one.string_type);
    let builder = subject.iter().fold(CsrBuilder::new(&key), attribute);
    let builder = names.iter().cloned().fold(builder, CsrBuilder::general_name);
    match &case.change {
        Some((subject, names)) => builder.change_subject_name(subject.clone().map(Name::from_attributes), names.clone()),
        None => builder,
    }
    .csr()
}

fn authorize(case: &Case, certificate: Certificate) -> Result<Template, EnrollError> {
    let sha256 = |name: &Attributes| {
        let set = Name::from_attributes(name.clone()).as_set();
        CA.core.provider.digest.digest(DigestAlgorithm::Sha256, &set).try_into().unwrap()
    };
    let asked_subject = case.asked_before.as_ref().map(sha256);
    let grants = case.grants.iter().map(|grant| grant.parse().unwrap()).collect();
    let request = EnrollRequest {
        protocol: Protocol::Est,
        endpoint: "default".into(),
        principal: Principal { name: "first-device".into(), grants, proof: Proof::Credential(CREDENTIAL), ends_at: None },
        csr: csr(case),
        renews: Some(Box::new(Renewal { certificate, asked_subject, may_omit_names: case.may_omit_names })),
        transaction: None,
    };
    let change_subject = if case.honours { ChangeSubject::Honour } else { ChangeSubject::Refuse };
    CA.authority.authorize(&Profile { change_subject, ..profile() }, request).map(|authorized| authorized.template().clone())
}

/// The template's subjectAltName, as it is written.
fn subject_alt_name(extensions: &[Extension]) -> Option<&Extension> {
    extensions.iter().find(|extension| extension.oid.to_string() == "2.5.29.17")
}

fn assert_names(case: &Case, old: &Certificate, template: &Template) -> Result<(), TestCaseError> {
    let old_extensions: Vec<Extension> = old.extensions().iter().cloned().collect();
    let (changed_subject, changed_names) = match &case.change {
        Some((subject, names)) => (subject.is_some(), names.is_some()),
        None => (false, false),
    };
    prop_assert!(case.honours || case.change.is_none(), "a ChangeSubjectName that is not honoured is refused");
    if !changed_subject {
        prop_assert_eq!(template.subject.as_der(), old.subject().as_der());
    }
    let written = subject_alt_name(&template.extensions);
    if !changed_names {
        prop_assert_eq!(written.map(|one| &one.value), subject_alt_name(&old_extensions).map(|one| &one.value));
    }
    assert_nothing_else(case, template)
}

/// Neither a common name nor an alternative name that is not granted and was not in the old certificate.
fn assert_nothing_else(case: &Case, template: &Template) -> Result<(), TestCaseError> {
    let grants: Vec<NamePattern> = case.grants.iter().map(|grant| grant.parse().unwrap()).collect();
    let issued = certificate_of(template);
    for attribute in issued.subject().attributes().iter().filter(|one| one.kind == NameAttributeType::CommonName) {
        let is_old = case.old.0.iter().any(|one| one.kind == attribute.kind && one.value == attribute.value);
        let is_granted = grants.iter().any(|grant| grant.grants_common_name(&attribute.value));
        prop_assert!(is_old || is_granted, "CN={}", attribute.value);
    }
    for name in issued.extensions().subject_alt_names().unwrap() {
        prop_assert!(case.old.1.contains(&name) || grants.iter().any(|grant| grant.grants(&name)), "{}", name);
    }
    Ok(())
}

/// The template as readers of its certificate see it.
fn certificate_of(template: &Template) -> Certificate {
    let algorithm = SignatureAlgorithm::Ed25519;
    Certificate::from_der(&Template::assemble(&template.to_be_signed(algorithm), algorithm, &[])).unwrap()
}

#[test]
fn no_renewal_has_other_names_than_it_may() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 2000, ..ProptestConfig::default() });
    let (kept, changed, refused) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |cell: &Cell<u32>| cell.set(cell.get() + 1);
    let outcome = runner.run(&case(), |case| {
        let old = certificate(&case.old);
        match authorize(&case, old.clone()) {
            Ok(template) => {
                count(if case.change.is_some() { &changed } else { &kept });
                assert_names(&case, &old, &template)
            }
            Err(EnrollError::Refused(_)) => {
                count(&refused);
                Ok(())
            }
            Err(other) => Err(TestCaseError::fail(format!("not the requester's fault: {other}"))),
        }
    });
    outcome.unwrap();
    let counts = [kept, changed, refused].map(Cell::into_inner);
    assert!(counts.iter().all(|count| *count > 50), "{counts:?} kept, changed, refused: the test tests something");
}
