//! Where relying parties find what an authority publishes: URLs that go into certificates.

use anyhow::Context;
use certgate_enrollment::{CrlPointers, Publication};
use certgate_pki::DistributionPointName;

use crate::config::{AuthorityConfig, CrlConfig, Family};
use crate::publish::ListId;

/// URLs under `base` for whatever some listener serves; none at all without a base.
///
/// # Errors
/// When the base makes no URL; a checked configuration has none such.
pub(super) fn publication(config: &AuthorityConfig, base: Option<&str>, served: &[Family]) -> anyhow::Result<Publication> {
    let Some(base) = base else { return Ok(Publication::default()) };
    let name = &config.name;
    let serves = |family| served.contains(&family);
    Ok(Publication {
        ca_issuers: Some(format!("{base}/ca/{name}.cer")),
        ocsp: serves(Family::Ocsp).then(|| format!("{base}/ocsp/{name}")),
        crls: if serves(Family::Crl) { crl_pointers(name, &config.crl, base)? } else { Vec::new() },
    })
}

/// The lists that certificates name: of the shards, or the one for all.
fn crl_pointers(authority: &str, config: &CrlConfig, base: &str) -> anyhow::Result<Vec<CrlPointers>> {
    let shards = if config.shards > 1 { 1..=config.shards } else { 0..=0 };
    let pointers = |shard| {
        let name = |is_delta| distribution_point([base], authority, ListId { shard, is_delta });
        let delta = config.delta.map(|_| name(true)).transpose()?;
        Ok(CrlPointers { shard, complete: name(false)?, delta })
    };
    shards.map(pointers).collect()
}

/// The name of a list under each of these base URLs.
///
/// # Errors
/// When a base makes no URL, or there are too many.
pub(super) fn distribution_point<'b>(
    bases: impl IntoIterator<Item = &'b str>,
    authority: &str,
    list: ListId,
) -> anyhow::Result<DistributionPointName> {
    let urls: Vec<String> = bases.into_iter().map(|base| format!("{base}{}", list.path(authority))).collect();
    let name = DistributionPointName::from_urls(urls.iter().map(String::as_str));
    name.with_context(|| format!("{} cannot be the name of a CRL", urls.join(", ")))
}
