//! CRLs: made when they are due and when something has changed, recorded, kept in files, and handed to whoever serves them.
//!
//! One [`CrlPublisher`] an authority. What is revoked is held encoded (`revoked`), `due` says which lists are to be made, `build` makes and
//! records them, `files` keeps them, and the `shelf` has those that are served; a `job` is all of that once, for which the `worker` has
//! one task. A number is never used for two lists: what the ledger has
//! not recorded is seen by nobody.

mod build;
mod due;
mod error;
mod files;
mod job;
mod publisher;
mod revoked;
mod shelf;
mod terms;
mod worker;

pub use error::PublishError;
pub use publisher::{CrlPublisher, Demand};
pub use shelf::{ListId, PublishedCrl};
pub use terms::{CrlTerms, Pace, PublisherParts, ScopeTerms};

#[cfg(test)]
mod tests;
