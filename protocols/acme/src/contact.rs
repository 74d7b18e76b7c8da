//! Contacts of accounts: `mailto` URLs (RFC 8555 §7.3, RFC 6068).

use certgate_pki::DnsName;
use serde::{Serialize, Serializer};

use crate::error::RequestError;

/// Longest contact, in octets.
pub const MAX_CONTACT: usize = 320;

/// Longest part of an address before its `@`, in octets (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

/// A `mailto` URL of one address, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contact(String);

impl Contact {
    /// Reads a contact. RFC 8555 §7.3: no "hfields", and no "more than one "addr-spec" in the "to" component". The address is one of plain
    /// ASCII: no quotes, no comments, nothing percent-encoded.
    ///
    /// # Errors
    /// [`RequestError::UnsupportedContact`] for another scheme, [`RequestError::InvalidContact`].
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let invalid = |why| Err(RequestError::InvalidContact(why));
        if text.len() > MAX_CONTACT {
            return invalid("it is longer than 320 octets");
        }
        let (scheme, to) = match text.split_once(':') {
            Some((scheme, to)) if is_scheme(scheme) => (scheme, to),
            _ => return invalid("it is not a URL"),
        };
        // RFC 3986 §3.1: schemes are case-insensitive.
        if !scheme.eq_ignore_ascii_case("mailto") {
            return Err(RequestError::UnsupportedContact);
        }
        if to.contains('?') {
            return invalid("it has header fields");
        }
        if to.contains(',') {
            return invalid("it has more than one address");
        }
        match to.split_once('@') {
            Some((local_part, domain)) if is_local_part(local_part) && is_domain(domain) => Ok(Self(text.to_owned())),
            _ => invalid("it has no address of the form local-part@domain, in ASCII and without percent-encoding"),
        }
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Contact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// RFC 3986 §3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
}

/// dot-atom of RFC 5322 §3.2.3, but for `%`, and for what only a client's mistake puts there: `?`, `/`.
fn is_local_part(text: &str) -> bool {
    let is_atext = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$&'*+-=^_`{|}~".contains(&octet);
    text.len() <= MAX_LOCAL_PART && text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

fn is_domain(text: &str) -> bool {
    DnsName::parse(text).is_ok_and(|name| !name.is_wildcard())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailto_urls_of_one_address() {
        for good in ["mailto:cert-admin@example.org", "MailTo:a.b+c_d@Example.org", "mailto:x@localhost"] {
            assert_eq!(Contact::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn other_schemes_are_unsupported() {
        for other in ["tel:+12025551212", "https://example.org/", "mailtoo:a@example.org", "x:"] {
            assert_eq!(Contact::parse(other), Err(RequestError::UnsupportedContact), "{other}");
        }
    }

    #[test]
    fn what_is_no_good_address_is_invalid() {
        let long = format!("mailto:{}@example.org", "a".repeat(65));
        for wrong in [
            "",
            "mailto",
            "admin@example.org",
            ":admin@example.org",
            "ma ilto:a@example.org",
            "mailto:",
            "mailto:a@example.org,b@example.org",
            "mailto:a@example.org?subject=x",
            "mailto:?to=a@example.org",
            "mailto:a%40example.org",
            "mailto:a%2Cb@example.org",
            "mailto:@example.org",
            "mailto:a@",
            "mailto:a@b@example.org",
            "mailto:a..b@example.org",
            "mailto:.a@example.org",
            "mailto:\"a b\"@example.org",
            "mailto:a@*.example.org",
            "mailto:a@example.org.",
            "mailto:a@192.0.2.1",
            "mailto:a@exämple.org",
            "mailto:ä@example.org",
            "mailto://a@example.org",
            "mailto:a@example.org\n",
            &long,
        ] {
            assert!(matches!(Contact::parse(wrong), Err(RequestError::InvalidContact(_))), "{wrong:?}");
        }
    }
}
