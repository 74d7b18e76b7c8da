//! A ChangeSubjectName is honoured or refused, never passed over.

use crate::{Asked, ChangeSubject, Rule};

pub(crate) const RULE: Rule = Rule { name: "change-subject-name", citation: "RFC 7030 §4.2.2, RFC 6402 §2.8", check };

fn check(asked: &Asked<'_>) -> Result<(), String> {
    match (asked.csr.change_subject_name(), asked.renews, asked.profile.change_subject) {
        (None, ..) | (Some(_), Some(_), ChangeSubject::Honour) => Ok(()),
        (Some(_), None, _) => Err("ChangeSubjectName is for re-enrollment: a new request names itself".into()),
        (Some(_), Some(_), ChangeSubject::Refuse) => {
            Err("the profile lets no names change when a certificate is renewed; enroll anew for other names".into())
        }
    }
}
