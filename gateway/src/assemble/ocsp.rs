//! OCSP responders, one for each authority, with certificates of their own in `ocsp/`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use certgate_enrollment::{Authority, StatusWatcher, Statuses};
use certgate_pki::KeyType;

use super::offline_responder::{kept_signer, watch_end};
use super::own_certificate::{OCSP_LIFETIME, OwnCertificate, Purpose, read_leaf};
use super::{Authorities, Base, keys};
use crate::config::{AuthorityConfig, Config, Family};
use crate::data_dir::DataDir;
use crate::listen::Lifecycle;
use crate::serve::{OcspOptions, OcspParts, OcspResponder, OcspService, OcspSigner};
use crate::telemetry::Metrics;

/// How often the ends of the responders' certificates are looked at.
const PERIOD: Duration = Duration::from_secs(60);

/// Everything that is served by OCSP; nothing when no listener serves it.
///
/// A responder that cannot be given a certificate answers that it will, later, and is given one as soon as that can be done: what else is
/// served does not wait for it.
///
/// # Errors
/// When an authority is not there; a checked configuration names none such.
pub async fn make_ocsp(
    config: &Config,
    base: &Base,
    data_dir: &DataDir,
    authorities: &Authorities,
    (metrics, lifecycle): (&Arc<Metrics>, &Lifecycle),
) -> anyhow::Result<OcspService> {
    let mut responders = Vec::new();
    if !config.listeners.iter().any(|listener| listener.serves.contains(&Family::Ocsp)) {
        return Ok(OcspService::new(responders));
    }
    for one in &config.authorities {
        let authority = authorities.get(&one.name)?;
        let own = responder_certificate(base, data_dir, &authority, OCSP_LIFETIME);
        let is_offline = authority.offline_since().is_some();
        let signer = if is_offline { kept_signer(&own, metrics) } else { open_signer(&own, &one.name, metrics).await };
        let statuses = Arc::new(base.ledger.clone()) as Arc<dyn Statuses>;
        let parts = OcspParts {
            clock: Arc::clone(&base.clock),
            statuses,
            provider: base.provider.clone(),
            metrics: metrics.ocsp(&one.name),
        };
        let responder = OcspResponder::new(&authority, signer, options(one, config.limits.ocsp_bytes), parts);
        let responder = Arc::new(responder);
        base.ledger.watch(Arc::clone(&responder) as Arc<dyn StatusWatcher>);
        let (renewed, metrics, stopping) = (Arc::clone(&responder), Arc::clone(metrics), lifecycle.stopping.clone());
        lifecycle.tasks.spawn(async move {
            if is_offline {
                stopping.run_until_cancelled(watch_end(&own)).await;
            } else {
                stopping.run_until_cancelled(keep_fresh(&own, &renewed, &metrics)).await;
            }
        });
        responders.push(responder);
    }
    Ok(OcspService::new(responders))
}

fn options(authority: &AuthorityConfig, kept_octets: usize) -> OcspOptions {
    let ocsp = &authority.ocsp;
    OcspOptions {
        validity: ocsp.validity.duration(),
        unissued: ocsp.unissued,
        retain_expired: ocsp.retain_expired.duration(),
        reading: ocsp.reading.into(),
        kept_octets,
    }
}

/// The certificate of the responder of an authority, and where it is kept.
pub(super) fn responder_certificate(
    base: &Base,
    data_dir: &DataDir,
    authority: &Arc<Authority>,
    lifetime: Duration,
) -> OwnCertificate {
    let name = authority.name();
    let file = |kind| data_dir.join(&format!("ocsp/{name}.{kind}"));
    OwnCertificate {
        authority: Arc::clone(authority),
        purpose: Purpose::OcspResponder(name.to_owned(), lifetime),
        clock: Arc::clone(&base.clock),
        ledger: base.ledger.clone(),
        provider: base.provider.clone(),
        cert: file("pem"),
        key: file("key"),
    }
}

/// Has the certificate issued if there is none that will do, and reads it; else the one that is there, whatever is wrong with it.
async fn open_signer(own: &OwnCertificate, name: &str, metrics: &Metrics) -> Option<OcspSigner> {
    if let Err(error) = own.ensure().await {
        tell(name, &error);
    }
    if !own.cert.exists() {
        return None;
    }
    read_signer(own, name, metrics).inspect_err(|error| tell(name, error)).ok()
}

fn tell(authority: &str, error: &anyhow::Error) {
    let error = format!("{error:#}");
    tracing::error!(authority, error, "the certificate of an OCSP responder could not be renewed; trying again");
}

pub(super) fn read_signer(own: &OwnCertificate, name: &str, metrics: &Metrics) -> anyhow::Result<OcspSigner> {
    let certificate = read_leaf(&own.cert).with_context(|| own.cert.display().to_string())?;
    let key = keys::load_or_generate(&own.key, KeyType::P256, &own.provider)?;
    if key.public_key() != certificate.public_key() {
        bail!("{} is not the key of {}", own.key.display(), own.cert.display());
    }
    metrics.set_not_after(&format!("ocsp/{name}"), certificate.validity().not_after);
    Ok(OcspSigner::new(certificate, key, &*own.provider.digest))
}

/// Renews it when it is time, as long as it is polled.
async fn keep_fresh(own: &OwnCertificate, responder: &OcspResponder, metrics: &Metrics) {
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        ticks.tick().await;
        let renewed = own.ensure().await.and_then(|there| {
            // Not only when it was issued just now: its files may not have been readable then.
            if !responder.signs_by(&there) {
                responder.replace_signer(read_signer(own, responder.authority(), metrics)?);
            }
            Ok(())
        });
        if let Err(error) = renewed {
            tell(responder.authority(), &error);
        }
    }
}
