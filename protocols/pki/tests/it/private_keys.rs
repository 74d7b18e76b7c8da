//! Private keys as openssl writes them, each in each form, and files that are refused.

use std::fs;

use certgate_pki::{EncryptedPrivateKey, PrivateKeyError, PrivateKeyFile, limits, pem};
use zeroize::Zeroizing;

use crate::fixtures::path;

const PASSPHRASE: &[u8] = b"correct horse";

fn text(name: &str) -> String {
    fs::read_to_string(path("private-key", name)).unwrap()
}

fn open(text: &str, passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    match PrivateKeyFile::read(text)? {
        PrivateKeyFile::Plain(pkcs8) => Ok(pkcs8),
        PrivateKeyFile::Encrypted(key) => key.decrypt(passphrase),
    }
}

/// Why a file is refused.
fn refused(text: &str) -> PrivateKeyError {
    open(text, PASSPHRASE).err().unwrap()
}

#[test]
fn each_kind_of_key_is_read_in_each_form() {
    let provider = certgate_crypto::provider();
    for (kind, forms) in [
        (
            "p256",
            &[
                "pkcs8",
                "sec1",
                "sec1-no-public",
                "with-parameters",
                "pbkdf2-sha1",
                "pbkdf2-sha256",
                "pbkdf2-sha384",
                "pbkdf2-sha512",
                "aes-128-cbc",
                "aes-192-cbc",
                "des3",
                "scrypt",
            ][..],
        ),
        ("p384", &["pkcs8", "sec1"]),
        ("p521", &["pkcs8", "sec1"]),
        ("rsa2048", &["pkcs8", "pkcs1", "pbkdf2-sha256"]),
        ("ed25519", &["pkcs8", "pbkdf2-sha256"]),
    ] {
        let public = fs::read(path("private-key", &format!("{kind}.spki"))).unwrap();
        for form in forms {
            let name = format!("{kind}-{form}.pem");
            let pkcs8 = open(&text(&name), PASSPHRASE).unwrap_or_else(|error| panic!("{name}: {error}"));
            let key = provider.sign.load(&pkcs8).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(key.public_key().spki(), public, "{name}");
        }
    }
}

#[test]
fn which_files_need_a_passphrase() {
    for (name, is_encrypted) in [("p256-sec1.pem", false), ("rsa2048-pkcs8.pem", false), ("p256-scrypt.pem", true)] {
        let read = PrivateKeyFile::read(&text(name)).unwrap();
        assert_eq!(matches!(read, PrivateKeyFile::Encrypted(_)), is_encrypted, "{name}");
    }
}

#[test]
fn what_is_not_read_is_refused_for_its_own_reason() {
    for (name, expected) in [
        ("p256-legacy.pem", PrivateKeyError::LegacyEncryption),
        ("p256-pbes1.pem", PrivateKeyError::UnsupportedEncryption),
        ("p256-camellia.pem", PrivateKeyError::UnsupportedEncryption),
        ("p256-ten-million-and-one.pem", PrivateKeyError::TooExpensive),
        ("explicit-curve-sec1.pem", PrivateKeyError::NoCurve),
    ] {
        assert_eq!(refused(&text(name)), expected, "{name}");
    }
    let big = pem::encode(pem::PRIVATE_KEY, &vec![0; limits::MAX_PRIVATE_KEY + 1]);
    assert_eq!(refused(&big), PrivateKeyError::TooLarge);
    assert_eq!(refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), PrivateKeyError::NoKey);
    for label in [pem::PRIVATE_KEY, pem::ENCRYPTED_PRIVATE_KEY, pem::EC_PRIVATE_KEY, pem::RSA_PRIVATE_KEY] {
        assert_eq!(refused(&pem::encode(label, b"no key")), PrivateKeyError::Malformed(label));
    }
}

#[test]
fn another_passphrase_does_not_open_a_key_and_every_one_says_so() {
    for name in ["p256-pbkdf2-sha256.pem", "p256-des3.pem", "rsa2048-pbkdf2-sha256.pem"] {
        // One in 256 finds a padding that looks right.
        for number in 0..300 {
            let PrivateKeyFile::Encrypted(key) = PrivateKeyFile::read(&text(name)).unwrap() else { panic!("{name}") };
            let error = key.decrypt(format!("wrong {number}").as_bytes()).unwrap_err();
            assert_eq!(error, PrivateKeyError::WrongPassphrase, "{name}, {number}");
        }
    }
}

#[test]
fn the_first_key_of_a_file_counts() {
    let both = format!("# keys\n{}\n{}", text("p256-sec1.pem"), text("rsa2048-pkcs1.pem"));
    assert_eq!(open(&both, b"").unwrap(), open(&text("p256-sec1.pem"), b"").unwrap());
}

/// What a hostile file could ask for: each is refused before anything is computed.
#[test]
fn scrypt_is_bounded_in_memory_and_passes() {
    let cases = [
        ((1 << 14, 8, 1), None),
        ((1 << 17, 8, 16), None),
        ((1 << 18, 8, 1), Some(PrivateKeyError::TooExpensive)),
        ((1 << 14, 8, 17), Some(PrivateKeyError::TooExpensive)),
        ((0, 8, 1), Some(PrivateKeyError::TooExpensive)),
        ((1 << 14, 0, 1), Some(PrivateKeyError::TooExpensive)),
        ((1 << 14, 8, 0), Some(PrivateKeyError::TooExpensive)),
        ((u64::MAX, u16::MAX, 1), Some(PrivateKeyError::TooExpensive)),
    ];
    for ((cost_parameter, block_size, parallelization), expected) in cases {
        use pkcs8::pkcs5::pbes2::{EncryptionScheme, Parameters, ScryptParams};
        let salt = [7; 8].as_slice().try_into().unwrap();
        let scrypt = ScryptParams { salt, cost_parameter, block_size, parallelization, key_length: None };
        let parameters = Parameters { kdf: scrypt.into(), encryption: EncryptionScheme::Aes256Cbc { iv: [0; 16] } };
        let encrypted_data = der::asn1::OctetString::new([0; 32]).unwrap();
        let file = pkcs8::EncryptedPrivateKeyInfo { encryption_algorithm: parameters.into(), encrypted_data };
        let text = pem::encode(pem::ENCRYPTED_PRIVATE_KEY, &der::Encode::to_der(&file).unwrap());
        assert_eq!(PrivateKeyFile::read(&text).err(), expected, "{cost_parameter} {block_size} {parallelization}");
    }
}

#[test]
fn what_is_encrypted_here_is_opened_by_its_passphrase_alone() {
    let pkcs8 = open(&text("ed25519-pkcs8.pem"), b"").unwrap();
    let made = EncryptedPrivateKey::encrypt(&pkcs8, PASSPHRASE, &[1; 16], [2; 16]).unwrap();
    assert!(made.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assert_eq!(open(&made, PASSPHRASE).unwrap(), pkcs8);
    assert_eq!(open(&made, b"correct hors").unwrap_err(), PrivateKeyError::WrongPassphrase);
    let PrivateKeyFile::Encrypted(key) = PrivateKeyFile::read(&made).unwrap() else { panic!("it is encrypted") };
    assert_eq!(key.work(), 600_000);
    assert!(EncryptedPrivateKey::encrypt(b"no key", PASSPHRASE, &[1; 16], [2; 16]).is_err());
}
