//! What of the requested subject is issued.

use certgate_pki::{Name, NameAttribute, NameAttributeType};

use crate::{Asked, Rule};

pub(crate) const RULE: Rule = Rule { name: "subject", citation: "RFC 5280 §4.1.2.6, Appendix A.1", check };

/// Every attribute that would be copied is within its bounds, and none but OU comes twice: readers differ in which one they take.
fn check(asked: &Asked<'_>) -> Result<(), String> {
    if asked.wanted().is_subject_kept {
        return Ok(());
    }
    let copied: Vec<&NameAttribute> = copied(asked).collect();
    if let Some(attribute) = copied.iter().find(|attribute| !attribute.is_well_formed()) {
        return Err(format!(
            "the value of {} in the subject is empty, too long, or of characters it cannot have",
            attribute.kind
        ));
    }
    let repeats = |attribute: &&&NameAttribute| copied.iter().filter(|other| other.kind == attribute.kind).count() > 1;
    let repeated = copied.iter().filter(|attribute| attribute.kind != NameAttributeType::OrganizationalUnit).find(repeats);
    repeated.map_or(Ok(()), |attribute| Err(format!("the subject has more than one {}", attribute.kind)))
}

/// The common name and what the profile lists; the rest of the wanted subject is left out.
fn copied<'a>(asked: &Asked<'a>) -> impl Iterator<Item = &'a NameAttribute> {
    let profile = asked.profile;
    asked
        .wanted()
        .subject
        .attributes()
        .iter()
        .filter(|attribute| attribute.kind == NameAttributeType::CommonName || profile.subject_copy.contains(&attribute.kind))
}

/// The subject that is issued. One that is kept is kept to the octet.
pub(crate) fn issued_subject(asked: &Asked<'_>) -> Name {
    let wanted = asked.wanted();
    if wanted.is_subject_kept {
        return wanted.subject.clone();
    }
    Name::from_attributes(copied(asked).cloned().collect())
}
