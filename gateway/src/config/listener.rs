//! `[[listener]]`: where to listen, and what is served there.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::Overrides;
use super::schema::Address;

/// One listener.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenerConfig {
    /// Address and port; port 0 takes a free one.
    #[schemars(with = "Address")]
    pub bind: SocketAddr,
    /// Whether it speaks TLS; EST and ACME need it (RFC 7030 §3.3, RFC 8555 §6.1).
    #[serde(default)]
    pub tls: bool,
    /// Lowest TLS version.
    #[serde(default)]
    pub min_tls: MinTls,
    /// Whether clients are asked for a certificate.
    #[serde(default)]
    pub client_cert: ClientCert,
    /// What is served.
    #[schemars(length(min = 1))]
    pub serves: Vec<Family>,
    /// Did an operator name it? Then it is fatal when it cannot be bound.
    #[serde(skip)]
    pub named_by_operator: bool,
}

/// The lowest TLS version of a listener. 1.0 and 1.1 are not to be had (RFC 8996).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
pub enum MinTls {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V1_3,
}

/// Whether clients are asked for a certificate in the handshake. None is ever demanded of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientCert {
    /// They are not.
    Off,
    /// They may show one.
    #[default]
    Optional,
}

/// What can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// EST, over TLS only.
    Est,
    /// SCEP, mostly in the clear: its messages protect themselves.
    Scep,
    /// ACME, over TLS only.
    Acme,
    /// OCSP, in the clear: what is signed needs no TLS, and TLS may need it.
    Ocsp,
    /// CRLs, in the clear for the same reason.
    Crl,
    /// CA certificates.
    Ca,
    /// Health and metrics.
    Ops,
}

impl Family {
    /// Its name in the configuration, and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Est => "est",
            Self::Scep => "scep",
            Self::Acme => "acme",
            Self::Ocsp => "ocsp",
            Self::Crl => "crl",
            Self::Ca => "ca",
            Self::Ops => "ops",
        }
    }
}

/// The kinds of listeners that `run.json` and the command line tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerKind {
    /// With TLS.
    Https,
    /// Without.
    Http,
    /// Without, for health and metrics alone.
    Ops,
}

impl ListenerConfig {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ListenerKind {
        match (self.tls, self.serves.as_slice()) {
            (true, _) => ListenerKind::Https,
            (false, [Family::Ops]) => ListenerKind::Ops,
            (false, _) => ListenerKind::Http,
        }
    }

    /// A listener from the command line.
    fn named(kind: ListenerKind, bind: SocketAddr, (min_tls, client_cert): (MinTls, ClientCert)) -> Self {
        let (tls, serves) = match kind {
            ListenerKind::Https => (true, vec![Family::Est, Family::Acme]),
            ListenerKind::Http => (false, vec![Family::Scep, Family::Ocsp, Family::Crl, Family::Ca]),
            ListenerKind::Ops => (false, vec![Family::Ops]),
        };
        Self { bind, tls, min_tls, client_cert, serves, named_by_operator: true }
    }
}

/// Addresses of the command line replace all listeners of their kind.
pub(super) fn replace(listeners: &mut Vec<Spanned<ListenerConfig>>, overrides: &Overrides) {
    let kinds =
        [(ListenerKind::Https, &overrides.https), (ListenerKind::Http, &overrides.http), (ListenerKind::Ops, &overrides.ops)];
    for (kind, addresses) in kinds.into_iter().filter(|(_, addresses)| !addresses.is_empty()) {
        // They are as strict as the strictest that they replace.
        let replaced: Vec<&ListenerConfig> =
            listeners.iter().map(Spanned::get_ref).filter(|listener| listener.kind() == kind).collect();
        let min_tls = replaced.iter().map(|listener| listener.min_tls).max().unwrap_or_default();
        let asks_none = !replaced.is_empty() && replaced.iter().all(|listener| listener.client_cert == ClientCert::Off);
        let terms = (min_tls, if asks_none { ClientCert::Off } else { ClientCert::Optional });
        listeners.retain(|listener| listener.get_ref().kind() != kind);
        listeners.extend(addresses.iter().map(|bind| Spanned::new(0..0, ListenerConfig::named(kind, *bind, terms))));
    }
}
