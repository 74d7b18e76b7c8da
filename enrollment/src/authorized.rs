//! The states of a request that is granted. None of them can be made outside of this crate.

use std::ops::Deref;

use certgate_pki::{Certificate, Serial, Template};

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

impl Issued {
    /// The certificate, read.
    ///
    /// # Errors
    /// When a back end in process made something that is none.
    pub fn certificate(&self) -> Result<Certificate, certgate_pki::CertificateError> {
        Certificate::from_der(&self.der)
    }
}
