//! The archive: a tar, so that any machine can look into it. The manifest comes first, then each file that it names, in its order.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use tar::{Archive, Builder, Entries, EntryType, Header};

use super::files::{self, Opened};
use super::manifest::{FORMAT, Manifest, Member};

/// Name of the manifest.
const MANIFEST: &str = "manifest.json";
/// Octets of the longest manifest that is read: some 100,000 files.
const MAX_MANIFEST: u64 = 32 * 1024 * 1024;
/// What is said of what is no backup.
const NO_BACKUP: &str = "this is no backup that certgate has made; one that was encrypted is decrypted first, as in \
                         `age -d FILE | certgate restore -`";

/// Writes a manifest and the files that it names.
///
/// # Errors
/// When something cannot be read or written.
pub(super) fn write(manifest: &Manifest, files: Vec<Opened>, seconds: u64, to: impl Write) -> anyhow::Result<()> {
    let mut builder = Builder::new(to);
    let text = serde_json::to_vec_pretty(manifest)?;
    let mut add = |name: &str, octets: u64, content: &mut dyn Read| {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(if files::is_public(name) { 0o644 } else { 0o600 });
        header.set_mtime(seconds);
        header.set_size(octets);
        builder.append_data(&mut header, name, content).with_context(|| format!("write {name} into the backup"))
    };
    add(MANIFEST, text.len() as u64, &mut text.as_slice())?;
    for Opened { member, file, .. } in files {
        add(&member.name, member.octets, &mut file.take(member.octets))?;
    }
    builder.into_inner().and_then(|mut to| to.flush()).context("write the backup")
}

/// Unpacks a backup into a folder that is there and empty. Every file is one that a backup may have, is as long as the manifest says, and
/// has its SHA-256; and there is no other.
///
/// # Errors
/// When it is no backup, not whole, or not what its manifest says; what is in the folder is then of no use.
pub(super) fn unpack(from: impl Read, into: &Path) -> anyhow::Result<Manifest> {
    let mut archive = Archive::new(from);
    let mut entries = archive.entries().context(NO_BACKUP)?;
    let manifest = read_manifest(&mut entries)?;
    for member in &manifest.files {
        if !files::is_member(&member.name) {
            bail!("the backup has a file that does not belong into it: {}", member.name);
        }
        unpack_one(&mut entries, member, into)?;
    }
    if let Some(more) = entries.next() {
        let more = more.context(CUT)?;
        bail!("the backup has a file that its manifest does not name: {}", String::from_utf8_lossy(&more.path_bytes()));
    }
    Ok(manifest)
}

/// What is said of a backup that ends early.
const CUT: &str = "the backup is cut short or damaged: take another one";

fn read_manifest<R: Read>(entries: &mut Entries<'_, R>) -> anyhow::Result<Manifest> {
    let first = entries.next().context(NO_BACKUP)?.context(NO_BACKUP)?;
    if *first.path_bytes() != *MANIFEST.as_bytes() || first.size() > MAX_MANIFEST {
        bail!(NO_BACKUP);
    }
    let mut text = Vec::new();
    first.take(MAX_MANIFEST).read_to_end(&mut text).context(CUT)?;
    let manifest: serde_json::Value = serde_json::from_slice(&text).context("the manifest of the backup cannot be read")?;
    match manifest.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {
            serde_json::from_value(manifest).context("the manifest of the backup cannot be read")
        }
        Some(format) => {
            bail!("the backup has form {format}, and this certgate reads form {FORMAT}: take the certgate that made it")
        }
        None => bail!(NO_BACKUP),
    }
}

fn unpack_one<R: Read>(entries: &mut Entries<'_, R>, member: &Member, into: &Path) -> anyhow::Result<()> {
    let name = &member.name;
    let mut entry = entries.next().context(CUT)?.context(CUT)?;
    let is_it = *entry.path_bytes() == *name.as_bytes() && entry.header().entry_type() == EntryType::Regular;
    if !is_it || entry.size() != member.octets {
        let found = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        bail!("the backup has {found} where its manifest has {name} of {} octets", member.octets);
    }
    let path = into.join(name);
    let folder = path.parent().unwrap_or(into);
    let made = std::fs::DirBuilder::new().mode(0o700).recursive(true).create(folder);
    made.with_context(|| format!("make directory {}", folder.display()))?;
    let mode = if files::is_public(name) { 0o644 } else { 0o600 };
    let to = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
    let mut to = to.with_context(|| path.display().to_string())?;
    let (sha256, octets) = files::hash(&mut entry, &mut to).with_context(|| format!("unpack {name}"))?;
    if octets != member.octets {
        bail!(CUT);
    }
    if sha256 != member.sha256 {
        bail!("{name} is damaged in the backup: its SHA-256 is {sha256}, and was {}; take another backup", member.sha256);
    }
    Ok(())
}
