//! Reading DER without losing the bytes.

use der::{Decode, ErrorKind, Length};

use super::tag;

/// One DER value: what it is, its contents, and the whole of it as received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag octet (X.690 §8.1.2); numbers above 30 do not occur in what we read and are refused.
    pub tag: u8,
    /// Content octets.
    pub value: &'a [u8],
    /// Tag, length and content octets as they arrived.
    pub raw: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// Reads the only value in `bytes`; anything after it is an error.
    ///
    /// # Errors
    /// When `bytes` is not exactly one DER value.
    pub fn only(bytes: &'a [u8]) -> der::Result<Self> {
        let mut reader = DerReader::new(bytes)?;
        let tlv = reader.any()?;
        reader.finish()?;
        Ok(tlv)
    }

    /// A reader over the contents of a constructed value.
    ///
    /// # Errors
    /// When the contents are longer than DER lengths can say.
    pub fn contents(&self) -> der::Result<DerReader<'a>> {
        DerReader::new(self.value)
    }

    /// The contents, read as an object identifier.
    ///
    /// # Errors
    /// When this is no OBJECT IDENTIFIER.
    pub fn oid(&self) -> der::Result<der::oid::ObjectIdentifier> {
        der::oid::ObjectIdentifier::from_der(self.raw)
    }
}

/// Reads a run of DER values in order.
#[derive(Clone, Debug)]
pub struct DerReader<'a> {
    rest: &'a [u8],
    /// Octets before and in `rest`.
    whole: usize,
}

impl<'a> DerReader<'a> {
    /// A reader over `bytes`.
    ///
    /// # Errors
    /// When `bytes` is longer than [`der::Length`] can say.
    pub fn new(bytes: &'a [u8]) -> der::Result<Self> {
        Length::try_from(bytes.len()).map(|_| Self { rest: bytes, whole: bytes.len() })
    }

    /// The next value, whatever it is.
    ///
    /// # Errors
    /// When there is none, its tag is none that is known (X.680 §8.6), or its length is not definite and minimal.
    pub fn any(&mut self) -> der::Result<Tlv<'a>> {
        let (tag, length, contents) = split_header(self.rest).map_err(|kind| self.error(kind))?;
        let Some((value, after)) = contents.split_at_checked(length) else {
            return Err(self.error(incomplete(length, contents)));
        };
        let end = self.rest.len().saturating_sub(after.len());
        let raw = self.rest.get(..end).unwrap_or_default();
        self.rest = after;
        Ok(Tlv { tag, value, raw })
    }

    /// The next value, which must have this tag.
    ///
    /// # Errors
    /// When there is none or it has another tag.
    pub fn expect(&mut self, tag: u8) -> der::Result<Tlv<'a>> {
        if self.peek() != Some(tag) {
            return Err(self.error(ErrorKind::Failed));
        }
        self.any()
    }

    /// The next value if it has this tag.
    ///
    /// # Errors
    /// When it has the tag and is not well formed.
    pub fn optional(&mut self, tag: u8) -> der::Result<Option<Tlv<'a>>> {
        if self.peek() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// The value in `[number] EXPLICIT`, if that comes next.
    ///
    /// # Errors
    /// When it comes and is not well formed, or holds more than one value.
    pub fn explicit(&mut self, number: u8) -> der::Result<Option<Tlv<'a>>> {
        self.optional(tag::context_constructed(number))?.map(|field| Tlv::only(field.value)).transpose()
    }

    /// The tag octet of the next value.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Nothing left?
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// When something is left.
    pub fn finish(self) -> der::Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let decoded = saturated(self.whole.saturating_sub(self.rest.len()));
        Err(self.error(ErrorKind::TrailingData { decoded, remaining: saturated(self.rest.len()) }))
    }

    /// What is wrong with what comes next.
    #[cold]
    fn error(&self, kind: ErrorKind) -> der::Error {
        der::Error::new(kind, saturated(self.whole.saturating_sub(self.rest.len())))
    }
}

