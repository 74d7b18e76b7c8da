//! `[validation]`: how challenges are validated.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv6Net};
use schemars::JsonSchema;
use serde::Deserialize;

use super::schema::Address;
use super::{ConfigError, Source};

/// The section.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ValidationConfig {
    /// The port that http-01 is asked at; 80 by RFC 8555 §8.3.
    #[schemars(range(min = 1))]
    pub http01_port: u16,
    /// A name server, asked over UDP and TCP; those of `/etc/resolv.conf` if absent.
    #[schemars(with = "Option<Address>")]
    pub resolver: Option<SocketAddr>,
    /// What is connected to besides public and private networks.
    pub allow_networks: Vec<Network>,
    /// What is never connected to, whatever `allow_networks` has.
    pub deny_networks: Vec<Network>,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        Self { http01_port: 80, resolver: None, allow_networks: Vec::new(), deny_networks: Vec::new() }
    }
}

impl ValidationConfig {
    pub(super) fn check(&self, source: &Source) -> Result<(), ConfigError> {
        if self.http01_port == 0 {
            return Err(source.error_in_key("validation", "http01_port", "http01_port is from 1 to 65535"));
        }
        if self.resolver.is_some_and(|resolver| resolver.port() == 0) {
            return Err(source.error_in_key("validation", "resolver", "the port of resolver is above 0"));
        }
        Ok(())
    }
}

/// A network as ADDRESS/PREFIX (RFC 4632 §3.1, RFC 4291 §2.3), or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(pub IpNet);

/// IPv4 in IPv6 (RFC 4291 §2.5.5.2).
const IPV4_MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let Ok(network) = address.or_else(|_| text.parse::<IpNet>()) else {
            return Err(format!("\"{text}\" is not a network like 10.0.0.0/8 or fd00::/8"));
        };
        // A slip in a list that keeps others out is better asked about than guessed at.
        if network.trunc() != network {
            return Err(format!("\"{text}\" has bits beyond its prefix: {}?", network.trunc()));
        }
        // Addresses are compared in their IPv4 form: this would never match.
        if matches!(network, IpNet::V6(network) if IPV4_MAPPED.contains(&network)) {
            return Err(format!("\"{text}\" is written as IPv4"));
        }
        Ok(Self(network))
    }
}
