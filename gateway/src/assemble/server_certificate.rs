//! The server certificate of the TLS listeners: certgate's own, renewed by itself, or the operator's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use certgate_enrollment::{Authority, CertificateStatus, Certificates, Clock, InternalRequest};
use certgate_pki::{Certificate, DnsName, GeneralName, KeyType, Name, NameAttribute, NameAttributeType, Provider, pem};
use certgate_store::SqliteLedger;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::{Base, keys};
use crate::config::{Config, TlsSource};
use crate::data_dir::{DataDir, Secrecy, read_private, write_atomically};
use crate::listen::{Bound, ServerIdentity};
use crate::telemetry::Metrics;

/// How long certgate's own server certificate lasts at the most; it is renewed when a third of its life is left.
const LIFETIME: Duration = Duration::from_secs(90 * 86_400);
/// How often its end is looked at.
const PERIOD: Duration = Duration::from_secs(3600);

/// Every name and address by which clients reach the TLS listeners.
#[must_use]
pub fn server_names(config: &Config, bound: &[Bound]) -> Vec<GeneralName> {
    let loopback = [[127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into()].map(GeneralName::Ip);
    let mut names: Vec<GeneralName> =
        DnsName::parse("localhost").ok().map(GeneralName::Dns).into_iter().chain(loopback).collect();
    let addresses = bound.iter().filter(|one| one.config.tls).map(|one| one.address.ip());
    names.extend(addresses.filter(|address| !address.is_unspecified()).map(GeneralName::Ip));
    for url in config.authorities.iter().filter_map(|authority| authority.public_url.as_ref()) {
        let name = url.address().map(GeneralName::Ip).or_else(|| DnsName::parse(url.host()).ok().map(GeneralName::Dns));
        names.extend(name);
    }
    names.extend(config.tls.additional_sans.iter().map(|name| name.0.clone()));
    let mut unique: Vec<GeneralName> = Vec::with_capacity(names.len());
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique
}

/// The server certificate and what keeps it fresh.
pub struct ServerCertificate {
    source: Source,
    identity: Arc<ServerIdentity>,
    metrics: Arc<Metrics>,
}

enum Source {
    Files { cert: PathBuf, key: PathBuf },
    Auto(Box<Own>),
}

/// certgate's own.
struct Own {
    authority: Arc<Authority>,
    names: Vec<GeneralName>,
    clock: Arc<dyn Clock>,
    ledger: SqliteLedger,
    provider: Provider,
    cert: PathBuf,
    key: PathBuf,
}

impl ServerCertificate {
    /// Loads it, or has `authority` issue it.
    ///
    /// # Errors
    /// When files do not fit together, or it could not be issued.
    pub async fn open(
        config: &Config,
        base: &Base,
        data_dir: &DataDir,
        (authority, names): (Arc<Authority>, Vec<GeneralName>),
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let source = match (config.tls.source, &config.tls.cert, &config.tls.key) {
            (TlsSource::Files, Some(cert), Some(key)) => Source::Files { cert: cert.clone(), key: key.clone() },
            _ => Source::Auto(Box::new(Own {
                authority,
                names,
                clock: Arc::clone(&base.clock),
                ledger: base.ledger.clone(),
                provider: base.provider.clone(),
                cert: data_dir.join("tls/server.pem"),
                key: data_dir.join("tls/server.key"),
            })),
        };
        if let Source::Auto(own) = &source {
            own.ensure().await.context("the server certificate")?;
        }
        let (key, leaf) = source.load().context("the server certificate")?;
        metrics.set_not_after("tls", leaf.validity().not_after);
        Ok(Self { source, identity: Arc::new(ServerIdentity::new(key)), metrics })
    }

    /// What the listeners show.
    #[must_use]
    pub fn identity(&self) -> Arc<ServerIdentity> {
        Arc::clone(&self.identity)
    }

    /// Renews it when it is time, as long as it is polled.
    pub async fn keep_fresh(&self) {
        let Source::Auto(own) = &self.source else { return std::future::pending().await };
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            ticks.tick().await;
            match own.ensure().await {
                Ok(true) => self.reload(),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "the server certificate could not be renewed; trying again");
                }
            }
        }
    }

    /// Reads the files again; what is shown stays as it is when they are not right.
    pub fn reload(&self) {
        match self.source.load() {
            Ok((key, leaf)) => {
                self.identity.replace(key);
                self.metrics.set_not_after("tls", leaf.validity().not_after);
                tracing::info!(serial = %leaf.serial(), not_after = %leaf.validity().not_after, "the server certificate was loaded");
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the server certificate was not loaded; the old one stays");
            }
        }
    }
}

