//! Signed requests of ACME: bodies as they come; and, so that base64url is no wall, a header and a payload with a line feed between them.
#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding};
use certgate_acme::{Algorithm, ErrorType, Jwk, Jws, KeyRef, MAX_BODY, MAX_URL, Problem, RequestError, Urls};
use certgate_fuzz::{provider, witness};
use libfuzzer_sys::fuzz_target;

fn base64url(octets: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(octets)
}

fuzz_target!(|octets: &[u8]| {
    look(octets);
    let (header, payload) = octets.split_at(octets.iter().position(|octet| *octet == b'\n').unwrap_or(octets.len()));
    let payload = payload.get(1..).unwrap_or_default();
    let (protected, payload_text) = (base64url(header), base64url(payload));
    let body = format!(r#"{{"protected":"{protected}","payload":"{payload_text}","signature":"{}"}}"#, base64url(&[7; 64]));
    let Some(jws) = look(body.as_bytes()) else { return };
    assert_eq!((jws.payload.as_slice(), jws.signature()), (payload, &[7; 64][..]));
    assert_eq!(jws.signing_input(), format!("{protected}.{payload_text}").as_bytes());
    // What stands beside what is signed is never passed over.
    let more = body.replacen('{', r#"{"header":{},"#, 1);
    assert!(matches!(Jws::parse(more.as_bytes()), Err(RequestError::Malformed(_) | RequestError::TooLarge)));
});

/// Reads a body; what comes out of it holds what it promises.
fn look(body: &[u8]) -> Option<Jws> {
    let jws = match Jws::parse(body) {
        Ok(jws) => jws,
        Err(error) => {
            look_at_error(&error);
            return None;
        }
    };
    assert!(body.len() <= MAX_BODY);
    let (_, payload) = std::str::from_utf8(jws.signing_input()).expect("ASCII").split_once('.').expect("two parts");
    assert_eq!(payload, base64url(&jws.payload), "one spelling of what is signed");
    let header = &jws.protected;
    assert!((1..=MAX_URL).contains(&header.url.len()) && !header.nonce.is_empty());
    assert!(header.nonce.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet)));
    match &header.key {
        KeyRef::Jwk(jwk) => look_at_key(&jws, jwk),
        KeyRef::Kid(kid) => {
            let urls = Urls::new("https://ca.example/acme/default");
            if let Ok(resource) = urls.resource(kid) {
                assert_eq!(&urls.of(&resource), kid, "one URL, one resource");
            }
        }
    }
    Some(jws)
}

fn look_at_key(jws: &Jws, jwk: &Jwk) {
    let key = jwk.public_key();
    assert_eq!(Jwk::parse(jwk.canonical().as_bytes()).as_ref(), Ok(jwk));
    assert_eq!(Algorithm::of_key(key.key_type()), Some(jws.protected.algorithm));
    let (with_witness, witness) = witness();
    let verified = jws.verify(key, &with_witness);
    // The witness takes every signature, so what is refused never came to it.
    let expected = jws.protected.algorithm.signature_algorithm();
    assert_eq!(witness.take(), verified.is_ok().then_some(expected));
    assert!(matches!(verified, Ok(()) | Err(RequestError::BadSignature)));
    for other in Algorithm::ALL.into_iter().filter(|other| *other != jws.protected.algorithm) {
        let refused = other.verify(key, jws.signing_input(), jws.signature(), &provider());
        assert_eq!(refused, Err(RequestError::BadSignatureAlgorithm(vec![jws.protected.algorithm])));
    }
}

fn look_at_error(error: &RequestError) {
    let problem = Problem::from(error.clone());
    assert_eq!(problem.kind, error.kind());
    assert_eq!(problem.kind == ErrorType::BadSignatureAlgorithm, !problem.algorithms.is_empty());
    assert!(matches!(problem.kind.status(), 400) && problem.subproblems.is_empty());
}
