//! Whether the key changes when a certificate is renewed.

use crate::{Asked, Rekey, Rule};

pub(crate) const RULE: Rule = Rule { name: "rekey", citation: "RFC 7030 §4.2.2", check };

fn check(asked: &Asked<'_>) -> Result<(), String> {
    let Some(renews) = asked.renews else { return Ok(()) };
    let is_same = asked.csr.public_key() == renews.public_key;
    match (asked.profile.rekey, is_same) {
        (Rekey::Require, true) => Err("the profile wants a new key when a certificate is renewed".into()),
        (Rekey::Forbid, false) => Err("the profile wants the same key when a certificate is renewed".into()),
        _ => Ok(()),
    }
}
