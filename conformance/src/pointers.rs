//! Where a certificate, or a list, says that revocation is told: distribution points and access descriptions (RFC 5280 §4.2.1.13, §4.2.2.1).

use const_oid::ObjectIdentifier;

use crate::{
    asn1::{Element, Fault, tag},
    certificate::{Certificate, Extension},
    target::Url,
};

/// CRL distribution points (RFC 5280 §4.2.1.13).
pub const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");
/// Freshest CRL, of certificates and of lists (RFC 5280 §4.2.1.15, §5.2.6).
pub const FRESHEST_CRL: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.46");
/// Authority information access (RFC 5280 §4.2.2.1).
pub const AUTHORITY_INFORMATION_ACCESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.1");
/// No revocation available (RFC 9608 §2).
pub const NO_REV_AVAIL: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.56");

/// `id-ad-ocsp` (RFC 5280 §4.2.2.1).
pub const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
/// `id-ad-caIssuers` (RFC 5280 §4.2.2.1).
pub const CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");

/// Identifier octet of a `uniformResourceIdentifier` (RFC 5280 §4.2.1.6).
const URI: u8 = tag::context_primitive(6);

/// A DistributionPoint (RFC 5280 §4.2.1.13).
#[derive(Clone, Debug)]
pub struct DistributionPoint {
    /// `distributionPoint`, its tag and all.
    pub name: Option<Element>,
    /// Whether `reasons` is there.
    pub has_reasons: bool,
    /// Whether `cRLIssuer` is there.
    pub has_issuer: bool,
}

impl DistributionPoint {
    fn read(element: &Element) -> Result<Self, Fault> {
        let fields = element.expect_tag(tag::SEQUENCE, "DistributionPoint")?.elements();
        let has = |number: u8| fields.iter().any(|field| field.tag & 0x1f == number);
        if let Some(other) = fields.iter().find(|field| field.tag & 0xc0 != 0x80 || field.tag & 0x1f > 2) {
            return Err(Fault(format!("DistributionPoint: identifier octet {:02x}", other.tag)));
        }
        let name = fields.iter().find(|field| field.tag == tag::context(0)).cloned();
        Ok(Self { name, has_reasons: has(1), has_issuer: has(2) })
    }
}

/// The points of `cRLDistributionPoints` or `freshestCRL`.
///
/// # Errors
/// A value that is no CRLDistributionPoints.
pub fn distribution_points(extension: &Extension) -> Result<Vec<DistributionPoint>, Fault> {
    let value = extension.element()?;
    let points = value.expect_tag(tag::SEQUENCE, "CRLDistributionPoints")?.elements();
    if points.is_empty() {
        return Err(Fault::new("CRLDistributionPoints is SIZE (1..MAX)"));
    }
    points.iter().map(DistributionPoint::read).collect()
}

/// The general names of a `distributionPoint` that is a `fullName`.
#[must_use]
pub fn full_names(name: &Element) -> &[Element] {
    match name.elements() {
        [full] if full.tag == tag::context(0) => full.elements(),
        _ => &[],
    }
}

/// The `http` and `https` URLs that these points name.
#[must_use]
pub fn urls(points: &[DistributionPoint]) -> Vec<Url> {
    points.iter().filter_map(|point| point.name.as_ref()).flat_map(full_names).filter_map(url).collect()
}

/// The URLs that a distribution point extension names; none where it is not there.
///
/// # Errors
/// As [`distribution_points`].
pub fn urls_in(extension: Option<&Extension>) -> Result<Vec<Url>, Fault> {
    extension.map_or_else(|| Ok(Vec::new()), |found| Ok(urls(&distribution_points(found)?)))
}

/// The URLs where `method` of the authority's information is accessed; none without the extension.
///
/// # Errors
/// A value that is no AuthorityInfoAccessSyntax.
pub fn accesses(certificate: &Certificate, method: ObjectIdentifier) -> Result<Vec<Url>, Fault> {
    let Some(extension) = certificate.extension(AUTHORITY_INFORMATION_ACCESS) else { return Ok(Vec::new()) };
    let value = extension.element()?;
    let mut found = Vec::new();
    for description in value.expect_tag(tag::SEQUENCE, "AuthorityInfoAccessSyntax")?.elements() {
        let [kind, location] = description.elements() else {
            return Err(Fault::new("an AccessDescription is a SEQUENCE of two"));
        };
        if kind.oid() == Some(method) {
            found.extend(url(location));
        }
    }
    Ok(found)
}

fn url(name: &Element) -> Option<Url> {
    let text = (name.tag == URI).then(|| std::str::from_utf8(name.octets()).ok()).flatten()?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extension(points: Vec<Element>) -> Extension {
        Extension { oid: CRL_DISTRIBUTION_POINTS, critical: false, value: Element::sequence(points).encode() }
    }

    fn point(uri: &str) -> Element {
        let full = Element::constructed(tag::context(0), vec![Element::primitive(URI, uri.as_bytes())]);
        Element::sequence(vec![Element::constructed(tag::context(0), vec![full])])
    }

    #[test]
    fn points_tell_where_they_lead() {
        let points = distribution_points(&extension(vec![point("http://h/a.crl"), point("ldap://h/b")])).expect("points");
        assert_eq!(urls(&points), ["http://h/a.crl".parse().expect("a URL")]);
        assert!(points.iter().all(|point| !point.has_reasons && !point.has_issuer));
        let reasons = Element::sequence(vec![Element::primitive(tag::context_primitive(1), &[1, 0x40])]);
        let points = distribution_points(&extension(vec![reasons])).expect("points");
        assert!(points.iter().all(|point| point.has_reasons && point.name.is_none()));
    }

    #[test]
    fn what_is_no_list_of_points_is_refused() {
        distribution_points(&extension(Vec::new())).expect_err("none");
        distribution_points(&extension(vec![Element::primitive(tag::INTEGER, &[1])])).expect_err("a number");
        let wrong = Element::sequence(vec![Element::primitive(tag::INTEGER, &[1])]);
        distribution_points(&extension(vec![wrong])).expect_err("a number within");
    }
}