impl Source {
    fn load(&self) -> anyhow::Result<(CertifiedKey, Certificate)> {
        let (cert, key) = match self {
            Self::Files { cert, key } => (cert, key),
            Self::Auto(own) => (&own.cert, &own.key),
        };
        let text = std::fs::read(cert).with_context(|| cert.display().to_string())?;
        let chain = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
        let chain = chain.with_context(|| cert.display().to_string())?;
        let Some(leaf) = chain.first() else { bail!("{}: no certificate", cert.display()) };
        let leaf = Certificate::from_der(leaf).with_context(|| cert.display().to_string())?;
        let secret = read_private(key)?;
        let secret = PrivateKeyDer::from_pem_slice(secret.as_bytes()).with_context(|| key.display().to_string())?;
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let certified = CertifiedKey::from_der(chain, secret, &provider);
        certified.map(|certified| (certified, leaf)).with_context(|| format!("{} and {}", cert.display(), key.display()))
    }
}

impl Own {
    /// Issues it unless there is one that will do. Says whether it was issued.
    async fn ensure(&self) -> anyhow::Result<bool> {
        if let Some(leaf) = read_leaf(&self.cert).filter(|leaf| self.will_do(leaf))
            && self.is_good(&leaf).await?
        {
            return Ok(false);
        }
        // A key lives as long as its certificate: both are made anew.
        let made = keys::make(KeyType::P256, &self.provider)?;
        let request = InternalRequest::TlsServer {
            subject: self.subject(),
            names: self.names.clone(),
            public_key: made.key.public_key().clone(),
            lifetime: LIFETIME,
        };
        let issued = self.authority.issue(self.authority.authorize_internal(request)?).await?;
        let chain = self.authority.chain();
        // The root stays out: whoever verifies has it (RFC 8446 §4.4.2).
        let sent = chain.iter().take(chain.len().saturating_sub(1).max(1)).map(Certificate::as_der);
        let text: String =
            std::iter::once(issued.der.as_slice()).chain(sent).map(|der| pem::encode(pem::CERTIFICATE, der)).collect();
        // A crash between the two writes leaves a certificate that is not the key's, which `will_do` sees.
        keys::write(&self.key, &made)?;
        write_atomically(&self.cert, text.as_bytes(), Secrecy::Public)?;
        tracing::info!(serial = %issued.serial, "issued the server certificate");
        Ok(true)
    }

    /// Has nobody revoked it? One that the ledger does not know is not ours.
    async fn is_good(&self, leaf: &Certificate) -> anyhow::Result<bool> {
        let record = self.ledger.find_issued(self.authority.name(), leaf.serial()).await?;
        Ok(record.is_some_and(|record| record.status == CertificateStatus::Valid))
    }

    /// Is this certificate ours, with all names, from the authority as it is now, and not near its end?
    fn will_do(&self, leaf: &Certificate) -> bool {
        let key = read_private(&self.key)
            .ok()
            .and_then(|text| pem::decode(pem::PRIVATE_KEY, &text).ok().map(zeroize::Zeroizing::new));
        let key = key.and_then(|der| self.provider.sign.load(&der).ok());
        let (now, own) = (self.clock.now(), leaf.validity());
        let issuer = self.authority.chain().first();
        let lifetime = Duration::from_millis(own.not_after.millis().saturating_sub(own.not_before.millis()));
        // One that ends with its issuer gains nothing by being renewed before that one is.
        let ends_with_issuer = issuer.is_some_and(|issuer| own.not_after == issuer.validity().not_after);
        let is_fresh =
            now >= own.not_before && (now.after(lifetime / 3) < own.not_after || ends_with_issuer && now < own.not_after);
        key.is_some_and(|key| key.public_key() == leaf.public_key())
            && is_fresh
            && leaf.extensions().subject_alt_names().is_ok_and(|names| names == self.names)
            && issuer.is_some_and(|issuer| leaf.verify_signed_by(issuer.public_key(), &self.provider).is_ok())
    }

    /// The first host name; names that count are in the subjectAltName (RFC 6125 §6.4.4).
    fn subject(&self) -> Name {
        let first = self.names.iter().find_map(|name| match name {
            GeneralName::Dns(name) => Some(name.to_string()),
            _ => None,
        });
        let common_name = |value: String| NameAttribute::new(NameAttributeType::CommonName, value);
        Name::from_attributes(first.map(common_name).filter(NameAttribute::is_well_formed).into_iter().collect())
    }
}

fn read_leaf(path: &Path) -> Option<Certificate> {
    let text = std::fs::read_to_string(path).ok()?;
    Certificate::from_der(&pem::decode(pem::CERTIFICATE, &text).ok()?).ok()
}
