//! Files of private keys: what is read is PKCS#8, read again the same; nothing is computed beyond bounds.
//!
//! A file that is no text is the DER of a block; its first octet chooses the label.
#![no_main]

use certgate_pki::{PrivateKeyError, PrivateKeyFile, limits, pem};
use libfuzzer_sys::fuzz_target;

/// The passphrase of the seeds.
const PASSPHRASE: &[u8] = b"correct horse";
/// Of how much work a key is opened: 2048 iterations are what openssl writes.
const WORK: u64 = 4096;
const LABELS: [&str; 4] = [pem::PRIVATE_KEY, pem::ENCRYPTED_PRIVATE_KEY, pem::EC_PRIVATE_KEY, pem::RSA_PRIVATE_KEY];

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        read(text);
    }
    if let [choice, der @ ..] = data {
        read(&pem::encode(LABELS[usize::from(choice % 4)], der));
    }
});

fn read(text: &str) {
    match PrivateKeyFile::read(text) {
        Ok(PrivateKeyFile::Plain(pkcs8)) => assert_kept(&pkcs8),
        Ok(PrivateKeyFile::Encrypted(key)) if key.work() <= WORK => match key.decrypt(PASSPHRASE) {
            Ok(pkcs8) => assert_kept(&pkcs8),
            Err(error) => assert!(
                matches!(error, PrivateKeyError::WrongPassphrase | PrivateKeyError::UnsupportedEncryption),
                "nothing else is left to find: {error}"
            ),
        },
        Ok(PrivateKeyFile::Encrypted(key)) => assert!(key.work() <= most_work(), "{}", key.work()),
        Err(PrivateKeyError::WrongPassphrase) => panic!("there was no passphrase"),
        Err(PrivateKeyError::Pem(pem::PemError::TooLarge)) => assert!(text.len() > limits::MAX_PEM),
        Err(_) => {}
    }
}

fn most_work() -> u64 {
    let scrypt = limits::MAX_KEY_MEMORY / 128 * u64::from(limits::MAX_KEY_PASSES);
    scrypt.max(limits::MAX_KEY_ITERATIONS.into())
}

/// PKCS#8 is kept as it is.
fn assert_kept(pkcs8: &[u8]) {
    // A key of SEC1 or PKCS#1 gains a header of at most 40 octets.
    assert!(pkcs8.len() <= limits::MAX_PRIVATE_KEY + 40);
    if pkcs8.len() > limits::MAX_PRIVATE_KEY {
        return;
    }
    match PrivateKeyFile::read(&pem::encode(pem::PRIVATE_KEY, pkcs8)) {
        Ok(PrivateKeyFile::Plain(again)) => assert_eq!(*again, pkcs8),
        Ok(PrivateKeyFile::Encrypted(_)) => panic!("it is not encrypted"),
        Err(error) => panic!("what was made is PKCS#8: {error}"),
    }
}
