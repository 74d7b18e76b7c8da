//! What a backup lacks and the data directory has goes along: numbers of CRLs, and keys.

use std::path::Path;

use anyhow::Context;
use certgate_crl::{Crl, MAX_CRL};

use super::files;

/// Takes over from the data directory each CRL whose number is above that of the same list in the backup, so that the next one has a
/// number above it; and, where a backup has no keys, the keys that are there.
///
/// # Errors
/// When something cannot be read or written.
pub(super) fn complete(comes: &Path, data_dir: &Path, has_keys: bool) -> anyhow::Result<()> {
    for name in files::list(data_dir)? {
        let (from, to) = (data_dir.join(&name), comes.join(&name));
        let is_wanted = if files::is_key(&name) {
            !has_keys && !to.exists()
        } else {
            name.starts_with("crl/") && number_of(&from) > number_of(&to)
        };
        if is_wanted {
            let folder = to.parent().unwrap_or(comes);
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            // Permissions go along.
            std::fs::copy(&from, &to).with_context(|| from.display().to_string())?;
        }
    }
    Ok(())
}

/// cRLNumber of a list in a file; `None`, which is below all of them, of what is no list.
fn number_of(path: &Path) -> Option<u64> {
    let length = std::fs::metadata(path).ok()?.len();
    if length > MAX_CRL as u64 {
        return None;
    }
    Crl::parse(&std::fs::read(path).ok()?).ok()?.number?.to_u64()
}
