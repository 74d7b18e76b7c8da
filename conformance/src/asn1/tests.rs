use super::{Element, tag};

fn fault(octets: &[u8]) -> String {
    Element::parse(octets).expect_err("not DER").0
}

#[test]
fn writing_what_was_read_gives_the_same_octets() {
    let octets = [0x30, 0x0a, 0x02, 0x02, 0x00, 0x80, 0x31, 0x04, 0x05, 0x00, 0x0c, 0x00];
    assert_eq!(Element::parse(&octets).expect("DER").encode(), octets);
    let long = Element::primitive(tag::OCTET_STRING, &[7; 300]);
    assert_eq!(Element::parse(&long.encode()).expect("DER"), long);
}

#[test]
fn lengths_are_definite_and_minimal() {
    assert!(fault(&[0x30, 0x80, 0x05, 0x00, 0x00, 0x00]).contains("indefinite"));
    assert!(fault(&[0x04, 0x81, 0x01, 0x00]).contains("more octets"));
    assert!(fault(&[0x04, 0x82, 0x00, 0x80]).contains("more octets"));
    assert!(fault(&[0x04, 0x02, 0x00]).contains("left"));
    assert!(fault(&[0x05, 0x00, 0x05, 0x00]).contains("after the end"));
}

#[test]
fn values_have_one_encoding() {
    assert!(fault(&[0x01, 0x01, 0x01]).contains("BOOLEAN"));
    assert!(fault(&[0x02, 0x02, 0x00, 0x7f]).contains("INTEGER"));
    assert!(fault(&[0x02, 0x00]).contains("INTEGER"));
    assert!(fault(&[0x03, 0x02, 0x01, 0x01]).contains("BIT STRING"));
    assert!(fault(&[0x24, 0x03, 0x04, 0x01, 0x00]).contains("constructed string"));
    assert!(fault(&[0x31, 0x05, 0x05, 0x00, 0x02, 0x01, 0x01]).contains("ascending"));
    assert!(fault(&[0x13, 0x01, b'@']).contains("PrintableString"));
    assert!(fault(&[0x06, 0x02, 0x80, 0x01]).contains("OBJECT IDENTIFIER"));
    assert!(fault(b"\x17\x0b2611240000Z").contains("UTCTime"));
    assert!(fault(b"\x18\x1120261124000000.5Z").contains("GeneralizedTime"));
}

#[test]
fn nesting_is_bounded() {
    let mut deep = Element::sequence(vec![]);
    for _ in 0..40 {
        deep = Element::sequence(vec![deep]);
    }
    assert!(fault(&deep.encode()).contains("deeply"));
}
