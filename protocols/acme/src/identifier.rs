//! Identifiers: `dns` (RFC 8555 §7.1.4) and `ip` (RFC 8738 §3).

use std::net::IpAddr;

use certgate_pki::{DnsName, GeneralName};
use serde::{Serialize, Serializer};

use crate::error::IdentifierFault;
use crate::problem::ErrorType;
use crate::punycode;

/// An identifier as JSON has it: of any type, with any value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct IdentifierObject {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `value`.
    pub value: String,
}

/// What a certificate may be ordered for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identifier {
    /// `dns`: a host name in lower case, or `*.` and one; see [`DnsName::is_wildcard`].
    Dns(DnsName),
    /// `ip`: an address.
    Ip(IpAddr),
}

impl Identifier {
    /// Reads an identifier. Letters of a `dns` name become lower-case; an address must be written as RFC 8738 §3 has it.
    ///
    /// # Errors
    /// [`IdentifierFault`], of type `unsupportedIdentifier` or `malformed`.
    pub fn parse(object: IdentifierObject) -> Result<Self, IdentifierFault> {
        let read = match object.kind.as_str() {
            "dns" => dns(&object.value).map(Self::Dns),
            "ip" => ip(&object.value).map(Self::Ip),
            _ => {
                let detail = "identifiers of this type are not supported; those of type dns and ip are";
                return Err(IdentifierFault { kind: ErrorType::UnsupportedIdentifier, detail, identifier: object });
            }
        };
        read.map_err(|detail| IdentifierFault { kind: ErrorType::Malformed, detail, identifier: object })
    }

    /// `dns` or `ip`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "dns",
            Self::Ip(_) => "ip",
        }
    }

    /// The value, in its one spelling.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Dns(name) => name.as_str().to_owned(),
            Self::Ip(address) => address.to_string(),
        }
    }

    /// Is it a wildcard domain name (RFC 8555 §7.1.3)?
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Dns(name) if name.is_wildcard())
    }

    /// What an authorization for it names. RFC 8555 §7.1.3: it "MUST NOT include the asterisk and full stop ("*.") prefix".
    #[must_use]
    pub fn authorized(&self) -> Self {
        let base = match self {
            Self::Dns(name) => name.as_str().strip_prefix("*.").and_then(|base| DnsName::parse(base).ok()),
            Self::Ip(_) => None,
        };
        base.map_or_else(|| self.clone(), Self::Dns)
    }

    /// The name that a certificate has for it.
    #[must_use]
    pub fn general_name(&self) -> GeneralName {
        match self {
            Self::Dns(name) => GeneralName::Dns(name.clone()),
            Self::Ip(address) => GeneralName::Ip(*address),
        }
    }
}

impl From<&Identifier> for IdentifierObject {
    fn from(identifier: &Identifier) -> Self {
        Self { kind: identifier.kind().to_owned(), value: identifier.value() }
    }
}

impl Serialize for Identifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        IdentifierObject::from(self).serialize(serializer)
    }
}

/// Reads a host name, or says what is wrong with it.
fn dns(value: &str) -> Result<DnsName, &'static str> {
    let host = value.strip_prefix("*.").unwrap_or(value);
    let last = host.rsplit('.').next().unwrap_or_default();
    if !value.is_ascii() {
        return Err("a dns name is in ASCII: labels in other scripts begin with xn--");
    }
    if value.parse::<IpAddr>().is_ok() || ends_in_a_number(last) {
        return Err("an address is no dns name: its type is ip (RFC 8738 §3)");
    }
    let name = DnsName::parse(value).map_err(|_| dns_fault(host))?;
    let mut labels = name.as_str().split('.');
    if labels.any(|label| label.strip_prefix("xn--").is_some_and(|punycode| !is_internationalized(punycode))) {
        return Err("a label that begins with xn-- is not properly encoded (RFC 8555 §7.1.4, RFC 3492)");
    }
    Ok(name)
}

/// What is wrong with a name that [`DnsName::parse`] refuses.
fn dns_fault(host: &str) -> &'static str {
    if host.is_empty() {
        "a dns name must not be empty"
    } else if host.ends_with('.') {
        "a dns name must not end with a full stop"
    } else if host.contains('_') {
        "a dns name must not have underscores"
    } else if host.contains('*') {
        "a wildcard is the whole leftmost label of a dns name"
    } else if host.len() > 253 || host.split('.').any(|label| label.len() > 63) {
        "a dns name has at most 253 octets, its labels have at most 63"
    } else {
        "a dns name has labels of letters, digits and hyphens, without hyphens at their edges"
    }
}

