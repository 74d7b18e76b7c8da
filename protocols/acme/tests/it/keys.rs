//! JSON Web Keys.

use certgate_acme::{ErrorType, Jwk, RequestError};
use certgate_pki::KeyType;
use serde_json::{Value, json};

use crate::client::{base64url, generate, jwk, keys, provider, rsa_jwk};

fn parse(key: &Value) -> Result<Jwk, RequestError> {
    Jwk::parse(key.to_string().as_bytes())
}

fn kind(key: &Value) -> Option<ErrorType> {
    parse(key).err().map(|error| error.kind())
}

/// A key with another value of a member, or without it.
fn with(key: &Value, name: &str, value: Value) -> Value {
    let mut key = key.clone();
    key[name] = value;
    key
}

#[test]
fn thumbprint_of_rfc_7638() {
    let key = json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn6\
    4tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08q\
    NLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
        "alg": "RS256",
        "kid": "2011-04-29"
    });
    let thumbprint = parse(&key).unwrap().thumbprint(&*provider().digest);
    assert_eq!(thumbprint.as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // RFC 8555 §8.1: "any prepended zero octets in the fields of a JWK object MUST be stripped before doing the computation."
    let n = key["n"].as_str().unwrap();
    let padded = with(&with(&key, "e", json!("AAEAAQ")), "n", json!(format!("AAAA{n}")));
    assert_eq!(parse(&padded).unwrap().thumbprint(&*provider().digest), thumbprint);
}

/// RFC 8037 §A.3.
#[test]
fn thumbprint_of_rfc_8037() {
    let key = parse(&json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})).unwrap();
    assert_eq!(key.thumbprint(&*provider().digest).as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn keys_become_what_the_crypto_provider_knows() {
    for key in keys() {
        let public = key.public_key();
        let read = parse(&jwk(public)).unwrap();
        assert_eq!(read.public_key(), public);
        assert_eq!(Jwk::parse(read.canonical().as_bytes()).as_ref(), Ok(&read));
        let named = with(&with(&jwk(public), "kid", json!("mine")), "use", json!("sig"));
        assert_eq!(parse(&named), Ok(read), "members that do not make the key do not count");
    }
}

#[test]
fn a_private_key_is_refused() {
    for key in keys() {
        assert_eq!(kind(&with(&jwk(key.public_key()), "d", json!("AQAB"))), Some(ErrorType::BadPublicKey));
    }
    assert_eq!(kind(&json!({"kty": "oct", "k": "AQAB"})), Some(ErrorType::BadPublicKey));
}

#[test]
fn a_key_of_another_kind_is_a_bad_public_key() {
    let x = base64url([7; 57]);
    for other in [
        json!({"kty": "OKP", "crv": "Ed448", "x": x}),
        json!({"kty": "OKP", "crv": "X25519", "x": base64url([7; 32])}),
        json!({"kty": "EC", "crv": "secp256k1", "x": base64url([7; 32]), "y": base64url([7; 32])}),
        json!({"kty": "EC", "crv": "p-256", "x": base64url([7; 32]), "y": base64url([7; 32])}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": x}),
        json!({"kty": "ec"}),
    ] {
        assert_eq!(kind(&other), Some(ErrorType::BadPublicKey), "{other}");
    }
}

#[test]
fn a_point_is_on_its_curve_and_of_full_length() {
    for (key_type, octets) in [(KeyType::P256, 32), (KeyType::P384, 48), (KeyType::P521, 66)] {
        let key = jwk(generate(key_type).public_key());
        let x = parse(&key).unwrap().public_key().key_bits()[1..=octets].to_vec();
        for wrong in [&x[1..], &[&[0], &x[..]].concat(), &vec![0; octets], &vec![0xff; octets], &[]] {
            assert_eq!(
                kind(&with(&key, "x", json!(base64url(wrong)))),
                Some(ErrorType::BadPublicKey),
                "{key_type} {wrong:02x?}"
            );
        }
        assert_eq!(kind(&with(&key, "crv", json!("Ed25519"))), Some(ErrorType::BadPublicKey));
    }
    for wrong in [31, 33] {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(vec![7; wrong])});
        assert_eq!(kind(&key), Some(ErrorType::BadPublicKey));
    }
}

#[test]
fn an_rsa_key_has_2048_to_4096_bits_and_an_exponent_that_is_not_small() {
    let (modulus, f4) = (|octets: usize| vec![0xc5; octets], [1, 0, 1]);
    for octets in [256, 384, 512] {
        assert!(parse(&rsa_jwk(&modulus(octets), &f4)).is_ok(), "{octets}");
    }
    assert!(parse(&rsa_jwk(&modulus(256), &[0xff; 8])).is_ok());
    let short = [&[0x7f][..], &modulus(255)].concat();
    let even = [&modulus(255)[..], &[0xc4]].concat();
    for wrong in [&modulus(128)[..], &modulus(255), &short, &modulus(513), &even, &[], &[0; 256]] {
        assert_eq!(kind(&rsa_jwk(wrong, &f4)), Some(ErrorType::BadPublicKey), "{} octets", wrong.len());
    }
    for wrong in [&[][..], &[0], &[1], &[3], &[17], &[0xff, 0xff], &[1, 0, 0], &[1, 0, 0, 0, 0, 0, 0, 0, 1]] {
        assert_eq!(kind(&rsa_jwk(&modulus(256), wrong)), Some(ErrorType::BadPublicKey), "{wrong:?}");
    }
}

#[test]
fn what_is_no_key_is_malformed() {
    let key = jwk(generate(KeyType::P256).public_key());
    for name in ["kty", "crv", "x", "y"] {
        for wrong in [Value::Null, json!(1), json!(["EC"])] {
            assert_eq!(kind(&with(&key, name, wrong)), Some(ErrorType::Malformed), "{name}");
        }
    }
    let x = key["x"].as_str().unwrap();
    for wrong in [format!("{x}="), format!("{x}\n"), format!("+{}", &x[1..]), x[1..2].to_owned()] {
        assert_eq!(kind(&with(&key, "x", json!(wrong))), Some(ErrorType::Malformed), "{wrong:?}");
    }
    let twice = key.to_string().replacen('{', r#"{"kty":"EC","#, 1);
    for wrong in ["", "[]", "\"EC\"", &twice] {
        assert!(matches!(Jwk::parse(wrong.as_bytes()), Err(RequestError::Malformed(_))), "{wrong}");
    }
}
