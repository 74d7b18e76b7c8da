//! Names: distinguished (RFC 5280 §4.1.2.4, Appendix A) and alternative (§4.2.1.6).

use const_oid::ObjectIdentifier;

use crate::{
    asn1::{Element, tag},
    certificate::{Certificate, extension},
    csr::attribute,
};

/// `dnQualifier`, `emailAddress` and `domainComponent`, whose types RFC 5280 Appendix A fixes.
const DN_QUALIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.46");
const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");
const DOMAIN_COMPONENT: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.25");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const ORGANIZATIONAL_UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");

pub(super) fn directory_strings(certificate: &Certificate, _: Option<&Certificate>) -> Result<(), String> {
    for name in [&certificate.issuer, &certificate.subject] {
        for step in name.elements() {
            if step.tag != tag::SET || step.elements().is_empty() {
                return Err("a RelativeDistinguishedName that is no SET SIZE (1..MAX)".into());
            }
            step.elements().iter().try_for_each(one_attribute)?;
        }
    }
    Ok(())
}

fn one_attribute(pair: &Element) -> Result<(), String> {
    let [kind, value] = pair.elements() else { return Err("an AttributeTypeAndValue is a SEQUENCE of two".into()) };
    let oid = kind.oid().ok_or("an attribute without type")?;
    let length = std::str::from_utf8(value.octets()).map_err(|_| format!("{oid} is no text"))?.chars().count();
    match oid {
        // RFC 5280 Appendix A.1: "X520countryName ::= PrintableString (SIZE (2))".
        attribute::COUNTRY if value.tag == tag::PRINTABLE_STRING && length == 2 => Ok(()),
        attribute::COUNTRY => Err("C is no PrintableString of 2".into()),
        attribute::SERIAL_NUMBER | DN_QUALIFIER if value.tag == tag::PRINTABLE_STRING => bounded(oid, length, 64),
        attribute::SERIAL_NUMBER | DN_QUALIFIER => Err(format!("{oid} is no PrintableString")),
        EMAIL_ADDRESS | DOMAIN_COMPONENT if value.tag == tag::IA5_STRING => bounded(oid, length, 255),
        EMAIL_ADDRESS | DOMAIN_COMPONENT => Err(format!("{oid} is no IA5String")),
        // RFC 5280 §4.1.2.4: "CAs conforming to this profile MUST use either the PrintableString or UTF8String encoding of
        // DirectoryString".
        _ if !matches!(value.tag, tag::PRINTABLE_STRING | tag::UTF8_STRING) => {
            Err(format!("{oid} is neither PrintableString nor UTF8String"))
        }
        attribute::COMMON_NAME | ORGANIZATION | ORGANIZATIONAL_UNIT => bounded(oid, length, 64),
        attribute::LOCALITY | attribute::STATE => bounded(oid, length, 128),
        _ => bounded(oid, length, 32_768),
    }
}

/// RFC 5280 Appendix A.1, "Upper Bounds".
fn bounded(oid: ObjectIdentifier, length: usize, limit: usize) -> Result<(), String> {
    if (1..=limit).contains(&length) {
        Ok(())
    } else {
        Err(format!("{oid} of {length} characters, where 1 to {limit} are allowed"))
    }
}

pub(super) fn alternative_names(certificate: &Certificate, _: Option<&Certificate>) -> Result<(), String> {
    let Some(names) = certificate.extension(extension::SUBJECT_ALT_NAME) else { return Ok(()) };
    let names = names.element().map_err(|fault| fault.0)?;
    // RFC 5280 §4.2.1.6: "If the subjectAltName extension is present, the sequence MUST contain at least one entry."
    if names.tag != tag::SEQUENCE || names.elements().is_empty() {
        return Err("a subjectAltName without entries".into());
    }
    names.elements().iter().try_for_each(one_alternative_name)
}

fn one_alternative_name(name: &Element) -> Result<(), String> {
    let octets = name.octets();
    let text = || std::str::from_utf8(octets).ok().filter(|text| text.is_ascii() && !text.is_empty());
    match name.tag & 0x1f {
        // RFC 5280 §4.2.1.6: "the address MUST be stored in the rfc822Name. The format of an rfc822Name is a "Mailbox"".
        1 if text()
            .and_then(|text| text.split_once('@'))
            .is_some_and(|(local, host)| !local.is_empty() && is_host_name(host)) =>
        {
            Ok(())
        }
        // RFC 5280 §4.2.1.6: "The name MUST be in the "preferred name syntax"" of RFC 1034 §3.5; a wildcard as its first label is how
        // RFC 6125 §6.4.3 reads one.
        2 if text().is_some_and(|text| is_host_name(text.strip_prefix("*.").unwrap_or(text))) => Ok(()),
        // RFC 5280 §4.2.1.6: "The name MUST NOT be a relative URI".
        6 if text().is_some_and(is_absolute_uri) => Ok(()),
        // RFC 5280 §4.2.1.6: "the octet string MUST contain exactly four octets … exactly sixteen octets."
        7 if matches!(octets.len(), 4 | 16) => Ok(()),
        0 | 4 if !name.elements().is_empty() => Ok(()),
        8 if !octets.is_empty() => Ok(()),
        kind => Err(format!("subjectAltName [{kind}] {:?}", String::from_utf8_lossy(octets))),
    }
}

/// RFC 1034 §3.5 as modified by RFC 1123 §2.1.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        inner && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// RFC 3986 §4.3: a scheme, a colon and something behind it.
fn is_absolute_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
    is_scheme && !rest.is_empty() && !uri.contains(char::is_whitespace)
}
