//! The operator's socket: HTTP/1.1 with JSON under `/v1`, on a UNIX socket that only the owner of the data directory can use.
//!
//! One file an aggregate: its shapes as JSON, and what is done with it. The command line is the first client ([`client`]).

pub mod audit;
pub mod authorities;
mod certificate_name;
pub mod certificates;
pub mod client;
pub mod crl_imports;
pub mod crls;
pub mod enrollments;
pub mod est_users;
mod failure;
pub mod progress;
mod query;
mod reload;
pub mod revocations;
pub mod scep_challenges;
mod server;

pub use certificate_name::CertificateName;
pub use failure::{AdminFailure, Code, ErrorBody, ErrorDetails};
pub(crate) use query::read_time;
pub use query::{Paging, encode_query};
pub use server::{Admin, serve_socket};

use serde::{Deserialize, Serialize};

/// Who acts through the socket, in the audit trail.
pub(crate) const OPERATOR: &str = "operator";

/// A page of a list.
#[derive(Debug, Deserialize, Serialize)]
pub struct Items<T> {
    /// In order.
    pub items: Vec<T>,
    /// `cursor` of the next page, if there is one.
    pub next: Option<String>,
}
