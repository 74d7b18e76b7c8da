//! `target.toml`: which server is under test, and what a tester may know and do about it.

use std::{fmt, path::Path, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

mod acme;
mod crl;
mod data_directory;
mod ocsp;
mod scep;

pub use acme::{AcmeTarget, ExternalAccountBinding};
pub use crl::CrlTarget;
pub use data_directory::describe;
pub use ocsp::OcspTarget;
pub use scep::ScepTarget;

use crate::clause::Suite;

/// A server under test: ours or any other.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What to call it in reports.
    pub name: String,
    /// Trust anchors, PEM.
    pub ca_file: PathBuf,
    /// Address to connect to, where it is not the host of the URLs; SNI and `Host` come from the URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<String>,
    /// EST (RFC 7030).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub est: Option<EstTarget>,
    /// SCEP (RFC 8894).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scep: Option<ScepTarget>,
    /// ACME (RFC 8555).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acme: Option<AcmeTarget>,
    /// OCSP (RFC 6960).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocsp: Option<OcspTarget>,
    /// CRL (RFC 5280 §5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crl: Option<CrlTarget>,
    /// Commands that act on the server from outside the protocols.
    #[serde(default)]
    pub hooks: Hooks,
}

/// The `[est]` table.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EstTarget {
    /// `https://HOST[:PORT]/.well-known/est`, with a label behind it if the server needs one.
    pub url: String,
    /// A user who may enroll its own name as CN or dNSName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// That user's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// A label that means the same as none (RFC 7030 §3.2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A password that is valid with an empty user name (RFC 7030 §3.2.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_username_password: Option<String>,
    /// As `url`, where a person approves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual_url: Option<String>,
    /// As `url`, where a certificate lasts a few seconds and is worth nothing afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_url: Option<String>,
    /// As `url`, where a CSR must have a key on a certain curve and a `challengePassword` bound to the TLS session (RFC 7030 §3.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demanding_url: Option<String>,
    /// The object identifiers that `csrattrs` under `demanding_url` must hold, besides challengePassword's: the curve's at least.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub demands: Vec<String>,
    /// A client certificate with its chain, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cert: Option<PathBuf>,
    /// Its key, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key: Option<PathBuf>,
    /// Seconds that the suite goes on sending a slow body before it calls the server patient without end.
    #[serde(default = "default_slow_body_seconds")]
    pub slow_body_seconds: u64,
}

const fn default_slow_body_seconds() -> u64 {
    40
}
/// The `[hooks]` table: argv arrays, in which `{name}`, `{endpoint}`, `{csr_sha256}`, `{serial}`, `{reason}` and `{time}` are filled in.
/// The suite may append arguments of the command behind them: `add_user` gets `--allow dns:NAME` and the like. Each has 30 seconds.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hooks {
    /// Adds an EST user `{name}`, who may enroll that name as CN and dNSName, or what `--allow` says; prints `{"name","password",…}`.
    /// With `{endpoint}` in it, the user is good at that endpoint only: the label in the URL, `default` without one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_user: Vec<String>,
    /// Makes a SCEP challenge that is good once at `{endpoint}`: what stands behind `/scep/` in the URL, `default` if nothing does; prints
    /// `{"challenge",…}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new_challenge: Vec<String>,
    /// Approves the enrollment of the CSR `{csr_sha256}`: SHA-256 of its DER as it was first sent, lower-case hexadecimal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approve: Vec<String>,
    /// Denies it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
    /// Revokes `{serial}`, lower-case hexadecimal, for `{reason}`, spelled as in RFC 5280 §5.3.1; `--invalidity-date TIME` may come behind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revoke: Vec<String>,
    /// Puts `{serial}` on hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hold: Vec<String>,
    /// Releases `{serial}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub release: Vec<String>,
    /// Restarts the server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restart: Vec<String>,
    /// Sets the server's clock to `{time}` (RFC 3339, in Z), from where it goes on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_time: Vec<String>,
}

impl Target {
    /// Reads a target file.
    ///
    /// # Errors
    /// A file that does not read, or keys that no table has.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        use anyhow::Context;
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// The first URL of the table that `suite` needs.
    ///
    /// # Errors
    /// A target without that table, or a URL that is none.
    pub fn url(&self, suite: Suite) -> anyhow::Result<Url> {
        let (table, url) = match suite {
            Suite::Est | Suite::X509 => ("est", self.est.as_ref().map(|est| &est.url)),
            Suite::Scep => ("scep", self.scep.as_ref().map(|scep| &scep.url)),
            Suite::Acme => ("acme", self.acme.as_ref().map(|acme| &acme.directory)),
            Suite::Ocsp => ("ocsp", self.ocsp.as_ref().map(|ocsp| &ocsp.url)),
            Suite::Crl => ("crl", self.crl.as_ref().map(|crl| &crl.url)),
        };
        let url = url.ok_or_else(|| anyhow::anyhow!("suite {suite}: the target has no [{table}] table"))?;
        let url: Url = url.parse()?;
        // RFC 7030 §3.3: "TLS MUST be used"; RFC 8555 §6.1: "Use of HTTPS is REQUIRED."
        anyhow::ensure!(
            url.scheme == Scheme::Https || !matches!(table, "est" | "acme"),
            "suite {suite}: {url} is no https URL"
        );
        Ok(url)
    }
}

/// What a URL begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP over TLS.
    Https,
    /// HTTP over bare TCP, for protocols that bring their own protection.
    Http,
}

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

/// The parts of an `https` or `http` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// What it begins with.
    pub scheme: Scheme,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port, the scheme's if none is written.
    pub port: u16,
    /// Path, without a slash at its end.
    pub path: String,
}

/// A URL that is not one of `https://HOST[:PORT]/PATH` or `http://HOST[:PORT]/PATH`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no https://HOST[:PORT]/PATH and no http://HOST[:PORT]/PATH")]
pub struct BadUrl(String);

impl FromStr for Url {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let bad = || BadUrl(text.to_owned());
        let (scheme, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (Scheme::Https, rest),
            (None, Some(rest)) => (Scheme::Http, rest),
            (None, None) => return Err(bad()),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']').ok_or_else(bad)?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => digits.parse().map_err(|_| bad())?,
            None if port.is_empty() => scheme.port(),
            None => return Err(bad()),
        };
        if host.is_empty() {
            return Err(bad());
        }
        Ok(Self { scheme, host: host.to_owned(), port, path: path.trim_end_matches('/').to_owned() })
    }
}

impl Url {
    /// Host and port as the `Host` field has them (RFC 9110 §7.2).
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.scheme.port() { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}{}", self.scheme.name(), self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests;
