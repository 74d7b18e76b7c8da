//! The names that a principal may have.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use certgate_pki::{DnsName, GeneralName, Name, NameAttributeType};
use ipnet::IpNet;

/// Longest pattern, in octets.
const MAX_PATTERN: usize = 256;

/// A pattern of names that a credential grants, as `--allow` takes it.
///
/// | pattern | grants |
/// |---|---|
/// | `dns:GLOB` | dNSNames; `*` stands for any characters within one label; letter case does not matter; never a wildcard name |
/// | `ip:CIDR` | iPAddresses in the network; a bare address grants itself |
/// | `cn:GLOB` | common names; `*` stands for any characters; letter case matters |
/// | `any` | whatever the profile permits, but for wildcard names |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamePattern {
    /// dNSNames.
    Dns(String),
    /// iPAddresses.
    Ip(IpNet),
    /// Common names.
    CommonName(String),
    /// All of these.
    Any,
}

/// The text is no pattern; says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// No known prefix.
    #[error("a name pattern is dns:GLOB, ip:CIDR, cn:GLOB or any")]
    UnknownKind,
    /// After `ip:` stands no network.
    #[error("after `ip:` an address or a network like 192.0.2.0/24 is expected, with no bits beyond its prefix")]
    BadNetwork,
    /// Empty, too long, or with characters that no such name can have.
    #[error("the glob is empty, longer than {MAX_PATTERN} octets, or has characters that no such name can have")]
    BadGlob,
}

impl NamePattern {
    /// What a credential grants when nothing else was said: its own name, as common name and, where it is a host name, as dNSName.
    #[must_use]
    pub fn of_principal(name: &str) -> Vec<Self> {
        let dns = DnsName::parse(name).ok().filter(|name| !name.is_wildcard()).map(|name| Self::Dns(name.to_string()));
        // A name that contains `*` would become a glob: it grants nothing beyond what an operator states.
        let common_name = (!name.contains('*')).then(|| Self::CommonName(name.to_owned()));
        common_name.into_iter().chain(dns).collect()
    }

    /// What whoever controls a name may have: that name, and a host name as common name too.
    #[must_use]
    pub fn of_name(name: &GeneralName) -> Vec<Self> {
        match name {
            GeneralName::Dns(name) => Self::of_principal(name.as_str()),
            GeneralName::Ip(address) => vec![Self::Ip(IpNet::from(*address))],
            _ => Vec::new(),
        }
    }

    /// What a certificate grants to its holder: the names in it.
    #[must_use]
    pub fn of_certificate(subject: &Name, subject_alt_names: &[GeneralName]) -> Vec<Self> {
        let common_names = subject.attributes().iter().filter(|attribute| attribute.kind == NameAttributeType::CommonName);
        // As above: `*` in a name is no glob that an operator has written.
        let common_names = common_names.filter(|attribute| !attribute.value.contains('*'));
        let common_names = common_names.map(|attribute| Self::CommonName(attribute.value.clone()));
        let others = subject_alt_names.iter().filter_map(|name| match name {
            GeneralName::Dns(name) if !name.is_wildcard() => Some(Self::Dns(name.to_string())),
            GeneralName::Ip(address) => Some(Self::Ip(IpNet::from(*address))),
            _ => None,
        });
        common_names.chain(others).collect()
    }

    /// Is this common name granted?
    #[must_use]
    pub fn grants_common_name(&self, name: &str) -> bool {
        match self {
            Self::CommonName(glob) => glob_matches(glob, name, None),
            Self::Any => true,
            Self::Dns(_) | Self::Ip(_) => false,
        }
    }

    /// Is this alternative name granted?
    #[must_use]
    pub fn grants(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(glob), GeneralName::Dns(name)) => !name.is_wildcard() && glob_matches(glob, name.as_str(), Some('.')),
            (Self::Ip(network), GeneralName::Ip(address)) => network.contains(address),
            (Self::Any, GeneralName::Dns(name)) => !name.is_wildcard(),
            (Self::Any, GeneralName::Ip(_)) => true,
            _ => false,
        }
    }
}

