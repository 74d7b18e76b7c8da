//! What is asked of the core.

use std::fmt;

use certgate_pki::Csr;
use certgate_policy::NamePattern;

/// By which protocol a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RFC 7030.
    Est,
    /// certgate itself, for its own certificates.
    Internal,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Est, Self::Internal];

    /// Its name in the ledger and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Est => "est",
            Self::Internal => "internal",
        }
    }

    /// The protocol of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who asks, after its proof was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The bare name, as the ledger keeps it.
    pub name: String,
    /// The names that it may have: from its credential, never from its request.
    pub grants: Vec<NamePattern>,
}

/// A request for a new certificate.
#[derive(Clone, Debug)]
pub struct EnrollRequest {
    /// How it came.
    pub protocol: Protocol,
    /// Where it came to.
    pub endpoint: String,
    /// Who asks.
    pub principal: Principal,
    /// What for; its proof of possession is checked by [`crate::Authority::authorize`].
    pub csr: Csr,
}
