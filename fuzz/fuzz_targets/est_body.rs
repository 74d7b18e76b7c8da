//! Bodies of EST requests.
#![no_main]

use certgate_est::{BodyError, Lenience, decode_body};
use certgate_pki::{Reading, pem};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let strict = decode_body(body, Reading::Strict);
    let compatible = decode_body(body, Reading::Compatible);
    match (&strict, &compatible) {
        // Compatible reading takes whatever strict reading takes, and means the same by it.
        (Ok((_, lenience)), _) => {
            assert_eq!(*lenience, None);
            assert_eq!(strict, compatible);
        }
        (Err(_), Ok((der, Some(Lenience::RawDer)))) => assert_eq!(der, body),
        (Err(_), Ok((der, Some(Lenience::PemArmour)))) => {
            let again = pem::encode(pem::CERTIFICATE_REQUEST, der);
            assert_eq!(decode_body(again.as_bytes(), Reading::Compatible), compatible.clone());
        }
        (Err(_), Ok((_, other))) => panic!("a lenience that is not of bodies: {other:?}"),
        (Err(strict), Err(compatible)) => {
            let empty = body.iter().all(|byte| b" \t\r\n".contains(byte));
            assert_eq!((*strict == BodyError::Empty, *compatible == BodyError::Empty), (empty, empty));
        }
    }
    if let Ok((der, _)) = compatible {
        // What an answer would be made of: base64 in lines of any length is read by the strictest.
        for line_length in [0, 64, 76] {
            let answer = certgate_est::enrolled(&der, line_length).base64;
            assert!(decode_body(answer.as_bytes(), Reading::Strict).is_ok());
        }
    }
});
