//! RFC 5280 §4.1.2.6: "If the subject naming information is present only in the subjectAltName extension […] then the subject name MUST
//! be an empty sequence and the subjectAltName extension MUST be critical."

use certgate_pki::Template;

use super::template_extensions::{SUBJECT_ALT_NAME, find};
use super::{Circumstances, Lint};

pub(crate) const LINT: Lint = Lint { name: "empty-subject", citation: "RFC 5280 §4.1.2.6", check };

fn check(template: &Template, _: &Circumstances) -> Result<(), String> {
    let critical = find(template, SUBJECT_ALT_NAME).is_some_and(|extension| extension.critical);
    if template.subject.is_empty() && !critical {
        return Err("the subject is empty and there is no critical subjectAltName".into());
    }
    Ok(())
}
