//! The TLS under a request: who dials, how, and what ties a message to the session (RFC 5929, RFC 9266).

use std::{fmt, sync::Arc};

use crate::target::Url;

/// A version of TLS that EST servers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    V1_2,
    /// RFC 8446.
    V1_3,
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::V1_2 => "TLS 1.2",
            Self::V1_3 => "TLS 1.3",
        })
    }
}

/// What a client shows in the handshake (RFC 7030 §3.3.2).
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its certificate, and those that lead from it to a trust anchor, in DER.
    pub chain: Vec<Vec<u8>>,
    /// Its private key, PKCS #8 in DER.
    pub key: Vec<u8>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identity of {} certificates", self.chain.len())
    }
}

/// How to dial. The default is the target's first URL, the target's own client certificate if it names one, and any version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dial {
    /// The URL whose host and port are dialled, where that is another than the target's.
    pub origin: Option<Url>,
    /// The client certificate to show.
    pub identity: Option<Arc<Identity>>,
    /// The only version to offer.
    pub version: Option<TlsVersion>,
}

impl Dial {
    /// With this client certificate.
    #[must_use]
    pub fn showing(mut self, identity: &Arc<Identity>) -> Self {
        self.identity = Some(Arc::clone(identity));
        self
    }

    /// With this version only.
    #[must_use]
    pub const fn speaking(mut self, version: TlsVersion) -> Self {
        self.version = Some(version);
        self
    }
}

/// What a client knows of an open TLS session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The version that was agreed on.
    pub version: TlsVersion,
    /// `tls-unique` (RFC 5929 §3.1): the first Finished of the handshake; TLS 1.2 only.
    pub unique: Option<Vec<u8>>,
    /// `tls-exporter` (RFC 9266 §2): 32 octets.
    pub exporter: Vec<u8>,
}

impl Channel {
    /// The channel binding that fits the version: `tls-unique`, which RFC 7030 §3.5 wants, or under TLS 1.3, for which nobody has
    /// defined that, `tls-exporter`, which RFC 9266 made to take its place.
    #[must_use]
    pub fn binding(&self) -> Option<&[u8]> {
        match self.version {
            TlsVersion::V1_2 => self.unique.as_deref(),
            TlsVersion::V1_3 => Some(&self.exporter),
        }
    }
}
