//! CRLs: made when they are due and when something has changed, recorded, kept in files, and handed to whoever serves them.
//!
//! One [`CrlPublisher`] an authority. What is revoked is held encoded (`revoked`), `due` says which lists are to be made, `build` makes and
//! records them, `files` keeps them, and the `shelf` has those that are served; a `job` is all of that once, for which the `worker` has
//! one task. A number is never used for two lists: what the ledger has
//! not recorded is seen by nobody.
//!
//! Of an authority whose key is elsewhere a `keeper` serves what there is, and an `import` is how the next list comes.

mod build;
mod due;
mod error;
mod files;
mod gauges;
mod import;
mod job;
mod keeper;
mod next;
mod once;
mod publisher;
mod revoked;
mod shelf;
mod terms;
mod worker;

pub use error::PublishError;
pub use import::{ImportError, Imported};
pub(crate) use import::{MAX_CRL_NUMBER, entry_status, listed_entry};
pub(crate) use keeper::two_thirds;
pub use next::{NextCrl, NextError};
pub use once::publish_once;
pub use publisher::{CrlPublisher, Demand};
pub use shelf::{ListId, PublishedCrl};
pub use terms::{CrlTerms, Pace, PublisherParts, ScopeTerms};

#[cfg(test)]
mod tests;
