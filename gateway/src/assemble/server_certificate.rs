//! The server certificate of the TLS listeners: certgate's own, renewed by itself, or the operator's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use certgate_enrollment::Authority;
use certgate_pki::{Certificate, DnsName, GeneralName};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::Base;
use super::own_certificate::{OwnCertificate, Purpose};
use crate::config::{Config, EndpointConfig, TlsSource};
use crate::data_dir::{DataDir, read_private};
use crate::listen::{Bound, ServerIdentity};
use crate::telemetry::Metrics;

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
    let of_authorities = config.authorities.iter().filter_map(|authority| authority.public_url.as_ref());
    let of_endpoints = config.endpoints.iter().filter_map(EndpointConfig::public_url);
    for url in of_authorities.chain(of_endpoints) {
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
    Auto(Box<OwnCertificate>),
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
            _ => Source::Auto(Box::new(OwnCertificate {
                authority,
                purpose: Purpose::TlsServer(names),
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
        Ok(Self { source, identity: Arc::new(ServerIdentity::new(key, names_of(&leaf))), metrics })
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
                self.identity.replace(key, names_of(&leaf));
                self.metrics.set_not_after("tls", leaf.validity().not_after);
                tracing::info!(serial = %leaf.serial(), not_after = %leaf.validity().not_after, "the server certificate was loaded");
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the server certificate was not loaded; the old one stays");
            }
        }
    }
}

fn names_of(leaf: &Certificate) -> Vec<GeneralName> {
    leaf.extensions().subject_alt_names().unwrap_or_default()
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
