//! `certgate cert`.

mod revoke;

use clap::{Args, Subcommand};
use hyper::Method;

use super::output::{self, Printed};
use super::{Global, examples};
use crate::admin::client::ask;
use crate::admin::{AdminFailure, Paging, encode_query};

#[derive(Subcommand)]
pub(super) enum CertCommand {
    /// List certificates, newest first
    #[command(after_help = examples::CERT_LIST)]
    List(ListArguments),
    /// Show one certificate and what became of it
    #[command(after_help = examples::CERT_SHOW)]
    Show(Serial),
    /// Revoke a certificate, or many, for good
    #[command(after_help = examples::CERT_REVOKE)]
    Revoke(revoke::RevokeArguments),
    /// Put a certificate on hold: it is good for nothing until it is released or revoked
    #[command(after_help = examples::CERT_HOLD)]
    Hold(Serial),
    /// Release a certificate that is on hold
    #[command(after_help = examples::CERT_RELEASE)]
    Release(Serial),
}

#[derive(Args)]
pub(super) struct Serial {
    /// Its serial number, in hex
    serial: String,
}

impl Serial {
    /// Where it is on the socket.
    fn path(&self, action: &str) -> Result<String, AdminFailure> {
        let serial = &self.serial;
        if serial.is_empty() || !serial.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(AdminFailure::usage(format!("not a serial number in hex: {serial}")));
        }
        Ok(format!("/v1/certificates/{serial}{action}"))
    }
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
        CertCommand::Show(certificate) => ask(&socket, Method::GET, &certificate.path("")?, None).await.map(Printed::Record),
        CertCommand::Revoke(arguments) => revoke::run(&socket, arguments, global.output).await,
        CertCommand::Hold(certificate) => {
            let said = ask(&socket, Method::POST, &certificate.path("/hold")?, None).await?;
            output::note_untold(&said, global.output);
            Ok(Printed::Record(said))
        }
        CertCommand::Release(certificate) => {
            ask(&socket, Method::POST, &certificate.path("/release")?, None).await.map(Printed::Record)
        }
    }
}
