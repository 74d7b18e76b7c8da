//! Which files of a data directory belong to a backup.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek};
use std::path::{Component, Path};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::manifest::Member;

/// The ledger.
pub(super) const LEDGER: &str = "ledger.db";
/// The configuration.
pub(super) const CONFIG: &str = "certgate.toml";
/// Keys and certificates, and CRLs for their numbers. `tls/` is made anew.
pub(super) const FOLDERS: [&str; 4] = ["ca", "ra", "ocsp", "crl"];
/// What signs the heads of the audit trail, and the heads that were signed.
pub(super) const AUDIT: [&str; 3] = ["audit.heads", "audit.key", "audit.pub.pem"];

/// May a backup have a file of this name? It stays within the data directory, and it is nothing else than what is backed up.
pub(super) fn is_member(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let first = components.next();
    let is_alone = components.clone().next().is_none();
    let is_below = components.all(|component| matches!(component, Component::Normal(_))) && !name.contains("//");
    match first {
        Some(Component::Normal(first)) if is_alone => {
            let alone = [LEDGER, CONFIG].into_iter().chain(AUDIT);
            alone.into_iter().any(|one| first == one)
        }
        Some(Component::Normal(first)) => is_below && FOLDERS.into_iter().any(|folder| first == folder),
        _ => false,
    }
}

/// Is it a private key?
pub(super) fn is_key(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "key")
}

/// Does everybody on the machine read it, if they get that far? Certificates and CRLs.
pub(super) fn is_public(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "pem" || extension == "crl")
}

/// Every file of these folders, by its path in the data directory, in order.
pub(super) fn list(data_dir: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in FOLDERS {
        walk(data_dir, folder, &mut names)?;
    }
    names.sort_unstable();
    Ok(names)
}

fn walk(data_dir: &Path, folder: &str, names: &mut Vec<String>) -> anyhow::Result<()> {
    let path = data_dir.join(folder);
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    for entry in entries {
        let entry = entry.with_context(|| path.display().to_string())?;
        let file_name = entry.file_name();
        let Some(file_name) = file_name.to_str() else { bail!("{} is not named in UTF-8", entry.path().display()) };
        let name = format!("{folder}/{file_name}");
        if entry.path().is_dir() {
            walk(data_dir, &name, names)?;
        } else if entry.path().is_file() && !file_name.ends_with(".new") {
            // What a crash has left half written is no file yet.
            names.push(name);
        }
    }
    Ok(())
}

/// A file that was opened, and what the manifest says of it. Its octets stay as they are when another file is put in its place.
pub(super) struct Opened {
    pub(super) member: Member,
    pub(super) file: File,
    /// It is a private key, and whoever has it can use it.
    pub(super) is_clear_key: bool,
}

/// Opens and hashes a file.
pub(super) fn open(path: &Path, name: &str) -> anyhow::Result<Opened> {
    let context = || path.display().to_string();
    let mut file = File::open(path).with_context(context)?;
    let (sha256, octets) = hash(&mut file, std::io::sink()).with_context(context)?;
    file.rewind().with_context(context)?;
    let is_clear_key = is_key(name) && {
        let mut text = zeroize::Zeroizing::new(String::new());
        (&mut file).take(octets).read_to_string(&mut text).is_err() || !text.contains("ENCRYPTED PRIVATE KEY")
    };
    file.rewind().with_context(context)?;
    Ok(Opened { member: Member { name: name.to_owned(), octets, sha256 }, file, is_clear_key })
}

/// Copies all that comes; SHA-256 of it, lowercase hex, and how much it was.
pub(super) fn hash(from: &mut dyn Read, mut to: impl std::io::Write) -> std::io::Result<(String, u64)> {
    let (mut sha256, mut octets) = (Sha256::new(), 0);
    let mut buffer = zeroize::Zeroizing::new(vec![0; 256 * 1024]);
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok((base16ct::lower::encode_string(&sha256.finalize()), octets)),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let part = buffer.get(..read).unwrap_or_default();
        sha256.update(part);
        to.write_all(part)?;
        octets += part.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_data_directory() {
        for name in ["ledger.db", "certgate.toml", "audit.key", "audit.heads", "ca/root.key", "crl/default/3/delta.crl"] {
            assert!(is_member(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "ca",
            "lock",
            "run.json",
            "ledger.db-wal",
            "tls/server.key",
            "/ledger.db",
            "/etc/passwd",
            "ca/../../x",
            "ca/..",
            "../ca/root.key",
            "ca//root.key",
            "./ledger.db",
        ] {
            assert!(!is_member(name), "{name}");
        }
    }
}
