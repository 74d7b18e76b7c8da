//! The builder builds what it says.

use certgate_pki::CsrError;

use super::*;
use crate::{device_key, provider, rsa_device_key};

#[test]
fn good_requests_verify() {
    for key in [device_key(), rsa_device_key()] {
        let csr = CsrBuilder::new(&key).common_name("a").dns("a.example").ip([192, 0, 2, 1]).csr();
        assert_eq!(csr.requested().subject_alt_names.len(), 2);
        assert!(csr.verify(&provider(1)).is_ok());
    }
}

#[test]
fn every_fault_is_as_bad_as_it_says() {
    let builder = CsrBuilder::new(&device_key()).common_name("a").dns("a.example");
    for fault in Fault::ALL {
        let read = Csr::from_der(&builder.clone().fault(fault).sign());
        let verified = read.clone().and_then(|csr| csr.verify(&provider(1)));
        match fault {
            Fault::BadSignature => assert_eq!(verified, Err(CsrError::BadSignature)),
            Fault::MissingAttributes => assert!(verified.unwrap().requested().subject_alt_names.is_empty()),
            Fault::UnsortedAttributes | Fault::ExplicitCriticalFalse => {
                assert_eq!(verified.unwrap().requested(), builder.csr().requested());
            }
            Fault::Version | Fault::TwoExtensionRequests | Fault::RepeatedExtension | Fault::TrailingBytes => {
                assert!(matches!(read, Err(CsrError::Malformed(_))), "{fault:?}");
            }
        }
    }
}

#[test]
fn attributes_are_in_the_request_as_they_were_given() {
    let (name, names) = ("CN=b".parse::<Name>().unwrap(), vec![GeneralName::Ip([192, 0, 2, 2].into())]);
    let builder = CsrBuilder::new(&device_key())
        .attribute_as(NameAttributeType::Organization, "Prüf", StringType::Other)
        .attribute_as(NameAttributeType::CommonName, "a", StringType::Printable)
        .dns("a.example");
    let csr = builder.clone().challenge_password("gehäuse").change_subject_name(Some(name.clone()), Some(names.clone())).csr();
    assert_eq!(csr.challenge_password(), Some("gehäuse"));
    let change = csr.change_subject_name().unwrap();
    assert_eq!((change.subject.as_ref(), change.subject_alt_names.as_ref()), (Some(&name), Some(&names)));
    let types: Vec<_> =
        csr.subject().attributes().iter().map(|attribute| (attribute.value.as_str(), attribute.string_type)).collect();
    assert_eq!(types, [("Prüf", StringType::Other), ("a", StringType::Printable)]);
    assert!(csr.verify(&provider(1)).is_ok());
    let empty = builder.change_subject_name(None, None).sign();
    assert_eq!(Csr::from_der(&empty), Err(CsrError::Malformed("ChangeSubjectName")));
}
