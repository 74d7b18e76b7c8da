//! RFC 5280 §4.2.1.6: "If the subjectAltName extension is present, the sequence MUST contain at least one entry."

use certgate_pki::Template;
use certgate_pki::asn1::{Tlv, tag};

use super::template_extensions::{SUBJECT_ALT_NAME, find};
use super::{Circumstances, Lint};

pub(crate) const LINT: Lint = Lint { name: "subject-alt-name", citation: "RFC 5280 §4.2.1.6", check };

fn check(template: &Template, _: &Circumstances) -> Result<(), String> {
    let Some(extension) = find(template, SUBJECT_ALT_NAME) else { return Ok(()) };
    let names = Tlv::only(&extension.value).ok().filter(|names| names.tag == tag::SEQUENCE && !names.value.is_empty());
    names.map(|_| ()).ok_or_else(|| "subjectAltName is malformed, or without a name".into())
}
