//! `certgate backup` and `certgate restore`.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use certgate_enrollment::Clock;
use clap::{Args, ValueHint};
use serde_json::{Value, json};

use super::output::{self, Format, Printed};
use super::progress::Progress;
use super::{Global, examples};
use crate::admin::{AdminFailure, Code, read_time};
use crate::backup::{Consent, Made, NotDone, Restored, Target, WantedBackup, WantedRestore, make_backup, restore};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::telemetry::SystemClock;

/// What stands for standard output, or input.
const STREAM: &str = "-";

#[derive(Args)]
#[command(after_help = examples::BACKUP)]
pub(super) struct BackupArguments {
    /// The file that is made, for its owner alone (0600); - is standard output
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Leave private keys out: they are kept elsewhere, and put back by hand after a restore
    #[arg(long)]
    without_keys: bool,
}

#[derive(Args)]
#[command(after_help = examples::RESTORE)]
pub(super) struct RestoreArguments {
    /// A backup; - is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Put it in the place of what is there, which is kept in a folder replaced-TIME
    #[arg(long)]
    replace: bool,
    /// Forget what happened at this time or later, like 2027-01-31T00:00:00Z, and is not carried over
    #[arg(long, value_name = "TIME", conflicts_with = "accept_loss")]
    forget_since: Option<String>,
    /// Forget whatever the backup does not have and is not carried over, also where nobody can tell what it is
    #[arg(long)]
    accept_loss: bool,
    /// Only say what would come of it
    #[arg(long)]
    dry_run: bool,
}

/// Makes a backup.
pub(super) fn make(global: &Global, arguments: &BackupArguments) -> Result<Printed, AdminFailure> {
    let config = Config::file(global.config.as_deref(), &global.data_dir);
    let (now, with_keys) = (SystemClock.now(), !arguments.without_keys);
    let wanted = WantedBackup { data_dir: &global.data_dir, config: config.as_deref(), with_keys, now };
    let is_stream = arguments.file == Path::new(STREAM);
    if is_stream && std::io::stdout().is_terminal() {
        return Err(AdminFailure::usage("a backup is nothing for a terminal")
            .hint("certgate backup FILE, or pipe it into what encrypts it: certgate backup - | age -r RECIPIENT > FILE"));
    }
    let mut stdout = std::io::stdout().lock();
    let target = if is_stream { Target::Stream(&mut stdout) } else { Target::File(&arguments.file) };
    let mut progress: Option<Progress> = None;
    let made = make_backup(&wanted, target, |done, all| {
        progress.get_or_insert_with(|| Progress::new("pages of the ledger", all, global.output)).set(done);
    });
    drop(progress);
    let made = made.map_err(failed)?;
    warn(&made, global.output);
    Ok(if is_stream { Printed::Nothing } else { Printed::Record(describe(&arguments.file, &made)) })
}

fn describe(file: &Path, Made { manifest, clear_keys }: &Made) -> Value {
    json!({
        "file": file.display().to_string(),
        "made_at": manifest.made_at,
        "schema": manifest.schema,
        "events": manifest.events,
        "head": manifest.head,
        "certificates": manifest.certificates,
        "files": manifest.files.len(),
        "has_keys": manifest.has_keys,
        "clear_keys": clear_keys,
    })
}

/// Keys that whoever has the backup can use are said.
fn warn(made: &Made, format: Format) {
    if !made.clear_keys.is_empty() && format == Format::Table {
        let keys = made.clear_keys.join(", ");
        output::note(&format!(
            "warning: whoever reads this backup can use these keys: {keys}. Keep it as you keep them: encrypt it (certgate backup - | age \
             -r RECIPIENT > FILE), give the keys of authorities a passphrase, or leave keys out (--without-keys)"
        ));
    }
}

/// Restores one.
pub(super) async fn restored(global: &Global, arguments: RestoreArguments) -> Result<Printed, AdminFailure> {
    let consent = match &arguments.forget_since {
        Some(time) => Consent::Since(read_time("--forget-since", time)?),
        None if arguments.accept_loss => Consent::Any,
        None => Consent::None,
    };
    let from: Box<dyn Read> = if arguments.file == Path::new(STREAM) {
        Box::new(std::io::stdin())
    } else {
        let opened = File::open(&arguments.file);
        Box::new(opened.map_err(|error| AdminFailure::new(Code::NotFound, format!("{}: {error}", arguments.file.display())))?)
    };
    let data_dir = DataDir::open(&global.data_dir).map_err(failed)?;
    let RestoreArguments { replace, dry_run, .. } = arguments;
    let wanted = WantedRestore { config: global.config.as_deref(), replace, consent, dry_run };
    let restored = restore(&data_dir, &wanted, from).await.map_err(failed)?;
    tell(&restored, global);
    Ok(Printed::Record(outcome(&restored, dry_run)))
}

fn outcome(restored: &Restored, dry_run: bool) -> Value {
    let (carried_over, ended_again) = restored.carried;
    let ended = &restored.ended;
    json!({
        "restored": !dry_run,
        "made_at": restored.manifest.made_at,
        "certgate": restored.manifest.certgate,
        "schema": restored.manifest.schema,
        "events": restored.events,
        "certificates": restored.manifest.certificates + carried_over as u64,
        "beyond_backup": restored.forgotten.as_ref().map(|beyond| json!(beyond.events)),
        "certificates_carried_over": carried_over,
        "certificates_ended_again": ended_again,
        "credentials_ended_again": ended.credentials,
        "uses_spent_again": ended.uses,
        "principals_ended_again": ended.principals,
        "accounts_ended_again": ended.accounts,
        "requests_decided_again": ended.enrollments,
        "requests_carried_over": ended.issued,
        "missing_keys": restored.missing_keys,
        "kept_offline": restored.kept_offline,
        "replaced": restored.replaced.as_ref().map(|path| path.display().to_string()),
    })
}

/// What a person does next.
fn tell(restored: &Restored, global: &Global) {
    if global.output != Format::Table {
        return;
    }
    if let Some(config) = &restored.manifest.config {
        output::note(&format!(
            "note: the configuration was at {config}, and is for you to put there: tar -xOf FILE certgate.toml prints it"
        ));
    }
    if !restored.missing_keys.is_empty() {
        let keys = restored.missing_keys.join(", ");
        output::note(&format!("note: put these back before the start, mode 600: {keys}"));
    }
    if !restored.kept_offline.is_empty() {
        let keys = restored.kept_offline.join(", ");
        output::note(&format!("note: these are offline, and were not put back; destroy the backups that have them: {keys}"));
    }
    if restored.forgotten.is_none() {
        let made_at = &restored.manifest.made_at;
        output::note(&format!(
            "note: what happened after {made_at} is not known here. Certificates that were issued since are good for whoever trusts them, \
             and cannot be revoked; what was revoked, removed or denied since is to be repeated"
        ));
    }
}

fn failed(error: impl Into<anyhow::Error>) -> AdminFailure {
    let error = error.into();
    match error.downcast_ref::<NotDone>() {
        Some(not_done) => AdminFailure::new(Code::Refused, not_done.to_string()).hint(&not_done.hint),
        None => AdminFailure::new(Code::Failed, format!("{error:#}")),
    }
}
