//! The OCSP responder of an authority whose key is elsewhere: it keeps the certificate that it was given for that time.

use std::time::Duration;

use anyhow::Context;

use super::ocsp::read_signer;
use super::own_certificate::{OwnCertificate, read_leaf};
use crate::publish::two_thirds;
use crate::serve::OcspSigner;
use crate::telemetry::{Daily, Metrics};

/// How often the end of the certificate is looked at.
const PERIOD: Duration = Duration::from_secs(60);

/// How it is given another certificate.
const WAY_BACK: &str =
    "bring the key back by `certgate ca restore-root`, and take it away again by `certgate ca export-root --remove`";

/// The certificate that is there, whatever is wrong with it.
pub(super) fn kept_signer(own: &OwnCertificate, metrics: &Metrics) -> Option<OcspSigner> {
    let name = own.authority.name();
    // A key that is made now would be that of no certificate.
    let has_key = own.key.exists().then_some(()).with_context(|| format!("{} is missing: {WAY_BACK}", own.key.display()));
    let signer = has_key.and_then(|()| read_signer(own, name, metrics)).context("it answers tryLater");
    let tell = |error: &anyhow::Error| {
        let error = format!("{error:#}");
        tracing::error!(authority = name, error, "the OCSP responder of an authority whose key is offline has no certificate");
    };
    signer.inspect_err(tell).ok()
}

/// Says once a day that the certificate needs the key, from two thirds of its time on, as long as it is polled.
pub(super) async fn watch_end(own: &OwnCertificate) {
    let mut ticks = tokio::time::interval(PERIOD);
    let mut said = Daily::default();
    loop {
        ticks.tick().await;
        let now = own.clock.now();
        let Some(leaf) = read_leaf(&own.cert) else { continue };
        let validity = leaf.validity();
        if now < two_thirds(validity.not_before, validity.not_after) || !said.is_due(now) {
            continue;
        }
        let (authority, not_after) = (own.authority.name(), validity.not_after);
        let message = "the certificate of the OCSP responder of an authority whose key is offline ends";
        tracing::warn!(authority, %not_after, "{message}: {WAY_BACK}");
    }
}
