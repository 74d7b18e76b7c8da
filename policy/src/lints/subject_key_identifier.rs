//! RFC 5280 §4.2.1.2: "this extension MUST appear in all conforming CA certificates", "this extension SHOULD be included in
//! all end entity certificates", and "Conforming CAs MUST mark this extension as non-critical."

use certgate_pki::{ObjectIdentifier, Template};

use super::template_extensions::check_not_critical;
use super::{Circumstances, Lint};

pub(crate) const LINT: Lint = Lint { name: "subject-key-identifier", citation: "RFC 5280 §4.2.1.2", check };

const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");

fn check(template: &Template, _: &Circumstances) -> Result<(), String> {
    check_not_critical(template, (SUBJECT_KEY_IDENTIFIER, "subjectKeyIdentifier"))
}
