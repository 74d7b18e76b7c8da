//! Keys of authorities, as their configuration has it: what kind is made, what opens it, which library computes with it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use certgate_ca_backend_local::rustcrypto;
use certgate_pki::{CryptoError, KeyType, Provider, SigningKey};
use zeroize::Zeroizing;

use super::keys::{self, KeyFile};
use crate::config::{AuthorityConfig, Signer};

/// A key, and the same as unencrypted PKCS#8.
type KeyRead = (Arc<dyn SigningKey>, Zeroizing<Vec<u8>>);

/// The key in this file; made and written if there is none.
///
/// # Errors
/// When it cannot be read, opened, made or written.
pub(super) fn load_or_make(config: &AuthorityConfig, path: &Path, provider: &Provider) -> anyhow::Result<Arc<dyn SigningKey>> {
    if path.exists() {
        return read(config, path, provider).map(|(key, _)| key);
    }
    let made = keys::make(config.key.key_type(), provider)?;
    keep(config, path, &made.pkcs8, provider)?;
    signing(config, &made.pkcs8, provider).with_context(|| path.display().to_string())
}

/// The key in a file, wherever that is.
///
/// # Errors
/// When it cannot be read or opened.
pub(super) fn read(config: &AuthorityConfig, path: &Path, provider: &Provider) -> anyhow::Result<KeyRead> {
    let pkcs8 = KeyFile { path, whose: &whose(config), passphrase: config.passphrase.as_ref() }.read()?;
    let key = signing(config, &pkcs8, provider).with_context(|| path.display().to_string())?;
    let (found, configured) = (key.public_key().key_type(), config.key.key_type());
    if found != configured {
        tracing::warn!(authority = config.name, %found, %configured, "the authority keeps the key that it has");
    }
    Ok((key, pkcs8))
}

/// Keeps a key in this file, encrypted if it has a passphrase.
///
/// # Errors
/// When it cannot be written, or the passphrase cannot be had.
pub(super) fn keep(config: &AuthorityConfig, path: &Path, pkcs8: &[u8], provider: &Provider) -> anyhow::Result<()> {
    KeyFile { path, whose: &whose(config), passphrase: config.passphrase.as_ref() }.write(pkcs8, &*provider.random)
}

fn whose(config: &AuthorityConfig) -> String {
    format!("authority \"{}\"", config.name)
}

/// What signs with this key, by the library that is configured.
fn signing(config: &AuthorityConfig, pkcs8: &[u8], provider: &Provider) -> Result<Arc<dyn SigningKey>, CryptoError> {
    match config.signer {
        Signer::AwsLc => provider.sign.load(pkcs8),
        Signer::RustCrypto => {
            let key = rustcrypto::load(pkcs8)?;
            if matches!(key.public_key().key_type(), KeyType::Rsa { .. }) {
                let advice = "RSA of RustCrypto is not in constant time (RUSTSEC-2023-0071): whoever can time signatures well may \
                              learn of the key; signer = \"aws-lc\" is";
                tracing::warn!(authority = config.name, "{advice}");
            }
            Ok(key)
        }
    }
}
