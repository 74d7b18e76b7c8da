//! A data directory comes back from a backup, and nothing that anybody was told is forgotten without being said.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base16ct::lower::encode_string;
use certgate_enrollment::{AuditTrail, Authorities, Clock, Event, EventKind};
use certgate_pki::{Provider, Timestamp};
use certgate_store::{Divergence, Ended, Inspection, SqliteLedger, Unlike, copy_ledger, divergence, inspect_ledger, unlike};

use super::carry::Carrying;
use super::files::{CONFIG, LEDGER};
use super::place::{Staging, give};
use super::{Manifest, archive, staged};
use crate::admin::{OPERATOR, read_time};
use crate::assemble::{Base, check_restored};
use crate::config::{Config, Overrides};
use crate::data_dir::DataDir;
use crate::telemetry::SystemClock;

/// What the operator has said about what a restore forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nothing: nothing may be forgotten.
    None,
    /// What happened at that time and later may be.
    Since(Timestamp),
    /// Whatever it is.
    Any,
}

/// What is wanted.
pub struct WantedRestore<'w> {
    /// A configuration that is kept elsewhere.
    pub config: Option<&'w Path>,
    /// May something be there?
    pub replace: bool,
    /// What may be forgotten.
    pub consent: Consent,
    /// Only say what would be?
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// Head of the trail that there is now.
    pub events: u64,
    /// Events that are forgotten, by kind.
    pub forgotten: Option<Divergence>,
    /// Certificates that were taken over, and those that were revoked or put on hold anew.
    pub carried: (usize, usize),
    /// What was ended anew.
    pub ended: Ended,
    /// Keys that are still to be put there.
    pub missing_keys: Vec<String>,
    /// Keys that are offline, and were left out though there were copies of them.
    pub kept_offline: Vec<String>,
    /// Where what was there is now.
    pub replaced: Option<PathBuf>,
}

/// It was understood, and is not done without more being said. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct NotDone {
    why: String,
    /// What would have it done.
    pub hint: String,
}

impl NotDone {
    fn because(why: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self { why: why.into(), hint: hint.into() })
    }
}

/// How many CRLs were published since the backup is reckoned by the clock: one that is behind would have numbers used again.
fn judge_clock(manifest: &Manifest, now: Timestamp) -> anyhow::Result<()> {
    let made_at = read_time("made_at", &manifest.made_at).unwrap_or(Timestamp::from_millis(0));
    if now.seconds() >= made_at.seconds() {
        return Ok(());
    }
    let why = format!("the backup was made at {made_at}, and the clock of this machine says {now}");
    Err(NotDone::because(why, "set the clock, then restore"))
}

/// The ledger that is there.
enum Present {
    /// None, and nothing else: a new machine.
    Nothing,
    /// It can be read: how it goes beyond the backup.
    Ledger { inspection: Inspection, beyond: Divergence },
    /// It is not there, or cannot be read.
    Lost(String),
}

impl Present {
    /// Is it of the gateway that the backup is of?
    const fn is_related(&self) -> bool {
        matches!(self, Self::Ledger { beyond, .. } if beyond.common > 0)
    }
}

/// Restores a data directory, which is locked meanwhile.
///
/// # Errors
/// When something does not hold; nothing has changed then.
pub async fn restore(data_dir: &DataDir, wanted: &WantedRestore<'_>, from: impl Read) -> anyhow::Result<Restored> {
    let (now, provider) = (SystemClock.now(), certgate_crypto::provider());
    give(data_dir.path()).with_context(|| data_dir.path().display().to_string())?;
    let is_empty = is_empty(data_dir.path())?;
    if !is_empty && !wanted.replace {
        let hint = "--replace puts the backup in the place of what is there, which is kept in a folder replaced-TIME";
        return Err(NotDone::because(format!("{} is not empty", data_dir.path().display()), hint));
    }
    let staging = Staging::begin(data_dir.path(), now)?;
    let comes = staging.comes();
    let manifest = archive::unpack(from, &comes)?;
    judge_clock(&manifest, now)?;
    check_ledger(&comes.join(LEDGER), &manifest, &provider)?;
    let old = staging.beside("old.db");
    let present = if is_empty { Present::Nothing } else { look(data_dir.path(), &old, &comes.join(LEDGER), &provider) };
    consent(&present, &manifest, wanted.consent)?;
    if present.is_related() {
        staged::take_new_authorities(&comes, data_dir.path())?;
    }
    staged::complete(&comes, data_dir.path(), manifest.has_keys)?;
    // One that is named counts, there or not.
    let others = || [comes.join(CONFIG), data_dir.join(CONFIG)].into_iter().find(|path| path.exists());
    let config = wanted.config.map(Path::to_owned).or_else(others);
    let config = Config::load(config.as_deref(), &Overrides::default())?;
    if manifest.config.is_some() {
        // It was kept elsewhere, and is there or is to be put there.
        std::fs::remove_file(comes.join(CONFIG))?;
    }
    let mut restored = {
        let folder = DataDir::open(&comes)?;
        let base = Base::open(&config, &folder)?;
        let restoring = Restoring { manifest, present, base: &base, old: &old, root: data_dir.path(), now };
        let restored = restoring.finish(&config, &folder).await;
        base.ledger.close().await;
        restored?
    };
    if !wanted.dry_run {
        tidy(&comes)?;
        restored.replaced = staging.decide().with_context(|| format!("put in place in {}", data_dir.path().display()))?;
    }
    Ok(restored)
}

