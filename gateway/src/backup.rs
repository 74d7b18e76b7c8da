//! Backups of a data directory, and its way back from one.
//!
//! `files` says what belongs to a backup, `make` makes one in a `workplace` while a gateway may be running, `archive` is the form it has (a tar with a
//! `manifest` in front), `restore` takes it back into the data directory of a gateway that is stopped: unpacked and checked beside what is
//! there, with what must not be forgotten carried over (`carry`), then put in place (`place`) by renames that a crash does not undo.

mod archive;
mod carry;
mod files;
mod make;
mod manifest;
mod place;
mod restore;
mod staged;
mod workplace;

pub use make::{Made, Target, WantedBackup, make_backup};
pub use manifest::Manifest;
pub(crate) use place::finish;
pub use restore::{Consent, NotDone, Restored, WantedRestore, restore};

#[cfg(test)]
mod tests;
