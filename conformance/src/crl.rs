//! The CRL clauses (RFC 5280 §5): one file a family. Lists are read and verified by code of the suite's own.

mod extensions;
mod fields;
mod gather;
pub mod list;
mod numbering;
mod readers;
mod scope;
mod session;
mod updates;
mod web;

pub use session::{Check, Session};

/// The implemented clauses.
pub const CHECKS: &[(&str, Check)] = &[
    ("C01", |session| gather::each(session, fields::algorithms)),
    ("C02", |session| gather::each(session, fields::version)),
    ("C03", |session| gather::each(session, fields::issuer)),
    ("C04", |session| gather::each(session, fields::times)),
    ("C05", updates::come_in_time),
    ("C06", fields::no_entries_are_absent),
    ("C07", fields::entries),
    ("C08", |session| gather::each(session, extensions::key_identifier)),
    ("C09", numbering::grow),
    ("C10", extensions::reasons),
    ("C11", extensions::invalidity_dates),
    ("C12", |session| gather::each(session, extensions::issuing_distribution_point)),
    ("C13", extensions::points_agree),
    ("C14", updates::deltas_add_up),
    ("C15", updates::holds_end),
    ("C16", updates::outlives_its_certificate),
    ("C17", numbering::tell_lists_apart),
    ("C18", fields::signer),
    ("C19", web::is_served_well),
    ("C20", web::urls_answer),
    ("C21", readers::take_the_lists),
    ("C22", numbering::no_revocation_is_lost),
];
