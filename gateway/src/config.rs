//! The configuration: one TOML file, every key known, everything checked before anything starts.
//!
//! One file a section. [`Config::load`] gives a [`Config`] whose names all resolve, or a [`ConfigError`] with file, line, what is wrong
//! and what would be right.

mod advice;
mod audit;
mod authority;
mod check;
mod endpoint;
mod environment;
mod error;
mod keys;
mod limits;
mod listener;
mod log;
mod period;
mod place;
mod policy;
mod profile;
mod public_url;
mod revocation;
mod schema;
mod secret;
mod store;
mod tls;
mod validation;
mod wanted;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

pub use audit::AuditConfig;
pub use authority::{AuthorityConfig, Signer};
use check::Listed;
pub use endpoint::{AuthMethod, ChannelBindingName, ContentEncryption, EndpointConfig, ProtocolName, ReadingName};
pub use environment::Environment;
pub use error::ConfigError;
pub use keys::Keys;
pub use limits::Limits;
pub use listener::{ClientCert, Family, ListenerConfig, ListenerKind, MinTls};
pub use log::{LogConfig, LogFormat, LogLevel};
pub use period::Period;
pub use policy::PolicyConfig;
pub use profile::ProfileConfig;
pub use public_url::PublicUrl;
pub use revocation::{CrlConfig, OcspConfig, Unissued};
pub use schema::schema;
pub use secret::SecretSource;
pub use store::StoreConfig;
pub use tls::{HostName, Place, TlsConfig, TlsSource};
pub use validation::{Network, ValidationConfig};

/// What is in force without a file.
pub const EMBEDDED: &str = include_str!("config/default.toml");

/// What the embedded configuration is called in errors.
const EMBEDDED_NAME: &str = "the embedded configuration";

/// Everything that can be configured, checked.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub listeners: Vec<ListenerConfig>,
    /// Who signs; issuers come before what they have issued.
    pub authorities: Vec<AuthorityConfig>,
    /// What may be issued.
    pub profiles: Vec<ProfileConfig>,
    /// Where protocols are offered.
    pub endpoints: Vec<EndpointConfig>,
    /// The server certificate.
    pub tls: TlsConfig,
    /// How challenges are validated.
    pub validation: ValidationConfig,
    /// The ledger.
    pub store: StoreConfig,
    /// What holds for every profile.
    pub policy: PolicyConfig,
    /// Bounds.
    pub limits: Limits,
    /// Logs.
    pub log: LogConfig,
    /// Signed heads of the audit trail.
    pub audit: AuditConfig,
    /// Where everything stands.
    origin: Origin,
    /// Everything that the file and the embedded configuration have, key by key.
    pub keys: Keys,
}

/// A configuration file of certgate: TOML. A key that a table leaves out keeps its default. A kind of list that the file has (`[[listener]]`,
/// `[[authority]]`, `[[profile]]`, `[[endpoint]]`) replaces the embedded list of that kind; a kind that it has not stays embedded.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    /// Where to listen, and what is served there.
    #[schemars(with = "Option<Vec<ListenerConfig>>")]
    listener: Option<Vec<Spanned<ListenerConfig>>>,
    /// Who signs.
    #[schemars(with = "Option<Vec<AuthorityConfig>>")]
    authority: Option<Vec<Spanned<AuthorityConfig>>>,
    /// What may be issued, to whom, for how long, by which authority.
    #[schemars(with = "Option<Vec<ProfileConfig>>")]
    profile: Option<Vec<Spanned<ProfileConfig>>>,
    /// Where a protocol is offered. Keys that belong to one protocol are absent at all others.
    #[schemars(with = "Option<Vec<EndpointConfig>>")]
    endpoint: Option<Vec<Spanned<EndpointConfig>>>,
    /// The server certificate of the TLS listeners.
    #[serde(default)]
    tls: TlsConfig,
    /// How certgate fetches what answers a challenge of ACME.
    #[serde(default)]
    validation: ValidationConfig,
    /// The ledger.
    #[serde(default)]
    store: StoreConfig,
    /// What holds for every profile.
    #[serde(default)]
    policy: PolicyConfig,
    /// Bounds on what anyone can make certgate do.
    #[serde(default)]
    limits: Limits,
    /// What is written to stderr.
    #[serde(default)]
    log: LogConfig,
    /// Signed heads of the audit trail.
    #[serde(default)]
    audit: AuditConfig,
}

/// What the command line says beside the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Replaces all TLS listeners.
    pub https: Vec<std::net::SocketAddr>,
    /// Replaces all plain listeners but those of `ops`.
    pub http: Vec<std::net::SocketAddr>,
    /// Replaces all listeners of `ops`.
    pub ops: Vec<std::net::SocketAddr>,
    /// `public_url` of every authority that has none of its own, and, if it is `https`, of every such ACME endpoint.
    pub public_url: Option<PublicUrl>,
}

