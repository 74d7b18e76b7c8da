//! The states of a request that is granted. None of them can be made outside of this crate.

use std::ops::Deref;
use std::time::Duration;

use certgate_pki::{Certificate, Serial, Template};

use crate::ports::certificates::Along;
use crate::ports::enrollments::EnrollmentId;
use crate::request::Protocol;

/// Permission to sign exactly one certificate: the proof of possession was checked, policy said yes, the lints passed. It is spent by
/// [`crate::Authority::issue`].
#[derive(Debug)]
#[must_use = "nothing is issued until this is spent"]
pub struct Authorized {
    pub(crate) authority: String,
    pub(crate) profile: String,
    pub(crate) protocol: Protocol,
    pub(crate) endpoint: String,
    pub(crate) principal: String,
    pub(crate) template: Template,
    pub(crate) shard: u32,
    pub(crate) no_rev_avail: bool,
    pub(crate) asked_subject: Option<[u8; 32]>,
    pub(crate) renews: Option<Serial>,
    pub(crate) along: Along,
}

impl Authorized {
    /// What will be signed.
    #[must_use]
    pub const fn template(&self) -> &Template {
        &self.template
    }
}

/// An outcome that the ledger holds: committed and synced. Answers are built from nothing else.
#[derive(Clone, Debug)]
pub struct Recorded<T>(T);

impl<T> Recorded<T> {
    /// Only called when the transaction that holds `outcome` has committed.
    pub(crate) const fn committed(outcome: T) -> Self {
        Self(outcome)
    }

    pub(crate) fn map<U>(self, view: impl FnOnce(T) -> U) -> Recorded<U> {
        Recorded(view(self.0))
    }
}

impl<T> Deref for Recorded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A certificate was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Its serial number.
    pub serial: Serial,
    /// The certificate, DER.
    pub der: Vec<u8>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A certificate was issued.
    Issued(Issued),
    /// A certificate was issued when a person approved the same request, or when it came before: this one.
    Served(Issued),
    /// It waits.
    Pending(Pending),
}

/// A request waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its enrollment.
    pub id: EnrollmentId,
    /// For how long it has waited.
    pub waited: Duration,
}

impl Issued {
    /// The certificate, read.
    ///
    /// # Errors
    /// When a back end in process made something that is none.
    pub fn certificate(&self) -> Result<Certificate, certgate_pki::CertificateError> {
        Certificate::from_der(&self.der)
    }
}
