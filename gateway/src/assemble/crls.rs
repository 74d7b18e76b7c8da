//! Who publishes CRLs, and of what.

use certgate_crl::{IssuingDistributionPoint, Scope};
use certgate_enrollment::{Authorities as _, Authority, Crls as _};
use certgate_pki::limits::MAX_GENERAL_NAMES;

use super::publication::distribution_point;
use super::{Authorities, Base};
use crate::config::{AuthorityConfig, Config};
use crate::data_dir::DataDir;
use crate::listen::Lifecycle;
use crate::publish::{CrlPublisher, CrlTerms, ListId, Pace, PublisherParts, ScopeTerms};
use crate::telemetry::Metrics;

/// Starts a publisher for every authority that signs CRLs. When this returns, their lists are there, as far as they could be made.
///
/// # Errors
/// When the ledger cannot be read, or a URL is none.
pub async fn start_publishers(
    config: &Config,
    base: &Base,
    data_dir: &DataDir,
    (authorities, fallback): (&Authorities, Option<&str>),
    (metrics, lifecycle): (&Metrics, &Lifecycle),
) -> anyhow::Result<Vec<CrlPublisher>> {
    let mut publishers = Vec::new();
    for authority_config in &config.authorities {
        let authority = authorities.get(&authority_config.name)?;
        let offline_since = authority.offline_since();
        if authority.crl_algorithm().is_none() && offline_since.is_none() {
            tracing::warn!(authority = authority.name(), "the back end signs no CRLs; there will be none");
            continue;
        }
        let parts = PublisherParts {
            terms: terms_of(authority_config, base, &authority, fallback).await?,
            authority,
            ledger: base.ledger(),
            clock: base.clock.clone(),
            provider: base.provider.clone(),
            directory: data_dir.path().to_owned(),
            pace: Pace::default(),
            metrics: metrics.crls.clone(),
        };
        publishers.push(match offline_since {
            Some(since) => CrlPublisher::keep(parts, since, &lifecycle.tasks, &lifecycle.stopping).await,
            None => CrlPublisher::start(parts, &lifecycle.tasks, &lifecycle.stopping).await,
        });
    }
    Ok(publishers)
}

/// What there is to be published; of an authority whose key is elsewhere, no deltas.
async fn terms_of(
    config: &AuthorityConfig,
    base: &Base,
    authority: &Authority,
    fallback: Option<&str>,
) -> anyhow::Result<CrlTerms> {
    let terms = terms(config, base, authority, fallback).await?;
    Ok(if authority.offline_since().is_some() { terms.without_deltas() } else { terms })
}

pub(super) async fn terms(
    config: &AuthorityConfig,
    base: &Base,
    authority: &Authority,
    fallback: Option<&str>,
) -> anyhow::Result<CrlTerms> {
    let urls = base_urls(config, base, fallback).await?;
    let name = |shard, is_delta| {
        let list = ListId { shard, is_delta };
        let names = || distribution_point(urls.iter().map(String::as_str), authority.name(), list);
        (!urls.is_empty()).then(names).transpose()
    };
    let mut shards = vec![0];
    // A list of a shard that does not say so would be one of everything: without a name there are none.
    if !urls.is_empty() {
        shards.extend((1..=config.crl.shards).filter(|_| config.crl.shards > 1));
        // Certificates name those that there were before.
        shards.extend(base.ledger.crl_shards(authority.name()).await?);
        shards.sort_unstable();
        shards.dedup();
    }
    let scope = |shard| {
        let complete = if shard == 0 { None } else { name(shard, false)? };
        let freshest = if config.crl.delta.is_some() { name(shard, true)? } else { None };
        let point = complete.and_then(|name| IssuingDistributionPoint::new(Some(name), Scope::All));
        anyhow::Ok(ScopeTerms { shard, point, freshest, base_url: urls.first().cloned() })
    };
    Ok(CrlTerms {
        validity: config.crl.validity.duration(),
        interval: config.crl.interval.duration(),
        delta: config.crl.delta.map(crate::config::Period::duration),
        scopes: shards.into_iter().map(scope).collect::<Result<_, _>>()?,
    })
}

/// Every base URL that certificates name, the present one first, then the newest: as many as a name can have.
async fn base_urls(config: &AuthorityConfig, base: &Base, fallback: Option<&str>) -> anyhow::Result<Vec<String>> {
    let present = config.public_url.as_ref().map(ToString::to_string).or_else(|| fallback.map(str::to_owned));
    let mut urls: Vec<String> = present.iter().cloned().collect();
    let all = base.ledger.base_urls(&config.name).await?;
    urls.extend(all.into_iter().rev().filter(|url| Some(url) != present.as_ref()));
    urls.truncate(MAX_GENERAL_NAMES);
    Ok(urls)
}
