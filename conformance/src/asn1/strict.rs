//! What DER asks of the values themselves (X.690 §§8, 10, 11), and RFC 5280 of its times.

use super::{Body, Element, Fault, tag};

/// Checks an element and all inside it.
pub(super) fn check(element: &Element) -> Result<(), Fault> {
    match &element.body {
        Body::Primitive(octets) => check_primitive(element.tag, octets),
        Body::Constructed(elements) => {
            if element.tag & 0xc0 == 0 && !matches!(element.tag, tag::SEQUENCE | tag::SET) {
                return Err(Fault(format!("identifier octet {:02x}: a constructed string", element.tag)));
            }
            if element.tag == tag::SET {
                check_order(elements)?;
            }
            elements.iter().try_for_each(check)
        }
    }
}

/// X.690 §11.6: "The encodings of the component values of a set-of value shall appear in ascending order".
pub(crate) fn check_order(elements: &[Element]) -> Result<(), Fault> {
    let encodings: Vec<Vec<u8>> = elements.iter().map(Element::encode).collect();
    if encodings.is_sorted() { Ok(()) } else { Err(Fault::new("a SET OF that is not in ascending order")) }
}

fn check_primitive(identifier: u8, octets: &[u8]) -> Result<(), Fault> {
    let fault = match identifier {
        tag::BOOLEAN => (!matches!(octets, [0x00 | 0xff])).then_some("a BOOLEAN other than 00 or FF"),
        tag::INTEGER | tag::ENUMERATED => (!is_minimal_integer(octets)).then_some("an INTEGER that is empty or too long"),
        tag::BIT_STRING => (!is_bit_string(octets)).then_some("a BIT STRING whose unused bits are not zero"),
        tag::NULL => (!octets.is_empty()).then_some("a NULL with contents"),
        tag::OBJECT_IDENTIFIER => (!is_object_identifier(octets)).then_some("a malformed OBJECT IDENTIFIER"),
        tag::UTF8_STRING => std::str::from_utf8(octets).is_err().then_some("a UTF8String that is not UTF-8"),
        tag::PRINTABLE_STRING => (!octets.iter().all(is_printable)).then_some("a PrintableString outside its alphabet"),
        tag::IA5_STRING => (!octets.is_ascii()).then_some("an IA5String outside its alphabet"),
        tag::UTC_TIME => (!is_time(octets, 12)).then_some("a UTCTime not of the form YYMMDDHHMMSSZ"),
        tag::GENERALIZED_TIME => (!is_time(octets, 14)).then_some("a GeneralizedTime not of the form YYYYMMDDHHMMSSZ"),
        0x10 | 0x11 => Some("a SEQUENCE or SET in primitive form"),
        _ => None,
    };
    fault.map_or(Ok(()), |text| Err(Fault::new(text)))
}

/// X.690 §8.3.2: the first nine bits are neither all zero nor all one.
const fn is_minimal_integer(octets: &[u8]) -> bool {
    match octets {
        [] => false,
        [0x00, second, ..] => *second >= 0x80,
        [0xff, second, ..] => *second < 0x80,
        _ => true,
    }
}

/// X.690 §11.2.1: "Each unused bit in the final octet of the encoding of a bit string value shall be set to zero."
fn is_bit_string(octets: &[u8]) -> bool {
    match octets {
        [unused] => *unused == 0,
        [unused @ 0..=7, .., last] => last.trailing_zeros() >= u32::from(*unused),
        _ => false,
    }
}

fn is_object_identifier(octets: &[u8]) -> bool {
    let ends_well = octets.last().is_some_and(|last| *last < 0x80);
    let starts = octets
        .iter()
        .enumerate()
        .filter(|(index, _)| index.checked_sub(1).and_then(|before| octets.get(before)).is_none_or(|octet| *octet < 0x80));
    ends_well && starts.into_iter().all(|(_, first)| *first != 0x80)
}

const fn is_printable(octet: &u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(*octet, b' ' | b'\'' | b'(' | b')' | b'+' | b',' | b'-' | b'.' | b'/' | b':' | b'=' | b'?')
}

/// RFC 5280 §4.1.2.5.1 and §4.1.2.5.2: times "MUST be expressed in Greenwich Mean Time (Zulu) and MUST include seconds".
fn is_time(octets: &[u8], digits: usize) -> bool {
    octets.len() == digits + 1 && octets.last() == Some(&b'Z') && octets.iter().take(digits).all(u8::is_ascii_digit)
}
