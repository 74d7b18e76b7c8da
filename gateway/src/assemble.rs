//! From configuration to parts: one function a part.

mod acme;
mod audit;
mod authorities;
mod authority_key;
mod crls;
mod first_device;
mod history;
mod keys;
mod named_files;
mod ocsp;
mod offline_responder;
mod offline_root;
mod operator_certificate;
mod outside;
mod own_certificate;
mod publication;
mod restored;
mod scep;
mod server_certificate;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use certgate_enrollment::{Certificates, Clock, Core, Crls, Enrollments, EstUsers, Ledger};
use certgate_pki::{Provider, Reading};
use certgate_policy::{CompromisedKeys, Profile};
use certgate_store::SqliteLedger;
use tokio::sync::Semaphore;
use tracing_appender::non_blocking::ErrorCounter;

pub use acme::make_acme;
pub use audit::open_checkpoints;
pub use authorities::{Authorities, open_authorities};
pub use crls::start_publishers;
pub use first_device::{FirstDevice, FirstStart, make_first_device};
pub use history::{History, HistoryFiles, HistoryTaken, Stage};
pub use named_files::check_files;
pub use ocsp::make_ocsp;
pub use offline_root::{KeyCopy, Protection, Provisions, RootKey, TakenOffline, warn_of_offline};
pub use outside::{CheckedAuthority, OutsideAuthority};
pub use restored::check_restored;
pub use scep::make_scep;
pub use server_certificate::{ServerCertificate, server_names};

use crate::auth::{BasicAuthenticator, CertificateAuthenticator, EstAuthenticator, Methods, PasswordPool};
use crate::config::{AuthMethod, ChannelBindingName, Config, EndpointConfig, Family, ListenerKind, ProtocolName};
use crate::data_dir::DataDir;
use crate::listen::{Bound, Lifecycle};
use crate::serve::{
    AcmeService, App, BodyLimits, CaService, CrlService, EstEndpoint, EstOptions, EstService, Gauges, OcspService, OpsService,
    ScepService,
};
use crate::telemetry::{Logs, Metrics, SystemClock};
use crate::validate::Validator;

/// What everything else is made of.
#[derive(Clone)]
pub struct Base {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Cryptography.
    pub provider: Provider,
    /// What is remembered.
    pub ledger: SqliteLedger,
    /// Keys that are never certified.
    pub compromised_keys: Arc<CompromisedKeys>,
    /// For passwords that people choose.
    pub passwords: PasswordPool,
}

impl Base {
    /// The system's clock, aws-lc-rs, and the ledger in the data directory.
    ///
    /// # Errors
    /// When the ledger cannot be opened.
    pub fn open(config: &Config, data_dir: &DataDir) -> anyhow::Result<Self> {
        let provider = certgate_crypto::provider();
        let path = data_dir.join("ledger.db");
        let ledger = SqliteLedger::open(&path, config.store.queue, Arc::clone(&provider.digest))
            .with_context(|| format!("open the ledger {}", path.display()))?;
        let compromised_keys = match &config.policy.compromised_keys {
            Some(path) => Arc::new(read_compromised_keys(path)?),
            None => Arc::default(),
        };
        let passwords = PasswordPool::start(config.limits.password_threads, config.limits.password_queue)?;
        Ok(Self { clock: Arc::new(SystemClock), provider, ledger, compromised_keys, passwords })
    }

    /// What the core is given.
    #[must_use]
    pub fn core(&self) -> Core {
        Core {
            clock: Arc::clone(&self.clock),
            provider: self.provider.clone(),
            certificates: Arc::new(self.ledger.clone()) as Arc<dyn Certificates>,
            crls: Arc::new(self.ledger.clone()) as Arc<dyn Crls>,
            compromised_keys: Arc::clone(&self.compromised_keys),
            enrollments: Arc::new(self.ledger.clone()) as Arc<dyn Enrollments>,
        }
    }

    /// The whole ledger.
    #[must_use]
    pub fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(self.ledger.clone())
    }
}

fn read_compromised_keys(path: &Path) -> anyhow::Result<CompromisedKeys> {
    let name = || format!("the compromised keys in {}", path.display());
    let keys: CompromisedKeys = std::fs::read_to_string(path).with_context(name)?.parse().with_context(name)?;
    tracing::info!(path = %path.display(), keys = keys.len(), "keys that are never certified");
    Ok(keys)
}

/// Base of the URLs that an authority without `public_url` writes: the first plain listener that serves CA certificates.
#[must_use]
pub fn fallback_base_url(bound: &[Bound]) -> Option<String> {
    let plain = bound.iter().find(|one| one.config.kind() == ListenerKind::Http);
    plain.map(|one| format!("http://{}", one.address))
}