/// The tag and the length that a value begins with (X.690 §8.1.2, §8.1.3), and what follows them.
fn split_header(bytes: &[u8]) -> Result<(u8, usize, &[u8]), ErrorKind> {
    let [tag, first, after @ ..] = bytes else { return Err(incomplete(2, bytes)) };
    if !is_known(*tag) {
        return Err(ErrorKind::TagUnknown { byte: *tag });
    }
    let octets = match *first {
        short @ ..0x80 => return Ok((*tag, short.into(), after)),
        0x80 => return Err(ErrorKind::IndefiniteLength),
        long => usize::from(long & 0x7f),
    };
    // Four say more than is ever read.
    let Some((octets, after)) = after.split_at_checked(octets).filter(|_| octets <= 4) else {
        return Err(ErrorKind::Overlength);
    };
    let length = octets.iter().fold(0_u32, |length, octet| length << 8 | u32::from(*octet));
    // X.690 §10.1: "the minimum number of octets".
    if length < 0x80 || octets.first() == Some(&0) {
        return Err(ErrorKind::Overlength);
    }
    Ok((*tag, usize::try_from(length).map_err(|_| ErrorKind::Overflow)?, after))
}

/// Universal tags of DER, constructed where they have to be (X.690 §10.2), and all of the other classes with a number up to 30: higher ones
/// are all ones and further octets (X.690 §8.1.2.4).
const fn is_known(tag: u8) -> bool {
    match tag {
        0x01..=0x06 | 0x09 | 0x0a | 0x0c | 0x0d | 0x12..=0x18 | 0x1a | 0x1b | 0x1e | 0x30 | 0x31 => true,
        0x40.. => tag & 0x1f != 0x1f,
        _ => false,
    }
}

fn incomplete(expected: usize, actual: &[u8]) -> ErrorKind {
    ErrorKind::Incomplete { expected_len: saturated(expected), actual_len: saturated(actual.len()) }
}

fn saturated(length: usize) -> Length {
    Length::try_from(length).unwrap_or(Length::MAX)
}

#[cfg(test)]
mod tests {
    use der::{Header, Reader, SliceReader};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// The same with the decoder of the crate `der`.
    fn other(bytes: &[u8]) -> Option<(&[u8], usize)> {
        let mut reader = SliceReader::new(bytes).ok()?;
        let header = Header::decode(&mut reader).ok()?;
        let value = reader.read_slice(header.length()).ok()?;
        (bytes[0] & 0x1f != 0x1f).then(|| (value, usize::try_from(reader.position()).unwrap()))
    }

    fn agrees(bytes: &[u8]) {
        let read = DerReader::new(bytes).unwrap().any().ok();
        assert!(read.is_none_or(|tlv| tlv.tag == bytes[0] && bytes.starts_with(tlv.raw)));
        assert_eq!(read.map(|tlv| (tlv.value, tlv.raw.len())), other(bytes), "{bytes:02x?}");
    }

    #[test]
    fn every_tag_and_every_first_octet_of_a_length() {
        for tag in 0..=0xff {
            for length in 0..=0xff {
                for next in [0, 1, 0x7f, 0x80, 0xff] {
                    agrees(&[&[tag, length, next][..], &[next; 300]].concat());
                }
                agrees(&[tag, length]);
            }
            agrees(&[tag]);
        }
        agrees(&[]);
    }

    #[test]
    fn errors_say_where() {
        let mut reader = DerReader::new(&[5, 0, 4, 2, 1]).unwrap();
        reader.any().unwrap();
        assert_eq!(reader.any().unwrap_err().position(), Some(Length::new(2)));
        assert_eq!(reader.peek(), Some(4), "it stays where it is");
        assert!(reader.finish().is_err());
    }

    proptest! {
        #[test]
        fn as_another_decoder(tag in any::<u8>(), length in vec(any::<u8>(), 0..6), contents in vec(any::<u8>(), 0..600)) {
            agrees(&[&[tag], &length[..], &contents].concat());
        }

        #[test]
        fn of_any_length(tag in any::<u8>(), contents in vec(any::<u8>(), 0..70_000)) {
            let octets = contents.len().to_be_bytes();
            for count in 1..=octets.len() {
                let form = [&[tag, 0x80 | u8::try_from(count).unwrap()], &octets[octets.len() - count..], &contents].concat();
                agrees(&form);
            }
        }
    }
}
