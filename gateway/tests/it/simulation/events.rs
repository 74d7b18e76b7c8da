//! The audit trail: whole, and with one event for each thing that was done.

use std::collections::BTreeMap;

use certgate_enrollment::{EnrollmentRecord, EnrollmentState};
use certgate_store::{divergence, inspect_ledger};
use hyper::Method;
use serde_json::Value;

use super::world::World;
use super::{Fault, ensure};

/// Kinds of events of which the model says how many there are.
const COUNTED: [&str; 7] = [
    "certificate.revoked",
    "certificate.held",
    "certificate.released",
    "enrollment.approved",
    "est-user.added",
    "est-user.removed",
    "scep-challenge.added",
];

impl World<'_> {
    pub(crate) fn judge_trail(&self) -> Result<(), Fault> {
        let verified = self.life().operate(Method::GET, "/v1/audit/verify", &Value::Null);
        let verified = verified.map_err(|failure| format!("the trail: {failure:?}"))?;
        ensure(verified["ok"] == true, || format!("the trail: {verified}"))?;
        let (before, digest) = (self.founded.path().join("ledger.db"), &*self.life().base.provider.digest);
        let since = divergence(&self.life().ledger(), &before).map_err(|error| error.to_string())?;
        let founded = inspect_ledger(&before, digest).map_err(|error| error.to_string())?;
        ensure(since.common == founded.audit.head.events, || "what was there before is another trail".to_owned())?;
        let found: BTreeMap<&str, u64> = since.events.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
        let count = |kind: &str| found.get(kind).copied().unwrap_or_default();
        for kind in COUNTED {
            let expected = self.model.events.get(kind).copied().unwrap_or_default();
            ensure(count(kind) == expected, || format!("{} events {kind}, where {expected} were due", count(kind)))?;
        }
        let issued = self.certificates().len() as u64 - founded.certificates;
        ensure(count("certificate.issued") == issued, || format!("{found:?}, and {issued} certificates"))?;
        let enrollments = self.enrollments();
        let are = |is_it: &dyn Fn(&EnrollmentRecord) -> bool| enrollments.iter().filter(|one| is_it(one)).count() as u64;
        for (kind, expected) in [
            ("enrollment.submitted", are(&|one| one.profile == "person")),
            ("enrollment.failed", are(&|one| one.state == EnrollmentState::Failed)),
            ("enrollment.denied", are(&|one| one.state == EnrollmentState::Denied) - self.model.denied_by_removal),
        ] {
            ensure(count(kind) == expected, || format!("{} events {kind}, where {expected} were due", count(kind)))?;
        }
        Ok(())
    }
}
