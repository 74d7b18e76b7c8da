//! SCEP endpoints, each with an RA of its own in `ra/`.

use std::sync::Arc;

use anyhow::Context;
use certgate_enrollment::{Authority, ScepChallenges};

use super::own_certificate::{OwnCertificate, Purpose, read_leaf};
use super::{Authorities, Base, keys, profile_of};
use crate::auth::ChallengeAuthenticator;
use crate::config::{Config, EndpointConfig, ProtocolName};
use crate::data_dir::DataDir;
use crate::listen::Lifecycle;
use crate::serve::{ScepEndpoint, ScepOptions, ScepRa, ScepService};
use crate::telemetry::Metrics;
use crate::work_pool::{Priority, WorkPool};

/// Everything that is served by SCEP.
///
/// # Errors
/// When an RA could not be made or read, or a thread not started.
pub async fn make_scep(
    config: &Config,
    base: &Base,
    data_dir: &DataDir,
    authorities: &Authorities,
    (metrics, lifecycle): (&Metrics, &Lifecycle),
) -> anyhow::Result<ScepService> {
    let mut endpoints = Vec::new();
    for endpoint in config.endpoints.iter().filter(|endpoint| endpoint.protocol == ProtocolName::Scep) {
        let profile = profile_of(config, endpoint)?;
        let authority = authorities.get(&profile.authority)?;
        let ra = open_ra(endpoint, base, data_dir, &authority).await;
        let ra = ra.with_context(|| format!("the RA of SCEP endpoint {}", endpoint.name))?;
        metrics.set_not_after(&format!("ra/{}", endpoint.name), ra.certificate.validity().not_after);
        let options = ScepOptions { content_encryption: endpoint.content_encryption() };
        let metrics = metrics.enrollment("scep", &endpoint.name);
        endpoints.push(ScepEndpoint::new(&endpoint.name, profile, authority, (ra, options), metrics));
    }
    let challenges = Arc::new(base.ledger.clone()) as Arc<dyn ScepChallenges>;
    let authenticator = ChallengeAuthenticator::new(challenges, Arc::clone(&base.provider.digest));
    let pool = WorkPool::start("rsa", config.limits.rsa_threads, config.limits.rsa_queue, Priority::Usual)?;
    Ok(ScepService::new(endpoints, authenticator, base.provider.clone(), pool, lifecycle.tasks.clone()))
}

/// The RA of an endpoint: its certificate is issued by the endpoint's authority, on the first start and whenever the one that is there
/// will not do any more.
async fn open_ra(
    endpoint: &EndpointConfig,
    base: &Base,
    data_dir: &DataDir,
    authority: &Arc<Authority>,
) -> anyhow::Result<ScepRa> {
    let file = |kind| data_dir.join(&format!("ra/{}.{kind}", endpoint.name));
    let own = OwnCertificate {
        authority: Arc::clone(authority),
        purpose: Purpose::ScepRa(endpoint.name.clone(), endpoint.ra_key().key_type()),
        clock: Arc::clone(&base.clock),
        ledger: base.ledger.clone(),
        provider: base.provider.clone(),
        cert: file("pem"),
        key: file("key"),
    };
    own.ensure().await?;
    let certificate = read_leaf(&own.cert).with_context(|| own.cert.display().to_string())?;
    let decryption = base.provider.decrypt.load(&keys::read(&own.key)?).with_context(|| own.key.display().to_string())?;
    let signing = keys::load_or_generate(&own.key, endpoint.ra_key().key_type(), &base.provider)?;
    Ok(ScepRa { certificate, signing, decryption })
}