/// Leaves nothing of how it was made ready: the journal was folded back when the ledger was closed.
fn tidy(comes: &Path) -> anyhow::Result<()> {
    let journal = comes.join("ledger.db-wal");
    if std::fs::metadata(&journal).is_ok_and(|found| found.len() > 0) {
        bail!("the journal of the restored ledger could not be folded back");
    }
    for path in [journal, comes.join("ledger.db-shm"), comes.join("lock")] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| path.display().to_string());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Is there nothing but what every data directory has?
fn is_empty(root: &Path) -> anyhow::Result<bool> {
    for entry in std::fs::read_dir(root).with_context(|| root.display().to_string())? {
        let path = entry?.path();
        let is_folder = crate::data_dir::FOLDERS.into_iter().any(|folder| path == root.join(folder));
        // ext4 has the other one at the root of each file system.
        let is_nothing = ["lock", "lost+found"].into_iter().any(|name| path == root.join(name));
        if !(is_nothing || is_folder && std::fs::read_dir(&path)?.next().is_none()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Is the ledger of a backup what its manifest says, and whole?
fn check_ledger(path: &Path, manifest: &Manifest, provider: &Provider) -> anyhow::Result<()> {
    let found = inspect_ledger(path, &*provider.digest).context("the ledger of the backup")?;
    if !found.is_whole() {
        bail!("the ledger of the backup is damaged ({}): take another backup", found.complaint());
    }
    let head = (found.audit.head.events, encode_string(&found.audit.head.hash));
    if (head.0, head.1.as_str()) != (manifest.events, manifest.head.as_str()) {
        bail!(
            "the trail of the backup ends with event {}, {}, and its manifest says {}, {}: take another backup",
            head.0,
            head.1,
            manifest.events,
            manifest.head
        );
    }
    Ok(())
}

/// Copies the ledger that is there, and finds what the backup does not have of it.
fn look(root: &Path, copy: &Path, backup: &Path, provider: &Provider) -> Present {
    let ledger = root.join(LEDGER);
    if !ledger.exists() {
        return Present::Lost("there is no ledger.db".to_owned());
    }
    let read = || -> anyhow::Result<Present> {
        copy_ledger(&ledger, copy, |_, _| {})?;
        let inspection = inspect_ledger(copy, &*provider.digest)?;
        if !inspection.is_whole() {
            bail!("{}", inspection.complaint());
        }
        let beyond = divergence(copy, backup)?;
        Ok(Present::Ledger { inspection, beyond })
    };
    read().unwrap_or_else(|error| Present::Lost(format!("{error:#}")))
}

/// Is what is forgotten what may be?
fn consent(present: &Present, manifest: &Manifest, consent: Consent) -> anyhow::Result<()> {
    let made_at = &manifest.made_at;
    let beyond = match (present, consent) {
        (_, Consent::Any) | (Present::Nothing, _) => return Ok(()),
        (Present::Lost(why), _) => {
            let why = format!(
                "the ledger that is there cannot be read ({why}): what it has and the backup of {made_at} has not is not known, be it \
                 certificates, revocations or credentials"
            );
            return Err(NotDone::because(
                why,
                "--accept-loss goes on without it; docs/operations.md tells what to repeat then",
            ));
        }
        (Present::Ledger { beyond, .. }, _) => beyond,
    };
    let (Some(since), counted) = (beyond.since, count(beyond)) else { return Ok(()) };
    if beyond.common == 0 {
        let why = format!("the ledger that is there is of another gateway, and all of it would be forgotten: {counted}");
        return Err(NotDone::because(why, "--accept-loss goes on; is it the right --data-dir?"));
    }
    if matches!(consent, Consent::Since(time) if since >= time) {
        return Ok(());
    }
    let why = format!("the ledger that is there has events that the backup of {made_at} has not, from {since} on: {counted}");
    let hint = format!(
        "--forget-since {since} (or --accept-loss) goes on: certificates, and what became of them, are carried over, and what had ended \
         stays ended; credentials, requests, orders and accounts that are new are forgotten"
    );
    Err(NotDone::because(why, hint))
}

/// `3 certificate.issued, 1 certificate.revoked`
fn count(beyond: &Divergence) -> String {
    let kinds = beyond.events.iter().map(|(kind, count)| format!("{count} {kind}"));
    kinds.collect::<Vec<_>>().join(", ")
}

/// The ledger of the backup on its way.
struct Restoring<'r> {
    manifest: Manifest,
    present: Present,
    base: &'r Base,
    /// A copy of the ledger that is replaced.
    old: &'r Path,
    /// What is replaced.
    root: &'r Path,
    now: Timestamp,
}

impl Restoring<'_> {
    /// Carries over, checks keys and certificates, and records that it was done.
    async fn finish(self, config: &Config, folder: &DataDir) -> anyhow::Result<Restored> {
        let (mut carried, mut replaced) = (Unlike::default(), None);
        let (restored, provider) = (&self.base.ledger, &self.base.provider);
        let is_related = self.present.is_related();
        let old = is_related.then(|| SqliteLedger::open(self.old, 1024, provider.digest.clone())).transpose()?;
        let kept_offline = self.keep_offline(config, folder, old.as_ref()).await?;
        if let Some(old) = old {
            self.take_imports(config, folder, &old).await?;
            carried = unlike(self.old, &folder.join(LEDGER))?;
            Carrying { replaced: &old, restored, provider, now: self.now }.carry(&carried).await?;
            old.close().await;
            replaced = Some(self.old);
        }
        let ended = restored.take_the_place_of(replaced, self.unknown_crls(), self.event(&carried)).await?;
        let missing_keys = check_restored(config, self.base, folder).await?;
        let forgotten = match self.present {
            Present::Ledger { beyond, .. } => Some(beyond),
            _ => None,
        };
        Ok(Restored {
            manifest: self.manifest,
            events: self.base.ledger.head().await?.events,
            forgotten,
            carried: (carried.unknown.len(), carried.better.len()),
            ended,
            missing_keys,
            kept_offline,
            replaced: None,
        })
    }

    /// Leaves out the keys of authorities whose key is elsewhere, by one of the two ledgers, and keeps their OCSP responders; the files that
    /// were left out.
    async fn keep_offline(&self, config: &Config, folder: &DataDir, old: Option<&SqliteLedger>) -> anyhow::Result<Vec<String>> {
        let mut names = staged::authorities(folder.path())?;
        names.extend(config.authorities.iter().map(|authority| authority.name.clone()));
        let mut left_out = Vec::new();
        for name in names {
            let mut is_offline = self.base.ledger.offline_since(&name).await?.is_some();
            if let Some(old) = old {
                is_offline |= old.offline_since(&name).await?.is_some();
            }
            if is_offline {
                left_out.extend(staged::leave_key_out(folder.path(), &name)?);
                let responder = (name.as_str(), self.manifest.has_keys);
                staged::keep_responder(folder.path(), self.root, responder, &self.base.provider)?;
            }
        }
        Ok(left_out)
    }

    /// Certificates of authorities that were imported after the backup come along in the ledger, and so do their files.
    async fn take_imports(&self, config: &Config, folder: &DataDir, old: &SqliteLedger) -> anyhow::Result<()> {
        for authority in config.authorities.iter().filter(|authority| authority.external) {
            let imported = old.imported_certificate(&authority.name).await?;
            if imported.is_some() && imported != self.base.ledger.imported_certificate(&authority.name).await? {
                staged::take_authority(folder.path(), self.root, &authority.name)?;
            }
        }
        Ok(())
    }

    /// How many CRLs of a scope there may be that nobody here knows of: one a second at the most, since the backup was made.
    fn unknown_crls(&self) -> u64 {
        let made_at = read_time("made_at", &self.manifest.made_at).unwrap_or(Timestamp::from_millis(0));
        match self.present {
            Present::Ledger { .. } => 0,
            Present::Nothing | Present::Lost(_) => self.now.seconds().saturating_sub(made_at.seconds()) + 1,
        }
    }

    fn event(&self, carried: &Unlike) -> Event {
        let mut details = vec![
            ("made_at", self.manifest.made_at.clone()),
            ("events", self.manifest.events.to_string()),
            ("head", self.manifest.head.clone()),
        ];
        match &self.present {
            Present::Nothing => {}
            Present::Lost(_) => details.push(("replaced", "unreadable".to_owned())),
            Present::Ledger { inspection, .. } => {
                details.push(("replaced_events", inspection.audit.head.events.to_string()));
                details.push(("replaced_head", encode_string(&inspection.audit.head.hash)));
            }
        }
        details.push(("carried_over", carried.unknown.len().to_string()));
        details.push(("ended_again", carried.better.len().to_string()));
        Event { at: self.now, kind: EventKind::LedgerRestored, actor: OPERATOR.to_owned(), details }
    }
}
