//! `certgate ca export-root`, `certgate ca restore-root`: the key of a root goes elsewhere, and comes back.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde_json::json;

use super::ca::{Stopped, failed};
use super::output::{Format, Printed};
use super::{Global, secret_source};
use crate::admin::AdminFailure;
use crate::assemble::{Protection, RootKey};
use crate::config::{Period, SecretSource};

#[derive(Args)]
pub(super) struct ExportArguments {
    /// Where the key and its certificate go; nothing may be there yet
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// The root; the only one whose key is here, if none is given
    #[arg(long, value_name = "NAME")]
    authority: Option<String>,
    /// Take the key away from this machine, once everything that only it can make was made
    #[arg(long)]
    remove: bool,
    /// For how long its CRL, and the certificate of its OCSP responder, are to last without it
    #[arg(long, value_name = "PERIOD", default_value = "365d", requires = "remove")]
    validity: Period,
    /// What encrypts the key in the file: env:NAME, file:PATH or prompt
    #[arg(long, value_name = "SOURCE", value_parser = secret_source)]
    passphrase: Option<SecretSource>,
    /// Leave it in the clear there
    #[arg(long, conflicts_with = "passphrase")]
    unencrypted: bool,
}

#[derive(Args)]
pub(super) struct RestoreArguments {
    /// The file that export-root has written, or any file with the key
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// The root; the only one whose key is offline, if none is given
    #[arg(long, value_name = "NAME")]
    authority: Option<String>,
    /// What opens the file: env:NAME, file:PATH or prompt
    #[arg(long, value_name = "SOURCE", value_parser = secret_source)]
    passphrase: Option<SecretSource>,
}

pub(super) async fn export(global: &Global, arguments: ExportArguments) -> Result<Printed, AdminFailure> {
    let ExportArguments { file, authority, remove, validity, passphrase, unencrypted } = arguments;
    if passphrase.is_none() && !unencrypted {
        let message = "the key is encrypted in the file by a passphrase, or is there in the clear: one of both is to be said";
        return Err(AdminFailure::usage(message).hint("--passphrase prompt, env:NAME or file:PATH; or --unencrypted"));
    }
    let protection = || {
        Ok(match &passphrase {
            Some(source) => Protection::Passphrase(source.read_new(&format!("passphrase for {}", file.display()))?),
            None => Protection::None,
        })
    };
    let stopped = Stopped::open(global)?;
    let exported = async {
        let root = RootKey::here(&stopped.config, &stopped.base, &stopped.data_dir, authority.as_deref())?;
        let (certificate, taken) = root.export(&file, protection, remove.then(|| validity.duration())).await?;
        Ok((root.name().to_owned(), certificate, taken))
    };
    let exported = exported.await.map_err(failed::<anyhow::Error>);
    let (name, certificate, taken) = stopped.close(exported).await?;
    let warnings = taken.as_ref().map_or(&[][..], |taken| &taken.warnings);
    if global.output == Format::Table {
        for warning in warnings {
            // A warning that nobody can read is none.
            let _ = writeln!(std::io::stderr(), "warning: {warning}");
        }
    }
    let provisions = taken.as_ref().map(|taken| &taken.provisions);
    Ok(Printed::Record(json!({
        "authority": name,
        "subject": certificate.subject().to_string(),
        "file": file.display().to_string(),
        "encrypted": !unencrypted,
        "removed": taken.is_some(),
        "crl_until": provisions.map(|made| made.crl_until.to_string()),
        "ocsp_until": provisions.and_then(|made| made.ocsp_until).map(|until| until.to_string()),
        "warnings": warnings,
    })))
}

pub(super) async fn restore(global: &Global, arguments: RestoreArguments) -> Result<Printed, AdminFailure> {
    let RestoreArguments { file, authority, passphrase } = arguments;
    let stopped = Stopped::open(global)?;
    let restored = async {
        let root = RootKey::elsewhere(&stopped.config, &stopped.base, &stopped.data_dir, authority.as_deref()).await?;
        let certificate = root.restore(&file, passphrase.as_ref()).await?;
        Ok((root.name().to_owned(), certificate))
    };
    let restored = restored.await.map_err(failed::<anyhow::Error>);
    let (name, certificate) = stopped.close(restored).await?;
    Ok(Printed::Record(json!({ "authority": name, "subject": certificate.subject().to_string(), "backend": "local" })))
}
