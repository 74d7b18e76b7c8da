//! The OCSP clauses (RFC 6960, RFC 9919, RFC 9654): one file a family. Requests are made and answers read element by element.

mod caching;
mod crl;
mod expiry;
mod extensions;
mod form;
mod identifiers;
mod linters;
mod nonces;
mod outcome;
mod reply;
mod request;
mod session;
mod signer;
mod status;
mod stock;
mod transport;

pub use session::{Check, Session};
pub use stock::Stock;

/// The implemented clauses.
pub const CHECKS: &[(&str, Check)] = &[
    ("O01", transport::is_posted),
    ("O02", transport::get_is_as_post),
    ("O03", form::is_basic),
    ("O04", form::has_its_fields),
    ("O05", signer::is_identified),
    ("O06", signer::signs_rightly),
    ("O07", signer::is_authorized),
    ("O08", status::is_told),
    ("O09", status::never_issued_is_revoked),
    ("O10", identifiers::each_is_answered),
    ("O11", identifiers::hashes_are_known),
    ("O12", identifiers::both_hashes_count),
    ("O13", identifiers::serials_are_numbers),
    ("O14", form::is_current),
    ("O15", form::tells_since_when),
    ("O16", status::revocation_is_told_soon),
    ("O17", status::release_is_told),
    ("O18", form::knows_no_request),
    ("O19", form::errors_are_bare),
    ("O20", nonces::is_repeated),
    ("O21", nonces::usual_lengths_are_taken),
    ("O22", nonces::other_lengths_are_answered),
    ("O23", nonces::impossible_lengths_are_refused),
    ("O24", nonces::bad_nonces_do_no_harm),
    ("O25", nonces::none_is_made_up),
    ("O26", extensions::unknown_ones_are_minded),
    ("O27", extensions::what_may_be_there_does_no_harm),
    ("O28", extensions::signatures_do_no_harm),
    ("O29", extensions::minds_acceptable_types),
    ("O30", signer::minds_preferences),
    ("O31", signer::signs_strongly),
    ("O32", caching::answers_may_be_kept),
    ("O33", caching::others_may_not),
    ("O34", caching::validators_count),
    ("O35", transport::refuses_other_wordings),
    ("O36", transport::is_bounded),
    ("O37", transport::asks_for_nothing),
    ("O38", crl::agrees),
    ("O39", expiry::is_told_or_not),
    ("O40", linters::find_nothing),
];
