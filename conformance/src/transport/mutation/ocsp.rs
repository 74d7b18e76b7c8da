//! Changes to an OCSP response (RFC 6960 §4.2.1). It is not signed again: a clause must notice by itself what it is about.

use const_oid::ObjectIdentifier;

use crate::{
    asn1::{Body, Element, tag},
    certificate::Extension,
};

/// A change to an OCSPResponse.
type Edit = fn(&mut Element) -> Option<()>;

/// Changes, by name.
const EDITS: &[(&str, Edit)] = &[
    ("malformed-request", |response| set_error(response, 1)),
    ("try-later", |response| set_error(response, 3)),
    ("status-4", |response| set_error(response, 4)),
    ("bytes", |response| {
        let wrapped = Element::primitive(tag::OCTET_STRING, b"bytes");
        response.elements_mut()?.push(Element::constructed(tag::context(0), vec![wrapped]));
        Some(())
    }),
    ("type", |response| {
        let bytes = response.elements_mut()?.get_mut(1)?.elements_mut()?.first_mut()?;
        *bytes.elements_mut()?.first_mut()? = Element::object_identifier(ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.99"));
        Some(())
    }),
    ("version", |response| {
        edit_data(response, |data| {
            let version = Element::primitive(tag::INTEGER, &[0]);
            data.insert(0, Element::constructed(tag::context(0), vec![version]));
            Some(())
        })
    }),
    ("responder", |response| edit_data(response, |data| flip(data.first_mut()?.elements_mut()?.first_mut()?))),
    ("fraction", |response| {
        edit_data(response, |data| {
            *data.get_mut(1)? = Element::primitive(tag::GENERALIZED_TIME, b"20260101000000.5Z");
            Some(())
        })
    }),
    ("signature", |response| edit_basic(response, |basic| flip(basic.get_mut(2)?))),
    ("weak-algorithm", |response| {
        edit_basic(response, |basic| {
            let sha1 = Element::object_identifier(ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"));
            *basic.get_mut(1)? = Element::sequence(vec![sha1]);
            Some(())
        })
    }),
    ("no-certs", |response| {
        edit_basic(response, |basic| {
            basic.truncate(3);
            Some(())
        })
    }),
    ("good", |response| edit_singles(response, |single| set(single, 1, Element::primitive(0x80, &[])))),
    ("unknown", |response| edit_singles(response, |single| set(single, 1, Element::primitive(0x82, &[])))),
    ("revoked", |response| edit_singles(response, |single| set(single, 1, revoked(b"20260101000000Z")))),
    ("never-issued", |response| edit_singles(response, |single| set(single, 1, revoked(b"19700101000001Z")))),
    ("reason", |response| {
        edit_singles(response, |single| {
            let revoked = single.get_mut(1)?.elements_mut()?;
            revoked.truncate(1);
            let reason = Element::primitive(tag::ENUMERATED, &[2]);
            revoked.push(Element::constructed(tag::context(0), vec![reason]));
            Some(())
        })
    }),
    ("cert-id", |response| edit_singles(response, |single| flip(single.first_mut()?.elements_mut()?.last_mut()?))),
    ("this-update", |response| {
        edit_singles(response, |single| set(single, 2, Element::primitive(tag::GENERALIZED_TIME, b"20970101000000Z")))
    }),
    ("no-next-update", |response| {
        edit_singles(response, |single| {
            single.retain(|field| field.tag != tag::context(0));
            Some(())
        })
    }),
    ("extra", |response| {
        edit_data(response, |data| {
            let singles = data.get_mut(2)?.elements_mut()?;
            let mut more = singles.first()?.clone();
            flip(more.elements_mut()?.first_mut()?.elements_mut()?.last_mut()?)?;
            singles.push(more);
            Some(())
        })
    }),
    ("nonce", |response| {
        edit_data(response, |data| {
            let list =
                data.last_mut().filter(|last| last.tag == tag::context(1))?.elements_mut()?.first_mut()?.elements_mut()?;
            let nonce = list.iter_mut().find(|one| one.elements().first().and_then(Element::oid) == Some(NONCE))?;
            flip(nonce.elements_mut()?.last_mut()?)
        })
    }),
    ("extra-nonce", |response| add_extension(response, NONCE, &[tag::OCTET_STRING, 1, 7])),
    ("archive-cutoff", |response| {
        let time = Element::primitive(tag::GENERALIZED_TIME, b"20260101000000Z");
        add_extension(response, ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.6"), &time.encode())
    }),
];

const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");

pub(super) fn is_edit(name: &str) -> bool {
    EDITS.iter().any(|(known, _)| *known == name)
}

/// Changes a response; `None` when it has not the shape for it.
pub(super) fn edit(response: &mut Element, name: &str) -> Option<()> {
    let (_, change) = EDITS.iter().find(|(known, _)| *known == name)?;
    change(response)
}

/// An OCSPResponse of `responseStatus` alone.
fn set_error(response: &mut Element, number: u8) -> Option<()> {
    *response = Element::sequence(vec![Element::primitive(tag::ENUMERATED, &[number])]);
    Some(())
}

/// `certStatus` of one whom the CA has put on hold.
fn revoked(time: &[u8]) -> Element {
    let reason = Element::primitive(tag::ENUMERATED, &[6]);
    Element::constructed(
        tag::context(1),
        vec![Element::primitive(tag::GENERALIZED_TIME, time), Element::constructed(tag::context(0), vec![reason])],
    )
}

fn set(fields: &mut [Element], at: usize, with: Element) -> Option<()> {
    *fields.get_mut(at)? = with;
    Some(())
}

/// Another last bit.
fn flip(element: &mut Element) -> Option<()> {
    let Body::Primitive(octets) = &mut element.body else { return None };
    *octets.last_mut()? ^= 1;
    Some(())
}

/// The fields of the BasicOCSPResponse, which an OCTET STRING holds.
fn edit_basic(response: &mut Element, change: impl FnOnce(&mut Vec<Element>) -> Option<()>) -> Option<()> {
    let bytes = response.elements_mut()?.get_mut(1)?.elements_mut()?.first_mut()?.elements_mut()?;
    let holder = bytes.get_mut(1)?;
    let mut basic = Element::parse(holder.octets()).ok()?;
    change(basic.elements_mut()?)?;
    holder.body = Body::Primitive(basic.encode());
    Some(())
}

/// The fields of the ResponseData.
fn edit_data(response: &mut Element, change: impl FnOnce(&mut Vec<Element>) -> Option<()>) -> Option<()> {
    edit_basic(response, |basic| change(basic.first_mut()?.elements_mut()?))
}

/// The fields of each SingleResponse; those that have not the shape for it stay as they are.
fn edit_singles(response: &mut Element, change: fn(&mut Vec<Element>) -> Option<()>) -> Option<()> {
    edit_data(response, |data| {
        let singles = data.get_mut(2)?.elements_mut()?;
        singles.iter_mut().filter_map(Element::elements_mut).for_each(|single| {
            let _ = change(single);
        });
        Some(())
    })
}

fn add_extension(response: &mut Element, oid: ObjectIdentifier, value: &[u8]) -> Option<()> {
    edit_data(response, |data| {
        if data.last().is_none_or(|last| last.tag != tag::context(1)) {
            data.push(Element::constructed(tag::context(1), vec![Element::sequence(Vec::new())]));
        }
        let list = data.last_mut()?.elements_mut()?.first_mut()?.elements_mut()?;
        list.push(Extension { oid, critical: false, value: value.to_vec() }.encode());
        Some(())
    })
}
