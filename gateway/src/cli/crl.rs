//! `certgate crl`.

use clap::{Args, Subcommand};
use hyper::Method;

use super::output::Printed;
use super::progress::ask_at_length;
use super::{Global, examples};
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
    };
    Ok(Printed::List(answer, COLUMNS))
}
