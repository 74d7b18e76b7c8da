//! Re-enrollment: what is asked beside the certificate that it renews.

use certgate_pki::{GeneralName, Name, PublicKey};

use crate::Asked;

/// The certificate that is to be renewed (RFC 7030 §4.2.2).
#[derive(Clone, Copy, Debug)]
pub struct Renews<'a> {
    /// Its subject.
    pub subject: &'a Name,
    /// Its alternative names.
    pub subject_alt_names: &'a [GeneralName],
    /// Its key.
    pub public_key: &'a PublicKey,
    /// The request has the very subject that the request for that certificate had. Where the profile leaves attributes out, the
    /// certificate has not, and a device that makes its requests from its own configuration must be able to renew.
    pub is_asked_as_before: bool,
    /// A request without subjectAltName keeps the old ones: compatible reading. Strict reading has them repeated.
    pub may_omit_names: bool,
}

/// The names that are wanted, and whether they are those of the old certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) subject: &'a Name,
    pub(crate) subject_alt_names: &'a [GeneralName],
    /// The subject is that of the certificate which is renewed: issued as it is.
    pub(crate) is_subject_kept: bool,
    /// So are the alternative names.
    pub(crate) are_names_kept: bool,
}

impl<'a> Asked<'a> {
    /// A new enrollment wants what its request says. A re-enrollment wants what the old certificate has, which its request must repeat,
    /// but for what its ChangeSubjectName replaces (RFC 7030 §4.2.2: "The ChangeSubjectName attribute … MAY be included in the CSR to
    /// request that these fields be changed in the new certificate").
    pub(crate) fn wanted(&self) -> Wanted<'a> {
        let Some(renews) = self.renews else {
            let subject_alt_names = &self.csr.requested().subject_alt_names;
            return Wanted { subject: self.csr.subject(), subject_alt_names, is_subject_kept: false, are_names_kept: false };
        };
        let change = self.csr.change_subject_name();
        let subject = change.and_then(|change| change.subject.as_ref());
        let names = change.and_then(|change| change.subject_alt_names.as_deref());
        Wanted {
            subject: subject.unwrap_or(renews.subject),
            subject_alt_names: names.unwrap_or(renews.subject_alt_names),
            is_subject_kept: subject.is_none(),
            are_names_kept: names.is_none(),
        }
    }
}
