//! `certgate cert revoke`: one certificate, or many in batches, with progress.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use hyper::Method;

use super::Serial;
use crate::admin::certificates::Revoke;
use crate::admin::client::{ask, encode_body};
use crate::admin::revocations::{BATCH, Revocations, Revoked};
use crate::admin::{AdminFailure, CertificateName, Code};
use crate::cli::output::{self, Format, Printed};
use crate::cli::progress::Progress;

/// How often what has come meanwhile is revoked, too. Certificates that renew themselves are gone after a few times; who enrolls by other
/// means does not come to an end.
const MOST_WALKS: usize = 20;

#[derive(Args)]
#[command(group(ArgGroup::new("which").required(true).args(["serial", "profile", "authority", "requester", "serials"])))]
pub(in crate::cli) struct RevokeArguments {
    /// The serial number of one certificate, in hex; AUTHORITY/SERIAL, where several authorities have it
    serial: Option<String>,
    /// All that this profile has issued, but those that have expired and cannot renew themselves any more
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// All that this authority has signed, but those that have expired likewise; those of authorities stay as they are
    #[arg(long, value_name = "AUTHORITY")]
    authority: Option<String>,
    /// All that this principal has asked for, but those that have expired likewise
    #[arg(long, value_name = "NAME")]
    requester: Option<String>,
    /// Those whose serial numbers stand in this file, in hex or as AUTHORITY/SERIAL, one a line; # begins a comment
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    serials: Option<PathBuf>,
    /// unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn, aACompromise
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// Since when it was wrong, like 2027-01-31T00:00:00Z: goes into CRLs (RFC 5280, 5.3.2)
    #[arg(long, value_name = "TIME")]
    invalidity_date: Option<String>,
    /// Only say what would be done
    #[arg(long, conflicts_with = "serial")]
    dry_run: bool,
}

pub(super) async fn run(socket: &Path, arguments: RevokeArguments, format: Format) -> Result<Printed, AdminFailure> {
    let RevokeArguments { serial, profile, authority, requester, serials, reason, invalidity_date, dry_run } = arguments;
    if let Some(serial) = serial {
        let body = encode_body(&Revoke { reason, invalidity_date })?;
        let path = Serial { serial }.path("/revoke")?;
        let said = ask(socket, Method::POST, &path, Some(body)).await?;
        output::note_untold(&said, format);
        return Ok(Printed::Record(said));
    }
    let wish = Revocations { profile, authority, requester, reason, invalidity_date, dry_run, ..Revocations::default() };
    let progress = Progress::new(if dry_run { "would be revoked" } else { "revoked" }, 0, format);
    let mut many = Many { socket, wish, sum: Revoked::default(), progress };
    let is_complete = match serials {
        Some(file) => many.of_file(&file).await.map(|()| true),
        None => many.all().await,
    }?;
    many.finish(is_complete, format)
}

/// Batch after batch.
struct Many<'s> {
    socket: &'s Path,
    wish: Revocations,
    sum: Revoked,
    progress: Progress,
}

impl Many<'_> {
    /// All that there are, and what they were renewed as while others were revoked: that is newer than where a walk begins, so another walk
    /// finds it, until one has found nothing to revoke. Is there nothing left?
    async fn all(&mut self) -> Result<bool, AdminFailure> {
        for _ in 0..MOST_WALKS {
            let before = self.sum.revoked;
            while self.batch().await? {}
            if self.wish.dry_run || self.sum.revoked == before {
                return Ok(true);
            }
            self.wish.again = true;
        }
        Ok(false)
    }

    /// The next batch; is there another one?
    async fn batch(&mut self) -> Result<bool, AdminFailure> {
        let body = encode_body(&self.wish)?;
        let said = ask(self.socket, Method::POST, "/v1/revocations", Some(body)).await?;
        let done: Revoked = serde_json::from_value(said).map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
        self.sum.matched += done.matched;
        self.sum.revoked += done.revoked;
        self.sum.already_revoked += done.already_revoked;
        self.sum.authorities += done.authorities;
        self.sum.no_rev_avail += done.no_rev_avail;
        self.sum.unknown.extend(done.unknown);
        self.sum.ambiguous.extend(done.ambiguous);
        self.wish.cursor = done.next;
        self.progress.set(self.sum.revoked);
        Ok(self.wish.cursor.is_some())
    }

    async fn of_file(&mut self, file: &Path) -> Result<(), AdminFailure> {
        let failed = |error| AdminFailure::usage(format!("{}: {error}", file.display()));
        let text = std::fs::read_to_string(file).map_err(failed)?;
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let serials: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
        // Nothing is revoked by a file that is wrong somewhere.
        for serial in &serials {
            serial.parse::<CertificateName>()?;
        }
        for batch in serials.chunks(BATCH) {
            self.wish.serials = Some(batch.to_vec());
            self.batch().await?;
        }
        Ok(())
    }

    fn finish(self, is_complete: bool, format: Format) -> Result<Printed, AdminFailure> {
        self.progress.finish();
        let code = match &self.sum {
            Revoked { ambiguous, .. } if !ambiguous.is_empty() => Some(Code::Refused),
            Revoked { unknown, .. } if !unknown.is_empty() => Some(Code::NotFound),
            _ => (!is_complete).then_some(Code::Failed),
        };
        let said = serde_json::to_value(self.sum).map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
        output::note_untold(&said, format);
        match code {
            Some(Code::Refused) if format == Format::Table => {
                output::note(
                    "note: what is ambiguous was not revoked: write those that you mean as AUTHORITY/SERIAL into the file",
                );
            }
            Some(Code::Failed) if format == Format::Table => {
                output::note("note: others are issued all the time: end that first, then give the command again");
            }
            _ => {}
        }
        Ok(match code {
            Some(code) => Printed::Failure(said, code),
            None => Printed::Record(said),
        })
    }
}
