//! Addresses of names, from the DNS alone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use certgate_pki::DnsName;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;

use super::failure::ValidationFailure;
use super::is_out_of_descriptors;

/// The port of name servers.
const DNS: u16 = 53;
/// How often a name server is asked again that does not answer.
const RETRIES: usize = 2;
/// UDP sockets of one validation at one time: for AAAA and A, each up to three, since hickory sends what is not answered once more from
/// another port while it still listens at the first.
pub(super) const SOCKETS: u64 = 2 * 3;

/// Asks name servers.
pub(super) struct Resolver(TokioResolver);

impl Resolver {
    /// Asks this name server, else those that `/etc/resolv.conf` has now. `patience` is for one query, of which at most `at_once` are under
    /// way at one time.
    ///
    /// # Errors
    /// As hickory says.
    pub(super) fn new(server: Option<SocketAddr>, patience: Duration, at_once: usize) -> Result<Self, NetError> {
        let name_servers = match server {
            Some(server) => vec![name_server(server)],
            None => system_name_servers(),
        };
        // Neither search domains nor the hosts file: what is validated is what the DNS has for exactly this name.
        let config = ResolverConfig::from_parts(None, Vec::new(), name_servers);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options(patience, at_once);
        builder.build().map(Self)
    }

    /// Its addresses, those of IPv6 first.
    ///
    /// # Errors
    /// [`ValidationFailure::Dns`] when there is none; [`ValidationFailure::Busy`] when nobody could be asked for want of descriptors.
    pub(super) async fn addresses(&self, name: &DnsName) -> Result<Vec<IpAddr>, ValidationFailure> {
        // The dot makes it absolute.
        let absolute = Name::from_ascii(format!("{name}.")).map_err(|_| ValidationFailure::dns("not a name of the DNS"))?;
        let (v6, v4) = tokio::join!(self.lookup(&absolute, RecordType::AAAA), self.lookup(&absolute, RecordType::A));
        // A name whose servers fail at one kind of address is good for the other.
        let (found, failed): (Vec<_>, Vec<_>) = [v6, v4].into_iter().partition(Result::is_ok);
        let addresses: Vec<IpAddr> = found.into_iter().flatten().flatten().collect();
        if !addresses.is_empty() {
            return Ok(addresses);
        }
        let errors: Vec<NetError> = failed.into_iter().filter_map(Result::err).collect();
        // What went wrong says more than what is not there.
        let said = errors.iter().find(|error| !matches!(error, NetError::Dns(DnsError::NoRecordsFound(_))));
        Err(said.or(errors.first()).map_or_else(|| nothing(name), |error| failure(name, error)))
    }

    async fn lookup(&self, name: &Name, kind: RecordType) -> Result<Vec<IpAddr>, NetError> {
        let found = self.0.lookup(name.clone(), kind).await?;
        let address = |data: &RData| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        Ok(found.answers().iter().filter_map(|record| address(&record.data)).collect())
    }
}

/// Those of `/etc/resolv.conf`; without it the one of this machine, as resolv.conf(5) has it. A gateway that validates nothing needs none.
fn system_name_servers() -> Vec<NameServerConfig> {
    let named = read_system_conf().map(|(config, _)| config.name_servers).unwrap_or_default();
    if named.is_empty() {
        tracing::warn!(
            "/etc/resolv.conf names no name server; names are validated by 127.0.0.1, unless [validation] has a resolver"
        );
        return vec![name_server((Ipv4Addr::LOCALHOST, DNS).into())];
    }
    named
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let at_port = |mut connection: ConnectionConfig| {
        connection.port = server.port();
        connection
    };
    NameServerConfig::new(server.ip(), true, vec![at_port(ConnectionConfig::udp()), at_port(ConnectionConfig::tcp())])
}

fn options(patience: Duration, at_once: usize) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = patience;
    options.attempts = RETRIES;
    options.use_hosts_file = ResolveHosts::Never;
    // One name server after the other: sockets are counted.
    options.num_concurrent_reqs = 1;
    options.max_active_requests = at_once;
    // Nothing is kept: a client that has mended its zone is to be believed with the next try.
    options.cache_size = 0;
    options.positive_max_ttl = Some(Duration::ZERO);
    options.negative_max_ttl = Some(Duration::ZERO);
    options
}

fn nothing(name: &DnsName) -> ValidationFailure {
    ValidationFailure::dns(format!("{name} has no address"))
}

fn failure(name: &DnsName, error: &NetError) -> ValidationFailure {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NXDomain => {
            ValidationFailure::dns(format!("{name} does not exist (NXDOMAIN)"))
        }
        NetError::Dns(DnsError::NoRecordsFound(_)) => nothing(name),
        NetError::Dns(DnsError::ResponseCode(code)) => {
            ValidationFailure::dns(format!("the name server answered for {name}: {code}"))
        }
        NetError::Timeout => ValidationFailure::dns(format!("no name server answered for {name} in time")),
        NetError::Busy => ValidationFailure::busy("too many DNS queries"),
        NetError::Io(error) if is_out_of_descriptors(error) => ValidationFailure::busy("too many open files"),
        NetError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            ValidationFailure::dns(format!("no name server answered for {name} in time"))
        }
        _ => ValidationFailure::dns(format!("the name servers gave no answer for {name}")),
    }
}
