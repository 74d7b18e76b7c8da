//! Changes to a CRL (RFC 5280 §5). It is not signed again: a clause must notice by itself what it is about.

use const_oid::ObjectIdentifier;

use crate::{
    asn1::{Body, Element, tag},
    certificate::Extension,
    crl::list::extension,
    csr::attribute,
};

/// A change to a CertificateList.
type Edit = fn(&mut Element) -> Option<()>;

/// Changes to a list, by name.
const CRL_EDITS: &[(&str, Edit)] = &[
    ("inner-algorithm", |list| {
        let other = Element::object_identifier(ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4"));
        replace(list, field::ALGORITHM, Element::sequence(vec![other]))
    }),
    ("v1", |list| {
        let fields = fields(list)?;
        (fields.first()?.tag == tag::INTEGER).then(|| drop(fields.remove(0)))
    }),
    ("issuer-space", |list| {
        let pair = vec![Element::object_identifier(attribute::COMMON_NAME), Element::primitive(tag::UTF8_STRING, b"x")];
        let step = Element::constructed(tag::SET, vec![Element::sequence(pair)]);
        fields(list)?.get_mut(field::ISSUER)?.elements_mut()?.push(step);
        Some(())
    }),
    ("generalized-time", |list| {
        let time = fields(list)?.get_mut(field::THIS_UPDATE)?;
        let text = [b"20", time.octets()].concat();
        *time = Element::primitive(tag::GENERALIZED_TIME, &text);
        Some(())
    }),
    ("no-next-update", |list| {
        let fields = fields(list)?;
        is_time(fields.get(field::THIS_UPDATE + 1)?).then(|| drop(fields.remove(field::THIS_UPDATE + 1)))
    }),
    ("empty-revoked", |list| set_entries(list, Some(Vec::new()))),
    ("no-entries", |list| set_entries(list, None)),
    ("duplicate-entry", |list| {
        let mut all = entries(list)?.clone();
        all.push(all.first()?.clone());
        set_entries(list, Some(all))
    }),
    ("reason-zero", |list| set_reasons(list, 0)),
    ("reason-removed", |list| set_reasons(list, 8)),
    ("invalidity-utc", |list| {
        let date = Element::primitive(tag::UTC_TIME, b"260101000000Z");
        each_entry(list, |entry| set_entry_extension(entry, extension::INVALIDITY_DATE, &date))
    }),
    ("no-key-identifier", |list| {
        extensions(list)?.retain(|one| !is_extension(one, extension::AUTHORITY_KEY_IDENTIFIER));
        Some(())
    }),
    ("number-critical", |list| set_critical(list, extension::CRL_NUMBER, true)),
    ("number-stuck", |list| set_extension(list, extension::CRL_NUMBER, false, &Element::primitive(tag::INTEGER, &[1]))),
    ("indicator-plain", |list| set_critical(list, extension::DELTA_CRL_INDICATOR, false)),
    ("idp-empty", |list| set_extension(list, extension::ISSUING_DISTRIBUTION_POINT, true, &Element::sequence(Vec::new()))),
    ("idp-other", |list| {
        let name = Element::primitive(tag::context_primitive(6), b"http://elsewhere.example/other.crl");
        let full = Element::constructed(tag::context(0), vec![name]);
        let point = Element::constructed(tag::context(0), vec![full]);
        set_extension(list, extension::ISSUING_DISTRIBUTION_POINT, true, &Element::sequence(vec![point]))
    }),
    ("signature", |list| {
        let Body::Primitive(octets) = &mut list.elements_mut()?.get_mut(2)?.body else { return None };
        *octets.last_mut()? ^= 1;
        Some(())
    }),
];

/// Places in a v2 TBSCertList (RFC 5280 §5.1).
mod field {
    pub(super) const ALGORITHM: usize = 1;
    pub(super) const ISSUER: usize = 2;
    pub(super) const THIS_UPDATE: usize = 3;
}

pub(super) fn is_edit(name: &str) -> bool {
    CRL_EDITS.iter().any(|(known, _)| *known == name)
}

/// Changes a list; `None` when it is none of v2, or has not what is to be changed.
pub(super) fn edit(list: &mut Element, name: &str) -> Option<()> {
    let (_, change) = CRL_EDITS.iter().find(|(known, _)| *known == name)?;
    let is_list = fields(list)?.get(field::THIS_UPDATE).is_some_and(is_time);
    if is_list { change(list) } else { None }
}

fn fields(list: &mut Element) -> Option<&mut Vec<Element>> {
    list.elements_mut()?.first_mut()?.elements_mut()
}

fn is_time(element: &Element) -> bool {
    matches!(element.tag, tag::UTC_TIME | tag::GENERALIZED_TIME)
}

fn replace(list: &mut Element, at: usize, with: Element) -> Option<()> {
    *fields(list)?.get_mut(at)? = with;
    Some(())
}

/// Where `revokedCertificates` stands, or would.
fn place_of_entries(fields: &[Element]) -> usize {
    if fields.get(field::THIS_UPDATE + 1).is_some_and(is_time) { field::THIS_UPDATE + 2 } else { field::THIS_UPDATE + 1 }
}

fn entries(list: &mut Element) -> Option<&mut Vec<Element>> {
    let fields = fields(list)?;
    let at = place_of_entries(fields);
    fields.get_mut(at).filter(|one| one.tag == tag::SEQUENCE)?.elements_mut()
}

fn set_entries(list: &mut Element, entries: Option<Vec<Element>>) -> Option<()> {
    let fields = fields(list)?;
    let at = place_of_entries(fields);
    if fields.get(at).is_some_and(|one| one.tag == tag::SEQUENCE) {
        fields.remove(at);
    }
    if let Some(entries) = entries {
        fields.insert(at, Element::sequence(entries));
    }
    Some(())
}

fn each_entry(list: &mut Element, change: impl Fn(&mut Element) -> Option<()>) -> Option<()> {
    entries(list)?.iter_mut().try_for_each(change)
}

fn set_reasons(list: &mut Element, code: u8) -> Option<()> {
    let reason = Element::primitive(tag::ENUMERATED, &[code]);
    each_entry(list, |entry| set_entry_extension(entry, extension::REASON_CODE, &reason))
}

fn set_entry_extension(entry: &mut Element, oid: ObjectIdentifier, value: &Element) -> Option<()> {
    let parts = entry.elements_mut()?;
    if parts.len() == 2 {
        parts.push(Element::sequence(Vec::new()));
    }
    put(parts.get_mut(2)?.elements_mut()?, &Extension { oid, critical: false, value: value.encode() });
    Some(())
}

fn extensions(list: &mut Element) -> Option<&mut Vec<Element>> {
    let wrapper = fields(list)?.iter_mut().find(|field| field.tag == tag::context(0))?;
    wrapper.elements_mut()?.first_mut()?.elements_mut()
}

fn set_extension(list: &mut Element, oid: ObjectIdentifier, critical: bool, value: &Element) -> Option<()> {
    put(extensions(list)?, &Extension { oid, critical, value: value.encode() });
    Some(())
}

fn set_critical(list: &mut Element, oid: ObjectIdentifier, critical: bool) -> Option<()> {
    let found = extensions(list)?.iter().find(|one| is_extension(one, oid))?;
    let value = Element::parse(found.elements().last()?.octets()).ok()?;
    set_extension(list, oid, critical, &value)
}

/// Puts an extension in the place of the one of the same kind, if there is one.
fn put(all: &mut Vec<Element>, extension: &Extension) {
    all.retain(|one| !is_extension(one, extension.oid));
    all.push(extension.encode());
}

fn is_extension(element: &Element, oid: ObjectIdentifier) -> bool {
    element.elements().first().and_then(Element::oid) == Some(oid)
}
