//! `/v1/audit/verify`: is the trail whole?

use certgate_enrollment::AuditTrail;
use serde::{Deserialize, Serialize};

use super::query::Query;
use super::{Admin, AdminFailure};

/// What a walk along the whole trail found.
#[derive(Debug, Deserialize, Serialize)]
pub struct AuditResult {
    /// Whole, and with the expected head if one was expected.
    pub ok: bool,
    /// How many events follow from each other.
    pub events: u64,
    /// Hash of the last of them, lowercase hex.
    pub head: String,
    /// Number of the first event that does not follow from the one before.
    pub broken_at: Option<u64>,
    /// Was the expected head passed on the way?
    pub expected_head_found: Option<bool>,
}

impl Admin {
    pub(super) async fn verify_audit(&self, query: &str) -> Result<AuditResult, AdminFailure> {
        let mut query = Query::new(query);
        let expected = query.take("expect_head").map(|text| read_head(&text)).transpose()?;
        query.finish()?;
        let report = self.base.ledger.verify(expected).await?;
        Ok(AuditResult {
            ok: report.broken_at.is_none() && report.expected_head_found != Some(false),
            events: report.head.events,
            head: base16ct::lower::encode_string(&report.head.hash),
            broken_at: report.broken_at,
            expected_head_found: report.expected_head_found,
        })
    }
}

fn read_head(text: &str) -> Result<[u8; 32], AdminFailure> {
    let mut head = [0; 32];
    match base16ct::mixed::decode(text, &mut head) {
        Ok(read) if read.len() == 32 => Ok(head),
        _ => Err(AdminFailure::usage("a head is 64 hexadecimal digits, as `certgate audit verify` prints it")),
    }
}
