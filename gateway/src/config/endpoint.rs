//! `[[endpoint]]`: where a protocol is offered.

use certgate_est::Reading;
use serde::Deserialize;
use toml::Spanned;

use super::Period;

/// One endpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Which protocol.
    pub protocol: ProtocolName,
    /// Its name in URLs and the ledger.
    pub name: String,
    /// What is issued there.
    pub profile: Spanned<String>,
    /// How clients authenticate.
    #[serde(default = "default_auth")]
    pub auth: Vec<AuthMethod>,
    /// Whether a request has to be bound to its TLS session.
    #[serde(default)]
    pub channel_binding: ChannelBindingName,
    /// The first Retry-After of a request that waits for a person.
    #[serde(default = "default_retry_after")]
    pub retry_after: Period,
    /// How requests are read.
    #[serde(default)]
    pub reading: ReadingName,
    /// Characters in a line of base64; 0 is one line.
    #[serde(default)]
    pub base64_line_length: usize,
}

fn default_auth() -> Vec<AuthMethod> {
    vec![AuthMethod::Basic, AuthMethod::Mtls]
}

const fn default_retry_after() -> Period {
    Period::seconds(60)
}

/// A protocol that can be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProtocolName {
    /// RFC 7030.
    Est,
}

/// How a client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMethod {
    /// HTTP Basic within TLS (RFC 7030 §3.2.3).
    Basic,
    /// A TLS client certificate that the endpoint's profile has issued (RFC 7030 §3.3.2).
    Mtls,
}

/// Whether a request has to be bound to its TLS session (RFC 7030 §3.5). One that is bound is always verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelBindingName {
    /// It may be.
    #[default]
    Optional,
    /// It has to be.
    Required,
}

/// How requests are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadingName {
    /// What living clients send besides is taken where nothing is weakened by it.
    #[default]
    Compatible,
    /// The RFCs to the letter.
    Strict,
}

impl From<ReadingName> for Reading {
    fn from(name: ReadingName) -> Self {
        match name {
            ReadingName::Compatible => Self::Compatible,
            ReadingName::Strict => Self::Strict,
        }
    }
}
