//! How a check says what it found.

use crate::{asn1::Fault, transport::Failure};

/// What a check found: a sentence about the fulfilment, or why not.
pub type Verdict = Result<String, Stop>;

/// Why a check ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The server does not do what the clause asks.
    Fail(String),
    /// The clause cannot be tried here.
    Skip(String),
}

impl Stop {
    /// A failure with this text.
    pub fn fail(text: impl std::fmt::Display) -> Self {
        Self::Fail(text.to_string())
    }

    /// The same, a failure with `what` before its reason.
    #[must_use]
    pub fn about(self, what: &str) -> Self {
        match self {
            Self::Fail(reason) => Self::Fail(format!("{what}: {reason}")),
            skip @ Self::Skip(_) => skip,
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::fail(fault)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::fail(failure)
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Fail(format!("in the suite: {error:#}"))
    }
}

/// Fails with a text unless a condition holds.
///
/// # Errors
/// [`Stop::Fail`] with `text()`.
pub fn require(condition: bool, text: impl FnOnce() -> String) -> Result<(), Stop> {
    if condition { Ok(()) } else { Err(Stop::Fail(text())) }
}
