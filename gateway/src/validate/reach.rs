//! From a target to its answer: look up, check, connect.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::exchange::{self, Answer};
use super::failure::ValidationFailure;
use super::is_out_of_descriptors;
use super::networks::Networks;
use super::resolver::Resolver;
use super::target::{Host, Target};

/// Addresses of each of IPv6 and IPv4 that are tried, one after the other.
const ADDRESSES_OF_A_FAMILY: usize = 2;

/// All that is needed to ask someone.
pub(super) struct Reach {
    /// Names to addresses.
    pub(super) resolver: Resolver,
    /// Where to connect to.
    pub(super) networks: Networks,
    /// For redirects to https.
    pub(super) tls: TlsConnector,
    /// For connecting to one address.
    pub(super) connect: Duration,
}

impl Reach {
    /// Asks for the target, until the deadline at the longest.
    ///
    /// # Errors
    /// [`ValidationFailure`].
    pub(super) async fn get(&self, target: &Target, deadline: Instant) -> Result<Answer, ValidationFailure> {
        let stream = self.connect(target, deadline).await?;
        let late = |_| ValidationFailure::connection(format!("{target} did not answer in time"));
        if target.is_https() {
            let stream = self.handshake(stream, target, deadline).await?;
            return timeout_at(deadline, exchange::get(stream, target)).await.map_err(late)?;
        }
        timeout_at(deadline, exchange::get(stream, target)).await.map_err(late)?
    }

    /// Connects to the first address that answers. What is checked is what is connected to: nothing is looked up in between.
    async fn connect(&self, target: &Target, deadline: Instant) -> Result<TcpStream, ValidationFailure> {
        let addresses = self.addresses(target.host(), deadline).await?;
        let to = addresses.iter().map(|address| SocketAddr::new(*address, target.port()));
        let admitted: Vec<SocketAddr> = to.filter(|to| self.networks.admit(*to)).collect();
        let of_family = |is_v6| admitted.iter().filter(move |to| to.is_ipv6() == is_v6).take(ADDRESSES_OF_A_FAMILY);
        let mut failure = ValidationFailure::unsuitable(format!("{target} is at no address that is connected to from here"));
        for to in of_family(true).chain(of_family(false)) {
            match self.connect_to((target, *to), deadline).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn addresses(&self, host: &Host, deadline: Instant) -> Result<Vec<IpAddr>, ValidationFailure> {
        let name = match host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name,
        };
        let late = |_| ValidationFailure::dns(format!("no name server answered for {name} in time"));
        timeout_at(deadline, self.resolver.addresses(name)).await.map_err(late)?
    }

    /// Which address it was is nothing for the client: a name may lead inside, where only we can look.
    async fn connect_to(&self, (target, to): (&Target, SocketAddr), deadline: Instant) -> Result<TcpStream, ValidationFailure> {
        let until = deadline.min(Instant::now() + self.connect);
        match timeout_at(until, TcpStream::connect(to)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) if is_out_of_descriptors(&error) => Err(ValidationFailure::busy("too many open files")),
            Ok(Err(error)) => Err(ValidationFailure::connection(format!("{target}: {}", error.kind()))),
            Err(_) => Err(ValidationFailure::connection(format!("{target}: no connection in time"))),
        }
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        target: &Target,
        deadline: Instant,
    ) -> Result<TlsStream<TcpStream>, ValidationFailure> {
        let name = match target.host() {
            Host::Name(name) => ServerName::try_from(name.as_str().to_owned())
                .map_err(|_| ValidationFailure::tls(format!("{target} has a name that TLS does not take")))?,
            Host::Address(address) => ServerName::IpAddress((*address).into()),
        };
        match timeout_at(deadline, self.tls.connect(name, stream)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(_)) => Err(ValidationFailure::tls(format!("the handshake with {target} failed"))),
            Err(_) => Err(ValidationFailure::tls(format!("the handshake with {target} took too long"))),
        }
    }
}
