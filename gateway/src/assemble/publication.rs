//! Where relying parties find what an authority publishes: URLs that go into certificates.

use anyhow::Context;
use certgate_enrollment::{CrlPointers, Publication};
use certgate_pki::DistributionPointName;

use crate::config::{AuthorityConfig, CrlConfig, Family};

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
        let delta = config.delta.map(|_| distribution_point([base], authority, (shard, true))).transpose()?;
        Ok(CrlPointers { shard, complete: distribution_point([base], authority, (shard, false))?, delta })
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
    list: (u32, bool),
) -> anyhow::Result<DistributionPointName> {
    let urls: Vec<String> = bases.into_iter().map(|base| format!("{base}{}", crl_path(authority, list))).collect();
    let name = DistributionPointName::from_urls(urls.iter().map(String::as_str));
    name.with_context(|| format!("{} cannot be the name of a CRL", urls.join(", ")))
}

/// The path of a list: of a shard, of which 0 is all of them, complete or a delta.
fn crl_path(authority: &str, list: (u32, bool)) -> String {
    match list {
        (0, false) => format!("/crl/{authority}.crl"),
        (0, true) => format!("/crl/{authority}/delta.crl"),
        (shard, false) => format!("/crl/{authority}/{shard}.crl"),
        (shard, true) => format!("/crl/{authority}/{shard}/delta.crl"),
    }
}
