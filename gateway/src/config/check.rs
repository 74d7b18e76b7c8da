//! What no single key tells: names that are referred to exist, lists make sense together.

use std::collections::BTreeSet;

use certgate_acme::Segment;
use certgate_est::Label;
use certgate_pki::KeyType;
use toml::Spanned;

use super::endpoint::{AuthMethod, ProtocolName};
use super::listener::ClientCert;
use super::{AuthorityConfig, ConfigError, EndpointConfig, Family, ListenerConfig, ProfileConfig, Source};

/// A list, each item with its place, and the text in which those places are: the file's or the embedded one.
pub(super) struct Listed<'s, T> {
    pub(super) source: &'s Source,
    pub(super) items: Vec<Spanned<T>>,
}

impl<'s, T> Listed<'s, T> {
    /// The file's list, or the embedded one when the file has none of this kind.
    pub(super) fn choose(
        (source, list): (&'s Source, Option<Vec<Spanned<T>>>),
        (embedded, fallback): (&'s Source, Option<Vec<Spanned<T>>>),
    ) -> Self {
        match list {
            Some(items) => Self { source, items },
            None => Self { source: embedded, items: fallback.unwrap_or_default() },
        }
    }

    /// The items, at their places no more.
    pub(super) fn into_items(self) -> Vec<T> {
        self.items.into_iter().map(Spanned::into_inner).collect()
    }

    fn values(&self) -> impl Iterator<Item = &T> {
        self.items.iter().map(Spanned::get_ref)
    }
}

/// The lists of a configuration.
pub(super) struct Lists<'s> {
    pub(super) listeners: Listed<'s, ListenerConfig>,
    pub(super) authorities: Listed<'s, AuthorityConfig>,
    pub(super) profiles: Listed<'s, ProfileConfig>,
    pub(super) endpoints: Listed<'s, EndpointConfig>,
}

/// Everything, in the order in which a reader would look.
pub(super) fn check(lists: &Lists<'_>) -> Result<(), ConfigError> {
    listeners(lists)?;
    authorities(lists)?;
    let source = lists.profiles.source;
    names(
        source,
        "profile",
        lists.profiles.items.iter().map(|profile| (profile.span().start, profile.get_ref().name.as_str())),
    )?;
    for profile in &lists.profiles.items {
        if find_authority(lists, profile.get_ref().authority.get_ref()).is_none() {
            return Err(unknown(source, &profile.get_ref().authority, "authority", &authority_names(lists)));
        }
        if profile.get_ref().key_types.is_empty() || profile.get_ref().ekus.is_empty() {
            return Err(source.error_at(profile.span().start, "a profile needs at least one of key_types and one of ekus"));
        }
    }
    endpoints(lists)
}

fn listeners(lists: &Lists<'_>) -> Result<(), ConfigError> {
    let source = lists.listeners.source;
    let needs_url = lists.authorities.values().find(|authority| authority.public_url.is_none());
    for listener in &lists.listeners.items {
        let at = listener.span().start;
        let listener = listener.get_ref();
        if listener.serves.is_empty() {
            return Err(
                source.error_at(at, "the listener serves nothing: serves is a list of est, acme, scep, ocsp, crl, ca, ops")
            );
        }
        if listener.serves.contains(&Family::Est) && !listener.tls {
            return Err(source.error_at(at, "EST is served over TLS only (RFC 7030 §3.3): set tls = true"));
        }
        if listener.serves.contains(&Family::Acme) && !listener.tls {
            return Err(source.error_at(at, "ACME is served over TLS only (RFC 8555 §6.1): set tls = true"));
        }
        let is_public = !listener.bind.ip().is_loopback() && listener.serves != [Family::Ops];
        if let Some(authority) = needs_url.filter(|_| is_public) {
            let message = format!(
                "{} is not a loopback address, and authority \"{}\" has no public_url: its certificates would name an address that \
                 nobody else can reach. Set public_url there, or start with --public-url URL",
                listener.bind, authority.name
            );
            return Err(source.error_at(at, message));
        }
    }
    Ok(())
}

fn authorities(lists: &Lists<'_>) -> Result<(), ConfigError> {
    let source = lists.authorities.source;
    names(source, "authority", lists.authorities.items.iter().map(|one| (one.span().start, one.get_ref().name.as_str())))?;
    for authority in &lists.authorities.items {
        if let Some(fault) =
            authority.get_ref().crl.fault().or_else(|| authority.get_ref().ocsp.fault(authority.get_ref().external))
        {
            return Err(source.error_at(authority.span().start, fault));
        }
        if let Some(issuer) = authority.get_ref().issuer.as_ref().filter(|_| authority.get_ref().external) {
            let message = "external = true has a CA outside of this gateway sign the authority's certificate, and issuer one in it: leave out one";
            return Err(source.error_at(issuer.span().start, message));
        }
        let mut issuer = authority.get_ref().issuer.as_ref();
        let mut passed = BTreeSet::from([authority.get_ref().name.as_str()]);
        while let Some(name) = issuer {
            let Some(next) = find_authority(lists, name.get_ref()) else {
                return Err(unknown(source, name, "authority", &authority_names(lists)));
            };
            if next.external {
                let message = format!("authority \"{}\" is signed outside and signs no other authority", next.name);
                return Err(source.error_at(name.span().start, message));
            }
            if !passed.insert(&next.name) {
                return Err(source.error_at(
                    name.span().start,
                    "the issuers of this authority form a circle: one of them is a root, without issuer",
                ));
            }
            issuer = next.issuer.as_ref();
        }
        // An issuing CA is made with pathLenConstraint 0 (RFC 5280 §4.2.1.9): nothing that it signs can be a CA.
        if passed.len() > 2 {
            let message = "an authority's issuer must be a root: chains of more than two authorities are not made yet";
            return Err(source.error_at(authority.span().start, message));
        }
    }
    Ok(())
}

fn endpoints(lists: &Lists<'_>) -> Result<(), ConfigError> {
    let source = lists.endpoints.source;
    for endpoint in &lists.endpoints.items {
        let at = endpoint.span().start;
        let endpoint = endpoint.get_ref();
        let Some(profile) = lists.profiles.values().find(|profile| profile.name == *endpoint.profile.get_ref()) else {
            let known: Vec<&str> = lists.profiles.items.iter().map(|profile| profile.get_ref().name.as_str()).collect();
            return Err(unknown(source, &endpoint.profile, "profile", &known));
        };
        if let Some(key) = endpoint.misplaced_key() {
            let message = format!("{key} says nothing at an endpoint of {}: leave it out", endpoint.protocol.name());
            return Err(source.error_at_key(at, key, message));
        }
        let fault = match endpoint.protocol {
            ProtocolName::Est => est_fault(endpoint, profile, lists),
            ProtocolName::Scep => scep_fault(endpoint),
            ProtocolName::Acme => acme_fault(endpoint),
        };
        if let Some(fault) = fault {
            // It begins with the key that is to blame, if there is one.
            let key = fault.split(' ').next().unwrap_or_default();
            return Err(source.error_at_key(at, key, &*fault));
        }
    }
    for protocol in ProtocolName::ALL {
        let of_protocol = lists.endpoints.items.iter().filter(|endpoint| endpoint.get_ref().protocol == protocol);
        names(source, "endpoint", of_protocol.map(|endpoint| (endpoint.span().start, endpoint.get_ref().name.as_str())))?;
    }
    Ok(())
}

/// What is wrong with an endpoint of EST.
fn est_fault(endpoint: &EndpointConfig, profile: &ProfileConfig, lists: &Lists<'_>) -> Option<String> {
    if Label::parse(&endpoint.name).is_none() {
        return Some(format!(
            "\"{}\" cannot be the name of an EST endpoint: 1 to 64 letters, digits, `-`, `.`, `_` or `~`, and none of the \
             operations of EST (RFC 7030 §3.2.2)",
            endpoint.name
        ));
    }
    let asks =
        |listener: &ListenerConfig| listener.serves.contains(&Family::Est) && listener.client_cert == ClientCert::Optional;
    let is_by_certificate = endpoint.auth() == [AuthMethod::Mtls];
    let fault = if endpoint.auth().is_empty() {
        "auth is empty: nobody could enroll. Leave it out for [\"basic\", \"mtls\"]"
    } else if is_by_certificate && !profile.issues_client_certificates() {
        "auth is [\"mtls\"] alone, and the profile issues nothing that a client could show: add clientAuth to its ekus"
    } else if is_by_certificate && !lists.listeners.values().any(asks) {
        "auth is [\"mtls\"] alone, and no listener that serves est asks for a certificate: set client_cert = \"optional\""
    } else if !endpoint.base64_line_length().is_multiple_of(4) {
        "base64_line_length is a multiple of 4, or 0 for one line"
    } else {
        return None;
    };
    Some(fault.to_owned())
}

/// What is wrong with an endpoint of SCEP.
fn scep_fault(endpoint: &EndpointConfig) -> Option<String> {
    let is_rsa = matches!(endpoint.ra_key().key_type(), KeyType::Rsa { .. });
    (!is_rsa).then(|| "ra_key is rsa2048, rsa3072 or rsa4096: clients of SCEP encrypt to RSA keys (RFC 8894 §3.1)".to_owned())
}

/// What is wrong with an endpoint of ACME.
fn acme_fault(endpoint: &EndpointConfig) -> Option<String> {
    if Segment::parse(&endpoint.name).is_none() {
        return Some(format!(
            "\"{}\" cannot be the name of an ACME endpoint: 1 to 64 letters, digits, `_` or `-`",
            endpoint.name
        ));
    }
    let is_plain = endpoint.public_url().is_some_and(|url| !url.is_https());
    is_plain.then(|| "public_url of an ACME endpoint begins with https (RFC 8555 §6.1)".to_owned())
}

/// Names are not repeated, and can stand in a URL and a file's name.
fn names<'n>(source: &Source, kind: &str, named: impl Iterator<Item = (usize, &'n str)>) -> Result<(), ConfigError> {
    let mut seen = BTreeSet::new();
    for (at, name) in named {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(good) || name.starts_with('.') {
            let message = format!("\"{name}\" cannot be the name of an {kind}: 1 to 64 letters, digits, `-`, `_`, `~` or `.`");
            return Err(source.error_at(at, message.replace("an profile", "a profile")));
        }
        if !seen.insert(name) {
            return Err(source.error_at(at, format!("{kind} \"{name}\" is there twice: each has a name of its own")));
        }
    }
    Ok(())
}

fn find_authority<'l>(lists: &'l Lists<'_>, name: &str) -> Option<&'l AuthorityConfig> {
    lists.authorities.values().find(|authority| authority.name == name)
}

fn authority_names<'l>(lists: &'l Lists<'_>) -> Vec<&'l str> {
    lists.authorities.items.iter().map(|authority| authority.get_ref().name.as_str()).collect()
}

fn unknown(source: &Source, name: &Spanned<String>, kind: &str, known: &[&str]) -> ConfigError {
    let message = format!("there is no {kind} \"{}\" (there are: {})", name.get_ref(), known.join(", "));
    source.error_at(name.span().start, message)
}

/// Issuers before what they have issued; [`check`] has made sure that there is such an order.
pub(super) fn issuers_first(authorities: Vec<AuthorityConfig>) -> Vec<AuthorityConfig> {
    let (roots, others): (Vec<_>, Vec<_>) = authorities.into_iter().partition(|authority| authority.issuer.is_none());
    roots.into_iter().chain(others).collect()
}
