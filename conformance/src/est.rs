//! The EST clauses (RFC 7030 as updated by RFC 8951): one file a family.

use crate::session::Check;

mod approval;
mod authentication;
mod cacerts;
mod client_certificate;
mod demands;
mod device;
mod enroll;
mod linking;
mod operations;
mod rejection;
mod renaming;
mod renewal;
mod robustness;
pub(crate) mod steps;
mod tls;
mod wording;

/// The implemented clauses.
pub const CHECKS: &[(&str, Check)] = &[
    ("E01", cacerts::is_open_to_all),
    ("E02", cacerts::is_a_strict_certs_only_message),
    ("E03", cacerts::completes_the_chain),
    ("E05", operations::refuses_the_wrong_method),
    ("E06", tls::gives_nothing_in_the_clear),
    ("E07", tls::refuses_old_versions_and_weak_suites),
    ("E08", tls::shows_a_good_certificate),
    ("E09", operations::knows_its_labels),
    ("E10", authentication::asks_for_credentials),
    ("E11", authentication::refuses_wrong_credentials),
    ("E12", authentication::takes_right_credentials),
    ("E14", client_certificate::must_be_good),
    ("E16", enroll::issues_one_certificate),
    ("E17", enroll::wants_proof_of_possession),
    ("E18", rejection::refuses_what_is_no_csr),
    ("E19", wording::reads_raw_der_or_not),
    ("E20", wording::ignores_white_space),
    ("E21", wording::ignores_the_transfer_encoding),
    ("E22", wording::minds_the_content_type),
    ("E23", rejection::explains_itself),
    ("E24", approval::puts_off),
    ("E25", approval::remembers),
    ("E26", renewal::renews),
    ("E27", renewal::rekeys),
    ("E28", renaming::keeps_the_names),
    ("E29", renaming::never_ignores_a_change),
    ("E30", renewal::minds_who_renews),
    ("E31", linking::refuses_a_foreign_binding),
    ("E32", linking::takes_the_right_binding),
    ("E34", operations::describes_csr_attributes),
    ("E35", demands::are_told),
    ("E38", operations::answers_fullcmc),
    ("E44", robustness::bounds_and_endures),
];
