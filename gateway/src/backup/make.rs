//! A backup is made: from beside a gateway that runs, or of one that does not.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail};
use certgate_pki::Timestamp;
use certgate_store::{copy_ledger, inspect_ledger};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::NamedTempFile;

use super::files::{self, AUDIT, CONFIG, LEDGER, Opened};
use super::workplace::Workplace;
use super::{Manifest, archive};

/// What kind of backup is wanted.
pub struct WantedBackup<'w> {
    /// Of which data directory.
    pub data_dir: &'w Path,
    /// The configuration that belongs to it.
    pub config: Option<&'w Path>,
    /// With private keys?
    pub with_keys: bool,
    /// Now.
    pub now: Timestamp,
}

/// Where it goes.
pub enum Target<'t> {
    /// A file, which must not be there.
    File(&'t Path),
    /// Somebody who reads, such as what encrypts it.
    Stream(&'t mut dyn Write),
}

/// A backup that was made.
pub struct Made {
    /// What is in it.
    pub manifest: Manifest,
    /// Private keys in it that whoever has the backup can use.
    pub clear_keys: Vec<String>,
}

/// Makes a backup. The ledger is of one moment; heads of the audit trail are as they were before it, and all other files as they are after it. `progress` is told how far the copy of the
/// ledger is, in parts of the whole.
///
/// The copy is looked at as a restore would: a backup of a ledger that is damaged would take the place of a good one.
///
/// # Errors
/// When something cannot be read or written, or the ledger is damaged; there is no backup then.
pub fn make_backup(wanted: &WantedBackup<'_>, to: Target<'_>, progress: impl FnMut(u64, u64)) -> anyhow::Result<Made> {
    let ledger = wanted.data_dir.join(LEDGER);
    if !ledger.is_file() {
        bail!("there is no ledger in {}; --data-dir tells where the gateway keeps it", wanted.data_dir.display());
    }
    let beside = match &to {
        Target::File(path) => folder_of(path).to_owned(),
        Target::Stream(_) => std::env::temp_dir(),
    };
    let work = Workplace::new_in(&beside).with_context(|| format!("make a folder in {}", beside.display()))?;
    // Before the ledger: no head that was signed meanwhile is ahead of it.
    let audit = open_audit(wanted)?;
    let copy = work.path().join(LEDGER);
    copy_ledger(&ledger, &copy, progress).with_context(|| format!("copy {}", ledger.display()))?;
    let found = inspect_ledger(&copy, &*certgate_crypto::provider().digest)?;
    if !found.is_whole() {
        bail!(
            "{} is damaged ({}): there is no backup of it; `certgate ledger check`, and docs/operations.md tells what to do",
            ledger.display(),
            found.complaint()
        );
    }
    let mut manifest = Manifest::of(&found, wanted.now.to_string());
    raise_open_files();
    let opened = open_all(wanted, (&copy, audit), &mut manifest)?;
    let clear_keys = opened.iter().filter(|one| one.is_clear_key).map(|one| one.member.name.clone()).collect();
    let seconds = wanted.now.seconds();
    match to {
        Target::File(path) => write_file(path, work.path(), |to| archive::write(&manifest, opened, seconds, to))?,
        Target::Stream(stream) => archive::write(&manifest, opened, seconds, BufWriter::new(stream))?,
    }
    Ok(Made { manifest, clear_keys })
}

/// Raises the process's limit of open files as far as it may: all of a backup are open at one time, with shards some thousand. One that is
/// still too low is told by the file that cannot be opened.
fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// What there is of the audit trail besides the ledger.
fn open_audit(wanted: &WantedBackup<'_>) -> anyhow::Result<Vec<Opened>> {
    let is_wanted = |name: &&str| (wanted.with_keys || !files::is_key(name)) && wanted.data_dir.join(name).is_file();
    AUDIT.into_iter().filter(is_wanted).map(|name| files::open(&wanted.data_dir.join(name), name)).collect()
}

/// All files, opened, and named in the manifest.
fn open_all(
    wanted: &WantedBackup<'_>,
    (ledger, audit): (&Path, Vec<Opened>),
    manifest: &mut Manifest,
) -> anyhow::Result<Vec<Opened>> {
    let mut opened = vec![files::open(ledger, LEDGER)?];
    opened.extend(audit);
    if let Some(config) = wanted.config {
        opened.push(files::open(config, CONFIG)?);
        let is_inside = config.canonicalize().ok() == wanted.data_dir.join(CONFIG).canonicalize().ok();
        manifest.config = (!is_inside).then(|| config.display().to_string());
    }
    for name in files::list(wanted.data_dir)? {
        if wanted.with_keys || !files::is_key(&name) {
            opened.push(files::open(&wanted.data_dir.join(&name), &name)?);
        }
    }
    manifest.has_keys = wanted.with_keys;
    manifest.files = opened.iter().map(|one| one.member.clone()).collect();
    Ok(opened)
}

/// Writes a file (0600) that is there whole or not at all; it is made at `work`.
fn write_file(
    path: &Path,
    work: &Path,
    write: impl FnOnce(BufWriter<&mut NamedTempFile>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let name = || path.display().to_string();
    let mut file = NamedTempFile::new_in(work).with_context(name)?;
    write(BufWriter::new(&mut file)).with_context(name)?;
    file.as_file().sync_all().with_context(name)?;
    file.persist_noclobber(path).with_context(name)?;
    std::fs::File::open(folder_of(path)).and_then(|folder| folder.sync_all()).with_context(name)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
