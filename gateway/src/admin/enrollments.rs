//! `/v1/enrollments`: requests that wait for a person, and what came of them.

use std::sync::Arc;

use certgate_enrollment::{
    Authority, EnrollError, EnrollmentId, EnrollmentQuery, EnrollmentRecord, EnrollmentState, Enrollments, deny,
};
use certgate_policy::Profile;
use serde::{Deserialize, Serialize};

use super::query::Query;
use super::{Admin, AdminFailure, Code, Items, OPERATOR};

mod item;

pub use item::{Changes, EnrollmentItem};

/// What an enrollment is named by beside its id: the SHA-256 of its CSR's DER as it first came.
const BY_CSR: &str = "csr:";
/// Longest reason, in octets.
const MAX_REASON: usize = 256;
/// How many requests with the same CSR are named.
const MOST_NAMED: usize = 10;

/// What is asked of `POST /v1/enrollments/ID/deny`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Deny {
    /// Why; its requester is told.
    pub reason: Option<String>,
}

impl Admin {
    pub(super) async fn list_enrollments(&self, query: &str) -> Result<Items<EnrollmentItem>, AdminFailure> {
        let mut query = Query::new(query);
        let state = query.take("state").map(|name| {
            let known = EnrollmentState::ALL.map(EnrollmentState::name).join(", ");
            EnrollmentState::from_name(&name)
                .ok_or_else(|| AdminFailure::usage(format!("{name} is no state of an enrollment (there are: {known})")))
        });
        let (state, paging) = (state.transpose()?, query.paging()?);
        query.finish()?;
        let (limit, cursor) = paging.resolve();
        let page = self.base.ledger.list_enrollments(EnrollmentQuery { state, limit, cursor }).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for enrollment in &page.items {
            items.push(self.item(enrollment).await?);
        }
        Ok(Items { items, next: page.next.map(|cursor| cursor.0) })
    }

    pub(super) async fn show_enrollment(&self, name: &str) -> Result<EnrollmentItem, AdminFailure> {
        self.item(&self.find_enrollment(name).await?).await
    }

    /// Says yes. When the certificate cannot be signed now the enrollment stays approved, and this says so.
    pub(super) async fn approve_enrollment(&self, name: &str) -> Result<EnrollmentItem, AdminFailure> {
        let enrollment = self.find_enrollment(name).await?;
        let id = enrollment.id.clone();
        let (profile, authority) = self.issuer_of(&enrollment)?;
        match authority.approve(profile, enrollment, OPERATOR).await {
            Ok(issued) => tracing::info!(enrollment = %id, serial = %issued.serial, "an enrollment was approved and issued"),
            Err(EnrollError::NotAwaited) => return Err(self.decided(&id).await?),
            Err(error) => return Err(not_issued(&id, &error)),
        }
        self.show_enrollment(id.as_str()).await
    }

    /// Says no.
    pub(super) async fn deny_enrollment(&self, name: &str, asked: Deny) -> Result<EnrollmentItem, AdminFailure> {
        let reason = asked.reason.unwrap_or_default();
        if reason.len() > MAX_REASON || reason.chars().any(char::is_control) {
            let message = format!("a reason has {MAX_REASON} octets at the most and no control characters");
            return Err(AdminFailure::usage(message));
        }
        let enrollment = self.find_enrollment(name).await?;
        let id = enrollment.id.clone();
        match deny(&self.base.ledger, &enrollment, &reason, (self.base.clock.now(), OPERATOR)).await {
            Ok(()) => tracing::info!(enrollment = %id, "an enrollment was denied"),
            Err(EnrollError::NotAwaited) => return Err(self.decided(&id).await?),
            Err(error) => return Err(AdminFailure::new(Code::Failed, error.to_string())),
        }
        self.show_enrollment(id.as_str()).await
    }

    async fn find_enrollment(&self, name: &str) -> Result<EnrollmentRecord, AdminFailure> {
        let form = || {
            let message = format!("{name} is neither the id of an enrollment, 32 hexadecimal digits, nor csr:SHA256");
            AdminFailure::usage(message).hint("certgate enrollment list")
        };
        let missing = || AdminFailure::not_found(format!("there is no enrollment {name}")).hint("certgate enrollment list");
        let Some(hex) = name.strip_prefix(BY_CSR) else {
            let id = EnrollmentId::parse(name).ok_or_else(form)?;
            return self.base.ledger.find_by_id(&id).await?.ok_or_else(missing);
        };
        let mut sha256 = [0; 32];
        if base16ct::mixed::decode(hex, &mut sha256).map(<[u8]>::len) != Ok(sha256.len()) {
            return Err(form());
        }
        let mut found = self.base.ledger.find_by_csr(&sha256, MOST_NAMED).await?;
        // Anybody can send the CSR of somebody else: whose request is meant is then for a person to say.
        if found.iter().filter(|one| one.state.may_be_issued()).count() > 1 {
            let name = |one: &EnrollmentRecord| format!("{} of {} at {}", one.id, one.key.principal, one.key.endpoint);
            let message = format!(
                "several requests with this CSR can be approved: {}",
                found.iter().map(name).collect::<Vec<_>>().join(", ")
            );
            return Err(AdminFailure::new(Code::Refused, message).hint("say which one by its id"));
        }
        if found.is_empty() { Err(missing()) } else { Ok(found.swap_remove(0)) }
    }

    /// The profile of an enrollment as it is now, and the authority that signs for it.
    fn issuer_of(&self, enrollment: &EnrollmentRecord) -> Result<(&Profile, Arc<Authority>), AdminFailure> {
        let profile = self.profiles.iter().find(|profile| profile.name == enrollment.profile);
        let authority = profile.and_then(|profile| self.authorities.get(&profile.authority).ok());
        profile.zip(authority).ok_or_else(|| {
            let message = format!("enrollment {} is of profile {}, which is gone", enrollment.id, enrollment.profile);
            AdminFailure::new(Code::Refused, message)
                .hint(format!("configure the profile again, or deny it: certgate enrollment deny {}", enrollment.id))
        })
    }

    /// Why an enrollment was not decided by this command: it is by another.
    async fn decided(&self, id: &EnrollmentId) -> Result<AdminFailure, AdminFailure> {
        let message = match self.base.ledger.find_by_id(id).await?.map(|found| found.state) {
            Some(EnrollmentState::Failed) => format!("enrollment {id} has failed, and the same request was made anew since"),
            state => format!("enrollment {id} does not wait: it is {}", state.map_or("gone", EnrollmentState::name)),
        };
        Ok(AdminFailure::new(Code::Refused, message).hint(format!("certgate enrollment show {id}")))
    }
}

fn not_issued(id: &EnrollmentId, error: &EnrollError) -> AdminFailure {
    use certgate_enrollment::Blame;
    match error.blame() {
        Blame::Client | Blame::Policy => {
            let message = format!("enrollment {id} was approved, and has failed: {error}");
            AdminFailure::new(Code::Refused, message).hint("mend what it names, and approve it again")
        }
        Blame::Backend | Blame::Store | Blame::Bug => {
            let message = format!("enrollment {id} could not be issued: {error}");
            let hint = "it stays as it is: approve it again, or wait until its device asks again";
            AdminFailure::new(Code::Failed, message).hint(hint)
        }
    }
}
