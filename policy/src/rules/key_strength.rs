//! Only keys that the profile lists.

use crate::{AllowedKey, Asked, Rule};

pub(crate) const RULE: Rule =
    Rule { name: "key-strength", citation: "NIST SP 800-57 Part 1 Rev. 5 §5.6.1, RFC 7030 §4.2.1", check };

fn check(asked: &Asked<'_>) -> Result<(), String> {
    let key = asked.csr.public_key().key_type();
    if asked.profile.key_types.iter().any(|allowed| allowed.key_type() == key) {
        return Ok(());
    }
    let allowed: Vec<String> = asked.profile.key_types.iter().copied().map(AllowedKey::name).collect();
    Err(format!("the profile certifies no {key} keys; use one of {}", allowed.join(", ")))
}
