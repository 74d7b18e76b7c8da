//! Private keys in files: PEM, 0600, encrypted where a passphrase is configured.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use certgate_pki::{
    EncryptedPrivateKey, GeneratedKey, KeyType, PrivateKeyError, PrivateKeyFile, Provider, Random, SigningKey, pem,
};
use zeroize::Zeroizing;

use crate::config::SecretSource;
use crate::data_dir::{Secrecy, read_private, write_atomically};

/// A file of a private key, and what opens it.
pub(crate) struct KeyFile<'k> {
    /// Where it is.
    pub(crate) path: &'k Path,
    /// Whose key it is, as a prompt and errors say it.
    pub(crate) whose: &'k str,
    /// The passphrase, if it has one.
    pub(crate) passphrase: Option<&'k SecretSource>,
}

impl KeyFile<'_> {
    /// The key as unencrypted PKCS#8, whatever form it has in the file. The passphrase is asked for only if it is encrypted.
    ///
    /// # Errors
    /// When it cannot be read or opened; says what to do.
    pub(crate) fn read(&self) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        let name = || self.path.display().to_string();
        match PrivateKeyFile::read(&read_private(self.path)?).with_context(name)? {
            PrivateKeyFile::Plain(pkcs8) => {
                if self.passphrase.is_some() {
                    let advice = "the key has a passphrase in the configuration and none in its file, where whoever reads the file \
                                  has it: `openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW` encrypts it";
                    tracing::warn!(path = %self.path.display(), "{advice}");
                }
                Ok(pkcs8)
            }
            PrivateKeyFile::Encrypted(key) => {
                let Some(source) = self.passphrase else {
                    bail!(
                        "{} is encrypted, and no passphrase is configured for {}: add passphrase = \"env:NAME\", \"file:PATH\" or \
                         \"prompt\" there",
                        name(),
                        self.whose
                    );
                };
                let passphrase = source.read(&self.prompt())?;
                key.decrypt(passphrase.as_bytes()).with_context(name)
            }
        }
    }

    /// Keeps a key, encrypted if it has a passphrase.
    ///
    /// # Errors
    /// When it cannot be written, or the passphrase cannot be had.
    pub(crate) fn write(&self, pkcs8: &[u8], random: &dyn Random) -> anyhow::Result<()> {
        let text = match self.passphrase {
            None => Zeroizing::new(pem::encode(pem::PRIVATE_KEY, pkcs8)),
            Some(source) => {
                let passphrase = source.read_new(&self.prompt())?;
                Zeroizing::new(encrypt(pkcs8, &passphrase, random)?)
            }
        };
        write_atomically(self.path, text.as_bytes(), Secrecy::Private)
    }

    fn prompt(&self) -> String {
        format!("passphrase of the key of {}", self.whose)
    }
}

/// A key as PEM of encrypted PKCS#8.
///
/// # Errors
/// When there is no randomness.
pub(crate) fn encrypt(pkcs8: &[u8], passphrase: &str, random: &dyn Random) -> anyhow::Result<String> {
    let (mut salt, mut iv) = ([0; EncryptedPrivateKey::SALT], [0; EncryptedPrivateKey::IV]);
    random.fill(&mut salt)?;
    random.fill(&mut iv)?;
    let text: Result<String, PrivateKeyError> = EncryptedPrivateKey::encrypt(pkcs8, passphrase.as_bytes(), &salt, iv);
    text.context("encrypt a key")
}

/// One of certgate's own keys beside those of authorities.
fn own(path: &Path) -> KeyFile<'_> {
    KeyFile { path, whose: "certgate itself", passphrase: None }
}

/// The key in a file, as unencrypted PKCS#8.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    own(path).read()
}

/// The key in a file; made and written if there is none.
///
/// # Errors
/// When it cannot be read, made or written.
pub(crate) fn load_or_generate(path: &Path, key_type: KeyType, provider: &Provider) -> anyhow::Result<Arc<dyn SigningKey>> {
    if path.exists() {
        return provider.sign.load(&read(path)?).with_context(|| path.display().to_string());
    }
    let made = make(key_type, provider)?;
    write(path, &made, provider)?;
    Ok(made.key)
}

/// A new key, nowhere kept yet.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn make(key_type: KeyType, provider: &Provider) -> anyhow::Result<GeneratedKey> {
    provider.sign.generate(key_type).with_context(|| format!("make a key of type {key_type}"))
}

/// Keeps a key in a file.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(path: &Path, made: &GeneratedKey, provider: &Provider) -> anyhow::Result<()> {
    own(path).write(&made.pkcs8, &*provider.random)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder with a passphrase in `passphrase`, and the path of a key.
    fn folder() -> (tempfile::TempDir, std::path::PathBuf, SecretSource) {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("passphrase");
        write_atomically(&secret, b"correct horse\n", Secrecy::Private).unwrap();
        let key = folder.path().join("ca.key");
        (folder, key, SecretSource::File(secret))
    }

    fn file<'k>(path: &'k Path, passphrase: Option<&'k SecretSource>) -> KeyFile<'k> {
        KeyFile { path, whose: "authority \"root\"", passphrase }
    }

    #[test]
    fn with_a_passphrase_a_key_is_kept_encrypted() {
        let provider = certgate_crypto::provider();
        let (_folder, path, passphrase) = folder();
        let made = make(KeyType::P256, &provider).unwrap();
        file(&path, Some(&passphrase)).write(&made.pkcs8, &*provider.random).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(file(&path, Some(&passphrase)).read().unwrap(), made.pkcs8);
        // Salt and initialization vector are never the same twice.
        file(&path, Some(&passphrase)).write(&made.pkcs8, &*provider.random).unwrap();
        assert_ne!(std::fs::read_to_string(&path).unwrap(), text);

        let error = file(&path, None).read().unwrap_err().to_string();
        assert!(error.contains("no passphrase is configured for authority \"root\": add passphrase = "), "{error}");
        let SecretSource::File(secret) = &passphrase else { panic!("it is in a file") };
        write_atomically(secret, b"another", Secrecy::Private).unwrap();
        let error = format!("{:#}", file(&path, Some(&passphrase)).read().unwrap_err());
        assert!(error.contains("ca.key: the passphrase does not open the key"), "{error}");
    }

    #[test]
    fn a_key_without_one_is_read_without_asking() {
        let provider = certgate_crypto::provider();
        let (_folder, path, _) = folder();
        let made = make(KeyType::Ed25519, &provider).unwrap();
        write(&path, &made, &provider).unwrap();
        let nowhere = SecretSource::Env("CERTGATE_NOT_SET".into());
        assert_eq!(file(&path, Some(&nowhere)).read().unwrap(), made.pkcs8);
        assert_eq!(load_or_generate(&path, KeyType::P256, &provider).unwrap().public_key(), made.key.public_key());
    }
}
