//! No key that others are known to have.

use crate::{Asked, Rule};

pub(crate) const RULE: Rule =
    Rule { name: "compromised-key", citation: "RFC 5280 §5.3.1, CA/Browser Forum BR §6.1.1.3", check };

fn check(asked: &Asked<'_>) -> Result<(), String> {
    // CA/Browser Forum BR §6.1.1.3 has a request rejected whose key the CA has been told to be compromised.
    if asked.compromised.contains(&asked.spki_sha256) {
        return Err("the key is known to be compromised; make a new one".into());
    }
    Ok(())
}
