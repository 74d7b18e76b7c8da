//! Rules about what is asked, one a file.

mod forbidden_extensions;
mod key_strength;
mod names;
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
pub const RULES: &[Rule] = &[key_strength::RULE, forbidden_extensions::RULE, subject::RULE, names::RULE];
