//! The core of certgate: who may sign what, in which order, and what is remembered of it.
//!
//! One request goes `EnrollRequest -> Authorized -> Recorded<Issued>`, and ownership makes that order unbreakable:
//! [`Authority`] swallows its back end and has no accessor to it, so nothing signs but through [`Authority::issue`], which takes an
//! [`Authorized`] (only policy and lints make one) and gives back a [`Recorded`] (only a committed transaction makes one). Whoever
//! answers a client builds the answer from a [`Recorded`].
//!
//! Decides; does no IO. Clock, randomness, cryptography and the ledger come in through [`Core`].
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod approval;
mod authority;
mod authorized;
mod chain;
mod client_certificate;
mod core_parts;
mod error;
mod flows;
mod internal;
mod ports;
mod publication;
mod request;
mod revocation;

pub use approval::deny;
pub use authority::Authority;
pub use authorized::{Authorized, Issued, Outcome, Pending, Recorded};
pub use chain::{AuthorityError, check_chain};
pub use client_certificate::{CertificateDenied, judge};
pub use core_parts::{Clock, Core};
pub use error::{Blame, EnrollError};
pub use flows::orders::{Order, OrderError, OrderFlow, OrderState, state_of};
pub use internal::{
    IMPORTED, IMPORTED_PRINCIPAL, INTERNAL_PRINCIPAL, ISSUING_CA, InternalPurpose, InternalRequest, OCSP_RESPONDER, ROOT_CA,
    SCEP_RA, TLS_SERVER,
};
pub use ports::accounts::{Account, AccountAdded, Accounts};
pub use ports::audit::{AuditHead, AuditReport, AuditTrail, Event, EventKind, ExpectedHeads};
pub use ports::audit_walk::AuditWalk;
pub use ports::authorities::Authorities;
pub use ports::certificates::{
    Along, CertificateQuery, CertificateRecord, CertificateRecorded, CertificateStatus, Certificates, Revocation,
    RevocationReason, Standing, StatusName,
};
pub use ports::crls::{CrlRecord, CrlScope, Crls};
pub use ports::enrollments::{
    EnrollmentId, EnrollmentKey, EnrollmentQuery, EnrollmentRecord, EnrollmentState, Enrollments, NewEnrollment, Submitted,
};
pub use ports::est_users::{EstUser, EstUserAdded, EstUsers, PrincipalRemoved, SecretHash};
pub use ports::history::{CertificateImported, EntryImported, History, ListedCertificate};
pub use ports::orders::{AuthorizationRecord, AuthorizationState, OrderAdded, OrderRecord, Orders, ValidationError};
pub use ports::scep_challenges::{ScepChallenge, ScepChallenges};
pub use ports::statuses::{CertificateState, CommittedChange, StatusWatcher, Statuses};
pub use ports::{Cursor, Ledger, LedgerError, Page};
pub use publication::{CrlPointers, Publication};
pub use request::{EnrollRequest, Operation, Principal, Proof, Protocol, Renewal};
pub use revocation::{StatusChange, StatusChanged, change_status, change_status_of_any};
