//! What comes of asking about one certificate.

use std::fmt;

use super::{
    reply::{Reply, Status, status},
    request::Ask,
    stock::CERTIFICATE_HOLD,
};
use crate::{
    asn1::Element,
    verdict::{Stop, Verdict, require},
};

/// When a certificate that was never issued is revoked: "MUST specify the revocationTime January 1, 1970" (RFC 6960 §2.2).
pub(super) const NEVER_ISSUED: &str = "19700101000000Z";

/// An answer, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Told(Status),
    /// Any other `responseStatus` than `successful`.
    Error(u8),
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(status) => write!(formatter, "{status}"),
            Self::Error(number) => write!(formatter, "responseStatus {number}"),
        }
    }
}

impl Outcome {
    /// What a reply says to a request about one certificate.
    pub(super) fn of(reply: &Reply, ask: &Ask) -> Result<Self, Stop> {
        let mut ids = ask.ids();
        let id = ids.next().cloned().unwrap_or_else(|| Element::sequence(Vec::new()));
        match reply {
            Reply::Error(number) => Ok(Self::Error(*number)),
            Reply::Basic(basic) => {
                let single = basic.about(&id).ok_or_else(|| Stop::fail("no answer has the CertID that was asked about"))?;
                Ok(Self::Told(single.status.clone()))
            }
        }
    }

    /// Whether a status is told at all.
    pub(super) fn is_good(&self) -> bool {
        *self == Self::Told(Status::Good)
    }

    /// Whether this may be said of a certificate that the responder knows nothing of (RFC 6960 §2.2, RFC 5019 §2.2.3).
    fn is_ignorance(&self) -> bool {
        match self {
            Self::Told(Status::Unknown) => true,
            Self::Told(Status::Revoked { time, reason }) => time.text == NEVER_ISSUED && *reason == Some(CERTIFICATE_HOLD),
            Self::Told(Status::Good) => false,
            Self::Error(number) => *number == status::UNAUTHORIZED,
        }
    }

    /// Of a certificate that the responder knows nothing of.
    pub(super) fn require_ignorance(&self, what: &str) -> Verdict {
        require(self.is_ignorance(), || format!("{what}: {self}, neither unknown nor unauthorized"))?;
        Ok(format!("{what}: {self}"))
    }

    /// The same of a request that may be called malformed as well.
    pub(super) fn require_ignorance_or_malformed(&self, what: &str) -> Verdict {
        let is_malformed = *self == Self::Error(status::MALFORMED_REQUEST);
        require(is_malformed || self.is_ignorance(), || format!("{what}: {self}, neither unknown nor malformedRequest"))?;
        Ok(format!("{what}: {self}"))
    }

    /// Of a certificate that is good.
    pub(super) fn require_good(&self, what: &str) -> Verdict {
        require(self.is_good(), || format!("{what}: {self}, not good"))?;
        Ok(format!("{what}: {self}"))
    }
}
