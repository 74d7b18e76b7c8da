//! Every name needs a grant, and there must be one.

use certgate_pki::NameAttributeType;

use crate::{Asked, Rule, SanKind};

pub(crate) const RULE: Rule = Rule { name: "names", citation: "RFC 7030 §3.7, RFC 5280 §4.2.1.6", check };

/// Characters of a name that a refusal repeats.
const MAX_SAID: usize = 256;

fn check(asked: &Asked<'_>) -> Result<(), String> {
    let subject = asked.csr.subject().attributes();
    let mut common_names = subject.iter().filter(|attribute| attribute.kind == NameAttributeType::CommonName).peekable();
    let alternatives = &asked.csr.requested().subject_alt_names;
    if common_names.peek().is_none() && alternatives.is_empty() {
        return Err("the CSR names nobody: it has neither a common name nor a subjectAltName".into());
    }
    for attribute in common_names {
        if !asked.grants.iter().any(|grant| grant.grants_common_name(&attribute.value)) {
            let value = &attribute.value;
            return Err(format!("the common name {value:?} is not one that the requester may have"));
        }
    }
    for name in alternatives {
        if !SanKind::of(name).is_some_and(|kind| asked.profile.sans.contains(&kind)) {
            return Err(format!("the profile issues no subjectAltName of this kind: {name:.MAX_SAID$}"));
        }
        if !asked.grants.iter().any(|grant| grant.grants(name)) {
            return Err(format!("the subjectAltName {name:.MAX_SAID$} is not one that the requester may have"));
        }
    }
    Ok(())
}
