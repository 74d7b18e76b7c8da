//! Lints of what would be signed, one a file. A lint that fails is a fault of certgate or of its configuration, never of the requester:
//! the rules come first.

mod authority_key_identifier;
mod ca_only_extensions;
mod empty_subject;
mod end_entity;
mod extended_key_usage;
mod extensions_once;
mod key_usage;
mod serial_number;
mod subject_alt_name;
mod subject_key_identifier;
mod template_extensions;
mod validity_within_issuer;

use certgate_pki::{Template, Validity};

/// What a template does not say of itself.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// The validity of whoever signs it.
    pub issuer: Validity,
    /// Whose certificate it is to be.
    pub holder: Holder,
}

/// Whose certificate is to be signed, as far as that allows it more than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Anyone's.
    Anyone,
    /// An OCSP responder's, whose key certgate has made: an internal profile that no endpoint can name.
    OcspResponder,
}

/// One lint.
#[derive(Debug)]
pub struct Lint {
    /// Its name, as logs say it.
    pub name: &'static str,
    /// Where it comes from.
    pub citation: &'static str,
    /// Says what is wrong with this template.
    pub check: fn(&Template, &Circumstances) -> Result<(), String>,
}

/// What is to be signed is not right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lint {lint} ({citation}): {reason}")]
pub struct LintFailure {
    /// The lint that failed.
    pub lint: &'static str,
    /// Where it comes from.
    pub citation: &'static str,
    /// What is wrong.
    pub reason: String,
}

/// All lints. That each extension comes once is first: the others look at the first of a kind.
pub const LINTS: &[Lint] = &[
    extensions_once::LINT,
    serial_number::LINT,
    validity_within_issuer::LINT,
    empty_subject::LINT,
    end_entity::LINT,
    key_usage::LINT,
    extended_key_usage::LINT,
    ca_only_extensions::LINT,
    subject_alt_name::LINT,
    subject_key_identifier::LINT,
    authority_key_identifier::LINT,
];

/// Runs every lint on a template.
///
/// # Errors
/// The first [`LintFailure`].
pub fn lint(template: &Template, circumstances: &Circumstances) -> Result<(), LintFailure> {
    LINTS.iter().try_for_each(|lint| {
        (lint.check)(template, circumstances).map_err(|reason| LintFailure { lint: lint.name, citation: lint.citation, reason })
    })
}
