//! What is known without asking the ledger.

use std::collections::{BTreeMap, BTreeSet};

use certgate_enrollment::{CertificateRecord, EnrollmentId, Proof, Protocol};
use certgate_pki::{Serial, Timestamp};

use super::asked::Asked;
use super::op::At;

/// What became of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Good,
    Held,
    Revoked,
}

/// A certificate that was issued.
pub(super) struct Known {
    pub(super) serial: Serial,
    pub(super) request: u8,
    pub(super) at: At,
    pub(super) fate: Fate,
    pub(super) is_ended: bool,
    /// As it was recorded.
    pub(super) first: CertificateRecord,
}

/// A credential or a challenge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Secret {
    pub(super) id: u64,
    /// For how many certificates more.
    pub(super) left: Option<u64>,
}

/// An order of ACME.
pub(super) struct Ordered {
    pub(super) id: String,
    pub(super) at: At,
    pub(super) expires_at: Timestamp,
    /// By request: was validation of its name begun, and what came of it?
    pub(super) names: BTreeMap<u8, (bool, Option<bool>)>,
    pub(super) is_finalized: bool,
    /// As it stood when it was ready.
    pub(super) ready: Option<certgate_enrollment::Order>,
}

impl Ordered {
    /// Are all its names authorized?
    pub(super) fn is_authorized(&self) -> bool {
        self.names.values().all(|(_, outcome)| *outcome == Some(true))
    }
}

#[derive(Default)]
pub(super) struct Model {
    /// By device and endpoint.
    pub(super) credentials: BTreeMap<(u8, At), Secret>,
    /// In the order in which they were given out, with their endpoint and their end.
    pub(super) challenges: Vec<(Secret, At, Timestamp)>,
    pub(super) certificates: Vec<Known>,
    pub(super) orders: Vec<Ordered>,
    /// A person has said yes.
    pub(super) approved: BTreeSet<EnrollmentId>,
    /// A person has said no, or what it was asked with is gone.
    pub(super) denied: BTreeSet<EnrollmentId>,
}

impl Model {
    pub(super) fn certificate(&self, serial: &Serial) -> Option<&Known> {
        self.certificates.iter().find(|one| one.serial == *serial)
    }

    /// Is what was asked with good for one more certificate, as far as the gateway has been told?
    pub(super) fn is_good(&self, asked: &Asked) -> bool {
        let id = match &asked.proof {
            Proof::Certificate(serial) => {
                return self.certificate(serial).is_some_and(|one| one.fate == Fate::Good && !one.is_ended);
            }
            Proof::Account(_) => return true,
            Proof::Credential(id) | Proof::Both(_, id) | Proof::Challenge(id) => *id,
        };
        self.secret(id, asked).is_some_and(|secret| secret.left != Some(0))
    }

    /// Is there nothing any more of what was asked with?
    pub(super) fn has_ended(&self, asked: &Asked) -> bool {
        match &asked.proof {
            Proof::Credential(id) | Proof::Challenge(id) => self.secret(*id, asked).is_none(),
            _ => !self.is_good(asked),
        }
    }

    fn secret(&self, id: u64, asked: &Asked) -> Option<&Secret> {
        let credentials = self.credentials.iter().filter(|((device, at), _)| {
            asked.protocol == Protocol::Est && *at == asked.at && format!("device-{device}") == asked.principal
        });
        let challenges = self.challenges.iter().filter(|(_, at, _)| asked.protocol == Protocol::Scep && *at == asked.at);
        credentials.map(|(_, secret)| secret).chain(challenges.map(|(secret, ..)| secret)).find(|secret| secret.id == id)
    }

    /// Takes note of a certificate, and of what it was asked with.
    pub(super) fn issued(&mut self, asked: &Asked, record: &CertificateRecord) {
        if let Proof::Credential(id) | Proof::Challenge(id) = &asked.proof {
            let secrets = self.credentials.values_mut().chain(self.challenges.iter_mut().map(|(secret, ..)| secret));
            for secret in secrets.filter(|secret| secret.id == *id) {
                secret.left = secret.left.map(|left| left.saturating_sub(1));
            }
        }
        let ordered = self.orders.iter_mut().filter(|one| asked.transaction.as_ref() == Some(&one.id));
        ordered.for_each(|one| one.is_finalized = true);
        self.certificates.push(Known {
            serial: record.serial.clone(),
            request: asked.request,
            at: asked.at,
            fate: Fate::Good,
            is_ended: false,
            first: record.clone(),
        });
    }
}