/// Would a resolver take the name for an IPv4 address in one of its older spellings, such as `127.1` or `0x7f000001`?
fn ends_in_a_number(last: &str) -> bool {
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_hexadecimal = hexadecimal.is_some_and(|digits| digits.bytes().all(|octet| octet.is_ascii_hexdigit()));
    is_hexadecimal || (!last.is_empty() && last.bytes().all(|octet| octet.is_ascii_digit()))
}

/// Does it stand for a label that needs encoding, of characters that a label can have? RFC 5891 §4.2.3.2 and the tables of RFC 5892 allow
/// less still.
fn is_internationalized(punycode: &str) -> bool {
    let possible = |character: &char| !character.is_control() && !character.is_whitespace() && !character.is_uppercase();
    punycode::decode(punycode)
        .is_some_and(|label| label.iter().all(possible) && label.iter().any(|character| !character.is_ascii()))
}

/// Reads an address. RFC 8738 §3: the form of RFC 1123 §2.1, which has no leading zeros here, or that of RFC 5952 §4, which is one for each
/// address.
fn ip(value: &str) -> Result<IpAddr, &'static str> {
    let address: IpAddr = value.parse().map_err(|_| "not an IPv4 address in dotted decimal form or an IPv6 address")?;
    if address.to_string() == value {
        Ok(address)
    } else {
        Err("an IPv6 address must be in the form of RFC 5952 §4 (RFC 8738 §3)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: &str, value: &str) -> Result<Identifier, IdentifierFault> {
        Identifier::parse(IdentifierObject { kind: kind.into(), value: value.into() })
    }

    #[test]
    fn names_in_lower_case() {
        for (sent, value, wildcard) in [
            ("www.Example.ORG", "www.example.org", false),
            ("*.example.org", "*.example.org", true),
            ("intranet", "intranet", false),
            ("XN--bcher-KVA.example", "xn--bcher-kva.example", false),
            ("1.2.3.4.example", "1.2.3.4.example", false),
            ("0x7f.example", "0x7f.example", false),
        ] {
            let identifier = parse("dns", sent).unwrap();
            assert_eq!((identifier.value().as_str(), identifier.is_wildcard()), (value, wildcard));
            assert_eq!(identifier.authorized().value(), value.trim_start_matches("*."));
        }
    }

    #[test]
    fn what_is_no_name_is_malformed() {
        let (label, long) = ("a".repeat(64), vec!["a"; 128].join("."));
        for wrong in [
            "",
            ".",
            "*.",
            "*",
            "a.",
            ".a",
            "a..b",
            "-a.example",
            "a-.example",
            "a_b.example",
            "a.*.example",
            "*a.example",
            "*.*.example",
            "192.0.2.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "a.0X1",
            "0x",
            "::1",
            "[::1]",
            "a b",
            "bücher.example",
            "a\0.example",
            "a.example:80",
            "xn--.example",
            "xn--bcher-.example",
            "xn--a-.example",
            "xn--bcher-kv_.example",
            "xn--99999999.example",
            &label,
            &long,
        ] {
            let fault = parse("dns", wrong).unwrap_err();
            assert_eq!((fault.kind, fault.identifier.value.as_str()), (ErrorType::Malformed, wrong));
        }
    }

    #[test]
    fn addresses_in_one_spelling() {
        for good in ["127.0.0.1", "::1", "2001:db8::1", "::ffff:192.0.2.1", "::", "2001:db8:0:1:1:1:1:1"] {
            assert_eq!(parse("ip", good).unwrap().value(), good);
        }
        for wrong in [
            "2001:DB8::1",
            "2001:0db8::1",
            "2001:db8:0:0::1",
            "::0001",
            "010.0.0.1",
            "127.1",
            "1.2.3",
            "1.2.3.4 ",
            "[::1]",
            "fe80::1%eth0",
            "fe80::1%1",
            "",
            "example.org",
            "192.0.2.0/24",
            "::ffff:c000:201",
            "2001:db8::1:1:1:1:1",
        ] {
            assert_eq!(parse("ip", wrong).map_err(|fault| fault.kind), Err(ErrorType::Malformed), "{wrong}");
        }
    }

    #[test]
    fn other_types_are_unsupported() {
        for other in ["DNS", "email", "", "permanent-identifier"] {
            assert_eq!(parse(other, "a").map_err(|fault| fault.kind), Err(ErrorType::UnsupportedIdentifier), "{other}");
        }
    }
}
