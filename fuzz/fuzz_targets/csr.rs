//! PKCS#10: what is read is kept byte for byte, and what was not read is no request.
#![no_main]

use certgate_fuzz::{provider, unsupported_key};
use certgate_pki::{Csr, CsrError, Name, PublicKey, limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|der: &[u8]| {
    match Csr::from_der(der) {
        Ok(csr) => assert_kept(&csr, der),
        Err(CsrError::TooLarge) => assert!(der.len() > limits::MAX_CSR),
        Err(CsrError::Malformed(_)) => {}
        Err(other) => panic!("reading says nothing of signatures: {other}"),
    }
});

fn assert_kept(csr: &Csr, der: &[u8]) {
    assert_eq!(csr.as_der(), der);
    let start = csr.info().as_ptr() as usize - csr.as_der().as_ptr() as usize;
    assert!((2..=6).contains(&start), "what is signed follows the outer header");
    assert_eq!(Name::from_der(csr.subject().as_der()).as_ref(), Ok(csr.subject()));
    assert_eq!(PublicKey::from_der(csr.public_key().spki()).as_ref(), Ok(csr.public_key()));
    let requested = csr.requested();
    assert!(requested.subject_alt_names.len() <= limits::MAX_GENERAL_NAMES);
    assert!(requested.extended_key_usage.len() <= limits::MAX_PURPOSES);
    assert!(requested.others.len() <= limits::MAX_EXTENSIONS);
    // A request is one only as a whole.
    assert!(Csr::from_der(&der[..der.len() - 1]).is_err());
    assert!(Csr::from_der(&[der, &[0]].concat()).is_err());
    match csr.clone().verify(&provider()) {
        Ok(verified) => assert!(*verified == *csr && unsupported_key(csr).is_none()),
        Err(error) => assert_eq!(error, unsupported_key(csr).unwrap_or(CsrError::UnsupportedSignature)),
    }
}
