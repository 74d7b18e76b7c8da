//! `certgate crl`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use hyper::Method;

use super::crl_sign::SignArguments;
use super::output::Printed;
use super::progress::ask_at_length;
use super::{Global, crl_sign, examples};
use crate::admin::client::{ask, encode_body};
use crate::admin::crls::{BuildCrls, CrlKind};
use crate::admin::{AdminFailure, encode_query};

#[derive(Subcommand)]
pub(super) enum CrlCommand {
    /// Make CRLs now, and return when they are published
    #[command(after_help = examples::CRL_BUILD)]
    Build(BuildArguments),
    /// Show the CRLs that are served
    #[command(after_help = examples::CRL_SHOW)]
    Show(Authority),
    /// Sign the next CRL of a root, on the machine where its key is
    ///
    /// It needs no gateway, no data directory and no network. The list has everything that the one before has, and the next number.
    #[command(after_help = examples::CRL_SIGN)]
    Sign(SignArguments),
    /// Take in and publish a CRL that was signed where the key is
    ///
    /// Of an authority whose key is offline. Refused is a list that is not the authority's, not after the last one, not of now, or in
    /// which something is missing that is revoked or on hold here. What it revokes is revoked here too.
    #[command(after_help = examples::CRL_IMPORT)]
    Import(ImportArguments),
}

#[derive(Args)]
pub(super) struct ImportArguments {
    /// The CRL, DER or PEM
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// The authority; the one whose name it has if none is given
    #[arg(long, value_name = "NAME")]
    authority: Option<String>,
}

#[derive(Args)]
pub(super) struct Authority {
    /// The authority; all of them if none is given
    authority: Option<String>,
}

#[derive(Args)]
pub(super) struct BuildArguments {
    #[command(flatten)]
    of: Authority,
    /// Complete ones only
    #[arg(long, conflicts_with = "delta")]
    full: bool,
    /// Deltas only
    #[arg(long)]
    delta: bool,
}

const COLUMNS: &[&str] = &["authority", "shard", "delta", "number", "entries", "this_update", "next_update", "url"];

pub(super) async fn run(global: &Global, command: CrlCommand) -> Result<Printed, AdminFailure> {
    let socket = global.socket();
    let answer = match command {
        CrlCommand::Build(BuildArguments { of, full, delta }) => {
            let kind = match (full, delta) {
                (true, _) => Some(CrlKind::Full),
                (_, true) => Some(CrlKind::Delta),
                _ => None,
            };
            let body = encode_body(&BuildCrls { authority: of.authority, kind })?;
            ask_at_length(global, "CRLs", (Method::POST, "/v1/crls"), body).await?
        }
        CrlCommand::Show(of) => {
            let path = format!("/v1/crls?{}", encode_query([("authority", of.authority)]));
            ask(&socket, Method::GET, &path, None).await?
        }
        CrlCommand::Sign(arguments) => return crl_sign::run(&arguments),
        CrlCommand::Import(ImportArguments { file, authority }) => {
            let list = std::fs::read(&file).map_err(|error| AdminFailure::usage(format!("{}: {error}", file.display())))?;
            let path = format!("/v1/crls/import?{}", encode_query([("authority", authority)]));
            return Ok(Printed::Record(ask(&socket, Method::POST, &path, Some(list)).await?));
        }
    };
    Ok(Printed::List(answer, COLUMNS))
}
