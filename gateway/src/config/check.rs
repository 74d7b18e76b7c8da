//! What no single key tells: names that are referred to exist, lists make sense together.

use std::collections::BTreeSet;

use certgate_est::Label;
use toml::Spanned;

use super::endpoint::ProtocolName;
use super::{AuthorityConfig, ConfigError, EndpointConfig, Family, ListenerConfig, ProfileConfig, Source};

/// The lists of a configuration, each item with its place.
pub(super) struct Lists {
    pub(super) listeners: Vec<Spanned<ListenerConfig>>,
    pub(super) authorities: Vec<Spanned<AuthorityConfig>>,
    pub(super) profiles: Vec<Spanned<ProfileConfig>>,
    pub(super) endpoints: Vec<Spanned<EndpointConfig>>,
}

/// Everything, in the order in which a reader would look.
pub(super) fn check(source: &Source, lists: &Lists) -> Result<(), ConfigError> {
    listeners(source, lists)?;
    authorities(source, lists)?;
    names(source, "profile", lists.profiles.iter().map(|profile| (profile.span().start, profile.get_ref().name.as_str())))?;
    for profile in &lists.profiles {
        if find_authority(lists, profile.get_ref().authority.get_ref()).is_none() {
            return Err(unknown(source, &profile.get_ref().authority, "authority", &authority_names(lists)));
        }
        if profile.get_ref().key_types.is_empty() || profile.get_ref().ekus.is_empty() {
            return Err(source.error_at(profile.span().start, "a profile needs at least one of key_types and one of ekus"));
        }
    }
    endpoints(source, lists)
}

fn listeners(source: &Source, lists: &Lists) -> Result<(), ConfigError> {
    let needs_url = lists.authorities.iter().map(Spanned::get_ref).find(|authority| authority.public_url.is_none());
    for listener in &lists.listeners {
        let at = listener.span().start;
        let listener = listener.get_ref();
        if listener.serves.is_empty() {
            return Err(source.error_at(at, "the listener serves nothing: serves is a list of est, ca, ops"));
        }
        if listener.serves.contains(&Family::Est) && !listener.tls {
            return Err(source.error_at(at, "EST is served over TLS only (RFC 7030 §3.3): set tls = true"));
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

fn authorities(source: &Source, lists: &Lists) -> Result<(), ConfigError> {
    names(source, "authority", lists.authorities.iter().map(|one| (one.span().start, one.get_ref().name.as_str())))?;
    for authority in &lists.authorities {
        let mut issuer = authority.get_ref().issuer.as_ref();
        let mut passed = BTreeSet::from([authority.get_ref().name.as_str()]);
        while let Some(name) = issuer {
            let Some(next) = find_authority(lists, name.get_ref()) else {
                return Err(unknown(source, name, "authority", &authority_names(lists)));
            };
            if !passed.insert(&next.name) {
                return Err(source.error_at(name.span().start, "the issuers of this authority form a circle"));
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

fn endpoints(source: &Source, lists: &Lists) -> Result<(), ConfigError> {
    for endpoint in &lists.endpoints {
        let at = endpoint.span().start;
        let endpoint = endpoint.get_ref();
        let ProtocolName::Est = endpoint.protocol;
        if Label::parse(&endpoint.name).is_none() {
            let message = format!(
                "\"{}\" cannot be the name of an EST endpoint: 1 to 64 letters, digits, `-`, `.`, `_` or `~`, and none of the \
                 operations of EST (RFC 7030 §3.2.2)",
                endpoint.name
            );
            return Err(source.error_at(at, message));
        }
        if endpoint.auth.is_empty() {
            return Err(source.error_at(at, "auth is empty: nobody could enroll. Leave it out for [\"basic\"]"));
        }
        if !lists.profiles.iter().any(|profile| profile.get_ref().name == *endpoint.profile.get_ref()) {
            let known: Vec<&str> = lists.profiles.iter().map(|profile| profile.get_ref().name.as_str()).collect();
            return Err(unknown(source, &endpoint.profile, "profile", &known));
        }
        if endpoint.base64_line_length % 4 != 0 {
            return Err(source.error_at(at, "base64_line_length is a multiple of 4, or 0 for one line"));
        }
    }
    let named = lists.endpoints.iter().map(|endpoint| (endpoint.span().start, endpoint.get_ref().name.as_str()));
    names(source, "endpoint", named)
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
            return Err(source.error_at(at, format!("{kind} \"{name}\" is there twice")));
        }
    }
    Ok(())
}

fn find_authority<'l>(lists: &'l Lists, name: &str) -> Option<&'l AuthorityConfig> {
    lists.authorities.iter().map(Spanned::get_ref).find(|authority| authority.name == name)
}

fn authority_names(lists: &Lists) -> Vec<&str> {
    lists.authorities.iter().map(|authority| authority.get_ref().name.as_str()).collect()
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
