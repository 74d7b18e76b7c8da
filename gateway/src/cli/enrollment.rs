//! `certgate enrollment`.

use clap::{Args, Subcommand};
use hyper::Method;

use super::output::Printed;
use super::{Global, examples};
use crate::admin::client::{ask, encode_body};
use crate::admin::enrollments::Deny;
use crate::admin::{AdminFailure, Paging, encode_query};

#[derive(Subcommand)]
pub(super) enum EnrollmentCommand {
    /// List requests that a person has to approve, newest first
    #[command(after_help = examples::ENROLLMENT_LIST)]
    List(ListArguments),
    /// Show one request
    #[command(after_help = examples::ENROLLMENT_SHOW)]
    Show(Name),
    /// Say yes: the certificate is issued, and its device gets it when it asks again
    #[command(after_help = examples::ENROLLMENT_APPROVE)]
    Approve(Name),
    /// Say no: its device is refused when it asks again
    #[command(after_help = examples::ENROLLMENT_DENY)]
    Deny(DenyArguments),
}

#[derive(Args)]
pub(super) struct ListArguments {
    /// pending, approved, issued, denied or failed
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args)]
pub(super) struct Name {
    /// The request: its id, or csr: and the SHA-256 of its CSR's DER (openssl req -outform DER | sha256sum)
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Args)]
pub(super) struct DenyArguments {
    #[command(flatten)]
    name: Name,
    /// Why; the device is told
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Name {
    /// Where it is on the socket.
    fn path(&self, action: &str) -> Result<String, AdminFailure> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b':';
        if self.id.is_empty() || !self.id.bytes().all(is_name) {
            let message = format!("{} is neither the id of an enrollment nor csr:SHA256", self.id);
            return Err(AdminFailure::usage(message).hint("certgate enrollment list"));
        }
        Ok(format!("/v1/enrollments/{}{action}", self.id))
    }
}

pub(super) async fn run(global: &Global, command: EnrollmentCommand) -> Result<Printed, AdminFailure> {
    let socket = global.socket();
    match command {
        EnrollmentCommand::List(ListArguments { state, paging }) => {
            let query = encode_query([("state", state)].into_iter().chain(paging.pairs()));
            let columns = &["id", "state", "principal", "subject", "sans", "endpoint", "operation", "created_at"];
            let path = format!("/v1/enrollments?{query}");
            ask(&socket, Method::GET, &path, None).await.map(|value| Printed::List(value, columns))
        }
        EnrollmentCommand::Show(name) => ask(&socket, Method::GET, &name.path("")?, None).await.map(Printed::Record),
        EnrollmentCommand::Approve(name) => {
            ask(&socket, Method::POST, &name.path("/approve")?, None).await.map(Printed::Record)
        }
        EnrollmentCommand::Deny(DenyArguments { name, reason }) => {
            let body = encode_body(&Deny { reason })?;
            ask(&socket, Method::POST, &name.path("/deny")?, Some(body)).await.map(Printed::Record)
        }
    }
}
