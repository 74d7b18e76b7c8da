//! `certgate cert`.

use clap::{Args, Subcommand};
use hyper::Method;

use super::Global;
use super::output::Printed;
use crate::admin::client::ask;
use crate::admin::{AdminFailure, Paging, encode_query};

#[derive(Subcommand)]
pub(super) enum CertCommand {
    /// List certificates, newest first
    List(ListArguments),
    /// Show one certificate and what became of it
    Show {
        /// Its serial number, in hex
        serial: String,
    },
}

#[derive(Args)]
pub(super) struct ListArguments {
    /// valid, held, revoked or expired
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Issued by this profile
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Asked for by this principal
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    /// Over before this time, like 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires_before: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

pub(super) async fn run(global: &Global, command: CertCommand) -> Result<Printed, AdminFailure> {
    let socket = global.socket();
    match command {
        CertCommand::List(arguments) => {
            let filters = [
                ("status", arguments.status),
                ("profile", arguments.profile),
                ("principal", arguments.principal),
                ("expires_before", arguments.expires_before),
            ];
            let path = format!("/v1/certificates?{}", encode_query(filters.into_iter().chain(arguments.paging.pairs())));
            let columns = &["serial", "status", "subject", "principal", "profile", "not_after"];
            ask(&socket, Method::GET, &path, None).await.map(|value| Printed::List(value, columns))
        }
        CertCommand::Show { serial } => {
            if serial.is_empty() || !serial.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(AdminFailure::usage(format!("not a serial number in hex: {serial}")));
            }
            ask(&socket, Method::GET, &format!("/v1/certificates/{serial}"), None).await.map(Printed::Record)
        }
    }
}
