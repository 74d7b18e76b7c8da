//! May it be issued? Pure rules about what is asked and pure lints of what would be signed, each with its citation as data.
//!
//! Used by the core, and by signers that do not trust the gateway. No clock, no randomness, no IO.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod compromised;
mod lints;
mod name_pattern;
mod profile;
mod renewal;
mod rules;
mod small_primes;
mod validity;

use std::fmt;

use certgate_pki::{Csr, GeneralName, Name};

pub use compromised::{CompromisedKeys, CompromisedKeysFault, InvalidCompromisedKeys};
pub use lints::{Circumstances, Holder, LINTS, Lint, LintFailure, lint};
pub use name_pattern::{InvalidPattern, NamePattern};
pub use profile::{AllowedKey, Approval, ChangeSubject, Profile, Rekey, SanKind};
pub use renewal::Renews;
pub use rules::{RULES, Rule};
pub use validity::{IssuerExpired, window};

/// What is asked: by whom, for what, under which profile.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The request; its proof of possession is the caller's to check.
    pub csr: &'a Csr,
    /// What may be issued here.
    pub profile: &'a Profile,
    /// The names that the principal may have, from its credential or its old certificate: never from the request.
    pub grants: &'a [NamePattern],
    /// The certificate that is to be renewed; `None` for a new enrollment.
    pub renews: Option<Renews<'a>>,
    /// SHA-256 of the requested key's SubjectPublicKeyInfo, as it is in the request; the caller's to compute, since policy has no hash.
    pub spki_sha256: [u8; 32],
    /// Keys that are never certified.
    pub compromised: &'a CompromisedKeys,
}

/// What may be issued of what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Authorized common names, and the attributes that the profile copies.
    pub subject: Name,
    /// Authorized alternative names, in the order asked.
    pub subject_alt_names: Vec<GeneralName>,
}

/// No, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// The rule that refused.
    pub rule: &'static str,
    /// Where the rule comes from.
    pub citation: &'static str,
    /// What is wrong and what would be right, for the requester.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (rule {}, {})", self.reason, self.rule, self.citation)
    }
}

/// Asks every rule in order.
///
/// # Errors
/// The first [`Refusal`].
pub fn decide(asked: &Asked<'_>) -> Result<Decision, Refusal> {
    for rule in RULES {
        (rule.check)(asked).map_err(|reason| Refusal { rule: rule.name, citation: rule.citation, reason })?;
    }
    let wanted = asked.wanted();
    Ok(Decision { subject: rules::subject::issued_subject(asked), subject_alt_names: wanted.subject_alt_names.to_vec() })
}
