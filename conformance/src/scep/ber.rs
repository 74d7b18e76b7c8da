//! The Basic Encoding Rules as some clients use them: lengths of the indefinite form, strings in segments (X.690 §8.1.3.6, §8.7.3).
//! What is signed stays DER, as RFC 5652 §5.3 asks of signed attributes.

use crate::asn1::{Element, Fault, tag};

/// Octets of a segment.
const SEGMENT: usize = 1000;
/// The bit of an identifier octet that says constructed.
const CONSTRUCTED: u8 = 0x20;

/// A ContentInfo with SignedData.
pub(super) fn loosen_message(message: &Element) -> Result<Vec<u8>, Fault> {
    let [kind, signed] = content(message)?;
    let [version, digests, enclosed, rest @ ..] = signed.elements() else { return Err(Fault::new("no SignedData")) };
    let [enclosed_kind, wrapper] = enclosed.elements() else { return Err(Fault::new("no eContent")) };
    let octets = wrapper.elements().first().map(Element::octets).unwrap_or_default();
    let loose_content = open_ended(tag::context(0), &[segmented(tag::OCTET_STRING, octets)]);
    let mut parts = vec![version.encode(), digests.encode()];
    parts.push(open_ended(tag::SEQUENCE, &[enclosed_kind.encode(), loose_content]));
    parts.extend(rest.iter().map(Element::encode));
    Ok(wrap(kind, open_ended(tag::SEQUENCE, &parts)))
}

/// A ContentInfo with EnvelopedData, in DER.
pub(super) fn loosen_envelope(envelope: &[u8]) -> Result<Vec<u8>, Fault> {
    let message = Element::parse(envelope)?;
    let [kind, enveloped] = content(&message)?;
    let [version, recipients, enclosed] = enveloped.elements() else { return Err(Fault::new("no EnvelopedData")) };
    let [enclosed_kind, algorithm, contents] = enclosed.elements() else { return Err(Fault::new("no contents")) };
    let loose = [enclosed_kind.encode(), algorithm.encode(), segmented(contents.tag, contents.octets())];
    let parts = [version.encode(), recipients.encode(), open_ended(tag::SEQUENCE, &loose)];
    Ok(wrap(kind, open_ended(tag::SEQUENCE, &parts)))
}

fn content(message: &Element) -> Result<[&Element; 2], Fault> {
    match message.elements() {
        [kind, wrapper] => Ok([kind, wrapper.elements().first().ok_or_else(|| Fault::new("no content"))?]),
        _ => Err(Fault::new("no ContentInfo")),
    }
}

fn wrap(kind: &Element, content: Vec<u8>) -> Vec<u8> {
    open_ended(tag::SEQUENCE, &[kind.encode(), open_ended(tag::context(0), &[content])])
}

/// X.690 §8.1.3.6: a single octet 80, the contents, two octets of zero.
fn open_ended(identifier: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    [&[identifier, 0x80], parts.concat().as_slice(), &[0, 0]].concat()
}

/// A string in segments, each an OCTET STRING (X.690 §8.7.3.2).
fn segmented(identifier: u8, octets: &[u8]) -> Vec<u8> {
    let segments: Vec<Vec<u8>> =
        octets.chunks(SEGMENT).map(|segment| Element::primitive(tag::OCTET_STRING, segment).encode()).collect();
    open_ended(identifier | CONSTRUCTED, &segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_in_segments_without_an_end_foretold() {
        let loose = segmented(tag::OCTET_STRING, &[7; 1001]);
        assert_eq!(loose[..6], [0x24, 0x80, 0x04, 0x82, 0x03, 0xe8]);
        assert_eq!(loose[loose.len() - 5..], [0x04, 0x01, 7, 0, 0]);
        assert_eq!(segmented(tag::context_primitive(0), b"")[..], [0xa0, 0x80, 0, 0]);
    }
}
