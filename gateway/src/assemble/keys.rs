//! Private keys in files: PKCS#8 PEM, 0600.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use certgate_pki::{GeneratedKey, KeyType, Provider, SigningKey, pem};
use zeroize::Zeroizing;

use crate::data_dir::{Secrecy, read_private, write_atomically};

/// The key in a file; made and written if there is none.
///
/// # Errors
/// When it cannot be read, made or written.
pub(crate) fn load_or_generate(path: &Path, key_type: KeyType, provider: &Provider) -> anyhow::Result<Arc<dyn SigningKey>> {
    if path.exists() {
        let text = read_private(path)?;
        let der = pem::decode(pem::PRIVATE_KEY, &text).map(Zeroizing::new).with_context(|| path.display().to_string())?;
        return provider.sign.load(&der).with_context(|| path.display().to_string());
    }
    let made = make(key_type, provider)?;
    write(path, &made)?;
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
pub(crate) fn write(path: &Path, made: &GeneratedKey) -> anyhow::Result<()> {
    let text = Zeroizing::new(pem::encode(pem::PRIVATE_KEY, &made.pkcs8));
    write_atomically(path, text.as_bytes(), Secrecy::Private)
}
