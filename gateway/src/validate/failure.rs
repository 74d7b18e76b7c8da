//! How a validation fails.

use std::fmt;

/// Most characters of a detail.
const MAX_DETAIL: usize = 256;

/// Why a challenge was not validated.
///
/// All but [`Self::Busy`] are about the client's name or server, and have the challenge fail. Details are for that client: they have
/// nothing of what an answer's body says, so that nobody reads a server inside by having it validated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidationFailure {
    /// The name has no address, or its name servers do not say (RFC 8555 §6.7: `dns`).
    #[error("DNS: {0}")]
    Dns(Detail),
    /// Nobody could be connected to, or did not answer in time (RFC 8555 §6.7: `connection`).
    #[error("connection: {0}")]
    Connection(Detail),
    /// The answer is not the right one (RFC 8555 §6.7: `incorrectResponse`).
    #[error("incorrect response: {0}")]
    IncorrectResponse(Detail),
    /// No TLS with a server that was redirected to (RFC 8555 §6.7: `tls`).
    #[error("TLS: {0}")]
    Tls(Detail),
    /// What is named cannot be validated so, or must not be connected to.
    #[error("unsuitable: {0}")]
    Unsuitable(Detail),
    /// certgate has no room or no file descriptor for it now. It says nothing of the challenge, which is to be tried again later.
    #[error("busy: {0}")]
    Busy(Detail),
}

impl ValidationFailure {
    pub(super) fn dns(detail: impl AsRef<str>) -> Self {
        Self::Dns(Detail::new(detail.as_ref()))
    }

    pub(super) fn connection(detail: impl AsRef<str>) -> Self {
        Self::Connection(Detail::new(detail.as_ref()))
    }

    pub(super) fn incorrect(detail: impl AsRef<str>) -> Self {
        Self::IncorrectResponse(Detail::new(detail.as_ref()))
    }

    pub(super) fn tls(detail: impl AsRef<str>) -> Self {
        Self::Tls(Detail::new(detail.as_ref()))
    }

    pub(super) fn unsuitable(detail: impl AsRef<str>) -> Self {
        Self::Unsuitable(Detail::new(detail.as_ref()))
    }

    pub(super) fn busy(detail: impl AsRef<str>) -> Self {
        Self::Busy(Detail::new(detail.as_ref()))
    }

    /// What is told to the client.
    #[must_use]
    pub const fn detail(&self) -> &Detail {
        match self {
            Self::Dns(detail)
            | Self::Connection(detail)
            | Self::IncorrectResponse(detail)
            | Self::Tls(detail)
            | Self::Unsuitable(detail)
            | Self::Busy(detail) => detail,
        }
    }
}

/// A text for people: at most 256 characters, all of them printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail(String);

impl Detail {
    /// Whatever cannot be printed becomes a question mark: parts of a text may come from strangers.
    fn new(text: &str) -> Self {
        let printable = |character: char| if matches!(character, ' '..='~') { character } else { '?' };
        Self(text.chars().take(MAX_DETAIL).map(printable).collect())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_short_and_printable() {
        assert_eq!(Detail::new("a\r\nb\u{202e}\u{7f}é ~").as_str(), "a??b??? ~");
        assert_eq!(Detail::new(&"é".repeat(1000)).as_str(), "?".repeat(256));
    }
}
