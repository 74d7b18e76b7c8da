//! The X clauses: the certificates themselves (RFC 5280 §4), whoever signed them and for whom.

use crate::{
    certificate::Certificate,
    session::{Check, Session},
    verdict::{Verdict, require},
};

mod extensions;
mod fields;
mod gather;
mod linters;
mod name;
mod smuggling;
mod status;

/// A check on one certificate, with its issuer's certificate when that is known.
type CertificateCheck = fn(&Certificate, Option<&Certificate>) -> Result<(), String>;

/// The implemented clauses.
pub const CHECKS: &[(&str, Check)] = &[
    ("X01", fields::version_and_serial),
    ("X02", |session| each(session, fields::algorithms)),
    ("X03", fields::issuers),
    ("X04", |session| each(session, fields::validity)),
    ("X05", |session| each(session, fields::empty_subject)),
    ("X06", |session| each(session, name::directory_strings)),
    ("X07", |session| each(session, fields::uniqueness)),
    ("X08", |session| each(session, extensions::key_identifiers)),
    ("X09", |session| each(session, extensions::key_usage)),
    ("X10", |session| each(session, extensions::basic_constraints)),
    ("X11", |session| each(session, name::alternative_names)),
    ("X12", |session| each(session, extensions::extended_key_usage)),
    ("X13", status::is_told),
    ("X14", |session| each(session, extensions::path_constraints)),
    ("X16", smuggling::nothing_is_copied_blindly),
    ("X17", linters::find_nothing),
];

/// Applies `check` to every certificate there is.
fn each(session: &mut Session<'_>, check: CertificateCheck) -> Verdict {
    let collection = gather::collect(session)?;
    for specimen in &collection.specimens {
        let outcome = check(&specimen.certificate, collection.issuer_of(&specimen.certificate));
        require(outcome.is_ok(), || format!("{}: {}", specimen.label, outcome.err().unwrap_or_default()))?;
    }
    Ok(collection.summary())
}

#[cfg(test)]
mod tests;
