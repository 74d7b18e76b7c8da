//! What is counted of OCSP.

use certgate_ocsp::{CertStatus, ErrorStatus, Lenience};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::count;

/// What a successful response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OcspOutcome {
    /// Of one certificate: good.
    Good,
    /// Revoked, or on hold.
    Revoked,
    /// Unknown.
    Unknown,
    /// Never issued, and so called revoked.
    NotIssued,
    /// Something of several certificates.
    Several,
}

impl OcspOutcome {
    const ALL: [Self; 5] = [Self::Good, Self::Revoked, Self::Unknown, Self::NotIssued, Self::Several];

    /// What these say.
    #[must_use]
    pub const fn of(statuses: &[CertStatus]) -> Self {
        match statuses {
            [CertStatus::Good] => Self::Good,
            [CertStatus::Revoked { .. }] => Self::Revoked,
            [CertStatus::Unknown] => Self::Unknown,
            [CertStatus::NotIssued] => Self::NotIssued,
            _ => Self::Several,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
            Self::NotIssued => "notIssued",
            Self::Several => "several",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResponseLabels {
    authority: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LenienceLabels {
    authority: String,
    lenience: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AuthorityLabels {
    authority: String,
}

/// Of all responders.
#[derive(Default)]
pub(super) struct OcspFamilies {
    responses: Family<ResponseLabels, Counter>,
    signatures: Family<AuthorityLabels, Counter>,
    leniences: Family<LenienceLabels, Counter>,
}

impl OcspFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("ocsp_responses", "OCSP responses, by what they say", self.responses.clone());
        registry.register("ocsp_signatures", "OCSP responses that were signed; the others were kept", self.signatures.clone());
        let help = "OCSP requests that strict reading would have refused";
        registry.register("ocsp_leniences", help, self.leniences.clone());
    }

    /// The handles of one authority.
    pub(super) fn of(&self, authority: &str) -> OcspMetrics {
        let response =
            |outcome| self.responses.get_or_create_owned(&ResponseLabels { authority: authority.to_owned(), outcome });
        let lenience =
            |lenience| self.leniences.get_or_create_owned(&LenienceLabels { authority: authority.to_owned(), lenience });
        OcspMetrics {
            outcomes: OcspOutcome::ALL.map(|outcome| (outcome, response(outcome.name()))),
            errors: ErrorStatus::ALL.map(|status| (status, response(status.name()))),
            signatures: self.signatures.get_or_create_owned(&AuthorityLabels { authority: authority.to_owned() }),
            leniences: Lenience::ALL.map(|kind| (kind, lenience(kind.name()))),
        }
    }
}

/// The handles of one authority, resolved.
pub struct OcspMetrics {
    outcomes: [(OcspOutcome, Counter); OcspOutcome::ALL.len()],
    errors: [(ErrorStatus, Counter); ErrorStatus::ALL.len()],
    signatures: Counter,
    leniences: [(Lenience, Counter); Lenience::ALL.len()],
}

impl OcspMetrics {
    /// Counts a successful response.
    pub fn answered(&self, outcome: OcspOutcome) {
        count(&self.outcomes, outcome);
    }

    /// Counts an error.
    pub fn failed(&self, status: ErrorStatus) {
        count(&self.errors, status);
    }

    /// Counts a signature.
    pub fn signed(&self) {
        self.signatures.inc();
    }

    /// Counts what compatible reading let pass.
    pub fn lenient(&self, lenience: Lenience) {
        count(&self.leniences, lenience);
    }
}
