//! `certgate audit`.

use clap::Subcommand;
use hyper::Method;

use super::output::Printed;
use super::{Global, examples};
use crate::admin::client::ask;
use crate::admin::{AdminFailure, Code, encode_query};

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Hash every event of the trail again; fails when one does not follow from the one before
    #[command(after_help = examples::AUDIT_VERIFY)]
    Verify {
        /// A head that was printed earlier: the trail must pass it, or it was truncated or rewritten
        #[arg(long, value_name = "H")]
        expect_head: Option<String>,
    },
}

pub(super) async fn run(global: &Global, command: AuditCommand) -> Result<Printed, AdminFailure> {
    let AuditCommand::Verify { expect_head } = command;
    let path = format!("/v1/audit/verify?{}", encode_query([("expect_head", expect_head)]));
    let result = ask(&global.socket(), Method::GET, &path, None).await?;
    let is_whole = result.get("ok") == Some(&serde_json::Value::Bool(true));
    Ok(if is_whole { Printed::Record(result) } else { Printed::Failure(result, Code::Failed) })
}
