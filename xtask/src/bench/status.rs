//! What relying parties ask for: OCSP from memory and signed, a storm of questions that nobody has asked before, CRLs, and how all of that
//! fares as more certificates are revoked.

mod crl;
mod ocsp;
mod revoked;

use std::path::Path;

use anyhow::Result;

use super::{rows::Row, seeded::SeededLedger};

/// Measures the rows that are wanted; `storm` is how many certificates are asked about in the storm.
pub(super) fn measure(work: &Path, wanted: &dyn Fn(&str) -> bool, storm: u32) -> Result<Vec<Row>> {
    let wants_answers = ocsp::ROUTES.iter().any(|route| wanted(route.id));
    let wants_revoked = revoked::IDS.iter().flatten().chain(&crl::IDS).any(|id| wanted(id));
    if !wants_answers && !wants_revoked {
        return Ok(Vec::new());
    }
    let mut ledger = SeededLedger::prepare(work, "status")?;
    let mut rows = Vec::new();
    if wants_answers {
        rows.extend(ocsp::measure(&mut ledger, wanted, storm)?);
    }
    if wants_revoked {
        rows.extend(revoked::measure(&mut ledger, wanted)?);
    }
    Ok(rows)
}
