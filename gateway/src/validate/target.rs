//! What is asked: a URL that certgate is willing to ask.

use std::fmt;
use std::net::IpAddr;

use certgate_pki::{DnsName, GeneralName};
use url::Url;

use super::failure::ValidationFailure;

/// Ports that a redirect may lead to, beside the configured one.
const USUAL_PORTS: [u16; 2] = [80, 443];

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A name, to be looked up.
    Name(DnsName),
    /// An address.
    Address(IpAddr),
}

/// A URL of scheme http or https, without user information, at a port that may be asked.
#[derive(Clone, Debug)]
pub(super) struct Target {
    url: Url,
    host: Host,
    port: u16,
}

impl Target {
    /// `http://NAME/.well-known/acme-challenge/TOKEN` (RFC 8555 §8.3), of an address as RFC 8738 §5 has it.
    ///
    /// # Errors
    /// [`ValidationFailure::Unsuitable`] for names that http-01 says nothing of, and tokens that are none.
    pub(super) fn first(name: &GeneralName, http01_port: u16, token: &str) -> Result<Self, ValidationFailure> {
        let (host, authority) = match name {
            GeneralName::Dns(name) if name.is_wildcard() => {
                return Err(ValidationFailure::unsuitable("a wildcard is not validated by http-01"));
            }
            GeneralName::Dns(name) => (Host::Name(name.clone()), name.to_string()),
            // RFC 8738 §5 has the Host field be the address, which RFC 3986 §3.2.2 puts in brackets.
            GeneralName::Ip(address @ IpAddr::V6(_)) => (Host::Address(*address), format!("[{address}]")),
            GeneralName::Ip(address) => (Host::Address(*address), address.to_string()),
            GeneralName::Email(_) | GeneralName::Uri(_) | GeneralName::Other(_) => {
                return Err(ValidationFailure::unsuitable("http-01 validates DNS names and addresses only"));
            }
        };
        // RFC 8555 §8.3: "It MUST NOT contain any characters outside the base64url alphabet". Here it must not lead elsewhere.
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Err(ValidationFailure::unsuitable("the token is not base64url"));
        }
        let url = Url::parse(&format!("http://{authority}:{http01_port}/.well-known/acme-challenge/{token}"));
        let target = url.ok().and_then(|url| Some(Self { host: host_of(&url)?, port: http01_port, url }));
        // RFC 8555 §8.3: "Verify that the resulting URL is well-formed." To some, the name `0x7f.0x1` is an address.
        let is_same = |target: &Self| target.host == host;
        target.filter(is_same).ok_or_else(|| ValidationFailure::unsuitable("the name cannot stand in a URL"))
    }

    /// Where a redirect from here leads (RFC 9110 §10.2.2).
    ///
    /// # Errors
    /// [`ValidationFailure::IncorrectResponse`] where it leads to what is not asked.
    pub(super) fn redirected(&self, location: &str, http01_port: u16) -> Result<Self, ValidationFailure> {
        let refused = |what: &str| Err(ValidationFailure::incorrect(format!("{self} redirects to {what}")));
        let Ok(url) = self.url.join(location) else { return refused("what is no URL") };
        if !matches!(url.scheme(), "http" | "https") {
            return refused(&format!("a URL of scheme {}", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("a URL with user information");
        }
        let Some(host) = host_of(&url) else { return refused("what is no host name") };
        match url.port_or_known_default() {
            Some(port) if port == http01_port || USUAL_PORTS.contains(&port) => Ok(Self { url, host, port }),
            port => refused(&format!("port {}", port.unwrap_or_default())),
        }
    }

    /// Whom to connect to.
    pub(super) const fn host(&self) -> &Host {
        &self.host
    }

    /// Where.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Over TLS?
    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// What the request line has (RFC 9112 §3.2.1).
    pub(super) fn path_and_query(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// What the Host field has (RFC 9110 §7.2): without the port that is the scheme's own.
    pub(super) fn host_field(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

/// Host and port as they are told to a client: the path has the token, and may be a redirect's long one.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => write!(f, "{name}:{}", self.port),
            Host::Address(address) => std::net::SocketAddr::new(*address, self.port).fmt(f),
        }
    }
}

fn host_of(url: &Url) -> Option<Host> {
    match url.host()? {
        url::Host::Ipv4(address) => Some(Host::Address(address.into())),
        url::Host::Ipv6(address) => Some(Host::Address(address.into())),
        url::Host::Domain(name) => {
            let name = DnsName::parse(name.strip_suffix('.').unwrap_or(name)).ok()?;
            (!name.is_wildcard()).then_some(Host::Name(name))
        }
    }
}

#[cfg(test)]
mod tests;
