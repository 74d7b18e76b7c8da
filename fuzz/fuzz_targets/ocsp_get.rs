//! Requests in the path of a GET.
#![no_main]

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use certgate_ocsp::{DecodedGet, GetError, MAX_REQUEST, OcspRequest, decode_get};
use certgate_pki::Reading;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|path: &str| {
    let strict = decode_get(path, Reading::Strict);
    let compatible = decode_get(path, Reading::Compatible);
    match (&strict, &compatible) {
        // Compatible reading takes whatever strict reading takes, and means the same by it.
        (Ok(decoded), _) => {
            assert!(decoded.leniences.is_empty());
            assert_eq!(strict, compatible);
        }
        (Err(error), Ok(decoded)) => {
            assert_eq!(*error, GetError::NotBase64);
            assert!(!decoded.leniences.is_empty());
        }
        (Err(strict), Err(compatible)) => assert_eq!(*strict == GetError::Empty, *compatible == GetError::Empty),
    }
    let Ok(DecodedGet { der, .. }) = compatible else { return };
    assert!(!der.is_empty() && der.len() <= MAX_REQUEST);
    let _ = OcspRequest::parse(&der);
    // As RFC 6960 §A.1 has it, and as clients send it that escape less or have another alphabet. The base64 of a request begins with no
    // slash.
    let plain = Base64::encode_string(&der);
    if plain.starts_with('/') {
        return;
    }
    let escaped = plain.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for again in [&plain, &escaped, &plain.replace('+', "%2b").replace('/', "%2f"), &format!("//{plain}")] {
        assert_eq!(decode_get(again, Reading::Strict), Ok(DecodedGet { der: der.clone(), leniences: vec![] }));
    }
    for again in [plain.replace('+', " "), plain.replace('+', "%20"), Base64UrlUnpadded::encode_string(&der)] {
        assert_eq!(decode_get(&again, Reading::Compatible).map(|decoded| decoded.der).as_ref(), Ok(&der));
    }
});
