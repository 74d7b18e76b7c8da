//! What the core asks of the ledger: one small port an aggregate. Not found is `Ok(None)`; every change carries the audit event that is
//! committed with it, in one transaction.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod audit_walk;
pub(crate) mod authorities;
pub(crate) mod certificates;
pub(crate) mod crls;
pub(crate) mod enrollments;
pub(crate) mod est_users;
pub(crate) mod history;
pub(crate) mod orders;
pub(crate) mod scep_challenges;
pub(crate) mod statuses;

use accounts::Accounts;
use audit::AuditTrail;
use authorities::Authorities;
use certificates::Certificates;
use crls::Crls;
use enrollments::Enrollments;
use est_users::EstUsers;
use history::History;
use orders::Orders;
use scep_challenges::ScepChallenges;
use statuses::Statuses;

/// Everything that is remembered.
pub trait Ledger:
    Certificates
    + Statuses
    + Crls
    + History
    + Enrollments
    + EstUsers
    + ScepChallenges
    + Accounts
    + Orders
    + Authorities
    + AuditTrail
{
}

/// The ledger did not do it. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be reached or written now: disk full, queue full, being shut down.
    #[error("the ledger is not available: {0}")]
    Unavailable(String),
    /// What it holds contradicts itself; an operator has to look.
    #[error("the ledger is damaged: {0}")]
    Damaged(String),
    /// The same thing is recorded already.
    #[error("already in the ledger: {0}")]
    Conflict(&'static str),
    /// A list was to go on where no page has ended.
    #[error("no page has given this cursor")]
    BadCursor,
}

/// Where a list goes on: opaque, from the page before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
}
