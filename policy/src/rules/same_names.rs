//! A re-enrollment repeats the names of the certificate that it renews.

use certgate_pki::GeneralName;

use crate::{Asked, Rule};

pub(crate) const RULE: Rule = Rule { name: "same-names", citation: "RFC 7030 §4.2.2", check };

/// RFC 7030 §4.2.2: "The request Subject field and SubjectAltName extension MUST be identical to the corresponding fields in the
/// certificate being renewed/rekeyed." Identical as sets: in which order they are written says nothing.
fn check(asked: &Asked<'_>) -> Result<(), String> {
    let Some(renews) = asked.renews else { return Ok(()) };
    let subject = asked.csr.subject();
    if !renews.is_asked_as_before && subject.as_set() != renews.subject.as_set() {
        return Err(format!(
            "the subject of the CSR, {subject}, is not that of the certificate to be renewed, {}; string types count too",
            renews.subject
        ));
    }
    let requested = &asked.csr.requested().subject_alt_names;
    if requested.is_empty() && renews.may_omit_names {
        return Ok(());
    }
    let (requested, old) = (set_of(requested), set_of(renews.subject_alt_names));
    if let Some(added) = requested.iter().find(|name| !old.contains(name)) {
        return Err(format!("the CSR has the subjectAltName {added}, which the certificate to be renewed has not"));
    }
    match old.iter().find(|name| !requested.contains(name)) {
        Some(dropped) => Err(format!("the CSR lacks the subjectAltName {dropped} of the certificate to be renewed")),
        None => Ok(()),
    }
}

fn set_of(names: &[GeneralName]) -> Vec<&GeneralName> {
    let mut set: Vec<&GeneralName> = names.iter().collect();
    set.sort_unstable();
    set.dedup();
    set
}
