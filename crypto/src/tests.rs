use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair, RsaPssSaltLength, RsaSignatureEncoding,
};
use certgate_pki::{BadSignature, ContentCipher, CryptoError, KeyTransport, KeyType, SignatureAlgorithm};

use crate::provider;

const SIGNING: [(KeyType, SignatureAlgorithm); 5] = [
    (KeyType::P256, SignatureAlgorithm::EcdsaSha256),
    (KeyType::P384, SignatureAlgorithm::EcdsaSha384),
    (KeyType::P521, SignatureAlgorithm::EcdsaSha512),
    (KeyType::Rsa { bits: 2048 }, SignatureAlgorithm::RsaSha256),
    (KeyType::Ed25519, SignatureAlgorithm::Ed25519),
];

#[test]
fn every_key_signs_what_it_verifies_and_loads_again() {
    let provider = provider();
    for (key_type, algorithm) in SIGNING {
        let made = provider.sign.generate(key_type).unwrap();
        let loaded = provider.sign.load(&made.pkcs8).unwrap();
        assert_eq!(loaded.public_key(), made.key.public_key());
        assert_eq!((loaded.public_key().key_type(), loaded.algorithm()), (key_type, algorithm));
        let signature = loaded.sign(b"message").unwrap();
        let verify = |message: &[u8]| provider.verify.verify(loaded.public_key(), algorithm, message, &signature);
        assert_eq!(verify(b"message"), Ok(()));
        assert_eq!(verify(b"messagf"), Err(BadSignature));
    }
}

#[test]
fn an_algorithm_of_another_key_verifies_nothing() {
    let provider = provider();
    let key = provider.sign.generate(KeyType::P256).unwrap().key;
    let signature = key.sign(b"message").unwrap();
    for algorithm in SignatureAlgorithm::ALL.into_iter().filter(|algorithm| *algorithm != key.algorithm()) {
        assert_eq!(provider.verify.verify(key.public_key(), algorithm, b"message", &signature), Err(BadSignature));
    }
}

/// RSASSA-PSS with a hash of this many octets and this much salt.
#[test]
fn a_key_signs_by_the_algorithms_that_suit_it_and_no_others() {
    let provider = provider();
    let rsa = [SignatureAlgorithm::RsaSha256, SignatureAlgorithm::RsaSha384, SignatureAlgorithm::RsaSha512];
    for (key_type, made) in [
        (KeyType::Rsa { bits: 2048 }, &rsa[..]),
        (KeyType::P256, &[SignatureAlgorithm::EcdsaSha256]),
        (KeyType::Ed25519, &[SignatureAlgorithm::Ed25519]),
    ] {
        let key = provider.sign.generate(key_type).unwrap().key;
        for algorithm in SignatureAlgorithm::ALL {
            let signature = key.sign_as(algorithm, b"message");
            assert_eq!(signature.is_ok(), made.contains(&algorithm), "{key_type} {algorithm:?}");
            if let Ok(signature) = signature {
                assert_eq!(provider.verify.verify(key.public_key(), algorithm, b"message", &signature), Ok(()));
            }
        }
    }
}

fn pss(hash: u16, salt: u16) -> (SignatureAlgorithm, &'static RsaSignatureEncoding) {
    let (algorithm, encoding) = match hash {
        32 => (SignatureAlgorithm::RsaPssSha256 { salt }, RSA_PSS_SHA256),
        48 => (SignatureAlgorithm::RsaPssSha384 { salt }, RSA_PSS_SHA384),
        _ => (SignatureAlgorithm::RsaPssSha512 { salt }, RSA_PSS_SHA512),
    };
    // The library wants an encoding that lives for ever.
    (algorithm, Box::leak(Box::new(encoding.with_pss_salt_length(RsaPssSaltLength::Custom(salt)))))
}

#[test]
fn rsassa_pss_verifies_with_the_salt_that_is_stated_and_no_other() {
    let provider = provider();
    let made = provider.sign.generate(KeyType::Rsa { bits: 2048 }).unwrap();
    let pair = RsaKeyPair::from_pkcs8(&made.pkcs8).unwrap();
    let verify = |algorithm, message: &[u8], signature: &[u8]| {
        provider.verify.verify(made.key.public_key(), algorithm, message, signature)
    };
    for hash in [32, 48, 64] {
        // RFC 8017 §9.1.1: besides the hash and the salt, two octets are taken.
        let most = 256 - hash - 2;
        for salt in [0, 20, hash, most] {
            let (algorithm, encoding) = pss(hash, salt);
            let mut signature = vec![0; 256];
            pair.sign(encoding, &SystemRandom::new(), b"message", &mut signature).unwrap();
            assert_eq!(verify(algorithm, b"message", &signature), Ok(()), "{algorithm:?}");
            assert_eq!(verify(algorithm, b"messagf", &signature), Err(BadSignature), "{algorithm:?}");
            for other in [
                pss(hash, salt + 1).0,
                pss(hash, u16::MAX).0,
                pss(if hash == 64 { 32 } else { hash + 16 }, salt).0,
                SignatureAlgorithm::RsaSha256,
            ] {
                assert_eq!(verify(other, b"message", &signature), Err(BadSignature), "{algorithm:?} {other:?}");
            }
        }
    }
}

#[test]
fn contents_and_keys_go_there_and_back() {
    let provider = provider();
    let made = provider.sign.generate(KeyType::Rsa { bits: 2048 }).unwrap();
    let private = provider.decrypt.load(&made.pkcs8).unwrap();
    for scheme in [KeyTransport::RsaPkcs1, KeyTransport::RsaOaepSha256] {
        let encrypted = provider.encrypt.key_transport(made.key.public_key(), scheme, &[7; 32]).unwrap();
        assert_eq!(*private.decrypt(scheme, &encrypted).unwrap(), [7; 32]);
    }
    for cipher in [ContentCipher::Aes128Cbc, ContentCipher::Aes256Cbc] {
        let key = vec![9; cipher.key_octets()];
        for length in [0, 15, 16, 17] {
            let ciphertext = provider.encrypt.content(cipher, &key, &[1; 16], &vec![5; length]).unwrap();
            assert_eq!(*provider.decrypt.content(cipher, &key, &[1; 16], &ciphertext).unwrap(), vec![5; length]);
        }
        let wrong = provider.decrypt.content(cipher, &key, &[1; 16], &[0; 32]);
        assert_eq!(wrong, Err(CryptoError::Failed("decryption")));
    }
}

#[test]
fn debug_shows_no_key() {
    let made = provider().sign.generate(KeyType::P256).unwrap();
    assert_eq!(format!("{:?}", made.key), "SoftwareKey(p256)");
}
