//! Signed heads of the audit trail: OpenSSL verifies them, and SQLite cuts off and rewrites what they tell of.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    cargo,
    gateway::Gateway,
    process,
    report::{Outcome, Report},
};

/// As docs/operations.md has it, for each line.
const VERIFY: &str = r#"
while IFS= read -r line; do
  printf '%s\n' "$line" > line
  cut -d'"' -f4 line | tr -d '\n' > statement
  cut -d'"' -f8 line | openssl base64 -d -A > signature
  openssl dgst -sha256 -verify "$DATA/audit.pub.pem" -signature signature statement
  # Another statement has another signature.
  sed 's/events=/events=1/' statement > forged
  if openssl dgst -sha256 -verify "$DATA/audit.pub.pem" -signature signature forged; then exit 1; fi
done < "$DATA/audit.heads"
# The key that signs is the one that every line names.
key=$(openssl pkey -pubin -in "$DATA/audit.pub.pem" -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1)
test "$(grep -c "key=$key\"" "$DATA/audit.heads")" = "$(wc -l < "$DATA/audit.heads")"
test "$(openssl pkey -in "$DATA/audit.key" -pubout)" = "$(cat "$DATA/audit.pub.pem")"
"#;

/// What is done to the ledger of a gateway that does not run, and what shows.
const DAMAGES: [(&str, &str); 2] = [
    ("the last events are cut off", "DELETE FROM audit WHERE number > (SELECT MAX(number) FROM audit) - 2"),
    ("an event is cut out", "DELETE FROM audit WHERE number = (SELECT MAX(number) FROM audit) - 1"),
];

/// A gateway of its own for each.
pub(super) fn all(work: &Path, report: &mut Report) -> Result<()> {
    let folder = work.join("audit");
    std::fs::create_dir(&folder)?;
    report.check("openssl dgst -verify: signed heads of the audit trail", || {
        if !process::found("openssl") {
            return Ok(Outcome::Skipped("openssl is not installed".to_owned()));
        }
        let data = folder.join("verified");
        changed(&data)?;
        process::script(&folder, VERIFY, &[("DATA", data.as_os_str())])?;
        Ok(Outcome::Passed)
    });
    for (index, (title, statement)) in DAMAGES.into_iter().enumerate() {
        report.check(&format!("sqlite3: {title}, and audit verify says so"), || {
            if !process::found("sqlite3") {
                return Ok(Outcome::Skipped("sqlite3 is not installed".to_owned()));
            }
            shows(&folder.join(format!("damaged-{index}")), statement)?;
            Ok(Outcome::Passed)
        });
    }
    Ok(())
}

/// A data directory whose gateway has recorded something, signed its last head, and ended.
fn changed(data: &Path) -> Result<()> {
    let gateway = Gateway::start(data, &[])?;
    for name in ["a", "b", "c"] {
        gateway.admin(&["est", "user", "add", name])?;
    }
    gateway.stop()
}

fn shows(data: &Path, statement: &str) -> Result<()> {
    changed(data)?;
    let batch = format!("DROP TRIGGER audit_is_not_deleted; {statement};");
    process::output(Command::new("sqlite3").arg(data.join("ledger.db")).arg(batch))?;
    let gateway = Gateway::start(data, &[])?;
    let found = verify(data)?;
    ensure!(found["ok"] == false, "audit verify: {found}");
    ensure!(found["checkpoints"]["failed_at"].is_u64(), "audit verify: {found}");
    gateway.stop()
}

/// The answer of `audit verify`, which fails.
fn verify(data: &Path) -> Result<Value> {
    let mut command = Command::new(cargo::release_binary("certgate")?);
    let output = command.arg("--data-dir").arg(data).args(["--output", "json", "audit", "verify"]).output()?;
    ensure!(output.status.code() == Some(1), "audit verify: {output:?}");
    serde_json::from_slice(&output.stdout).context("audit verify")
}
