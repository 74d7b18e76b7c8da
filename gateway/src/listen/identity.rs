//! The server certificate in use, which can change while connections come.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use certgate_pki::GeneralName;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// What TLS listeners show to clients.
pub struct ServerIdentity(ArcSwap<Shown>);

struct Shown {
    key: Arc<CertifiedKey>,
    names: Vec<GeneralName>,
}

impl Shown {
    fn new(key: CertifiedKey, names: Vec<GeneralName>) -> Self {
        Self { key: Arc::new(key), names }
    }
}

impl ServerIdentity {
    /// Shows this certificate, which has these names.
    #[must_use]
    pub fn new(key: CertifiedKey, names: Vec<GeneralName>) -> Self {
        Self(ArcSwap::from_pointee(Shown::new(key, names)))
    }

    /// Shows this from the next handshake on.
    pub fn replace(&self, key: CertifiedKey, names: Vec<GeneralName>) {
        self.0.store(Arc::new(Shown::new(key, names)));
    }

    /// Does the certificate name this host: a name in lower case, or an address without brackets?
    #[must_use]
    pub fn is_named(&self, host: &str) -> bool {
        is_among(&self.0.load().names, host)
    }
}

fn is_among(names: &[GeneralName], host: &str) -> bool {
    let address = host.parse::<IpAddr>().ok();
    // RFC 9525 §6.3: a wildcard stands for one whole label.
    let beyond_first = host.split_once('.').map(|(_, rest)| rest);
    names.iter().any(|name| match name {
        GeneralName::Dns(name) => match name.as_str().strip_prefix("*.") {
            Some(base) => beyond_first == Some(base),
            None => name.as_str() == host,
        },
        GeneralName::Ip(one) => Some(*one) == address,
        GeneralName::Email(_) | GeneralName::Uri(_) | GeneralName::Other(_) => false,
    })
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerIdentity")
    }
}

impl ResolvesServerCert for ServerIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.load().key))
    }
}

#[cfg(test)]
mod tests {
    use certgate_pki::DnsName;

    use super::*;

    #[test]
    fn hosts_are_those_that_the_certificate_names() {
        let dns = |name| GeneralName::Dns(DnsName::parse(name).unwrap());
        let names = [dns("pki.example"), dns("*.fleet.example"), GeneralName::Ip("::1".parse().unwrap())];
        for host in ["pki.example", "a.fleet.example", "::1", "0:0:0:0:0:0:0:1"] {
            assert!(is_among(&names, host), "{host}");
        }
        for host in ["", "example", "fleet.example", "a.b.fleet.example", "*.pki.example", "127.0.0.1", "pki.example."] {
            assert!(!is_among(&names, host), "{host}");
        }
    }
}
