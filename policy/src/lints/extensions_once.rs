//! RFC 5280 §4.2: "A certificate MUST NOT include more than one instance of a particular extension."

use certgate_pki::Template;

use super::{Circumstances, Lint};

pub(crate) const LINT: Lint = Lint { name: "extensions-once", citation: "RFC 5280 §4.2", check };

fn check(template: &Template, _: &Circumstances) -> Result<(), String> {
    let mut rest = template.extensions.as_slice();
    while let Some((first, others)) = rest.split_first() {
        if others.iter().any(|other| other.oid == first.oid) {
            return Err(format!("the extension {} comes twice", first.oid));
        }
        rest = others;
    }
    Ok(())
}
