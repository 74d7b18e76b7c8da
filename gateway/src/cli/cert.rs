//! `certgate cert`.

mod list;
mod revoke;

use clap::{Args, Subcommand};
use hyper::Method;

use super::output::{self, Printed};
use super::{Global, examples};
use crate::admin::client::ask;
use crate::admin::{AdminFailure, CertificateName};

#[derive(Subcommand)]
pub(super) enum CertCommand {
    /// List certificates, newest first
    #[command(after_help = examples::CERT_LIST)]
    List(list::ListArguments),
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
    /// Its serial number, in hex; AUTHORITY/SERIAL, where several authorities have it
    serial: String,
}

impl Serial {
    /// Where it is on the socket.
    fn path(&self, action: &str) -> Result<String, AdminFailure> {
        let name: CertificateName = self.serial.parse()?;
        Ok(format!("/v1/certificates/{name}{action}"))
    }
}

pub(super) async fn run(global: &Global, command: CertCommand) -> Result<Printed, AdminFailure> {
    let socket = global.socket();
    match command {
        CertCommand::List(arguments) => list::run(&socket, arguments, global.output).await,
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
