//! The certificates that the X clauses look at.

use crate::certificate::Certificate;

/// The certificates of one server.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// Each certificate, with what it is.
    pub specimens: Vec<Specimen>,
    /// What the server would not sign, and its answer.
    pub refused: Vec<String>,
}

/// One certificate.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// What it is, for reports.
    pub label: String,
    /// Where it came from.
    pub origin: Origin,
    /// Itself.
    pub certificate: Certificate,
}

/// Where a certificate came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Enrolled for by the suite.
    Enrolled,
    /// In the answer to cacerts.
    Authorities,
    /// Shown in the TLS handshake.
    Server,
}

impl Collection {
    /// Puts one beside the others.
    pub fn add(&mut self, label: String, origin: Origin, certificate: Certificate) {
        self.specimens.push(Specimen { label, origin, certificate });
    }

    /// The certificates that the suite enrolled for.
    pub fn enrolled(&self) -> impl Iterator<Item = &Specimen> {
        self.specimens.iter().filter(|specimen| specimen.origin == Origin::Enrolled)
    }

    /// The certificates of cacerts.
    pub fn authorities(&self) -> impl Iterator<Item = &Specimen> {
        self.specimens.iter().filter(|specimen| specimen.origin == Origin::Authorities)
    }

    /// The CA certificate whose subject is `certificate`'s issuer and whose key identifier it names, if it names one.
    #[must_use]
    pub fn issuer_of(&self, certificate: &Certificate) -> Option<&Certificate> {
        let authorities = || self.authorities().map(|specimen| &specimen.certificate);
        let wanted = certificate.authority_key_identifier();
        let by_key = authorities().find(|issuer| wanted.is_some() && issuer.subject_key_identifier() == wanted);
        by_key.or_else(|| authorities().find(|issuer| issuer.subject == certificate.issuer))
    }

    /// How many there are, and what was refused.
    #[must_use]
    pub fn summary(&self) -> String {
        let refused = if self.refused.is_empty() { String::new() } else { format!("; refused: {}", self.refused.join("; ")) };
        format!("{} certificates{refused}", self.specimens.len())
    }
}
