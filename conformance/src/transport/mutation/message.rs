//! Changes to a certs-only message and to the certificates in it. Signatures are not made again: a clause must notice by itself.

use const_oid::ObjectIdentifier;

use crate::{
    asn1::{Element, tag},
    certificate::{Certificate, Extension, extension},
    csr::attribute,
    pointers::CRL_DISTRIBUTION_POINTS,
};

/// Changes to the message as a whole.
pub(super) const MESSAGE_EDITS: [&str; 3] = ["econtent", "duplicate", "rootless"];

/// A change to the fields of a TBSCertificate.
type CertificateEdit = fn(&mut [Element]) -> Option<()>;

/// Changes to a certificate, by name.
pub(super) const CERTIFICATE_EDITS: &[(&str, CertificateEdit)] = &[
    ("serial-negative", |tbs| replace(tbs, field::SERIAL, Element::primitive(tag::INTEGER, &[0x80, 1, 2, 3, 4, 5, 6, 7, 8]))),
    ("inner-algorithm", |tbs| {
        replace(
            tbs,
            field::ALGORITHM,
            Element::sequence(vec![Element::object_identifier(ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4"))]),
        )
    }),
    ("issuer-space", |tbs| add_name(tbs, field::ISSUER, tag::UTF8_STRING)),
    ("generalized-time", |tbs| edit(tbs, field::VALIDITY, generalize_time)),
    ("empty-subject", empty_subject),
    ("teletex-name", |tbs| add_name(tbs, field::SUBJECT, tag::TELETEX_STRING)),
    ("duplicate-extension", |tbs| edit_extensions(tbs, |list| list.first().cloned().map(|first| list.push(first)))),
    ("no-key-identifier", |tbs| remove_extension(tbs, extension::AUTHORITY_KEY_IDENTIFIER)),
    ("key-cert-sign", |tbs| set_extension(tbs, extension::KEY_USAGE, true, &Element::primitive(tag::BIT_STRING, &[2, 0x84]))),
    ("false-written-out", |tbs| set_extension(tbs, extension::BASIC_CONSTRAINTS, true, &boolean_sequence(0x00))),
    ("malformed-name", |tbs| {
        set_extension(
            tbs,
            extension::SUBJECT_ALT_NAME,
            true,
            &Element::sequence(vec![Element::primitive(tag::context_primitive(2), b"not a name")]),
        )
    }),
    ("any-purpose", |tbs| {
        set_extension(
            tbs,
            extension::EXTENDED_KEY_USAGE,
            false,
            &Element::sequence(vec![Element::object_identifier(ANY_PURPOSE)]),
        )
    }),
    ("name-constraints", |tbs| {
        let subtree = Element::sequence(vec![Element::primitive(tag::context_primitive(2), b"example")]);
        let permitted = Element::constructed(tag::context(0), vec![subtree]);
        set_extension(tbs, extension::NAME_CONSTRAINTS, true, &Element::sequence(vec![permitted]))
    }),
    ("reasons-only", |tbs| {
        let reasons = Element::primitive(tag::context_primitive(1), &[1, 0x40]);
        set_extension(tbs, CRL_DISTRIBUTION_POINTS, false, &Element::sequence(vec![Element::sequence(vec![reasons])]))
    }),
    ("ca-true", |tbs| set_extension(tbs, extension::BASIC_CONSTRAINTS, true, &boolean_sequence(0xff))),
];

const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// Places in a v3 TBSCertificate (RFC 5280 §4.1).
mod field {
    pub(super) const SERIAL: usize = 1;
    pub(super) const ALGORITHM: usize = 2;
    pub(super) const ISSUER: usize = 3;
    pub(super) const VALIDITY: usize = 4;
    pub(super) const SUBJECT: usize = 5;
}

pub(super) fn is_certificate_edit(name: &str) -> bool {
    CERTIFICATE_EDITS.iter().any(|(known, _)| *known == name)
}

/// Changes the message; `None` when it has not the shape for it.
pub(super) fn edit_message(message: &mut Element, name: &str) -> Option<()> {
    let signed_data = signed_data(message)?;
    match name {
        "econtent" => {
            let content = Element::constructed(tag::context(0), vec![Element::primitive(tag::OCTET_STRING, b"content")]);
            signed_data.get_mut(2)?.elements_mut()?.push(content);
        }
        "duplicate" => {
            let set = signed_data.get_mut(3)?.elements_mut()?;
            let first = set.first()?.clone();
            set.insert(0, first);
        }
        "rootless" => {
            let is_root =
                |element: &Element| Certificate::from_element(element).is_ok_and(|certificate| certificate.is_self_issued());
            signed_data.get_mut(3)?.elements_mut()?.retain(|element| !is_root(element));
        }
        _ => return None,
    }
    Some(())
}

/// Changes a certificate.
pub(super) fn edit_certificate(certificate: &mut Element, name: &str) -> Option<()> {
    let (_, change) = CERTIFICATE_EDITS.iter().find(|(known, _)| *known == name)?;
    change(certificate.elements_mut()?.first_mut()?.elements_mut()?)
}

/// Changes each certificate of the message, and sorts them again.
pub(super) fn edit_certificates(message: &mut Element, name: &str) -> Option<()> {
    let set = signed_data(message)?.get_mut(3)?.elements_mut()?;
    for certificate in set.iter_mut() {
        edit_certificate(certificate, name)?;
    }
    set.sort_by_key(Element::encode);
    Some(())
}

fn signed_data(message: &mut Element) -> Option<&mut Vec<Element>> {
    message.elements_mut()?.get_mut(1)?.elements_mut()?.first_mut()?.elements_mut()
}

fn edit(elements: &mut [Element], at: usize, change: fn(&mut [Element]) -> Option<()>) -> Option<()> {
    change(elements.get_mut(at)?.elements_mut()?)
}

fn replace(elements: &mut [Element], at: usize, with: Element) -> Option<()> {
    *elements.get_mut(at)? = with;
    Some(())
}

/// One more CN in a name, as a string of type `kind`.
fn add_name(tbs: &mut [Element], at: usize, kind: u8) -> Option<()> {
    let pair = Element::sequence(vec![Element::object_identifier(attribute::COMMON_NAME), Element::primitive(kind, b"x")]);
    tbs.get_mut(at)?.elements_mut()?.push(Element::constructed(tag::SET, vec![pair]));
    Some(())
}

/// `notBefore` as GeneralizedTime, whatever its year.
fn generalize_time(validity: &mut [Element]) -> Option<()> {
    let begin = validity.first_mut()?;
    let text = [b"20", begin.octets()].concat();
    *begin = Element::primitive(tag::GENERALIZED_TIME, &text);
    Some(())
}

fn empty_subject(tbs: &mut [Element]) -> Option<()> {
    *tbs.get_mut(field::SUBJECT)? = Element::sequence(Vec::new());
    remove_extension(tbs, extension::SUBJECT_ALT_NAME)
}

fn boolean_sequence(octet: u8) -> Element {
    Element::sequence(vec![Element::primitive(tag::BOOLEAN, &[octet])])
}

fn edit_extensions(tbs: &mut [Element], change: impl FnOnce(&mut Vec<Element>) -> Option<()>) -> Option<()> {
    let wrapper = tbs.iter_mut().find(|field| field.tag == tag::context(3))?;
    change(wrapper.elements_mut()?.first_mut()?.elements_mut()?)
}

fn is_extension(element: &Element, oid: ObjectIdentifier) -> bool {
    element.elements().first().and_then(Element::oid) == Some(oid)
}

fn remove_extension(tbs: &mut [Element], oid: ObjectIdentifier) -> Option<()> {
    edit_extensions(tbs, |list| {
        list.retain(|element| !is_extension(element, oid));
        Some(())
    })
}

fn set_extension(tbs: &mut [Element], oid: ObjectIdentifier, critical: bool, value: &Element) -> Option<()> {
    remove_extension(tbs, oid)?;
    edit_extensions(tbs, |list| {
        list.push(Extension { oid, critical, value: value.encode() }.encode());
        Some(())
    })
}