impl FromStr for NamePattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let (kind, pattern) = text.split_once(':').ok_or(InvalidPattern::UnknownKind)?;
        if pattern.is_empty() || pattern.len() > MAX_PATTERN || pattern.chars().any(char::is_control) {
            return Err(InvalidPattern::BadGlob);
        }
        match kind {
            "dns" if pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.*".contains(&byte)) => {
                Ok(Self::Dns(pattern.to_ascii_lowercase()))
            }
            "dns" => Err(InvalidPattern::BadGlob),
            "cn" => Ok(Self::CommonName(pattern.to_owned())),
            "ip" => pattern
                .parse::<IpNet>()
                .or_else(|_| pattern.parse::<IpAddr>().map(IpNet::from))
                .ok()
                // Bits beyond the prefix are a slip: did the operator mean the host or the network?
                .filter(|network| network.trunc() == *network)
                .map(Self::Ip)
                .ok_or(InvalidPattern::BadNetwork),
            _ => Err(InvalidPattern::UnknownKind),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(glob) => write!(f, "dns:{glob}"),
            Self::Ip(network) => write!(f, "ip:{network}"),
            Self::CommonName(glob) => write!(f, "cn:{glob}"),
            Self::Any => f.write_str("any"),
        }
    }
}

/// Does `text` match `glob`, where `*` stands for any run of characters without `barrier`? Linear in the product of the lengths, by
/// the usual two-pointer walk: on a mismatch the last star takes one character more.
fn glob_matches(glob: &str, text: &str, barrier: Option<char>) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (glob.get(g), text.get(t)) {
            (Some('*'), _) => {
                star = Some((g, t));
                g += 1;
            }
            (Some(expected), Some(actual)) if expected == actual => {
                g += 1;
                t += 1;
            }
            _ => match star {
                Some((star_g, star_t)) if text.get(star_t).copied() != barrier || barrier.is_none() => {
                    star = Some((star_g, star_t + 1));
                    g = star_g + 1;
                    t = star_t + 1;
                }
                _ => return false,
            },
        }
    }
    glob.get(g..).unwrap_or_default().iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(name: &str) -> GeneralName {
        GeneralName::Dns(DnsName::parse(name).unwrap())
    }

    #[test]
    fn a_star_in_a_dns_pattern_stays_in_its_label() {
        let pattern: NamePattern = "dns:node-*.Fleet.example".parse().unwrap();
        assert!(pattern.grants(&dns("NODE-1.fleet.example")));
        assert!(pattern.grants(&dns("node-abc.fleet.example")));
        for bad in ["node-1.x.fleet.example", "fleet.example", "node-1.fleet.example.org", "anode-1.fleet.example"] {
            assert!(!pattern.grants(&dns(bad)), "{bad}");
        }
        let whole: NamePattern = "dns:*.example".parse().unwrap();
        assert!(whole.grants(&dns("a.example")) && !whole.grants(&dns("a.b.example")));
        assert!(!whole.grants(&dns("*.example")), "a pattern never grants a wildcard name");
    }

    #[test]
    fn addresses_and_common_names() {
        let pattern: NamePattern = "ip:192.0.2.0/24".parse().unwrap();
        assert!(pattern.grants(&GeneralName::Ip("192.0.2.7".parse().unwrap())));
        assert!(!pattern.grants(&GeneralName::Ip("192.0.3.7".parse().unwrap())));
        let pattern: NamePattern = "cn:Router *".parse().unwrap();
        assert!(pattern.grants_common_name("Router 7 in rack a.b") && !pattern.grants_common_name("router 7"));
    }

    #[test]
    fn any_grants_all_but_wildcards() {
        let any: NamePattern = "any".parse().unwrap();
        assert_eq!(any.to_string(), "any");
        assert!(any.grants(&dns("a.b.example")) && any.grants(&GeneralName::Ip("2001:db8::1".parse().unwrap())));
        assert!(any.grants_common_name("whatever it is") && !any.grants(&dns("*.example")));
    }

    #[test]
    fn a_principal_may_have_its_own_name_and_no_other() {
        let grants = NamePattern::of_principal("first-device");
        assert!(grants.iter().any(|grant| grant.grants_common_name("first-device")));
        assert!(grants.iter().any(|grant| grant.grants(&dns("first-device"))));
        assert!(!grants.iter().any(|grant| grant.grants_common_name("first-device2")));
        assert!(NamePattern::of_principal("*").is_empty());
    }

    #[test]
    fn what_is_no_pattern() {
        for wrong in ["", "a", "any:", "Any", "ip:192.0.2.7/24", "dns:", "dns:a_b", "ip:x", "cn:", "email:a@b", "cn:a\nb"] {
            assert!(wrong.parse::<NamePattern>().is_err(), "{wrong:?}");
        }
    }
}
