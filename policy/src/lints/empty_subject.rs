//! RFC 5280 §4.1.2.6: "If the subject naming information is present only in the subjectAltName extension […] then the subject name MUST
//! be an empty sequence and the subjectAltName extension MUST be critical."

use certgate_pki::{ObjectIdentifier, Template, Validity};

use super::Lint;

pub(crate) const LINT: Lint = Lint { name: "empty-subject", citation: "RFC 5280 §4.1.2.6", check };

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

fn check(template: &Template, _: Validity) -> Result<(), String> {
    let critical = template.extensions.iter().any(|extension| extension.oid == SUBJECT_ALT_NAME && extension.critical);
    if template.subject.is_empty() && !critical {
        return Err("the subject is empty and there is no critical subjectAltName".into());
    }
    Ok(())
}
