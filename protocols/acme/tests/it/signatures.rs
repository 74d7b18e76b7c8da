//! Signatures of JWS.

use certgate_acme::{Algorithm, ErrorType, Jwk, Jws, KeyRef, RequestError};
use certgate_pki::KeyType;

use crate::client::{account_header, algorithm, generate, header, keys, provider, signed};
use base64ct::{Base64UrlUnpadded, Encoding};

/// RFC 7515 §A.2.
const RS256: [&str; 4] = [
    r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#,
    "eyJhbGciOiJSUzI1NiJ9",
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
];

/// RFC 7515 §A.3.
const ES256: [&str; 4] = [
    r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    "eyJhbGciOiJFUzI1NiJ9",
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
];

/// RFC 7515 §A.4.
const ES512: [&str; 4] = [
    r#"{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}"#,
    "eyJhbGciOiJFUzUxMiJ9",
    "UGF5bG9hZA",
    "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
];

/// RFC 8037 §A.1, §A.4.
const EDDSA: [&str; 4] = [
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    "eyJhbGciOiJFZERTQSJ9",
    "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
];

#[test]
fn vectors_of_the_rfcs() {
    for (algorithm, [key, header, payload, signature]) in
        [(Algorithm::Rs256, RS256), (Algorithm::Es256, ES256), (Algorithm::Es512, ES512), (Algorithm::EdDsa, EDDSA)]
    {
        let key = Jwk::parse(key.as_bytes()).unwrap();
        let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
        let verify =
            |input: &str, signature: &[u8]| algorithm.verify(key.public_key(), input.as_bytes(), signature, &provider());
        let input = format!("{header}.{payload}");
        assert_eq!(verify(&input, &signature), Ok(()), "{}", algorithm.name());
        assert_eq!(verify(&format!("{input}A"), &signature), Err(RequestError::BadSignature));
        let mut changed = signature.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(verify(&input, &changed), Err(RequestError::BadSignature));
    }
}

#[test]
fn requests_of_every_kind_of_key() {
    for key in keys() {
        for (header, payload) in [(header(&*key), &b"{}"[..]), (account_header(&*key), b"")] {
            let jws = Jws::parse(signed(&*key, &header, payload).to_string().as_bytes()).unwrap();
            assert_eq!((jws.payload.as_slice(), jws.protected.algorithm), (payload, algorithm(&*key)));
            assert_eq!(jws.verify(key.public_key(), &provider()), Ok(()));
            if let KeyRef::Jwk(jwk) = &jws.protected.key {
                assert_eq!(jws.verify(jwk.public_key(), &provider()), Ok(()));
            }
        }
    }
}

#[test]
fn a_request_of_another_key_does_not_verify() {
    for key_type in [KeyType::P256, KeyType::P384, KeyType::P521, KeyType::Ed25519] {
        let (key, other) = (generate(key_type), generate(key_type));
        let jws = Jws::parse(signed(&*key, &account_header(&*key), b"").to_string().as_bytes()).unwrap();
        assert_eq!(jws.verify(other.public_key(), &provider()), Err(RequestError::BadSignature));
    }
}

#[test]
fn an_algorithm_that_does_not_suit_the_accounts_key_is_told_with_the_one_that_does() {
    let keys = keys();
    for (key, other) in keys.iter().flat_map(|key| keys.iter().map(move |other| (key, other))) {
        let suited = algorithm(&**other);
        if suited != algorithm(&**key) {
            let jws = Jws::parse(signed(&**key, &account_header(&**key), b"").to_string().as_bytes()).unwrap();
            let error = jws.verify(other.public_key(), &provider()).unwrap_err();
            assert_eq!(
                (error.kind(), error),
                (ErrorType::BadSignatureAlgorithm, RequestError::BadSignatureAlgorithm(vec![suited]))
            );
        }
    }
}

#[test]
fn an_ecdsa_signature_in_der_or_of_another_length_does_not_verify() {
    for key_type in [KeyType::P256, KeyType::P384, KeyType::P521] {
        let key = generate(key_type);
        let jws = signed(&*key, &account_header(&*key), b"").to_string();
        let jws = Jws::parse(jws.as_bytes()).unwrap();
        let (input, good) = (jws.signing_input(), jws.signature());
        let der = key.sign(input).unwrap();
        let padded = [&[0], good].concat();
        for wrong in
            [&der[..], &good[1..], &good[..good.len() - 1], &padded, &[], &vec![0; good.len()], &vec![0xff; good.len()]]
        {
            let verified = algorithm(&*key).verify(key.public_key(), input, wrong, &provider());
            assert_eq!(verified, Err(RequestError::BadSignature), "{key_type}: {} octets", wrong.len());
        }
    }
}
