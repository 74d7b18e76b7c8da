//! The data directory: everything that certgate keeps, 0700, used by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use zeroize::Zeroizing;

/// Whom a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// Keys and passwords: 0600.
    Private,
    /// Certificates: 0644, within a directory that others cannot enter.
    Public,
}

/// What is always there.
pub(crate) const FOLDERS: [&str; 4] = ["ca", "ocsp", "ra", "tls"];

/// A data directory that this process holds.
#[derive(Debug)]
pub struct DataDir {
    root: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens a data directory, makes it if there is none, and locks it for this process.
    ///
    /// # Errors
    /// When it cannot be made, or another process holds it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        make_private(path)?;
        // A start that made it may have been killed before its name was on the disk; what somebody else has made is theirs to sync.
        if !path.join("ledger.db").exists()
            && let Err(error) = sync_name(path)
        {
            tracing::warn!(path = %path.display(), %error, "the folder above could not be synced: a power cut may take the name away");
        }
        let root = path.canonicalize().with_context(|| path.display().to_string())?;
        let lock_path = root.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock_path);
        let lock = lock.with_context(|| lock_path.display().to_string())?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "{} is used by another certgate that runs; stop it, or give this one a --data-dir of its own",
                root.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("lock {}", lock_path.display())),
        }
        if crate::backup::finish(&root).with_context(|| format!("finish the restore in {}", root.display()))?.is_some() {
            tracing::warn!(path = %root.display(), "a restore had been cut short; it is finished now");
        }
        for folder in FOLDERS {
            make_private(&root.join(folder))?;
        }
        Ok(Self { root, _lock: lock })
    }

    /// A file or folder in it; absolute.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Is there any key of an authority?
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn has_keys(&self) -> anyhow::Result<bool> {
        let folder = self.join("ca");
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        Ok(entries.flatten().any(|entry| entry.path().extension().is_some_and(|extension| extension == "key")))
    }

    /// The directory; absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }
}

/// Makes a directory with 0700, or says when one that exists lets others in.
fn make_private(path: &Path) -> anyhow::Result<()> {
    make_folder(path, Secrecy::Private).with_context(|| format!("make directory {}", path.display()))?;
    let mode = std::fs::metadata(path).with_context(|| path.display().to_string())?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), mode = format!("{mode:o}"), "the directory is open to others; chmod it to 700");
    }
    Ok(())
}

/// Makes a folder (0700, or 0755 if it is public), and those above it, where there is none; its name is on the disk when this returns.
///
/// # Errors
/// When it cannot be made, or something else is there.
pub(crate) fn make_folder(path: &Path, secrecy: Secrecy) -> std::io::Result<()> {
    let mode = if secrecy == Secrecy::Private { 0o700 } else { 0o755 };
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_folder(path.parent().filter(|above| !above.as_os_str().is_empty()).ok_or(error)?, secrecy)?;
            make_folder(path, secrecy)
        }
        made => made.and_then(|()| sync_name(path)),
    }
}

/// Writes a file so that after a crash it is there whole or not at all.
///
/// # Errors
/// When it cannot be written; the file that was there is then still there.
pub fn write_atomically(path: &Path, contents: &[u8], secrecy: Secrecy) -> anyhow::Result<()> {
    let mode = match secrecy {
        Secrecy::Private => 0o600,
        Secrecy::Public => 0o644,
    };
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let write = || -> std::io::Result<()> {
        // One that a crash left behind may have other permissions.
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&fresh)?;
        file.write_all(contents)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        sync_name(path)
    };
    write().with_context(|| format!("write {}", path.display()))
}

/// Writes a file where none is; it and its name are on the disk when this returns.
///
/// # Errors
/// When something is there already, which stays as it is, or it cannot be written.
pub fn write_new(path: &Path, contents: &[u8], secrecy: Secrecy) -> anyhow::Result<()> {
    let mode = if secrecy == Secrecy::Private { 0o600 } else { 0o644 };
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already, and is not written over: give another name, or remove it", path.display())
        }
        opened => opened.with_context(|| format!("write {}", path.display()))?,
    };
    let written = file.write_all(contents).and_then(|()| file.sync_all()).and_then(|()| sync_name(path));
    if written.is_err() {
        // Half a file is of no use to anybody.
        let _ = std::fs::remove_file(path);
    }
    written.with_context(|| format!("write {}", path.display()))
}

