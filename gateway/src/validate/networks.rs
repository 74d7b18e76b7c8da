//! Which addresses are connected to.
//!
//! Anybody may have a name validated, and so have certgate connect to where the name leads. It must not become the way around a
//! firewall: the loopback, the links, the metadata of a cloud and certgate itself are out of bounds unless an operator says otherwise.
//!
//! For a name there is no order of rules that anyone should have to guess:
//!
//! 1. certgate's own listeners are refused.
//! 2. `deny_networks` are refused.
//! 3. `allow_networks` are connected to.
//! 4. Of the rest, public and private networks are connected to ([`is_usual`]), and nothing else.
//!
//! An IPv6 address that carries an IPv4 address has to pass for both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::own_listeners::OwnListeners;
use crate::config::ValidationConfig;

/// The rules.
pub(super) struct Networks {
    own: OwnListeners,
    deny: Vec<IpNet>,
    allow: Vec<IpNet>,
}

impl Networks {
    pub(super) fn new(config: &ValidationConfig, own: OwnListeners) -> Self {
        let list = |networks: &[crate::config::Network]| networks.iter().map(|network| network.0).collect();
        Self { own, deny: list(&config.deny_networks), allow: list(&config.allow_networks) }
    }

    /// May this be connected to?
    pub(super) fn admit(&self, to: SocketAddr) -> bool {
        // Who connects to the mapped form connects by IPv4 (RFC 4291 §2.5.5.2).
        let address = to.ip().to_canonical();
        let forms = [Some(address), embedded(address).map(IpAddr::V4)];
        forms.into_iter().flatten().all(|form| !self.own.cover(SocketAddr::new(form, to.port())) && self.admit_address(form))
    }

    fn admit_address(&self, address: IpAddr) -> bool {
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        !is_in(&self.deny) && (is_in(&self.allow) || is_usual(address))
    }
}

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: [u16; 3], prefix: u8) -> Ipv6Net {
    let [a, b, c] = first;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// What of IPv4 is neither public nor private: the IANA IPv4 Special-Purpose Address Registry (RFC 6890), and multicast.
const UNUSUAL_V4: [Ipv4Net; 14] = [
    v4([0, 0, 0, 0], 8),          // "this network", RFC 791 §3.2
    v4([100, 64, 0, 0], 10),      // shared, RFC 6598; the metadata of one cloud
    v4([127, 0, 0, 0], 8),        // loopback, RFC 1122 §3.2.1.3
    v4([168, 63, 129, 16], 32),   // public, and the metadata of one cloud
    v4([169, 254, 0, 0], 16),     // link-local, RFC 3927; the metadata of most clouds
    v4([192, 0, 0, 0], 24),       // protocol assignments, RFC 6890; the metadata of one cloud
    v4([192, 0, 2, 0], 24),       // documentation, RFC 5737
    v4([192, 88, 99, 0], 24),     // relays of 6to4, RFC 7526
    v4([198, 18, 0, 0], 15),      // benchmarks, RFC 2544
    v4([198, 51, 100, 0], 24),    // documentation, RFC 5737
    v4([203, 0, 113, 0], 24),     // documentation, RFC 5737
    v4([224, 0, 0, 0], 4),        // multicast, RFC 5771
    v4([240, 0, 0, 0], 4),        // reserved, RFC 1112 §4
    v4([255, 255, 255, 255], 32), // broadcast, RFC 919 §7
];

/// What of IPv6 is usual: unicast that IANA has given out, unique local addresses (RFC 4193), and NAT64 (RFC 6052 §2.1). The loopback,
/// links (fe80::/10), multicast (ff00::/8) and everything else that has a meaning of its own lie outside.
const USUAL_V6: [Ipv6Net; 3] = [v6([0x2000, 0, 0], 3), v6([0xfc00, 0, 0], 7), NAT64];

/// What of that is unusual nevertheless: the IANA IPv6 Special-Purpose Address Registry.
const UNUSUAL_V6: [Ipv6Net; 5] = [
    v6([0x2001, 0, 0], 23),     // protocol assignments, RFC 2928; Teredo (RFC 4380) among them
    v6([0x2001, 0xdb8, 0], 32), // documentation, RFC 3849
    v6([0x3fff, 0, 0], 20),     // documentation, RFC 9637
    Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128), // the metadata of one cloud
    Ipv6Net::new_assert(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128), // the metadata of one cloud
];

/// Public, private (RFC 1918) or unique local (RFC 4193)? In IPv4 what is not excluded is usual, in IPv6 what is given out.
fn is_usual(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !UNUSUAL_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            let is_in = |networks: &[Ipv6Net]| networks.iter().any(|network| network.contains(&address));
            is_in(&USUAL_V6) && !is_in(&UNUSUAL_V6)
        }
    }
}

/// IPv4 behind a translator (RFC 6052 §2.1).
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);
/// IPv4 behind a relay (RFC 3056 §2).
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0], 16);
/// IPv4-compatible addresses (RFC 4291 §2.5.5.1).
const COMPATIBLE: Ipv6Net = v6([0, 0, 0], 96);

/// The IPv4 address that packets to this IPv6 address may come to in the end.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let [_, _, a, b, c, d, .., w, x, y, z] = address.octets();
    if SIX_TO_FOUR.contains(&address) {
        return Some(Ipv4Addr::new(a, b, c, d));
    }
    // `::` and `::1` have that form too, and mean something else.
    let is_compatible = COMPATIBLE.contains(&address) && !address.is_unspecified() && !address.is_loopback();
    (is_compatible || NAT64.contains(&address)).then(|| Ipv4Addr::new(w, x, y, z))
}

#[cfg(test)]
mod tests;
