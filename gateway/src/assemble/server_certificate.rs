//! The server certificate of the TLS listeners: certgate's own, renewed by itself, or the operator's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use certgate_enrollment::{Authority, Clock};
use certgate_pki::{Certificate, DnsName, GeneralName, Provider, Timestamp};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::Base;
use super::operator_certificate::OperatorCertificate;
use super::own_certificate::{OwnCertificate, Purpose};
use crate::config::{Config, EndpointConfig, Environment, HostName, PublicUrl, TlsConfig};
use crate::data_dir::{DataDir, read_private};
use crate::listen::{Bound, ServerIdentity};
use crate::telemetry::{Daily, Metrics};

/// An operator's certificate is near its end when so little is left, or a quarter of its life.
const NEAR: Duration = Duration::from_secs(20 * 86_400);

/// Every name and address by which clients reach the TLS listeners.
#[must_use]
pub fn server_names(config: &Config, bound: &[Bound]) -> Vec<GeneralName> {
    with_additional(&found_names(config, bound), &config.tls)
}

/// Those that the operator need not name.
fn found_names(config: &Config, bound: &[Bound]) -> Vec<GeneralName> {
    let loopback = [[127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into()].map(GeneralName::Ip);
    let mut names: Vec<GeneralName> =
        DnsName::parse("localhost").ok().map(GeneralName::Dns).into_iter().chain(loopback).collect();
    let addresses = bound.iter().filter(|one| one.config.tls).map(|one| one.address.ip());
    names.extend(addresses.filter(|address| !address.is_unspecified()).map(GeneralName::Ip));
    names.extend(public_urls(config).filter_map(host_of));
    names
}

/// Hosts that clients of https public URLs look for.
pub(super) fn https_hosts(config: &Config) -> Vec<GeneralName> {
    let hosts: Vec<GeneralName> = public_urls(config).filter(|url| url.is_https()).filter_map(host_of).collect();
    unique(hosts.iter())
}

/// What reads the operator's certificate, where there is one. It must have the names of `hosts`, unless others are configured.
pub(super) fn operator_certificate(
    tls: &TlsConfig,
    hosts: &[GeneralName],
    (clock, provider): (Arc<dyn Clock>, Provider),
    environment: Environment,
) -> Option<OperatorCertificate> {
    let (cert, key) = tls.places()?;
    let configured = |names: &Vec<HostName>| names.iter().map(|name| name.0.clone()).collect();
    let required = tls.required_sans.as_ref().map_or_else(|| hosts.to_vec(), configured);
    Some(OperatorCertificate { cert, key, ca: tls.ca.clone(), required, environment, clock, provider })
}

fn public_urls(config: &Config) -> impl Iterator<Item = &PublicUrl> {
    let of_authorities = config.authorities.iter().filter_map(|authority| authority.public_url.as_ref());
    of_authorities.chain(config.endpoints.iter().filter_map(EndpointConfig::public_url))
}

fn host_of(url: &PublicUrl) -> Option<GeneralName> {
    url.address().map(GeneralName::Ip).or_else(|| DnsName::parse(url.host()).ok().map(GeneralName::Dns))
}

fn with_additional(found: &[GeneralName], tls: &TlsConfig) -> Vec<GeneralName> {
    unique(found.iter().chain(tls.additional_sans.iter().map(|name| &name.0)))
}

fn unique<'n>(names: impl Iterator<Item = &'n GeneralName>) -> Vec<GeneralName> {
    let mut unique: Vec<GeneralName> = Vec::new();
    for name in names {
        if !unique.contains(name) {
            unique.push(name.clone());
        }
    }
    unique
}

/// The server certificate and what keeps it fresh.
pub struct ServerCertificate {
    making: Making,
    source: Source,
    leaf: Certificate,
    identity: Arc<ServerIdentity>,
    metrics: Arc<Metrics>,
    reminded: Daily,
}

/// What a source is made of, whichever it is.
struct Making {
    base: Base,
    authority: Arc<Authority>,
    found: Vec<GeneralName>,
    /// Hosts of https public URLs.
    required: Vec<GeneralName>,
    cert: PathBuf,
    key: PathBuf,
}

enum Source {
    Operator(Box<OperatorCertificate>),
    Auto(Box<OwnCertificate>),
}

impl ServerCertificate {
    /// Loads it, or has `authority` issue it.
    ///
    /// # Errors
    /// When the operator's will not do, or it could not be issued.
    pub async fn open(
        config: &Config,
        base: &Base,
        data_dir: &DataDir,
        (authority, bound): (Arc<Authority>, &[Bound]),
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let making = Making {
            base: base.clone(),
            authority,
            found: found_names(config, bound),
            required: https_hosts(config),
            cert: data_dir.join("tls/server.pem"),
            key: data_dir.join("tls/server.key"),
        };
        let source = making.source(&config.tls);
        let (key, leaf) = source.obtain().await.context("the server certificate")?;
        let identity = Arc::new(ServerIdentity::new(key, names_of(&leaf)));
        metrics.set_not_after("tls", leaf.validity().not_after);
        let mut opened = Self { making, source, leaf, identity, metrics, reminded: Daily::default() };
        opened.remind();
        Ok(opened)
    }

    /// What the listeners show.
    #[must_use]
    pub fn identity(&self) -> Arc<ServerIdentity> {
        Arc::clone(&self.identity)
    }