/// Overwrites a file with zeros, once, and removes it. What the disk, its snapshots and backups keep of it is not reached.
///
/// # Errors
/// When that fails; a file that is not there is no failure.
pub fn erase(path: &Path) -> anyhow::Result<()> {
    let erase = || -> std::io::Result<()> {
        let mut file = match OpenOptions::new().write(true).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let mut left = file.metadata()?.len();
        while left > 0 {
            let zeros = [0; 4096];
            let part = zeros.get(..usize::try_from(left).unwrap_or(zeros.len())).unwrap_or(&zeros);
            file.write_all(part)?;
            left -= part.len() as u64;
        }
        file.sync_all()?;
        std::fs::remove_file(path)?;
        sync_name(path)
    };
    erase().with_context(|| format!("remove {}", path.display()))
}

/// Removes a file; after a crash it is not there again.
///
/// # Errors
/// When it cannot be removed; a file that is not there is no failure.
pub(crate) fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| sync_name(path)),
    }
}

/// What names a file or folder is on the disk.
fn sync_name(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads a secret; refuses one that others can read.
///
/// # Errors
/// When it cannot be read, or its permissions are too wide.
pub fn read_private(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    is_private(path)?;
    std::fs::read_to_string(path).map(Zeroizing::new).with_context(|| path.display().to_string())
}

/// Reads a secret that may be no text; refuses one that others can read.
///
/// # Errors
/// When it cannot be read, or its permissions are too wide.
pub fn read_private_octets(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    is_private(path)?;
    std::fs::read(path).map(Zeroizing::new).with_context(|| path.display().to_string())
}

/// Refuses a file that others can read.
///
/// # Errors
/// When they can, or it is not there.
pub fn is_private(path: &Path) -> anyhow::Result<()> {
    let name = || path.display().to_string();
    let mode = std::fs::metadata(path).with_context(name)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("{} holds a secret and has mode {mode:o}; chmod it to 600", name());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_and_nobody_else() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("data");
        let held = DataDir::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(DataDir::open(&path).unwrap_err().to_string().contains("another certgate"));
        drop(held);
        DataDir::open(&path).unwrap();
    }

    #[test]
    fn folders_are_made_with_those_above_them_and_only_folders_are_taken_for_such() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("a/b/c");
        for secrecy in [Secrecy::Private, Secrecy::Public] {
            make_folder(&path, secrecy).unwrap();
        }
        assert_eq!(std::fs::metadata(outer.path().join("a")).unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::write(outer.path().join("file"), "").unwrap();
        for name in ["file", "file/below"] {
            assert!(make_folder(&outer.path().join(name), Secrecy::Private).is_err(), "{name}");
        }
    }

    #[test]
    fn secrets_are_written_0600_and_read_only_so() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        std::fs::write(directory.path().join("key.new"), "left by a crash").unwrap();
        write_atomically(&path, b"secret", Secrecy::Private).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(*read_private(&path).unwrap(), "secret");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read_private(&path).unwrap_err().to_string().contains("chmod it to 600"));
    }

    #[test]
    fn what_is_there_is_not_written_over_and_what_is_erased_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("root.key");
        write_new(&path, &[7; 5000], Secrecy::Private).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let refused = write_new(&path, b"another", Secrecy::Private).unwrap_err().to_string();
        assert!(refused.contains("is there already"), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), [7; 5000]);
        // Another name of the same octets shows what became of them.
        let other = directory.path().join("other");
        std::fs::hard_link(&path, &other).unwrap();
        erase(&path).unwrap();
        assert_eq!((path.exists(), std::fs::read(&other).unwrap()), (false, vec![0; 5000]));
        erase(&path).unwrap();
    }
}
