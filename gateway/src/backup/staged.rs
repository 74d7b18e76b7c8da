//! What a backup lacks and the data directory has goes along: numbers of CRLs, keys, and authorities that are newer; and what a backup
//! has of a key that was taken away since does not.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use certgate_crl::{Crl, MAX_CRL};
use certgate_pki::{Certificate, Provider, pem};

use super::files;
use crate::data_dir::erase;

/// Files of an authority in `ca/`, by what follows its name.
const KINDS: [&str; 4] = ["key", "pem", "chain.pem", "root.pem"];

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
            bring(&from, &to)?;
        }
    }
    Ok(())
}

/// Takes over the files of authorities of which the backup has no key and no certificate: they came after it. For a data directory of the
/// same gateway, and before [`complete`].
///
/// # Errors
/// When something cannot be read or written.
pub(super) fn take_new_authorities(comes: &Path, data_dir: &Path) -> anyhow::Result<()> {
    let known = authorities(comes)?;
    for name in authorities(data_dir)?.difference(&known) {
        take_authority(comes, data_dir, name)?;
    }
    Ok(())
}

/// Takes over all that there is of an authority in `ca/`, in the place of what the backup has.
///
/// # Errors
/// When something cannot be read or written.
pub(super) fn take_authority(comes: &Path, data_dir: &Path, name: &str) -> anyhow::Result<()> {
    for file in KINDS.map(|kind| format!("ca/{name}.{kind}")) {
        let from = data_dir.join(&file);
        if from.is_file() {
            bring(&from, &comes.join(&file))?;
        }
    }
    Ok(())
}

/// Names of authorities that have a key or a certificate there.
///
/// # Errors
/// When it cannot be read.
pub(super) fn authorities(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let name = |file: &String| {
        let file = file.strip_prefix("ca/")?;
        let is_more = file.ends_with(".chain.pem") || file.ends_with(".root.pem");
        let own = file.strip_suffix(".key").or_else(|| file.strip_suffix(".pem").filter(|_| !is_more))?;
        Some(own.to_owned())
    };
    Ok(files::list(folder)?.iter().filter_map(name).collect())
}

/// Leaves out the key of an authority that is kept elsewhere; its name if it was there. What was unpacked of it is overwritten.
///
/// # Errors
/// When it cannot be removed.
pub(super) fn leave_key_out(comes: &Path, authority: &str) -> anyhow::Result<Option<String>> {
    let name = format!("ca/{authority}.key");
    let path = comes.join(&name);
    if !path.exists() {
        return Ok(None);
    }
    erase(&path)?;
    Ok(Some(name))
}

/// The OCSP responder of an authority whose key is elsewhere cannot be made anew: that of the data directory stays, else that of the backup,
/// key and certificate of one of the two.
///
/// # Errors
/// When something cannot be read or written.
pub(super) fn keep_responder(
    comes: &Path,
    data_dir: &Path,
    (authority, backup_has_keys): (&str, bool),
    provider: &Provider,
) -> anyhow::Result<()> {
    let [key, certificate] = ["key", "pem"].map(|kind| format!("ocsp/{authority}.{kind}"));
    let own = certificate_in(&comes.join(format!("ca/{authority}.pem")));
    let present = certificate_in(&data_dir.join(&certificate));
    let is_signed = |own: &Certificate| present.is_some_and(|one| one.verify_signed_by(own.public_key(), provider).is_ok());
    if data_dir.join(&key).is_file() && own.as_ref().is_some_and(is_signed) {
        for file in [&key, &certificate] {
            bring(&data_dir.join(file), &comes.join(file))?;
        }
    } else if !backup_has_keys {
        // It came from the data directory, and the certificate from the backup.
        erase(&comes.join(&key))?;
    }
    Ok(())
}

/// The first certificate of a file, if it has one.
fn certificate_in(path: &Path) -> Option<Certificate> {
    let blocks = pem::decode_all(pem::CERTIFICATE, &std::fs::read_to_string(path).ok()?).ok()?;
    Certificate::from_der(blocks.first()?).ok()
}

fn bring(from: &Path, to: &Path) -> anyhow::Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    // Permissions go along.
    std::fs::copy(from, to).with_context(|| from.display().to_string()).map(drop)
}

/// cRLNumber of a list in a file; `None`, which is below all of them, of what is no list.
fn number_of(path: &Path) -> Option<u64> {
    let length = std::fs::metadata(path).ok()?.len();
    if length > MAX_CRL as u64 {
        return None;
    }
    Crl::parse(&std::fs::read(path).ok()?).ok()?.number?.to_u64()
}
