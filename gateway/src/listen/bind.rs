//! Binding what the configuration names.

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::config::ListenerConfig;

/// A listener with its socket.
#[derive(Debug)]
pub struct Bound {
    /// As configured.
    pub config: ListenerConfig,
    /// The socket.
    pub socket: TcpListener,
    /// Where it really listens.
    pub address: SocketAddr,
}

/// Binds all of them.
///
/// # Errors
/// When an address that an operator named, or the default one of IPv4, cannot be bound.
pub async fn bind_all(listeners: &[ListenerConfig]) -> anyhow::Result<Vec<Bound>> {
    let mut bound = Vec::with_capacity(listeners.len());
    for config in listeners {
        match TcpListener::bind(config.bind).await {
            Ok(socket) => {
                let address = socket.local_addr()?;
                bound.push(Bound { config: config.clone(), socket, address });
            }
            // A machine without IPv6 is no reason not to serve the default addresses.
            Err(error) if !config.named_by_operator && config.bind.is_ipv6() && is_absent(&error) => {
                tracing::warn!(address = %config.bind, %error, "this default address is not there; going on without it");
            }
            Err(error) => {
                let hint = "choose another with --https, --http, --ops or [[listener]]; port 0 takes a free one";
                return Err(error).with_context(|| format!("cannot listen on {} ({hint})", config.bind));
            }
        }
    }
    Ok(bound)
}

/// No IPv6, or none on the loopback: EAFNOSUPPORT, EADDRNOTAVAIL.
fn is_absent(error: &std::io::Error) -> bool {
    const EAFNOSUPPORT: i32 = 97;
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}
