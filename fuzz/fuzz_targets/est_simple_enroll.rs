//! Requests to enroll: the first octet chooses the reading and the Content-Type, the rest is the body.
#![no_main]

use certgate_est::{Lenience, SimpleEnroll, decode_body};
use certgate_pki::{Csr, Reading};
use libfuzzer_sys::fuzz_target;

const CONTENT_TYPES: [Option<&str>; 4] =
    [Some("application/pkcs10"), Some("Application/PKCS10 ; a=b"), Some("text/plain"), None];

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else { return };
    let content_type = CONTENT_TYPES[usize::from(choice >> 1) % CONTENT_TYPES.len()];
    let reading = if choice & 1 == 0 { Reading::Strict } else { Reading::Compatible };
    let Ok(request) = SimpleEnroll::decode(content_type, body, reading) else { return };
    let named = content_type.is_some_and(|name| name.to_ascii_lowercase().starts_with("application/pkcs10"));
    assert_eq!(request.leniences.contains(&Lenience::ContentType), !named);
    assert!(reading == Reading::Compatible || request.leniences.is_empty(), "strict reading lets nothing pass");
    let Ok((der, _)) = decode_body(body, reading) else { panic!("a request without a body") };
    assert_eq!(Csr::from_der(&der).as_ref(), Ok(&request.csr));
    // Sent as the RFC has it, it is the same request.
    let canonical = certgate_pki::pem::encode("X", request.csr.as_der());
    let base64: String = canonical.lines().filter(|line| !line.starts_with("-----")).collect();
    let again = SimpleEnroll::decode(CONTENT_TYPES[0], base64.as_bytes(), Reading::Strict);
    assert_eq!(again.map(|again| again.csr), Ok(request.csr));
});
