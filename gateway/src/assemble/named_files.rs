//! What the configuration names and does not have itself: looked into as a start does, without starting anything.

use std::sync::Arc;

use certgate_enrollment::Clock;
use certgate_pki::Provider;

use super::read_compromised_keys;
use super::server_certificate::{https_hosts, is_near_its_end, operator_certificate};
use crate::config::{AuthorityConfig, Config, ConfigError, Environment, Place, SecretSource};

/// Looks into every file and variable that the configuration names; says what is worth a second look. A variable that is not set is no
/// fault: the service has an environment of its own. Nobody is asked for anything.
///
/// # Errors
/// The first one with which no start would succeed, at the key that names it.
pub fn check_files(
    config: &Config,
    clock: &Arc<dyn Clock>,
    provider: &Provider,
    environment: &Environment,
) -> Result<Vec<String>, ConfigError> {
    if let Some(path) = &config.policy.compromised_keys {
        read_compromised_keys(path).map_err(|error| config.error_in_key("policy", "compromised_keys", format!("{error:#}")))?;
    }
    let mut warnings = Vec::new();
    for authority in &config.authorities {
        warnings.extend(check_passphrase(config, authority, environment)?);
    }
    warnings.extend(check_server_certificate(config, clock, provider, environment)?);
    Ok(warnings)
}

fn check_passphrase(
    config: &Config,
    authority: &AuthorityConfig,
    environment: &Environment,
) -> Result<Option<String>, ConfigError> {
    let source = match &authority.passphrase {
        None | Some(SecretSource::Prompt) => return Ok(None),
        Some(SecretSource::Env(name)) if environment.read(name).is_none() => {
            return Ok(Some(unset(&format!("passphrase of authority \"{}\"", authority.name), name)));
        }
        Some(source) => source,
    };
    let what = format!("the passphrase of authority \"{}\"", authority.name);
    let read = source.read(&what);
    read.map_err(|error| config.error_of_authority(&authority.name, "passphrase", format!("{error:#}")))?;
    Ok(None)
}

fn check_server_certificate(
    config: &Config,
    clock: &Arc<dyn Clock>,
    provider: &Provider,
    environment: &Environment,
) -> Result<Vec<String>, ConfigError> {
    let making = (Arc::clone(clock), provider.clone());
    let operator = operator_certificate(&config.tls, &https_hosts(config), making, environment.clone());
    let Some(operator) = operator else { return Ok(Vec::new()) };
    let places = [("cert", Some(&operator.cert)), ("key", Some(&operator.key)), ("ca", operator.ca.as_ref())];
    let is_unset = |(key, place): (&str, Option<&Place>)| match place {
        Some(Place::Variable(name)) if environment.read(name).is_none() => Some(unset(&format!("{key} of [tls]"), name)),
        _ => None,
    };
    let unset: Vec<String> = places.into_iter().filter_map(is_unset).collect();
    if !unset.is_empty() {
        return Ok(unset);
    }
    let leaf = operator.check().map_err(|(key, error)| config.error_in_key("tls", key, format!("{error:#}")))?;
    let ends = is_near_its_end(&leaf, clock.now())
        .then(|| format!("cert of [tls]: the certificate in {} ends at {}", operator.cert, leaf.validity().not_after));
    Ok(ends.into_iter().collect())
}

fn unset(what: &str, variable: &str) -> String {
    format!("{what}: the environment variable {variable} is not set here, and was not checked; the service needs it")
}
