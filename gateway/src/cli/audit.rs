//! `certgate audit`.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};
use hyper::Method;

use super::output::Printed;
use super::progress::ask_at_length;
use super::{Global, examples};
use crate::admin::audit::VerifyAudit;
use crate::admin::client::encode_body;
use crate::admin::{AdminFailure, Code};

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Hash every event of the trail again, and hold signed heads against it; fails when it was changed, truncated, or is an older one
    #[command(after_help = examples::AUDIT_VERIFY)]
    Verify {
        /// A head that was printed earlier: the trail must pass it, or it was truncated or rewritten
        #[arg(long, value_name = "H")]
        expect_head: Option<String>,
        /// A copy of audit.heads that was kept elsewhere, in place of the one in the data directory
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        heads: Option<PathBuf>,
    },
}

pub(super) async fn run(global: &Global, command: AuditCommand) -> Result<Printed, AdminFailure> {
    let AuditCommand::Verify { expect_head, heads } = command;
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).map_err(|error| AdminFailure::new(Code::Failed, format!("{}: {error}", path.display())))
    };
    let asked = VerifyAudit { expect_head, heads: heads.map(read).transpose()? };
    let body = encode_body(&asked)?;
    let result = ask_at_length(global, "events", (Method::POST, "/v1/audit/verify"), body).await?;
    let is_whole = result.get("ok") == Some(&serde_json::Value::Bool(true));
    Ok(if is_whole { Printed::Record(result) } else { Printed::Failure(result, Code::Failed) })
}
