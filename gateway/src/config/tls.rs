//! `[tls]`: the server certificate.

use std::path::PathBuf;

use certgate_pki::{DnsName, GeneralName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, Source};

/// The section.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// Where the certificate comes from.
    pub source: TlsSource,
    /// With `files`: the certificate and its chain, PEM, leaf first.
    pub cert: Option<PathBuf>,
    /// With `files`: its key, PKCS#8 PEM.
    pub key: Option<PathBuf>,
    /// Names of the certificate beside those that certgate finds itself.
    pub additional_sans: Vec<HostName>,
}

/// Where the server certificate comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TlsSource {
    /// certgate issues and renews it.
    #[default]
    Auto,
    /// From files; read again on SIGHUP.
    Files,
}

/// A host name or an address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HostName(pub GeneralName);

impl TryFrom<String> for HostName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let address = text.parse().ok().map(GeneralName::Ip);
        let name = address.or_else(|| DnsName::parse(&text).ok().map(GeneralName::Dns));
        name.map(Self).ok_or_else(|| format!("\"{text}\" is neither a host name nor an address"))
    }
}

impl TlsConfig {
    pub(super) fn check(&self, source: &Source) -> Result<(), ConfigError> {
        let both = self.cert.is_some() && self.key.is_some();
        let either = self.cert.is_some() || self.key.is_some();
        match self.source {
            TlsSource::Files if !both => Err(source.error_in("tls", "source = \"files\" needs both cert and key")),
            TlsSource::Auto if either => Err(source.error_in("tls", "cert and key are read with source = \"files\" only")),
            _ => Ok(()),
        }
    }
}
