//! CMS: SignedData and EnvelopedData.
#![no_main]

use certgate_fuzz::provider;
use certgate_pki::cms::{EnvelopedData, SignedData};
use certgate_pki::{CertificateOutline, CryptoError, DecryptionKey, KeyTransport, PublicKey};
use libfuzzer_sys::fuzz_target;
use zeroize::Zeroizing;

fuzz_target!(|der: &[u8]| {
    if let Ok(signed) = SignedData::from_der(der) {
        assert_whole(der, |der| SignedData::from_der(der).is_err());
        let parts = signed.certificates.iter().chain(&signed.content);
        assert!(parts.into_iter().all(|part| is_within(part, der)));
        let keys = signed.certificates.iter().filter_map(|certificate| CertificateOutline::from_der(certificate));
        for key in keys.filter_map(|outline| PublicKey::from_der(outline.public_key).ok()) {
            for signer in &signed.signers {
                let content = signed.content.unwrap_or_default();
                let _ = signer.verify(&key, &signed.content_type, content, &provider());
            }
        }
    }
    if let Ok(enveloped) = EnvelopedData::from_der(der) {
        assert_whole(der, |der| EnvelopedData::from_der(der).is_err());
        assert!(enveloped.recipients.iter().all(|recipient| is_within(recipient.encrypted_key, der)));
        let opened = enveloped.open(&Transparent, &[0; 16], &*provider().decrypt);
        assert!(matches!(opened, Err(CryptoError::Failed(_) | CryptoError::Unsupported(_))));
    }
});

/// Neither less nor more is the same message.
fn assert_whole(der: &[u8], is_refused: impl Fn(&[u8]) -> bool) {
    assert!(is_refused(&der[..der.len() - 1]) && is_refused(&[der, &[0]].concat()));
}

fn is_within(part: &[u8], whole: &[u8]) -> bool {
    part.is_empty() || whole.as_ptr_range().contains(&part.as_ptr())
}

/// What is encrypted is what it is encrypted to.
#[derive(Debug)]
struct Transparent;

impl DecryptionKey for Transparent {
    fn decrypt(&self, _: KeyTransport, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        Ok(Zeroizing::new(ciphertext.to_vec()))
    }
}
