//! What only the key of a root can make, made for all the time that it will be away.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use certgate_ca_backend_local::LocalBackend;
use certgate_enrollment::{Authorities as _, Authority};
use certgate_pki::{Certificate, SigningKey, Timestamp};

use super::RootKey;
use crate::assemble::crls::terms;
use crate::assemble::ocsp::responder_certificate;
use crate::assemble::own_certificate::read_leaf;
use crate::assemble::publication::publication;
use crate::config::{AuthorityConfig, Family};
use crate::publish::{CrlTerms, Pace, PublisherParts, publish_once};
use crate::telemetry::CrlMetrics;

/// What is good from now on without the key, and until when.
pub struct Provisions {
    /// nextUpdate of its CRLs.
    pub crl_until: Timestamp,
    /// The last second of the certificate of its OCSP responder, where OCSP is served.
    pub ocsp_until: Option<Timestamp>,
}

impl RootKey<'_> {
    /// What speaks against taking its key away for so long, if nothing but a warning.
    ///
    /// # Errors
    /// When the gateway could not go on without it.
    pub(super) fn warnings(&self, validity: Duration) -> anyhow::Result<Vec<String>> {
        let name = &self.own.name;
        if let Some(profile) = self.config.profiles.iter().find(|profile| profile.authority.get_ref() == name) {
            bail!("profile {} has {name} itself issue certificates: its key is needed here", profile.name);
        }
        let until = self.base.clock.now().after(validity);
        let mut warnings = Vec::new();
        for below in
            self.config.authorities.iter().filter(|one| one.issuer.as_ref().is_some_and(|issuer| issuer.get_ref() == name))
        {
            let path = self.data_dir.join(&format!("ca/{}.pem", below.name));
            let Some(certificate) = read_leaf(&path) else {
                bail!(
                    "authority {} below it has no certificate yet: start the gateway once, so that it is given one",
                    below.name
                );
            };
            let not_after = certificate.validity().not_after;
            if not_after.before(self.longest_below(below)) < until {
                warnings.push(format!(
                    "the certificate of authority {} ends on {not_after}: what it issues is shortened, or it is renewed, before the \
                     root's CRL ends, and that needs the key",
                    below.name
                ));
            }
        }
        Ok(warnings)
    }

    /// The longest time for which that authority issues.
    fn longest_below(&self, below: &AuthorityConfig) -> Duration {
        let profiles = self.config.profiles.iter().filter(|profile| *profile.authority.get_ref() == below.name);
        profiles.map(|profile| profile.profile().validity).max().unwrap_or_default()
    }

    /// Makes, records and writes it.
    ///
    /// # Errors
    /// When something could not be made: the key is still needed.
    pub(super) async fn provide(
        &self,
        (key, certificate): (Arc<dyn SigningKey>, Certificate),
        validity: Duration,
    ) -> anyhow::Result<Provisions> {
        let (own, base) = (self.own, self.base);
        // Where it has told relying parties to look, last.
        let known = base.ledger.base_urls(&own.name).await?.pop();
        let url = own.public_url.as_ref().map(ToString::to_string).or(known);
        let served: Vec<Family> = self.config.listeners.iter().flat_map(|one| one.serves.iter().copied()).collect();
        let publication = publication(own, url.as_deref(), &served)?;
        let backend = Box::new(LocalBackend::new(key));
        let authority = Arc::new(Authority::new(base.core(), &own.name, vec![certificate], publication, backend)?);
        let mut ocsp_until = None;
        if served.contains(&Family::Ocsp) {
            let responder = responder_certificate(base, self.data_dir, &authority, validity).issue().await;
            ocsp_until = Some(responder.context("the certificate of its OCSP responder")?.validity().not_after);
        }
        let terms = terms(own, base, &authority, url.as_deref()).await?.without_deltas();
        let parts = PublisherParts {
            terms: CrlTerms { validity, ..terms },
            authority,
            ledger: base.ledger(),
            clock: base.clock.clone(),
            provider: base.provider.clone(),
            directory: self.data_dir.path().to_owned(),
            pace: Pace::default(),
            metrics: CrlMetrics::default(),
        };
        let lists = publish_once(parts).await.context("its CRL")?;
        let crl_until = lists.iter().map(|list| list.record.next_update).min().context("it publishes no CRL")?;
        Ok(Provisions { crl_until, ocsp_until })
    }
}
