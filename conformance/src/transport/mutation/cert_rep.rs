//! Changes to a CertRep of SCEP (RFC 8894 §3.3.2). It is not signed again: a clause must notice by itself what it is about.

use const_oid::ObjectIdentifier;

use crate::asn1::{Body, Element, tag};

/// Signed attributes, by the names of RFC 8894 §3.2.1.
const ATTRIBUTES: [(&str, ObjectIdentifier); 7] = [
    ("messageType", ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.2")),
    ("pkiStatus", ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.3")),
    ("failInfo", ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.4")),
    ("senderNonce", ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.5")),
    ("recipientNonce", ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.6")),
    ("transactionID", ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.7")),
    ("failInfoText", ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.24.1")),
];

/// Changes to other parts of the message.
pub(super) const CMS_EDITS: [&str; 5] = ["signature", "digest", "content", "recipient", "segmented"];

/// Places in a SignerInfo with signed attributes (RFC 5652 §5.3).
mod field {
    pub(super) const DIGEST: usize = 2;
    pub(super) const ATTRIBUTES: usize = 3;
    pub(super) const SIGNATURE: usize = 5;
}

pub(super) fn is_attribute(name: &str) -> bool {
    ATTRIBUTES.iter().any(|(known, _)| *known == name)
}

/// Sets a signed attribute that is there to `value`, its type as it was; `none` takes it away.
pub(super) fn edit_attribute(message: &mut Element, name: &str, value: &str) -> Option<()> {
    let (_, oid) = ATTRIBUTES.iter().find(|(known, _)| *known == name)?;
    let attributes = signer_info(message)?.get_mut(field::ATTRIBUTES)?.elements_mut()?;
    let at = attributes.iter().position(|attribute| attribute.elements().first().and_then(Element::oid) == Some(*oid))?;
    if value == "none" {
        attributes.remove(at);
    } else {
        let values = attributes.get_mut(at)?.elements_mut()?.get_mut(1)?.elements_mut()?;
        values.first_mut()?.body = Body::Primitive(value.as_bytes().to_vec());
        attributes.sort_by_key(Element::encode);
    }
    Some(())
}

/// `signature` flips a bit of it, `digest` names SHA-384 as the signer's, `content` puts octets where there are none, `recipient` makes
/// the envelope another certificate's, `segmented` makes a constructed string of the content.
pub(super) fn edit_cms(message: &mut Element, name: &str) -> Option<()> {
    match name {
        "signature" => {
            let Body::Primitive(octets) = &mut signer_info(message)?.get_mut(field::SIGNATURE)?.body else { return None };
            *octets.last_mut()? ^= 1;
        }
        "digest" => {
            let sha384 = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
            let digest = signer_info(message)?.get_mut(field::DIGEST)?.elements_mut()?;
            *digest.first_mut()? = Element::object_identifier(sha384);
            let listed = signed_data(message)?.get_mut(1)?.elements_mut()?.first_mut()?.elements_mut()?;
            *listed.first_mut()? = Element::object_identifier(sha384);
        }
        "content" => {
            let enclosed = enclosed(message)?;
            enclosed.truncate(1);
            enclosed.push(Element::constructed(tag::context(0), vec![Element::primitive(tag::OCTET_STRING, b"content")]));
        }
        "recipient" => {
            let content = content(message)?;
            let mut envelope = Element::parse(content.octets()).ok()?;
            let enveloped = envelope.elements_mut()?.get_mut(1)?.elements_mut()?.first_mut()?.elements_mut()?;
            let recipient = enveloped.get_mut(1)?.elements_mut()?.first_mut()?.elements_mut()?;
            *recipient.get_mut(1)?.elements_mut()?.get_mut(1)? = Element::primitive(tag::INTEGER, &[1]);
            *content = Element::primitive(tag::OCTET_STRING, &envelope.encode());
        }
        "segmented" => {
            let content = content(message)?;
            *content = Element::constructed(tag::OCTET_STRING | 0x20, vec![content.clone()]);
        }
        _ => return None,
    }
    Some(())
}

fn signed_data(message: &mut Element) -> Option<&mut Vec<Element>> {
    message.elements_mut()?.get_mut(1)?.elements_mut()?.first_mut()?.elements_mut()
}

fn enclosed(message: &mut Element) -> Option<&mut Vec<Element>> {
    signed_data(message)?.get_mut(2)?.elements_mut()
}

/// The eContent.
fn content(message: &mut Element) -> Option<&mut Element> {
    enclosed(message)?.get_mut(1)?.elements_mut()?.first_mut()
}

fn signer_info(message: &mut Element) -> Option<&mut Vec<Element>> {
    signed_data(message)?.last_mut()?.elements_mut()?.first_mut()?.elements_mut()
}
