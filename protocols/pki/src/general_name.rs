//! The names of a subjectAltName (RFC 5280 §4.2.1.6).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::asn1::{DerReader, DerWriter, Tlv, tag};
use crate::limits::MAX_GENERAL_NAMES;

/// The text is no host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a host name of letters, digits and hyphens (RFC 1034 §3.5, RFC 1123 §2.1)")]
pub struct InvalidDnsName;

/// A host name in "preferred name syntax" (RFC 5280 §4.2.1.6), lowercase, perhaps with a leftmost wildcard label (RFC 6125 §6.4.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// Checks labels (1 to 63 letters, digits, hyphens, no hyphen at the edges) and the whole length (253).
    ///
    /// # Errors
    /// [`InvalidDnsName`].
    pub fn parse(text: &str) -> Result<Self, InvalidDnsName> {
        let host = text.strip_prefix("*.").unwrap_or(text);
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // An all-numeric last label would read as an IPv4 address.
        let numeric = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if text.len() > 253 || !host.split('.').all(label) || numeric {
            return Err(InvalidDnsName);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does it start with `*.`?
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A GeneralName.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GeneralName {
    /// dNSName [2].
    Dns(DnsName),
    /// iPAddress [7]: four or sixteen octets.
    Ip(IpAddr),
    /// rfc822Name [1].
    Email(String),
    /// uniformResourceIdentifier [6].
    Uri(String),
    /// Any other form, or one of the above with contents that are not well formed: the whole value, DER. Never issued.
    Other(Vec<u8>),
}

impl GeneralName {
    pub(crate) fn read(tlv: Tlv<'_>) -> Self {
        let text =
            std::str::from_utf8(tlv.value).ok().filter(|text| text.is_ascii() && !text.bytes().any(|b| b.is_ascii_control()));
        let read = match tlv.tag {
            0x82 => text.and_then(|text| DnsName::parse(text).ok()).map(Self::Dns),
            0x81 => text.filter(|text| text.contains('@')).map(|text| Self::Email(text.to_owned())),
            0x86 => text.filter(|text| text.contains(':')).map(|text| Self::Uri(text.to_owned())),
            0x87 => read_ip(tlv.value).map(Self::Ip),
            _ => None,
        };
        read.unwrap_or_else(|| Self::Other(tlv.raw.to_vec()))
    }

    /// Writes the GeneralName, IMPLICIT tags as RFC 5280 Appendix A.2 has them.
    pub fn write(&self, writer: &mut DerWriter) {
        match self {
            Self::Dns(name) => writer.tlv(tag::context(2), name.as_str().as_bytes()),
            Self::Ip(IpAddr::V4(address)) => writer.tlv(tag::context(7), &address.octets()),
            Self::Ip(IpAddr::V6(address)) => writer.tlv(tag::context(7), &address.octets()),
            Self::Email(address) => writer.tlv(tag::context(1), address.as_bytes()),
            Self::Uri(uri) => writer.tlv(tag::context(6), uri.as_bytes()),
            Self::Other(der) => writer.raw(der),
        };
    }

    /// Reads GeneralNames: SEQUENCE SIZE (1..MAX).
    ///
    /// # Errors
    /// When it is malformed, empty, or longer than [`MAX_GENERAL_NAMES`].
    pub(crate) fn read_sequence(der: &[u8]) -> der::Result<Vec<Self>> {
        let sequence = Tlv::only(der)?;
        if sequence.tag == tag::SEQUENCE { Self::read_contents(sequence.value) } else { Err(der::ErrorKind::Failed.into()) }
    }

    /// Reads what is in GeneralNames.
    ///
    /// # Errors
    /// As [`Self::read_sequence`].
    pub(crate) fn read_contents(contents: &[u8]) -> der::Result<Vec<Self>> {
        let mut reader = DerReader::new(contents)?;
        let mut names = Vec::new();
        while !reader.is_finished() && names.len() < MAX_GENERAL_NAMES {
            let name = reader.any()?;
            // GeneralName is a CHOICE of context-specific tags; anything else would read differently where it is written again.
            if name.tag & 0xc0 != 0x80 {
                return Err(der::ErrorKind::Failed.into());
            }
            names.push(Self::read(name));
        }
        reader.finish()?;
        if names.is_empty() { Err(der::ErrorKind::Failed.into()) } else { Ok(names) }
    }
}

fn read_ip(octets: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(octets)
        .map(|octets| Ipv4Addr::from(octets).into())
        .or_else(|_| <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).into()))
        .ok()
}

/// `dns:a.example`, `ip:192.0.2.1`, `email:a@example`, `uri:urn:x`; `other` for the rest.
impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{name}"),
            Self::Ip(address) => write!(f, "ip:{address}"),
            Self::Email(address) => write!(f, "email:{address}"),
            Self::Uri(uri) => write!(f, "uri:{uri}"),
            Self::Other(_) => f.write_str("other"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names() {
        for good in ["a", "A.example", "*.example.com", "xn--bcher-kva.example", "1a.example"] {
            assert!(DnsName::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "*", "a.*.b", "**.a", "192.0.2.1", "a b", "é.example", "a\0b"]
        {
            assert!(DnsName::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(DnsName::parse("A.Example").unwrap().as_str(), "a.example");
    }

    #[test]
    fn ill_formed_names_are_kept_as_other() {
        let der = [0x30, 0x06, 0x82, 0x01, b'_', 0x87, 0x01, 0x7f];
        assert!(GeneralName::read_sequence(&der).unwrap().iter().all(|name| matches!(name, GeneralName::Other(_))));
        assert!(GeneralName::read_sequence(&[0x30, 0x00]).is_err());
    }
}