/// What is made elsewhere of what is served.
pub struct Services {
    /// SCEP.
    pub scep: ScepService,
    /// ACME.
    pub acme: AcmeService,
    /// OCSP.
    pub ocsp: OcspService,
    /// CRLs.
    pub crl: CrlService,
}

/// Everything that is served.
///
/// # Errors
/// When an endpoint refers to what is not there; a checked configuration does not.
pub fn make_app(
    config: &Config,
    base: &Base,
    authorities: &Authorities,
    services: Services,
    (metrics, logs): (&Arc<Metrics>, &Logs),
    lifecycle: &Lifecycle,
) -> anyhow::Result<App> {
    let Services { scep, acme, ocsp, crl } = services;
    let users = Arc::new(base.ledger.clone()) as Arc<dyn EstUsers>;
    let certificates = Arc::new(base.ledger.clone()) as Arc<dyn Certificates>;
    let (clock, digest) = (Arc::clone(&base.clock), Arc::clone(&base.provider.digest));
    let authenticator = EstAuthenticator {
        basic: BasicAuthenticator::new(users, Arc::clone(&clock), digest, base.passwords.clone()),
        certificate: CertificateAuthenticator::new(certificates, clock),
    };
    Ok(App {
        est: EstService::new(est_endpoints(config, authorities, metrics)?, authenticator, lifecycle.tasks.clone()),
        scep,
        acme,
        ocsp,
        crl,
        ca: CaService::new(authorities.iter().map(|authority| &**authority)),
        ops: OpsService {
            metrics: Arc::clone(metrics),
            trail: Arc::new(base.ledger.clone()),
            gauges: Box::new(Probes { ledger: base.ledger.clone(), dropped: logs.counter() }),
            stopping: lifecycle.stopping.clone(),
        },
        limits: BodyLimits {
            octets: config.limits.body_bytes,
            discarded: config.limits.discard_bytes,
            time: config.limits.body.duration(),
            room: Arc::new(Semaphore::new(config.limits.bodies_bytes.min(Semaphore::MAX_PERMITS))),
            refusals: Arc::clone(&metrics.refusals),
        },
    })
}

/// What is asked at every scrape.
struct Probes {
    ledger: SqliteLedger,
    dropped: ErrorCounter,
}

impl Gauges for Probes {
    fn queued_writes(&self) -> u64 {
        self.ledger.queued_writes() as u64
    }

    fn is_writable(&self) -> bool {
        self.ledger.is_writable()
    }

    fn dropped_lines(&self) -> u64 {
        self.dropped.dropped_lines() as u64
    }
}

fn est_endpoints(config: &Config, authorities: &Authorities, metrics: &Metrics) -> anyhow::Result<Vec<EstEndpoint>> {
    let endpoint = |endpoint: &EndpointConfig| {
        let profile = profile_of(config, endpoint)?;
        let authority = authorities.get(&profile.authority)?;
        let metrics = metrics.enrollment("est", &endpoint.name);
        let offers = |method| endpoint.auth().contains(&method);
        let options = EstOptions {
            methods: Methods { basic: offers(AuthMethod::Basic), certificate: offers(AuthMethod::Mtls) },
            requires_binding: endpoint.channel_binding() == ChannelBindingName::Required,
            retry_after: endpoint.retry_after().duration(),
            reading: Reading::from(endpoint.reading()),
            base64_line_length: endpoint.base64_line_length(),
        };
        EstEndpoint::new(&endpoint.name, profile, authority, options, metrics).with_context(|| endpoint.name.clone())
    };
    config.endpoints.iter().filter(|endpoint| endpoint.protocol == ProtocolName::Est).map(endpoint).collect()
}

/// What is issued at an endpoint.
fn profile_of(config: &Config, endpoint: &EndpointConfig) -> anyhow::Result<Profile> {
    let name = endpoint.profile.get_ref();
    let profile = config.profiles.iter().find(|profile| profile.name == *name);
    Ok(profile.with_context(|| format!("no profile {name}"))?.profile())
}

/// Who validates challenges. It connects to none of what is bound here.
///
/// # Errors
/// When there is no resolver, or no TLS.
pub fn make_validator(config: &Config, bound: &[Bound], metrics: &Metrics) -> anyhow::Result<Validator> {
    let own = bound.iter().map(|one| one.address).collect();
    Ok(Validator::new(&config.validation, &config.limits, own, metrics.validation("http-01"))?)
}

/// Everything that some listener serves.
#[must_use]
pub fn served_families(bound: &[Bound]) -> Vec<Family> {
    bound.iter().flat_map(|one| one.config.serves.iter().copied()).collect()
}

/// The addresses of one kind, as `run.json` has them.
#[must_use]
pub fn addresses(bound: &[Bound], kind: ListenerKind) -> Vec<SocketAddr> {
    bound.iter().filter(|one| one.config.kind() == kind).map(|one| one.address).collect()
}