    /// Renews certgate's own when it is time; says when an operator's is near its end.
    ///
    /// # Errors
    /// When it is time and there is no new one; the old one stays.
    pub async fn look_after(&mut self) -> anyhow::Result<()> {
        self.remind();
        let Source::Auto(own) = &self.source else { return Ok(()) };
        // Not only when it was issued just now: its files may not have been readable then.
        if own.ensure().await?.as_der() != self.leaf.as_der() {
            let (key, leaf) = load_own(own)?;
            self.show(key, leaf);
        }
        Ok(())
    }

    /// Takes it anew from where this section has it; says whether it is another one.
    ///
    /// # Errors
    /// When what is there will not do; the old one stays, and is looked after as before.
    pub async fn take_from(&mut self, tls: &TlsConfig) -> anyhow::Result<bool> {
        let source = self.making.source(tls);
        let (key, leaf) = source.obtain().await.context("the server certificate was not loaded; the old one stays")?;
        let is_another = leaf.as_der() != self.leaf.as_der();
        self.source = source;
        self.show(key, leaf);
        self.reminded = Daily::default();
        self.remind();
        Ok(is_another)
    }

    fn show(&mut self, key: CertifiedKey, leaf: Certificate) {
        self.identity.replace(key, names_of(&leaf));
        self.metrics.set_not_after("tls", leaf.validity().not_after);
        tracing::info!(serial = %leaf.serial(), not_after = %leaf.validity().not_after, "the server certificate was loaded");
        self.leaf = leaf;
    }

    /// Once a day, that nobody but the operator can renew what is near its end.
    fn remind(&mut self) {
        let now = self.making.base.clock.now();
        let is_of_concern = matches!(self.source, Source::Operator(_)) && is_near_its_end(&self.leaf, now);
        if !is_of_concern || !self.reminded.is_due(now) {
            return;
        }
        let not_after = self.leaf.validity().not_after;
        if now > not_after {
            tracing::error!(%not_after, "the server certificate has ended, and clients refuse it: put a new one there, then SIGHUP");
        } else {
            tracing::warn!(%not_after, "the server certificate ends soon: put a new one there, then SIGHUP");
        }
    }
}

pub(super) fn is_near_its_end(leaf: &Certificate, now: Timestamp) -> bool {
    let validity = leaf.validity();
    let life = Duration::from_millis(validity.not_after.millis().saturating_sub(validity.not_before.millis()));
    now.after(NEAR.min(life / 4)) >= validity.not_after
}

fn names_of(leaf: &Certificate) -> Vec<GeneralName> {
    leaf.extensions().subject_alt_names().unwrap_or_default()
}

impl Making {
    fn source(&self, tls: &TlsConfig) -> Source {
        let (clock, provider) = (Arc::clone(&self.base.clock) as Arc<dyn Clock>, self.base.provider.clone());
        let making = (Arc::clone(&clock), provider.clone());
        if let Some(operator) = operator_certificate(tls, &self.required, making, Environment::of_process()) {
            return Source::Operator(Box::new(operator));
        }
        Source::Auto(Box::new(OwnCertificate {
            authority: Arc::clone(&self.authority),
            purpose: Purpose::TlsServer(with_additional(&self.found, tls)),
            clock,
            ledger: self.base.ledger.clone(),
            provider,
            cert: self.cert.clone(),
            key: self.key.clone(),
        }))
    }
}

impl Source {
    /// What is to be shown now; certgate's own is issued if there is none that will do.
    async fn obtain(&self) -> anyhow::Result<(CertifiedKey, Certificate)> {
        match self {
            Self::Operator(operator) => operator.load(),
            Self::Auto(own) => {
                own.ensure().await?;
                load_own(own)
            }
        }
    }
}

/// What certgate itself has written.
fn load_own(own: &OwnCertificate) -> anyhow::Result<(CertifiedKey, Certificate)> {
    let (cert, key) = (&own.cert, &own.key);
    let name = || cert.display().to_string();
    let text = std::fs::read(cert).with_context(name)?;
    let chain = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>().with_context(name)?;
    let leaf = Certificate::from_der(chain.first().with_context(name)?).with_context(name)?;
    let pair = || format!("{} and {}", cert.display(), key.display());
    let secret = Zeroizing::new(PrivateKeyDer::from_pem_slice(read_private(key)?.as_bytes()).with_context(pair)?);
    let certified = CertifiedKey::new(chain, any_supported_type(&secret).with_context(pair)?);
    certified.keys_match().with_context(pair)?;
    Ok((certified, leaf))
}

#[cfg(test)]
mod tests {
    use certgate_pki::{Validity, pem};
    use certgate_testkit::{CertificateShape, NOW};

    use super::*;

    #[test]
    fn the_end_is_near_with_a_quarter_of_the_life_left_or_20_days() {
        const DAY: Duration = Duration::from_secs(86_400);
        for (life, left, expected) in
            [(90, 21, false), (90, 20, true), (7, 2, false), (8, 2, true), (7, 1, true), (3650, 21, false), (3650, 20, true)]
        {
            let not_after = NOW.after(left * DAY);
            let validity = Validity { not_before: not_after.before(life * DAY), not_after };
            let shape = CertificateShape { validity, ..CertificateShape::server(&["localhost"]) };
            let leaf = Certificate::from_der(&pem::decode(pem::CERTIFICATE, &shape.signed_by(&shape)).unwrap()).unwrap();
            assert_eq!(is_near_its_end(&leaf, NOW), expected, "{left} days of {life}");
            assert!(is_near_its_end(&leaf, not_after.after(DAY)), "past it");
        }
    }
}
