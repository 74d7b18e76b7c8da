//! What we write, as the readers of RustCrypto (x509-cert, cms) see it.

use certgate_pki::{Certificate, Template, Timestamp, cms::certs_only};
use cms::cert::CertificateChoices;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::SignedData;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use x509_cert::certificate::Version;
use x509_cert::der::{Decode, Encode};
use x509_cert::time::Time;

use crate::fixtures::read;
use crate::round_trip::{algorithm, template};

fn seconds(time: Time) -> u64 {
    time.to_unix_duration().as_secs()
}

proptest! {
    #[test]
    fn certificates_are_certificates_to_others(template in template(), algorithm in algorithm(), signature in vec(any::<u8>(), 1..99)) {
        let der = Template::assemble(&template.to_be_signed(algorithm), algorithm, &signature);
        let theirs = x509_cert::Certificate::from_der(&der).unwrap();
        prop_assert_eq!(theirs.to_der().unwrap(), der, "DER, and nothing but DER");
        prop_assert_eq!(theirs.signature().raw_bytes(), signature);
        prop_assert_eq!(&theirs.signature_algorithm().oid.to_string(), &algorithm.oid().to_string());
        let theirs = theirs.tbs_certificate();
        prop_assert_eq!(theirs.version(), Version::V3);
        prop_assert_eq!(theirs.serial_number().as_bytes(), template.serial.as_octets());
        prop_assert_eq!(theirs.issuer().to_der().unwrap(), template.issuer.as_der());
        prop_assert_eq!(theirs.subject().to_der().unwrap(), template.subject.as_der());
        prop_assert_eq!(seconds(theirs.validity().not_before), template.validity.not_before.seconds());
        prop_assert_eq!(seconds(theirs.validity().not_after), template.validity.not_after.seconds());
        prop_assert_eq!(theirs.subject_public_key_info().to_der().unwrap(), template.public_key.spki());
        let extensions = theirs.extensions().unwrap();
        prop_assert_eq!(extensions.len(), template.extensions.len());
        for (theirs, ours) in extensions.iter().zip(&template.extensions) {
            prop_assert_eq!(&theirs.extn_id.to_string(), &ours.oid.to_string());
            prop_assert_eq!((theirs.critical, theirs.extn_value.as_bytes()), (ours.critical, ours.value.as_slice()));
        }
    }

    #[test]
    fn certs_only_is_signed_data_to_others(
        names in subsequence(vec!["root-p256", "leaf-by-p256", "root-rsa2048", "gnutls-root", "root-ed25519"], 0..=5).prop_shuffle(),
    ) {
        let certificates: Vec<Vec<u8>> = names.iter().map(|name| read("certificate", name)).collect();
        let der = certs_only(&certificates.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let info = ContentInfo::from_der(&der).unwrap();
        prop_assert_eq!(info.to_der().unwrap(), der);
        prop_assert_eq!(info.content_type.to_string(), "1.2.840.113549.1.7.2");
        let data: SignedData = info.content.decode_as().unwrap();
        prop_assert_eq!(data.version, CmsVersion::V1);
        prop_assert!(data.digest_algorithms.is_empty() && data.signer_infos.0.is_empty() && data.crls.is_none());
        prop_assert_eq!(data.encap_content_info.econtent_type.to_string(), "1.2.840.113549.1.7.1");
        prop_assert!(data.encap_content_info.econtent.is_none());
        let mut theirs: Vec<Vec<u8>> = Vec::new();
        for choice in data.certificates.unwrap().0.iter() {
            let CertificateChoices::Certificate(certificate) = choice else { panic!("certificates only") };
            theirs.push(certificate.to_der().unwrap());
        }
        let mut expected = certificates;
        expected.sort();
        theirs.sort();
        prop_assert_eq!(theirs, expected);
    }
}

#[test]
fn both_read_the_same_of_what_openssl_and_certtool_made() {
    for name in ["root-p256", "leaf-by-p256", "leaf-by-rsa2048", "generalized-time", "gnutls-root", "long-serial"] {
        let der = read("certificate", name);
        let ours = Certificate::from_der(&der).unwrap();
        let theirs = x509_cert::Certificate::from_der(&der).unwrap();
        let theirs = theirs.tbs_certificate();
        assert_eq!(theirs.to_der().unwrap(), ours.to_be_signed(), "{name}");
        assert_eq!(theirs.subject().to_der().unwrap(), ours.subject().as_der(), "{name}");
        assert_eq!(Timestamp::from_seconds(seconds(theirs.validity().not_after)), ours.validity().not_after, "{name}");
        assert_eq!(theirs.extensions().unwrap().len(), ours.extensions().iter().count(), "{name}");
    }
}
