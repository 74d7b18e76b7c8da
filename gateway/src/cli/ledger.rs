//! `certgate ledger`.

use certgate_store::inspect_ledger;
use clap::Subcommand;
use serde_json::json;

use super::output::Printed;
use super::{Global, examples};
use crate::admin::{AdminFailure, Code};

#[derive(Subcommand)]
pub(super) enum LedgerCommand {
    /// Look whether the ledger is whole: the file, and every event of the audit trail
    ///
    /// It reads the file itself, so the gateway may run or not. It reads all of it, and takes as long.
    #[command(after_help = examples::LEDGER_CHECK)]
    Check,
}

pub(super) fn run(global: &Global, command: &LedgerCommand) -> Result<Printed, AdminFailure> {
    let LedgerCommand::Check = command;
    let path = global.data_dir.join("ledger.db");
    if !path.exists() {
        return Err(AdminFailure::not_found(format!("there is no ledger at {}", path.display()))
            .hint("--data-dir tells where the gateway keeps it"));
    }
    let found = inspect_ledger(&path, &*certgate_crypto::provider().digest)
        .map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
    let said = json!({
        "ok": found.is_whole(),
        "schema": found.schema,
        "events": found.audit.head.events,
        "head": base16ct::lower::encode_string(&found.audit.head.hash),
        "broken_at": found.audit.broken_at,
        "certificates": found.certificates,
        "not_good": found.not_good,
        "faults": found.faults,
    });
    Ok(if found.is_whole() { Printed::Record(said) } else { Printed::Failure(said, Code::Failed) })
}