impl Config {
    /// The file that counts: the one named, else `certgate.toml` in the data directory if it is there.
    #[must_use]
    pub fn file(named: Option<&Path>, data_dir: &Path) -> Option<PathBuf> {
        let usual = data_dir.join("certgate.toml");
        named.map(Path::to_owned).or_else(|| usual.exists().then_some(usual))
    }

    /// Reads a file over the embedded configuration, or the embedded one alone.
    ///
    /// # Errors
    /// [`ConfigError`]: the first thing that is wrong.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, ConfigError> {
        let embedded = Source { name: EMBEDDED_NAME.to_owned(), text: EMBEDDED.to_owned(), is_embedded: true };
        let Some(path) = file else { return Self::build(&embedded, &embedded, overrides) };
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::build(&Source { name: path.display().to_string(), text, is_embedded: false }, &embedded, overrides)
    }

    /// An error at a key of a section.
    #[must_use]
    pub fn error_in_key(&self, section: &str, key: &str, message: impl Into<String>) -> ConfigError {
        self.origin.file.error_in_key(section, key, message)
    }

    /// An error at a key of an authority.
    #[must_use]
    pub fn error_of_authority(&self, name: &str, key: &str, message: impl Into<String>) -> ConfigError {
        let at = self.origin.authorities.get(name).copied().unwrap_or_default();
        self.origin.of_authorities.error_at_key(at, key, message)
    }

    fn build(source: &Source, embedded: &Source, overrides: &Overrides) -> Result<Self, ConfigError> {
        let mut file: File = source.parse()?;
        let fallback: File = embedded.parse()?;
        for listener in file.listener.iter_mut().flatten() {
            listener.get_mut().named_by_operator = !source.is_embedded;
        }
        let mut lists = check::Lists {
            listeners: Listed::choose((source, file.listener), (embedded, fallback.listener)),
            authorities: Listed::choose((source, file.authority), (embedded, fallback.authority)),
            profiles: Listed::choose((source, file.profile), (embedded, fallback.profile)),
            endpoints: Listed::choose((source, file.endpoint), (embedded, fallback.endpoint)),
        };
        listener::replace(&mut lists.listeners.items, overrides);
        for authority in &mut lists.authorities.items {
            let authority = authority.get_mut();
            authority.public_url = authority.public_url.take().or_else(|| overrides.public_url.clone());
        }
        for endpoint in &mut lists.endpoints.items {
            endpoint.get_mut().take_public_url(overrides.public_url.as_ref());
        }
        check::check(&lists)?;
        let authorities = lists.authorities.items.iter().map(|one| (one.get_ref().name.clone(), one.span().start)).collect();
        let origin = Origin { file: source.clone(), of_authorities: lists.authorities.source.clone(), authorities };
        file.tls.check(source)?;
        file.validation.check(source)?;
        file.limits.check(source)?;
        file.store.check(source)?;
        file.audit.check(source)?;
        Ok(Self {
            listeners: lists.listeners.into_items(),
            authorities: check::issuers_first(lists.authorities.into_items()),
            profiles: lists.profiles.into_items(),
            endpoints: lists.endpoints.into_items(),
            tls: file.tls,
            validation: file.validation,
            store: file.store,
            policy: file.policy,
            limits: file.limits,
            log: file.log,
            audit: file.audit,
            origin,
            keys: Keys::of(source.table()?, embedded.table()?),
        })
    }
}

/// The texts that a configuration was read from, and where its authorities stand.
#[derive(Debug)]
struct Origin {
    file: Source,
    of_authorities: Source,
    authorities: BTreeMap<String, usize>,
}

/// A text and what to call it in errors.
#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
    is_embedded: bool,
}

impl Source {
    fn parse(&self) -> Result<File, ConfigError> {
        toml::from_str(&self.text).map_err(|error| ConfigError::from_toml(self, &error))
    }

    fn table(&self) -> Result<toml::Table, ConfigError> {
        toml::from_str(&self.text).map_err(|error| ConfigError::from_toml(self, &error))
    }

    /// An error at a byte of the text.
    fn error_at(&self, at: usize, message: impl Into<String>) -> ConfigError {
        let line = 1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        ConfigError::new(&self.name, Some(line), message)
    }

    /// An error at a key of the table that begins at `at`, or at that table if the key has no line there.
    fn error_at_key(&self, at: usize, key: &str, message: impl Into<String>) -> ConfigError {
        self.error_at(place::key_of_table(&self.text, at, key).unwrap_or(at), message)
    }

    /// An error at a key of a section that stands once.
    fn error_in_key(&self, section: &str, key: &str, message: impl Into<String>) -> ConfigError {
        match self.text.find(&format!("[{section}]")) {
            Some(at) => self.error_at_key(at, key, message),
            None => ConfigError::new(&self.name, None, message),
        }
    }

    /// An error in a section that stands once, at its headline if the text has it.
    fn error_in(&self, section: &str, message: impl Into<String>) -> ConfigError {
        match self.text.find(&format!("[{section}]")) {
            Some(at) => self.error_at(at, message),
            None => ConfigError::new(&self.name, None, message),
        }
    }
}

#[cfg(test)]
mod tests;
