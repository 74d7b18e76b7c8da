//! `/v1/audit/verify`: is the trail whole?

use certgate_enrollment::{AuditReport, AuditTrail, ExpectedHeads};
use serde::{Deserialize, Serialize};

use super::progress::Steps;
use super::{Admin, AdminFailure, Code};
use crate::audit::HeadFault;

/// What is asked of `POST /v1/audit/verify`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerifyAudit {
    /// A hash that the trail must pass, lowercase hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_head: Option<String>,
    /// A copy of `audit.heads`, in place of the file in the data directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heads: Option<String>,
}

/// What a walk along the whole trail found.
#[derive(Debug, Deserialize, Serialize)]
pub struct AuditResult {
    /// Whole, with the expected head if one was expected, and with every head that was signed.
    pub ok: bool,
    /// How many events follow from each other.
    pub events: u64,
    /// Hash of the last of them, lowercase hex.
    pub head: String,
    /// Number of the first event that does not follow from the one before.
    pub broken_at: Option<u64>,
    /// Was the expected head passed on the way?
    pub expected_head_found: Option<bool>,
    /// What became of signed heads.
    pub checkpoints: CheckpointsResult,
}

/// What became of the lines of `audit.heads`.
#[derive(Debug, Deserialize, Serialize)]
pub struct CheckpointsResult {
    /// How many lines, from the first on, have a good signature and a head that the trail passes.
    pub checked: u64,
    /// Number of the first line that is not so.
    pub failed_at: Option<u64>,
    /// Why.
    pub reason: Option<String>,
}

impl Admin {
    pub(super) async fn verify_audit(&self, asked: VerifyAudit, steps: &Steps) -> Result<AuditResult, AdminFailure> {
        let hash = asked.expect_head.map(|text| read_head(&text)).transpose()?;
        // Heads are read first: what was signed by then is in the trail that is walked.
        let checked = self.checkpoints.check(asked.heads).await;
        let checked = checked.map_err(|error| AdminFailure::new(Code::Failed, format!("{error:#}")))?;
        steps.of(self.base.ledger.head().await?.events);
        let (count, expected) = (checked.heads.len(), ExpectedHeads { hash, heads: checked.heads });
        let report = self.base.ledger.verify(expected, steps.done()).await?;
        let checkpoints = checkpoints(&report, count, checked.fault);
        Ok(AuditResult {
            ok: report.broken_at.is_none() && report.expected_head_found != Some(false) && checkpoints.failed_at.is_none(),
            events: report.head.events,
            head: base16ct::lower::encode_string(&report.head.hash),
            broken_at: report.broken_at,
            expected_head_found: report.expected_head_found,
            checkpoints,
        })
    }
}

/// Of so many lines that have good signatures, before one that has this fault.
fn checkpoints(report: &AuditReport, count: usize, fault: Option<HeadFault>) -> CheckpointsResult {
    let fault = report.first_missed.map(|_| HeadFault::Missed).or(fault);
    let checked = report.first_missed.unwrap_or(count) as u64;
    CheckpointsResult { checked, failed_at: fault.map(|_| checked + 1), reason: fault.map(|fault| fault.to_string()) }
}

fn read_head(text: &str) -> Result<[u8; 32], AdminFailure> {
    let mut head = [0; 32];
    match base16ct::mixed::decode(text, &mut head) {
        Ok(read) if read.len() == 32 => Ok(head),
        _ => Err(AdminFailure::usage("a head is 64 hexadecimal digits, as `certgate audit verify` prints it")),
    }
}
