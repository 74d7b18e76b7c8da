//! X.509: what is read is kept, and made again from its fields it reads the same.
#![no_main]

use certgate_pki::{Certificate, Name, PublicKey, SignatureAlgorithm, Template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|der: &[u8]| {
    let Ok(certificate) = Certificate::from_der(der) else { return };
    assert_eq!(certificate.as_der(), der);
    assert!(Certificate::from_der(&der[..der.len() - 1]).is_err());
    assert!(Certificate::from_der(&[der, &[0]].concat()).is_err());
    assert_eq!(Name::from_der(certificate.subject().as_der()).as_ref(), Ok(certificate.subject()));
    assert_eq!(Name::from_der(certificate.issuer().as_der()).as_ref(), Ok(certificate.issuer()));
    assert_eq!(PublicKey::from_der(certificate.public_key().spki()).as_ref(), Ok(certificate.public_key()));
    let _ = (certificate.extensions().subject_alt_names(), certificate.extensions().subject_key_identifier());
    assert_made_again(&certificate);
});

/// All fields survive being written; the bytes need not be the same, since readers take a little more than writers make.
fn assert_made_again(certificate: &Certificate) {
    let template = Template {
        serial: certificate.serial().clone(),
        issuer: certificate.issuer().clone(),
        validity: certificate.validity(),
        subject: certificate.subject().clone(),
        public_key: certificate.public_key().clone(),
        extensions: certificate.extensions().iter().cloned().collect(),
    };
    let algorithm = SignatureAlgorithm::EcdsaSha256;
    let to_be_signed = template.to_be_signed(algorithm);
    let made = Template::assemble(&to_be_signed, algorithm, b"signature");
    // What was just short of the limit may be longer now.
    let Ok(read) = Certificate::from_der(&made) else { return assert!(made.len() > certgate_pki::limits::MAX_CERTIFICATE) };
    assert_eq!(read.to_be_signed(), to_be_signed);
    assert_eq!((read.serial(), read.validity()), (certificate.serial(), certificate.validity()));
    assert_eq!((read.issuer(), read.subject()), (certificate.issuer(), certificate.subject()));
    assert_eq!(read.public_key(), certificate.public_key());
    assert_eq!(read.extensions(), certificate.extensions());
}
