//! `/.well-known/est/[LABEL/]OPERATION` (RFC 7030 §3.2.2).

use std::fmt;

/// What every EST path starts with.
pub const PREFIX: &str = "/.well-known/est/";

/// Longest label, in octets.
const MAX_LABEL: usize = 64;

/// The operations of RFC 7030 §3.2.2, served or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Distribution of CA certificates, §4.1.
    CaCerts,
    /// Enrollment, §4.2.1.
    SimpleEnroll,
    /// Re-enrollment, §4.2.2.
    SimpleReenroll,
    /// Full CMC, §4.3.
    FullCmc,
    /// Server-side key generation, §4.4.
    ServerKeyGen,
    /// CSR attributes, §4.5.
    CsrAttrs,
}

impl Operation {
    /// All of them. A label "MUST NOT be the same as any of the operation path segments" (§3.2.2).
    pub const ALL: [Self; 6] =
        [Self::CaCerts, Self::SimpleEnroll, Self::SimpleReenroll, Self::FullCmc, Self::ServerKeyGen, Self::CsrAttrs];

    /// Its path segment.
    #[must_use]
    pub const fn segment(self) -> &'static str {
        match self {
            Self::CaCerts => "cacerts",
            Self::SimpleEnroll => "simpleenroll",
            Self::SimpleReenroll => "simplereenroll",
            Self::FullCmc => "fullcmc",
            Self::ServerKeyGen => "serverkeygen",
            Self::CsrAttrs => "csrattrs",
        }
    }

    fn from_segment(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.segment() == segment)
    }
}

/// The additional path segment that names one of several CAs or profiles: unreserved characters of RFC 3986, at most 64.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label(String);

impl Label {
    /// Checks the characters, the length, and that it is no operation.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let good = (1..=MAX_LABEL).contains(&text.len()) && text.bytes().all(unreserved);
        (good && Operation::from_segment(text).is_none()).then(|| Self(text.to_owned()))
    }

    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path is none of EST's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("EST paths are /.well-known/est/[LABEL/]OPERATION (RFC 7030 §3.2.2)")]
pub struct InvalidPath;

/// A request's path, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstPath {
    /// Which endpoint, if one is named.
    pub label: Option<Label>,
    /// What is asked of it.
    pub operation: Operation,
}

impl EstPath {
    /// Reads a request's path. One slash at the end is taken, since living clients send it.
    ///
    /// # Errors
    /// [`InvalidPath`].
    pub fn parse(path: &str) -> Result<Self, InvalidPath> {
        let rest = path.strip_prefix(PREFIX).ok_or(InvalidPath)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (label, operation) = match rest.split_once('/') {
            None => (None, rest),
            Some((label, operation)) => (Some(Label::parse(label).ok_or(InvalidPath)?), operation),
        };
        let operation = Operation::from_segment(operation).ok_or(InvalidPath)?;
        Ok(Self { label, operation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_and_without_a_label() {
        let path = EstPath::parse("/.well-known/est/cacerts").unwrap();
        assert_eq!(path, EstPath { label: None, operation: Operation::CaCerts });
        let path = EstPath::parse("/.well-known/est/iot-1/simpleenroll/").unwrap();
        assert_eq!(path, EstPath { label: Label::parse("iot-1"), operation: Operation::SimpleEnroll });
    }

    #[test]
    fn what_is_no_est_path() {
        for wrong in [
            "",
            "/",
            "/.well-known/est",
            "/.well-known/est/",
            "/.well-known/est/x",
            "/.well-known/est/cacerts/cacerts",
            "/.well-known/est/a/b/cacerts",
            "/.well-known/est/a%2fb/cacerts",
            "/.well-known/est//cacerts",
            "/est/cacerts",
        ] {
            assert_eq!(EstPath::parse(wrong), Err(InvalidPath), "{wrong}");
        }
    }
}
