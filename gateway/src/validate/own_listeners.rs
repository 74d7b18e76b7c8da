//! What certgate itself listens on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// certgate's own listeners: no name is validated by asking them.
pub(super) struct OwnListeners(Vec<SocketAddr>);

impl OwnListeners {
    /// Those that are bound to these addresses; an unspecified one (`0.0.0.0`, `::`) stands for every address of this machine.
    pub(super) fn new(bound: Vec<SocketAddr>) -> Self {
        Self(bound)
    }

    /// Would a connection to this come to one of them? `to` has its IPv4 form where it has one.
    pub(super) fn cover(&self, to: SocketAddr) -> bool {
        let address = to.ip();
        let mut at_port = self.0.iter().filter(|own| own.port() == to.port()).map(|own| own.ip().to_canonical()).peekable();
        if at_port.peek().is_none() {
            return false;
        }
        // A connection to the unspecified address comes to this machine.
        address.is_unspecified() || at_port.any(|own| own == address || own.is_unspecified() && is_local(address))
    }
}

/// Is it an address of this machine? Asked anew each time: addresses come and go while certgate runs. Those of translators and of
/// containers' hosts in front of it cannot be known.
fn is_local(address: IpAddr) -> bool {
    address.is_loopback() || source_towards(address) == Some(address)
}

/// The address from which this machine would speak to that one. If they are the same, it would speak to itself. Nothing is sent: connecting
/// a UDP socket only looks up the route. Where that fails, connecting fails too.
pub(super) fn source_towards(address: IpAddr) -> Option<IpAddr> {
    const ANY_PORT: u16 = 9;
    let from: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((from, 0)).ok()?;
    socket.connect((address, ANY_PORT)).ok()?;
    socket.local_addr().ok().map(|from| from.ip())
}
