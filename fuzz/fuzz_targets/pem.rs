//! PEM: what is read is written and read again.
#![no_main]

use certgate_pki::pem::{self, CERTIFICATE, PemError};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    assert_eq!(pem::decode_all(CERTIFICATE, &pem::encode(CERTIFICATE, data)), Ok(vec![data.to_vec()]));
    let Ok(text) = std::str::from_utf8(data) else { return };
    match pem::decode_all(CERTIFICATE, text) {
        Ok(blocks) => {
            assert!(!blocks.is_empty());
            assert_eq!(pem::decode(CERTIFICATE, text).as_ref(), Ok(&blocks[0]));
            let strict: String = blocks.iter().map(|block| pem::encode(CERTIFICATE, block)).collect();
            assert_eq!(pem::decode_all(CERTIFICATE, &strict), Ok(blocks));
        }
        Err(PemError::TooLarge) => assert!(text.len() > certgate_pki::limits::MAX_PEM),
        Err(PemError::NoBlock(label)) => assert_eq!(label, CERTIFICATE),
        Err(PemError::BlockTooLarge(_)) => unreachable!("a whole text has no other bound than its own"),
        Err(PemError::BadBase64) => assert!(text.contains("-----BEGIN CERTIFICATE-----")),
    }
});
