//! ACME endpoints, and what they share.

use std::sync::Arc;

use certgate_enrollment::{Accounts, Certificates, Enrollments, OrderFlow, Orders};

use super::{Authorities, Base, profile_of};
use crate::auth::{AccountAuthenticator, Nonces};
use crate::config::{Config, ProtocolName};
use crate::listen::{Lifecycle, ServerIdentity};
use crate::serve::{AcmeEndpoint, AcmeParts, AcmeService, ValidatesHttp01, ValidationTasks};
use crate::telemetry::Metrics;

/// Everything that is served by ACME. Validations that were cut short when certgate was stopped or killed begin again.
///
/// # Errors
/// When the ledger cannot be read, or there is no randomness.
pub async fn make_acme(
    config: &Config,
    base: &Base,
    authorities: &Authorities,
    (validator, identity): (Arc<dyn ValidatesHttp01>, Arc<ServerIdentity>),
    (metrics, lifecycle): (&Metrics, &Lifecycle),
) -> anyhow::Result<AcmeService> {
    let accounts = Arc::new(base.ledger.clone()) as Arc<dyn Accounts>;
    let orders = OrderFlow {
        clock: Arc::clone(&base.clock),
        provider: base.provider.clone(),
        orders: Arc::new(base.ledger.clone()) as Arc<dyn Orders>,
        enrollments: Arc::new(base.ledger.clone()) as Arc<dyn Enrollments>,
    };
    let most = config.limits.validations.saturating_add(config.limits.validation_queue);
    // Half of those that are under way at one time: whatever one requester has certgate ask, others are served at once.
    let most_of_one = config.limits.validations.div_ceil(2);
    let ended_by = (lifecycle.tasks.clone(), lifecycle.stopping.clone());
    let validation = ValidationTasks::new(validator, (most, most_of_one), ended_by);
    let mut endpoints = Vec::new();
    for endpoint in config.endpoints.iter().filter(|endpoint| endpoint.protocol == ProtocolName::Acme) {
        let profile = profile_of(config, endpoint)?;
        let authority = authorities.get(&profile.authority)?;
        let counters = metrics.enrollment("acme", &endpoint.name);
        let resumed = validation.resume(&orders, &accounts, &endpoint.name).await?;
        if resumed > 0 {
            tracing::info!(endpoint = endpoint.name, validations = resumed, "validations that were cut short begin again");
        }
        endpoints.push(AcmeEndpoint::new(endpoint.name.clone(), profile, authority, endpoint.public_url().cloned(), counters));
    }
    let parts = AcmeParts {
        accounts: Arc::clone(&accounts),
        orders,
        certificates: Arc::new(base.ledger.clone()) as Arc<dyn Certificates>,
        authenticator: AccountAuthenticator::new(accounts, base.provider.clone()),
        nonces: Nonces::new(&*base.provider.random)?,
        identity,
        validation,
        tasks: lifecycle.tasks.clone(),
    };
    Ok(AcmeService::new(endpoints, parts))
}
