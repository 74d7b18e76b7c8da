//! The file that the key of a root goes into: the key, and its certificate after it, PEM.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use certgate_pki::{Certificate, PrivateKeyFile, Provider, SigningKey, pem};
use zeroize::Zeroizing;

use crate::assemble::keys;
use crate::config::SecretSource;
use crate::data_dir::{Secrecy, erase, is_private, write_new};

/// How the key is kept there.
pub enum Protection {
    /// Encrypted with this passphrase.
    Passphrase(Zeroizing<String>),
    /// By nothing but where the file is.
    None,
}

/// A key that was read from such a file, or from any file of a private key.
pub struct KeyCopy {
    /// Signs with it.
    pub key: Arc<dyn SigningKey>,
    /// It, as unencrypted PKCS#8.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// The certificate beside it, if there is one.
    pub certificate: Option<Certificate>,
}

impl KeyCopy {
    /// Writes a key and its certificate where no file is, reads them back, and sees that they are what was written.
    ///
    /// # Errors
    /// When the file is there already, cannot be written, or is not what was written.
    pub fn write(
        path: &Path,
        (pkcs8, certificate): (&[u8], &Certificate),
        protection: &Protection,
        provider: &Provider,
    ) -> anyhow::Result<()> {
        let mut text = match protection {
            Protection::Passphrase(passphrase) => Zeroizing::new(keys::encrypt(pkcs8, passphrase, &*provider.random)?),
            Protection::None => Zeroizing::new(pem::encode(pem::PRIVATE_KEY, pkcs8)),
        };
        let certificate_text = pem::encode(pem::CERTIFICATE, certificate.as_der());
        // Made as long as it is to be at once: what a string leaves behind as it grows is zeroed by nobody.
        let mut whole = Zeroizing::new(String::with_capacity(text.len() + certificate_text.len()));
        whole.push_str(&std::mem::take(&mut text));
        whole.push_str(&certificate_text);
        write_new(path, whole.as_bytes(), Secrecy::Private)?;
        let proved = Self::prove(path, certificate, protection, provider);
        if proved.is_err() {
            // What is no copy does not stand in the way of the next one.
            erase(path)?;
        }
        proved
    }

    fn prove(path: &Path, certificate: &Certificate, protection: &Protection, provider: &Provider) -> anyhow::Result<()> {
        let passphrase = match protection {
            Protection::Passphrase(passphrase) => Some(passphrase.as_str()),
            Protection::None => None,
        };
        let read =
            Self::parse(path, provider, || passphrase.map(|text| Zeroizing::new(text.to_owned())).context("no passphrase"))
                .context(
                    "the copy is no good, and was removed (a file system that keeps no modes takes an encrypted key alone)",
                )?;
        let is_it = read.key.public_key() == certificate.public_key() && read.certificate.as_ref() == Some(certificate);
        if !is_it {
            bail!("{} is not what was written there: the disk or file system is not to be trusted with a key", path.display());
        }
        Ok(())
    }

    /// Reads a key; the passphrase is asked for only if it is encrypted.
    ///
    /// # Errors
    /// When there is none, or the passphrase does not open it.
    pub fn read(path: &Path, passphrase: Option<&SecretSource>, provider: &Provider) -> anyhow::Result<Self> {
        let name = path.display();
        Self::parse(path, provider, || match passphrase {
            Some(source) => source.read(&format!("passphrase of the key in {name}")),
            None => bail!("{name} is encrypted: say where its passphrase is, by --passphrase env:NAME, file:PATH or prompt"),
        })
    }

    fn parse(
        path: &Path,
        provider: &Provider,
        passphrase: impl FnOnce() -> anyhow::Result<Zeroizing<String>>,
    ) -> anyhow::Result<Self> {
        let name = || path.display().to_string();
        let text = std::fs::read_to_string(path).map(Zeroizing::new).with_context(name)?;
        let pkcs8 = match PrivateKeyFile::read(&text).with_context(name)? {
            // One that is encrypted may be on a medium that keeps no modes.
            PrivateKeyFile::Plain(pkcs8) => {
                is_private(path)?;
                pkcs8
            }
            PrivateKeyFile::Encrypted(key) => key.decrypt(passphrase()?.as_bytes()).with_context(name)?,
        };
        let key = provider.sign.load(&pkcs8).with_context(name)?;
        let certificate = match pem::decode(pem::CERTIFICATE, &text) {
            Ok(der) => Some(Certificate::from_der(&der).with_context(name)?),
            Err(_) => None,
        };
        Ok(Self { key, pkcs8, certificate })
    }
}
