//! Keys of authorities, as their configuration has it: what kind is made, what opens it, which library computes with it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use certgate_ca_backend_local::rustcrypto;
use certgate_pki::{CryptoError, KeyType, Provider, SigningKey};

use super::keys::{self, KeyFile};
use crate::config::{AuthorityConfig, Signer};

/// The key in this file; made and written if there is none.
///
/// # Errors
/// When it cannot be read, opened, made or written.
pub(super) fn load_or_make(config: &AuthorityConfig, path: &Path, provider: &Provider) -> anyhow::Result<Arc<dyn SigningKey>> {
    let whose = format!("authority \"{}\"", config.name);
    let file = KeyFile { path, whose: &whose, passphrase: config.passphrase.as_ref() };
    let pkcs8 = if path.exists() {
        file.read()?
    } else {
        let made = keys::make(config.key.key_type(), provider)?;
        file.write(&made.pkcs8, &*provider.random)?;
        made.pkcs8
    };
    let key = signing(config, &pkcs8, provider).with_context(|| path.display().to_string())?;
    let (found, configured) = (key.public_key().key_type(), config.key.key_type());
    if found != configured {
        tracing::warn!(authority = config.name, %found, %configured, "the authority keeps the key that it has");
    }
    Ok(key)
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
