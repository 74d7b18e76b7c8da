//! Every name needs a grant, and there must be one.

use certgate_pki::NameAttributeType;

use crate::{Asked, Rule, SanKind};

pub(crate) const RULE: Rule = Rule { name: "names", citation: "RFC 7030 §3.7, RFC 5280 §4.2.1.6", check };

/// Characters of a name that a refusal repeats.
const MAX_SAID: usize = 256;

fn check(asked: &Asked<'_>) -> Result<(), String> {
    let wanted = asked.wanted();
    let subject = wanted.subject.attributes();
    let mut common_names = subject.iter().filter(|attribute| attribute.kind == NameAttributeType::CommonName).peekable();
    if common_names.peek().is_none() && wanted.subject_alt_names.is_empty() {
        return Err("the CSR names nobody: it has neither a common name nor a subjectAltName".into());
    }
    for attribute in common_names {
        if !wanted.is_subject_kept && !asked.grants.iter().any(|grant| grant.grants_common_name(&attribute.value)) {
            let value = &attribute.value;
            return Err(format!("the common name {value:?} is not one that the requester may have"));
        }
    }
    for name in wanted.subject_alt_names {
        // Of a certificate that is renewed too: the profile may have become narrower since.
        if !SanKind::of(name).is_some_and(|kind| asked.profile.sans.contains(&kind)) {
            return Err(format!("the profile issues no subjectAltName of this kind: {name:.MAX_SAID$}"));
        }
        if !wanted.are_names_kept && !asked.grants.iter().any(|grant| grant.grants(name)) {
            return Err(format!("the subjectAltName {name:.MAX_SAID$} is not one that the requester may have"));
        }
    }
    Ok(())
}
