//! `[tls]`: the server certificate.

use std::fmt;
use std::path::{Path, PathBuf};

use certgate_pki::{DnsName, GeneralName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, Source};

/// The variable of the certificate and its chain, unless `cert` names another.
const CERT_VARIABLE: &str = "CERTGATE_TLS_CERT";
/// The variable of the key, unless `key` names another.
const KEY_VARIABLE: &str = "CERTGATE_TLS_KEY";

/// The section.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// Where the certificate comes from.
    pub source: TlsSource,
    /// With `files` and `env`: the certificate and its chain, PEM, leaf first.
    pub cert: Option<Place>,
    /// With `files` and `env`: its key, PEM of PKCS#8, SEC1 or PKCS#1.
    pub key: Option<Place>,
    /// With `files` and `env`: the roots of which the chain must lead to one, PEM.
    pub ca: Option<Place>,
    /// With `files` and `env`: names that the certificate must have; without it, the hosts of `https` public URLs.
    pub required_sans: Option<Vec<HostName>>,
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
    /// From environment variables, which stay as they are until a restart.
    Env,
}

/// Where a PEM text is: `PATH` or `env:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl From<String> for Place {
    fn from(text: String) -> Self {
        match text.strip_prefix("env:") {
            Some(name) => Self::Variable(name.to_owned()),
            None => Self::File(text.strip_prefix("file:").unwrap_or(&text).into()),
        }
    }
}

impl Place {
    /// As the configuration has it.
    pub(super) fn to_configured(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Variable(name) => format!("env:{name}"),
        }
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
        }
    }
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
    /// Where the operator's certificate and its key are; nothing when certgate makes its own.
    #[must_use]
    pub fn places(&self) -> Option<(Place, Place)> {
        let variable = |name: &str| Place::Variable(name.to_owned());
        match self.source {
            TlsSource::Auto => None,
            TlsSource::Files => self.cert.clone().zip(self.key.clone()),
            TlsSource::Env => Some((
                self.cert.clone().unwrap_or_else(|| variable(CERT_VARIABLE)),
                self.key.clone().unwrap_or_else(|| variable(KEY_VARIABLE)),
            )),
        }
    }

    pub(super) fn check(&self, source: &Source) -> Result<(), ConfigError> {
        self.fault().map_or(Ok(()), |fault| Err(source.error_in("tls", fault)))
    }

    fn fault(&self) -> Option<String> {
        let named = [("cert", &self.cert), ("key", &self.key), ("ca", &self.ca)];
        let is_of = |place: &Option<Place>, wanted: fn(&Place) -> bool| place.as_ref().is_some_and(wanted);
        if let Some((key, _)) = named.iter().find(|(_, place)| is_of(place, Place::is_nameless)) {
            return Some(format!("{key} is a path, or env:NAME with the name of a variable"));
        }
        match self.source {
            TlsSource::Auto => self.fault_of_auto(),
            TlsSource::Files => match (&self.cert, &self.key) {
                (None, None) => Some("source = \"files\" needs both cert and key".to_owned()),
                (Some(_), None) => {
                    Some("source = \"files\" needs both cert and key: key is missing, the file of the private key".to_owned())
                }
                (None, Some(_)) => {
                    Some("source = \"files\" needs both cert and key: cert is missing, the file of the certificate".to_owned())
                }
                _ => named.iter().take(2).find(|(_, place)| is_of(place, Place::is_variable)).map(|(key, _)| {
                    format!("{key} is a variable, which is read with source = \"env\"; with source = \"files\" it is a path")
                }),
            },
            TlsSource::Env => named.iter().take(2).find(|(_, place)| is_of(place, |place| !place.is_variable())).map(|(key, _)| {
                format!("{key} is a file, which is read with source = \"files\"; with source = \"env\" it is env:NAME, or left out")
            }),
        }
    }

    fn fault_of_auto(&self) -> Option<String> {
        if self.cert.is_some() || self.key.is_some() {
            let advice = "set it, or leave them out for a certificate that certgate makes itself";
            return Some(format!("cert and key are read with source = \"files\" or \"env\" only: {advice}"));
        }
        if self.ca.is_some() || self.required_sans.is_some() {
            let advice = "certgate's own certificate has the names in additional_sans";
            return Some(format!("ca and required_sans are for source = \"files\" and \"env\": {advice}"));
        }
        None
    }
}

impl Place {
    const fn is_variable(&self) -> bool {
        matches!(self, Self::Variable(_))
    }

    /// Does it name nothing at all?
    fn is_nameless(&self) -> bool {
        match self {
            Self::File(path) => path.as_os_str().is_empty(),
            Self::Variable(name) => name.is_empty() || name.contains(['=', '\0']),
        }
    }
}
