//! What was restored is put in the place of what is there, so that a crash leaves the one or the other.
//!
//! All of it is made ready in `restore.new`. One rename, to `restore.ready`, decides: before it nothing has changed, and after it whoever
//! opens the data directory next goes on to the end. What was there goes to a folder `replaced-TIME`.

use std::fs::File;
use std::io::{ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::path::{Path, PathBuf};

use certgate_pki::Timestamp;

use crate::data_dir::FOLDERS;

/// Where a restore is made ready.
const STAGING: &str = "restore.new";
/// Where it is from when it is decided until it is in place.
const READY: &str = "restore.ready";
/// What comes, in both.
const COMES: &str = "comes";
/// What goes begins so, in both, and in the data directory when all is done.
const GOES: &str = "replaced-";
/// All that is to go has gone.
const GONE: &str = "gone";

/// What goes, whether something comes in its place or not. The journal of the ledger goes first.
const ITEMS: [&str; 12] = [
    "ledger.db-wal",
    "ledger.db-shm",
    "ledger.db",
    "ca",
    "ra",
    "ocsp",
    "crl",
    "tls",
    "audit.heads",
    "audit.pub.pem",
    "first-start",
    "first-device.netrc",
];

/// A folder in the data directory where a restore is made ready. It goes with this value, unless it was decided on.
pub(super) struct Staging<'s> {
    root: &'s Path,
    folder: PathBuf,
}

impl<'s> Staging<'s> {
    /// Begins.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn begin(root: &'s Path, now: Timestamp) -> Result<Self> {
        let staging = Self { root, folder: root.join(STAGING) };
        remove(&staging.folder)?;
        for folder in [COMES, &free_name(root, now)] {
            std::fs::DirBuilder::new().mode(0o700).recursive(true).create(staging.folder.join(folder))?;
        }
        Ok(staging)
    }

    /// Where all that is to come is put.
    pub(super) fn comes(&self) -> PathBuf {
        self.folder.join(COMES)
    }

    /// Where something is put that goes with this value.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// It counts from now on, and is put in place; where that is which was there, if there was anything.
    ///
    /// # Errors
    /// When that fails. Once it is decided on, whoever opens the data directory next tries again.
    pub(super) fn decide(self) -> Result<Option<PathBuf>> {
        let owner = owner(self.root)?;
        settle(&self.comes(), owner)?;
        // Whoever opens the data directory next may have to go on with it.
        for name in names(&self.folder)? {
            own(&self.folder.join(name), owner)?;
        }
        own(&self.folder, owner)?;
        sync(&self.folder)?;
        std::fs::rename(&self.folder, self.root.join(READY))?;
        sync(self.root)?;
        finish(self.root)
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // One that stays is removed when the data directory is opened next.
        let _ = remove(&self.folder);
    }
}

/// Puts in place what a restore has decided on, if there is such a thing; where that is which was there, if there was anything. Removes
/// what was not decided on. The data directory must be locked, and nothing in it open.
///
/// # Errors
/// When that fails; then it is tried again the next time.
pub(crate) fn finish(root: &Path) -> Result<Option<PathBuf>> {
    remove(&root.join(STAGING))?;
    let ready = root.join(READY);
    if !ready.exists() {
        return Ok(None);
    }
    let goes = names(&ready)?.into_iter().find(|name| name.starts_with(GOES));
    let gone = ready.join(GONE);
    if let (Some(goes), false) = (&goes, gone.exists()) {
        let goes = ready.join(goes);
        for item in ITEMS {
            take(&root.join(item), &goes.join(item))?;
        }
        sync(&goes)?;
        sync(root)?;
        std::fs::create_dir(&gone)?;
        sync(&ready)?;
    }
    let comes = ready.join(COMES);
    for item in names(&comes)? {
        if let Some(goes) = &goes {
            take(&root.join(&item), &ready.join(goes).join(&item))?;
        }
        std::fs::rename(comes.join(&item), root.join(&item))?;
    }
    sync(root)?;
    let replaced = goes.as_ref().map(|goes| (ready.join(goes), root.join(goes)));
    let replaced = match replaced {
        Some((from, to)) if !names(&from)?.is_empty() => {
            std::fs::rename(from, &to)?;
            Some(to)
        }
        _ => None,
    };
    sync(root)?;
    // In one step it is something that was not decided on: half removed, it would be begun anew.
    let staging = root.join(STAGING);
    std::fs::rename(&ready, &staging)?;
    sync(root)?;
    remove(&staging)?;
    Ok(replaced)
}

/// A name for what goes, by the time, that nothing else has.
fn free_name(root: &Path, now: Timestamp) -> String {
    let time: String = now.floor_to_second().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let mut name = format!("{GOES}{time}");
    while root.join(&name).exists() {
        name.push('+');
    }
    name
}

/// Moves something that may not be there. What is there already was moved before a crash; an empty folder is nothing.
fn take(from: &Path, to: &Path) -> Result<()> {
    if to.exists() || (from.is_dir() && std::fs::remove_dir(from).is_ok()) {
        return Ok(());
    }
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

/// What is in a folder; nothing if it is not there.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned())).collect()
}

/// Gives what is made in a data directory when it is opened to whom that is owned by: root may restore for another user.
///
/// # Errors
/// When that fails.
pub(super) fn give(root: &Path) -> Result<()> {
    let owner = owner(root)?;
    for name in FOLDERS.into_iter().chain(["lock"]) {
        own(&root.join(name), owner)?;
    }
    Ok(())
}

fn owner(root: &Path) -> Result<(u32, u32)> {
    std::fs::metadata(root).map(|found| (found.uid(), found.gid()))
}

/// Gives it to that user, and nothing that it may be a link to.
fn own(path: &Path, (user, group): (u32, u32)) -> Result<()> {
    let found = std::fs::symlink_metadata(path)?;
    if found.uid() == user && found.gid() == group { Ok(()) } else { lchown(path, Some(user), Some(group)) }
}

/// Has all of a folder on disk, owned by whom the data directory is owned: root may restore for another user.
fn settle(path: &Path, owner: (u32, u32)) -> Result<()> {
    own(path, owner)?;
    if path.is_dir() {
        for name in names(path)? {
            settle(&path.join(name), owner)?;
        }
    }
    sync(path)
}

fn sync(path: &Path) -> Result<()> {
    File::open(path)?.sync_all()
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
