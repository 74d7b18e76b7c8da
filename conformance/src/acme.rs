//! The ACME clauses (RFC 8555): one file a family. The JWS, the responder of http-01 and the DNS server are the suite's own.

use crate::verdict::Verdict;

mod access;
mod accounts;
mod certificates;
mod challenges;
mod csrs;
pub mod dns;
mod envelope;
mod errors;
mod http01;
pub mod jws;
mod nonces;
pub mod objects;
mod orders;
pub mod payloads;
pub mod place;
pub mod responder;
mod session;
mod steps;

pub use session::{Session, Signer};

/// The code behind a clause.
pub type Check = fn(&mut Session<'_>) -> Verdict;

/// The implemented clauses.
pub const CHECKS: &[(&str, Check)] = &[
    ("A02", nonces::are_fetched),
    ("A03", errors::link_to_the_directory),
    ("A04", nonces::are_fresh),
    ("A05", nonces::are_spent),
    ("A06", nonces::are_base64url),
    ("A07", envelope::names_its_url),
    ("A08", envelope::says_its_type),
    ("A09", envelope::is_flattened),
    ("A10", envelope::has_one_key),
    ("A11", envelope::has_the_right_key),
    ("A12", envelope::has_a_good_algorithm),
    ("A16", envelope::is_base64url),
    ("A17", access::is_not_by_get),
    ("A18", access::is_by_post),
    ("A19", errors::are_problem_documents),
    ("A21", accounts::are_made),
    ("A22", accounts::are_found_again),
    ("A32", orders::are_made),
    ("A36", orders::keep_their_content),
    ("A37", access::is_the_owners),
    ("A38", challenges::are_as_they_should),
    ("A39", challenges::take_any_object),
    ("A40", http01::is_judged),
    ("A44", orders::are_polled),
    ("A48", orders::are_not_ready),
    ("A49", csrs::are_refused),
    ("A50", orders::are_finalized),
    ("A51", certificates::come_in_chains),
    ("A52", certificates::have_the_ordered_names),
];
