//! Writing DER: definite, minimal lengths, one pass.

use const_oid::ObjectIdentifier;

use super::tag;

/// Appends DER values to a buffer. What is nested is written in place and its length put before it when it is known.
#[derive(Debug, Default)]
pub struct DerWriter {
    out: Vec<u8>,
}

/// Goes on after what is in the buffer.
impl From<Vec<u8>> for DerWriter {
    fn from(out: Vec<u8>) -> Self {
        Self { out }
    }
}

impl DerWriter {
    /// An empty writer with room for `capacity` octets.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity) }
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Tag and length of a value whose contents of `length` octets are written next, by the caller: what is large is not moved so.
    pub fn header(&mut self, tag: u8, length: usize) -> &mut Self {
        self.out.push(tag);
        let (octets, used) = length_octets(length);
        self.out.extend(octets.into_iter().take(used));
        self
    }

    /// A value with these contents.
    pub fn tlv(&mut self, tag: u8, value: &[u8]) -> &mut Self {
        self.header(tag, value.len()).raw(value)
    }

    /// DER that exists already.
    pub fn raw(&mut self, der: &[u8]) -> &mut Self {
        self.out.extend_from_slice(der);
        self
    }

    /// A constructed value whose contents `write` writes.
    pub fn nested(&mut self, tag: u8, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.out.push(tag);
        let start = self.out.len();
        write(self);
        let end = self.out.len();
        let (octets, used) = length_octets(end - start);
        self.out.resize(end + used, 0);
        self.out.copy_within(start..end, start + used);
        for (place, octet) in self.out.iter_mut().skip(start).zip(octets.into_iter().take(used)) {
            *place = octet;
        }
        self
    }

    /// SEQUENCE.
    pub fn sequence(&mut self, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.nested(tag::SEQUENCE, write)
    }

    /// OBJECT IDENTIFIER.
    pub fn oid(&mut self, oid: &ObjectIdentifier) -> &mut Self {
        self.tlv(tag::OID, oid.as_bytes())
    }

    /// An INTEGER that is not negative.
    pub fn unsigned(&mut self, value: u32) -> &mut Self {
        let octets = value.to_be_bytes();
        let skip = octets.iter().take_while(|octet| **octet == 0).count().min(octets.len() - 1);
        let digits = octets.get(skip..).unwrap_or_default();
        // A first bit that is set would make it negative (X.690 §8.3.3).
        let sign: &[u8] = if digits.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
        self.tlv(tag::INTEGER, &[sign, digits].concat())
    }

    /// An Extension that is not critical, whose DEFAULT is left out (X.690 §11.5).
    pub fn extension(&mut self, oid: &ObjectIdentifier, value: impl FnOnce(&mut Self)) -> &mut Self {
        self.sequence(|w| {
            w.oid(oid).nested(tag::OCTET_STRING, value);
        })
    }

    /// A BIT STRING of whole octets.
    pub fn bit_string(&mut self, octets: &[u8]) -> &mut Self {
        self.nested(tag::BIT_STRING, |w| {
            w.out.push(0);
            w.out.extend_from_slice(octets);
        })
    }

    /// SET OF: elements in ascending order of their encodings (X.690 §11.6).
    pub fn set_of(&mut self, tag: u8, mut elements: Vec<&[u8]>) -> &mut Self {
        elements.sort_unstable();
        self.nested(tag, |w| {
            for element in elements {
                w.raw(element);
            }
        })
    }
}

/// The DER of an object identifier, tag and length included.
#[must_use]
pub fn oid_tlv(oid: &ObjectIdentifier) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.oid(oid);
    writer.finish()
}

/// How many octets [`DerWriter::header`] writes for contents of `length` octets.
#[must_use]
pub fn header_octets(length: usize) -> usize {
    1 + length_octets(length).1
}

/// Length octets (X.690 §8.1.3, §10.1), and how many of them count.
pub(super) fn length_octets(length: usize) -> ([u8; 9], usize) {
    let mut octets = [0; 9];
    let bytes = length.to_be_bytes();
    let skip = bytes.iter().take_while(|byte| **byte == 0).count();
    let significant = bytes.len() - skip;
    let mut target = octets.iter_mut();
    if length >= 0x80 {
        // `significant` is at most 8.
        if let Some(first) = target.next() {
            *first = 0x80 | u8::try_from(significant).unwrap_or(8);
        }
    }
    let digits = if length == 0 { &bytes[7..] } else { bytes.get(skip..).unwrap_or_default() };
    for (slot, byte) in target.zip(digits) {
        *slot = *byte;
    }
    (octets, if length >= 0x80 { significant + 1 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_minimal() {
        for (length, expected) in [
            (0, vec![0]),
            (127, vec![0x7f]),
            (128, vec![0x81, 0x80]),
            (255, vec![0x81, 0xff]),
            (256, vec![0x82, 0x01, 0x00]),
            (65_536, vec![0x83, 0x01, 0x00, 0x00]),
        ] {
            let (octets, used) = length_octets(length);
            assert_eq!(octets[..used], expected, "length {length}");
            let mut writer = DerWriter::from(vec![0xee]);
            writer.header(tag::SEQUENCE, length);
            assert_eq!(writer.finish(), [&[0xee, tag::SEQUENCE], &expected[..]].concat());
            assert_eq!(header_octets(length), 1 + expected.len());
        }
    }

    #[test]
    fn nesting_puts_the_length_before_the_contents() {
        let mut writer = DerWriter::default();
        writer.sequence(|w| {
            w.tlv(tag::OCTET_STRING, &[0xaa; 200]).nested(tag::SET, |w| {
                w.tlv(tag::NULL, &[]);
            });
        });
        let der = writer.finish();
        assert_eq!(der[..6], [0x30, 0x81, 0xcf, 0x04, 0x81, 0xc8]);
        assert_eq!(der[der.len() - 4..], [0x31, 0x02, 0x05, 0x00]);
    }

    #[test]
    fn unsigned_integers_are_minimal_and_positive() {
        for (value, expected) in
            [(0, &[2, 1, 0][..]), (127, &[2, 1, 127]), (128, &[2, 2, 0, 128]), (u32::MAX, &[2, 5, 0, 255, 255, 255, 255])]
        {
            let mut writer = DerWriter::default();
            writer.unsigned(value);
            assert_eq!(writer.finish(), expected, "{value}");
        }
    }

    #[test]
    fn set_of_is_sorted() {
        let mut writer = DerWriter::default();
        writer.set_of(tag::SET, vec![&[0x02, 0x01, 0x02], &[0x02, 0x01, 0x01]]);
        assert_eq!(writer.finish(), [0x31, 6, 2, 1, 1, 2, 1, 2]);
    }
}
