//! What several lints look for among a template's extensions.

use certgate_pki::{Extension, ObjectIdentifier, Template};

pub(super) const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
pub(super) const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");

/// The first extension of this kind.
pub(super) fn find(template: &Template, oid: ObjectIdentifier) -> Option<&Extension> {
    template.extensions.iter().find(|extension| extension.oid == oid)
}

/// basicConstraints with anything in it: cA FALSE is the DEFAULT, and a pathLenConstraint means nothing without cA TRUE.
pub(super) fn is_ca(template: &Template) -> bool {
    find(template, BASIC_CONSTRAINTS).is_some_and(|extension| extension.value.len() > 2)
}

/// The extension is there and not critical?
pub(super) fn check_not_critical(template: &Template, (oid, name): (ObjectIdentifier, &str)) -> Result<(), String> {
    match find(template, oid) {
        None => Err(format!("there is no {name}")),
        Some(extension) if extension.critical => Err(format!("{name} is critical")),
        Some(_) => Ok(()),
    }
}
