//! Rules about what is asked, one a file.

mod change_subject_name;
mod compromised_key;
mod fermat;
mod forbidden_extensions;
mod key_strength;
mod names;
mod rekey;
mod roca;
mod rsa_exponent;
mod rsa_modulus;
mod same_names;
pub(crate) mod subject;

use crate::Asked;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, as refusals and logs say it.
    pub name: &'static str,
    /// Where it comes from.
    pub citation: &'static str,
    /// Says what is wrong and what would be right.
    pub check: fn(&Asked<'_>) -> Result<(), String>,
}

/// All rules, cheapest first.
pub const RULES: &[Rule] = &[
    key_strength::RULE,
    forbidden_extensions::RULE,
    rsa_exponent::RULE,
    compromised_key::RULE,
    rekey::RULE,
    change_subject_name::RULE,
    same_names::RULE,
    subject::RULE,
    names::RULE,
    roca::RULE,
    rsa_modulus::RULE,
    fermat::RULE,
];
