//! A folder that a backup is made in, beside where it goes. What a command that was killed has left of one goes with the next backup.

use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::geteuid;
use tempfile::{Builder, TempDir};

/// How their names begin.
pub(super) const PREFIX: &str = ".certgate-backup-";
/// How often it is tried: another command may take one for dead in the moment before it is locked.
const TRIES: usize = 10;

/// A folder (0700) of this process; it goes with this value. Its lock tells others that somebody is at work in it.
pub(super) struct Workplace {
    folder: TempDir,
    _lock: File,
}

impl Workplace {
    /// Removes what dead commands of this user have left in a folder, and makes a workplace there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn new_in(above: &Path) -> Result<Self> {
        remove_dead(above);
        for _ in 0..TRIES {
            let folder = Builder::new().prefix(PREFIX).tempdir_in(above)?;
            let Ok(lock) = File::open(folder.path()) else { continue };
            if lock.try_lock().is_ok() && folder.path().exists() {
                return Ok(Self { folder, _lock: lock });
            }
        }
        Err(Error::new(ErrorKind::ResourceBusy, "others remove what is made here"))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// What cannot be removed stays: it is in nobody's way.
fn remove_dead(above: &Path) {
    for entry in std::fs::read_dir(above).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_dead(&path).is_ok_and(|is_dead| is_dead) {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

/// Is it a folder of this user in which nobody is at work?
fn is_dead(path: &Path) -> Result<bool> {
    let found = std::fs::symlink_metadata(path)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        return Ok(false);
    }
    match File::open(path)?.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_the_dead_have_left_goes_and_whoever_is_at_work_is_left_alone() {
        let above = tempfile::tempdir().unwrap();
        let alive = Workplace::new_in(above.path()).unwrap();
        std::fs::write(alive.path().join("ledger.db"), "copied").unwrap();
        let dead = above.path().join(format!("{PREFIX}dead"));
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join("ledger.db"), "half of it").unwrap();
        // Neither a file of such a name nor what a link leads to is anybody's workplace.
        std::fs::write(above.path().join(format!("{PREFIX}file")), "").unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join("kept"), "").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), above.path().join(format!("{PREFIX}link"))).unwrap();

        let other = Workplace::new_in(above.path()).unwrap();
        assert!(!dead.exists());
        assert_eq!(std::fs::read_to_string(alive.path().join("ledger.db")).unwrap(), "copied");
        assert_eq!(names(elsewhere.path()), ["kept"]);
        drop((alive, other));
        assert_eq!(names(above.path()), [format!("{PREFIX}file"), format!("{PREFIX}link")]);
    }
}
