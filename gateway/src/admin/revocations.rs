//! `/v1/revocations`: many certificates at once, a batch a request. Who asks goes on with the next batch until there is none: nothing is
//! held up for long, and what is cut short can be asked for again.

use std::time::Duration;

use certgate_enrollment::{
    CertificateQuery, CertificateRecord, CertificateStatus, Certificates, Cursor, LedgerError, StatusChange, StatusChanged,
    StatusName, change_status,
};
use certgate_pki::Timestamp;
use certgate_store::SqliteLedger;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::certificate_name::Named;
use super::certificates::Revoke;
use super::{Admin, AdminFailure, CertificateName, Code, OPERATOR};
use crate::telemetry::log_status_change;

/// How many certificates a batch has at the most. They are revoked at the same time, and so in one commit or a few.
pub const BATCH: usize = 256;

/// What is asked of `POST /v1/revocations`: one of the four ways to say which certificates.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Revocations {
    /// Issued by this profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Signed by this authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Asked for by this principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// With these serial numbers, in hex or as `AUTHORITY/SERIAL`; [`BATCH`] at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serials: Option<Vec<String>>,
    /// As for one certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// As for one certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalidity_date: Option<String>,
    /// Only say what would be done?
    pub dry_run: bool,
    /// Is this for what has come since they were all walked through? What was revoked before, and authorities, were counted then.
    pub again: bool,
    /// Go on after the batch before: its `next`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What came of a batch.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Revoked {
    /// How many there are that have not ended, or can renew themselves still.
    pub matched: u64,
    /// How many of them were revoked now, or would be.
    pub revoked: u64,
    /// How many of them were revoked before.
    pub already_revoked: u64,
    /// How many are certificates of authorities, which are left as they are.
    pub authorities: u64,
    /// How many of those that matched say that relying parties are told nothing (noRevAvail, RFC 9608).
    pub no_rev_avail: u64,
    /// Serial numbers of no certificate.
    pub unknown: Vec<String>,
    /// Of serial numbers that several authorities have, those that may be meant; none of them is revoked.
    #[serde(default)]
    pub ambiguous: Vec<String>,
    /// Where the next batch begins, if there is one.
    pub next: Option<String>,
}

impl Admin {
    /// Revokes a batch.
    pub(super) async fn revoke_batch(&self, wish: Revocations) -> Result<Revoked, AdminFailure> {
        let now = self.base.clock.now();
        let Revocations { reason, invalidity_date, .. } = &wish;
        let change = Revoke { reason: reason.clone(), invalidity_date: invalidity_date.clone() }.change(now)?;
        let (records, mut outcome) = self.batch(&wish, now).await?;
        outcome.matched = records.len() as u64 + outcome.already_revoked;
        outcome.no_rev_avail = records.iter().filter(|record| record.no_rev_avail).count() as u64;
        if wish.dry_run {
            for record in &records {
                count(&mut outcome, would_come(record));
            }
            return Ok(outcome);
        }
        let mut changes = JoinSet::new();
        for record in records {
            changes.spawn(revoke(self.base.ledger.clone(), record, change, now));
        }
        while let Some(changed) = changes.join_next().await {
            let changed = changed.map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
            count(&mut outcome, changed?);
        }
        if outcome.revoked > 0 {
            tracing::info!(revoked = outcome.revoked, ?change, "certificates were revoked");
        }
        Ok(outcome)
    }

    /// The certificates of a batch.
    async fn batch(&self, wish: &Revocations, now: Timestamp) -> Result<(Vec<CertificateRecord>, Revoked), AdminFailure> {
        let filters = [&wish.profile, &wish.authority, &wish.requester];
        if filters.into_iter().flatten().count() + usize::from(wish.serials.is_some()) != 1 {
            return Err(AdminFailure::usage("which certificates? one of profile, authority, requester and serials"));
        }
        if let Some(serials) = &wish.serials {
            return self.by_serials(serials).await;
        }
        let query = CertificateQuery {
            profile: wish.profile.clone(),
            authority: wish.authority.clone(),
            principal: wish.requester.clone(),
            cursor: wish.cursor.clone().map(Cursor),
            ..CertificateQuery::all(now, BATCH)
        };
        let mut page = self.base.ledger.list(query).await?;
        page.items.retain(|record| !self.is_over(record, now));
        if wish.again {
            page.items.retain(|record| would_come(record) == StatusChanged::Changed);
        }
        Ok((page.items, Revoked { next: page.next.map(|cursor| cursor.0), ..Revoked::default() }))
    }

    /// Is it good for nothing any more, not even to be renewed? There may be a million of those.
    fn is_over(&self, record: &CertificateRecord, now: Timestamp) -> bool {
        // Nothing renews by a profile that is not there.
        let profile = self.profiles.iter().find(|profile| profile.name == record.profile);
        let last = record.validity.not_after.after(profile.map_or(Duration::ZERO, |profile| profile.renew_grace));
        record.status_name(now) == StatusName::Expired && now.floor_to_second() > last
    }

    async fn by_serials(&self, serials: &[String]) -> Result<(Vec<CertificateRecord>, Revoked), AdminFailure> {
        if serials.len() > BATCH {
            return Err(AdminFailure::usage(format!("a batch has {BATCH} serial numbers at the most")));
        }
        let mut outcome = Revoked::default();
        let mut records = Vec::with_capacity(serials.len());
        for text in serials {
            match self.look_up(&text.parse::<CertificateName>()?).await? {
                Named::Recorded(record) => records.push(*record),
                // Of which nothing is known but that a CRL has revoked it, for good.
                Named::Listed(_, CertificateStatus::Revoked(_)) => outcome.already_revoked += 1,
                Named::Listed(..) | Named::Unknown => outcome.unknown.push(text.clone()),
                Named::Several(names) => outcome.ambiguous.extend(names.iter().map(ToString::to_string)),
            }
        }
        Ok((records, outcome))
    }
}

/// Revokes one, whatever others do with it at the same time.
async fn revoke(
    ledger: SqliteLedger,
    mut record: CertificateRecord,
    change: StatusChange,
    now: Timestamp,
) -> Result<StatusChanged, LedgerError> {
    loop {
        let changed = change_status(&ledger, &record, change, now, OPERATOR).await?;
        if changed == StatusChanged::Changed {
            log_status_change(&record.serial, change);
        }
        if changed != StatusChanged::Raced {
            return Ok(changed);
        }
        match ledger.find_issued(&record.authority, &record.serial).await? {
            Some(found) => record = found,
            None => return Ok(changed),
        }
    }
}

/// What a revocation would come to.
fn would_come(record: &CertificateRecord) -> StatusChanged {
    match record.status {
        _ if record.is_authority() => StatusChanged::IsAuthority,
        CertificateStatus::Revoked(_) => StatusChanged::AlreadySo,
        _ => StatusChanged::Changed,
    }
}

fn count(outcome: &mut Revoked, changed: StatusChanged) {
    match changed {
        StatusChanged::Changed => outcome.revoked += 1,
        StatusChanged::AlreadySo | StatusChanged::IsRevoked | StatusChanged::Raced => outcome.already_revoked += 1,
        StatusChanged::IsAuthority => outcome.authorities += 1,
    }
}
