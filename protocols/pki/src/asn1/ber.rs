//! BER to DER (X.690 §8, §10): what CMS messages may be written in, and what the decoders of this crate read.
//!
//! Lengths become definite and minimal, strings that come in segments become one, and nothing else is touched: neither the order of a
//! SET nor the octets of a primitive value, since signatures may cover them. Nesting is kept on a list of our own and bounded.

use super::tag;
use super::write::length_octets;

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 32;

/// Why octets are no BER value that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BerError {
    /// It ends within a value, or a value is longer than what it is in.
    #[error("a value is cut off")]
    Truncated,
    /// There is something behind the value.
    #[error("octets behind the value")]
    TrailingOctets,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A tag number above 30, a length of more than four octets, or one that is not allowed here.
    #[error("a tag or length that is not read here")]
    Unsupported,
    /// Segments of a string that are no such segments.
    #[error("a string of wrong segments")]
    Segments,
}

/// The DER of the one BER value in `ber`.
///
/// # Errors
/// [`BerError`].
pub fn to_der(ber: &[u8]) -> Result<Vec<u8>, BerError> {
    let mut transcoder = Transcoder { input: ber, at: 0, out: Vec::with_capacity(ber.len()), open: Vec::new() };
    loop {
        transcoder.step()?;
        while transcoder.is_complete() {
            transcoder.close()?;
        }
        if transcoder.open.is_empty() {
            break;
        }
    }
    if transcoder.at < ber.len() { Err(BerError::TrailingOctets) } else { Ok(transcoder.out) }
}

/// What a constructed value's contents become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contents {
    /// Values, one after the other.
    Values,
    /// The octets of an OCTET STRING or a character string.
    Octets,
    /// Those of a BIT STRING; the first one that was written is the number of unused bits, which only its last segment may have.
    Bits,
}

/// A constructed value that is being read.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// Where it ends; `None` is at the end-of-contents octets.
    end: Option<usize>,
    contents: Contents,
    /// Where its contents begin in the output; `None` for segments within a string, which have no header of their own there.
    start: Option<usize>,
}

/// The tag of the segments of a string (X.690 §8.7.3, §8.21, §8.23): a character string is one of OCTET STRINGs.
const fn segment_tag(contents: Contents) -> u8 {
    match contents {
        Contents::Values | Contents::Octets => tag::OCTET_STRING,
        Contents::Bits => tag::BIT_STRING,
    }
}

/// Is this the tag, of the primitive form, of an OCTET STRING, a character string or a time, which is one (X.690 §8.25)?
const fn is_string(primitive: u8) -> bool {
    matches!(primitive, tag::OCTET_STRING | tag::UTF8_STRING | 0x12..=tag::BMP_STRING)
}

struct Transcoder<'i> {
    input: &'i [u8],
    at: usize,
    out: Vec<u8>,
    open: Vec<Open>,
}

impl<'i> Transcoder<'i> {
    /// Reads a header, and the contents of what is primitive.
    fn step(&mut self) -> Result<(), BerError> {
        let within = self.open.last().copied();
        let tag = self.octet()?;
        let length = self.length()?;
        if tag == 0 {
            return self.end_of_contents(length);
        }
        if tag & 0x1f == 0x1f {
            return Err(BerError::Unsupported);
        }
        let end = match length {
            Some(length) => Some(self.at.checked_add(length).filter(|end| *end <= self.limit()).ok_or(BerError::Truncated)?),
            None => None,
        };
        let is_constructed = tag & tag::CONSTRUCTED != 0;
        match (within.map_or(Contents::Values, |open| open.contents), is_constructed) {
            (Contents::Values, true) => self.enter(tag, end),
            (Contents::Values, false) => {
                let value = self.take(end)?;
                self.write(tag, value);
                Ok(())
            }
            (contents, true) => self.enter_segments(tag, end, contents),
            (contents, false) => {
                let segment = self.take(end)?;
                self.segment(tag, segment, contents)
            }
        }
    }

    /// Where the innermost value that says so ends.
    fn limit(&self) -> usize {
        self.open.iter().rev().find_map(|open| open.end).unwrap_or(self.input.len())
    }

    fn octet(&mut self) -> Result<u8, BerError> {
        let octet = self.input.get(self.at).filter(|_| self.at < self.limit()).ok_or(BerError::Truncated)?;
        self.at += 1;
        Ok(*octet)
    }

    /// Length octets (X.690 §8.1.3); `None` is the indefinite form.
    fn length(&mut self) -> Result<Option<usize>, BerError> {
        let first = self.octet()?;
        match first {
            0x80 => Ok(None),
            ..0x80 => Ok(Some(usize::from(first))),
            _ => {
                let mut length: usize = 0;
                let mut significant = 0;
                for _ in 0..first & 0x7f {
                    let octet = self.octet()?;
                    significant += usize::from(significant > 0 || octet != 0);
                    if significant > 4 {
                        return Err(BerError::Unsupported);
                    }
                    length = length << 8 | usize::from(octet);
                }
                Ok(Some(length))
            }
        }
    }

    fn end_of_contents(&mut self, length: Option<usize>) -> Result<(), BerError> {
        match self.open.last_mut() {
            Some(open) if open.end.is_none() && length == Some(0) => {
                open.end = Some(self.at);
                Ok(())
            }
            _ => Err(BerError::Unsupported),
        }
    }

    /// Begins a constructed value among values. A string in segments becomes a primitive one.
    fn enter(&mut self, tag: u8, end: Option<usize>) -> Result<(), BerError> {
        let primitive = tag & !tag::CONSTRUCTED;
        let (written, contents) = match tag {
            tag::SEQUENCE | tag::SET => (tag, Contents::Values),
            // Application, context-specific and private ones.
            0x40.. => (tag, Contents::Values),
            _ if primitive == tag::BIT_STRING => (primitive, Contents::Bits),
            _ if is_string(primitive) => (primitive, Contents::Octets),
            _ => return Err(BerError::Unsupported),
        };
        self.out.push(written);
        let start = Some(self.out.len());
        if contents == Contents::Bits {
            self.out.push(0);
        }
        self.push(Open { end, contents, start })
    }

    /// Begins segments within segments: they are of the same string.
    fn enter_segments(&mut self, tag: u8, end: Option<usize>, contents: Contents) -> Result<(), BerError> {
        if tag & !tag::CONSTRUCTED != segment_tag(contents) {
            return Err(BerError::Segments);
        }
        self.push(Open { end, contents, start: None })
    }

    fn push(&mut self, open: Open) -> Result<(), BerError> {
        if self.open.len() == MAX_DEPTH {
            return Err(BerError::TooDeep);
        }
        self.open.push(open);
        Ok(())
    }

    /// A primitive segment of a string.
    fn segment(&mut self, tag: u8, segment: &[u8], contents: Contents) -> Result<(), BerError> {
        if tag != segment_tag(contents) {
            return Err(BerError::Segments);
        }
        if contents == Contents::Octets {
            self.out.extend_from_slice(segment);
            return Ok(());
        }
        // X.690 §8.6.4: each segment has its number of unused bits, which is zero for all but the last.
        let start = self.open.iter().rev().find_map(|open| open.start).ok_or(BerError::Segments)?;
        let (unused, bits) = segment.split_first().ok_or(BerError::Segments)?;
        let slot = self.out.get_mut(start).ok_or(BerError::Segments)?;
        if *slot != 0 || *unused > 7 || (*unused != 0 && bits.is_empty()) {
            return Err(BerError::Segments);
        }
        *slot = *unused;
        self.out.extend_from_slice(bits);
        Ok(())
    }

    /// The contents of a primitive value, whose length has to be definite.
    fn take(&mut self, end: Option<usize>) -> Result<&'i [u8], BerError> {
        let end = end.ok_or(BerError::Unsupported)?;
        let value = self.input.get(self.at..end).ok_or(BerError::Truncated)?;
        self.at = end;
        Ok(value)
    }

    fn write(&mut self, tag: u8, value: &[u8]) {
        self.out.push(tag);
        let (octets, used) = length_octets(value.len());
        self.out.extend(octets.into_iter().take(used));
        self.out.extend_from_slice(value);
    }

    fn is_complete(&self) -> bool {
        self.open.last().is_some_and(|open| open.end == Some(self.at))
    }

    /// Ends the innermost value: now its length is known.
    fn close(&mut self) -> Result<(), BerError> {
        let open = self.open.pop().ok_or(BerError::Truncated)?;
        if let Some(start) = open.start {
            let (octets, used) = length_octets(self.out.len() - start);
            self.out.splice(start..start, octets.into_iter().take(used));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_stays_as_it_is() {
        for same in [
            &[0x05, 0x00][..],
            &[0x30, 0x00],
            // A SET that is not sorted, a BOOLEAN that is not 0xff: signatures may cover them.
            &[0x31, 0x06, 0x02, 0x01, 0x02, 0x02, 0x01, 0x01],
            &[0x30, 0x03, 0x01, 0x01, 0x01],
            &[0xa0, 0x05, 0xa1, 0x03, 0x80, 0x01, 0x00],
        ] {
            assert_eq!(to_der(same).as_deref(), Ok(same), "{same:02x?}");
        }
    }

    #[test]
    fn lengths_become_definite_and_minimal() {
        for (ber, expected) in [
            (&[0x30, 0x80, 0x05, 0x00, 0x00, 0x00][..], &[0x30, 0x02, 0x05, 0x00][..]),
            (&[0x30, 0x80, 0x00, 0x00], &[0x30, 0x00]),
            (&[0x30, 0x81, 0x02, 0x05, 0x00], &[0x30, 0x02, 0x05, 0x00]),
            (&[0x04, 0x84, 0x00, 0x00, 0x00, 0x01, 0xaa], &[0x04, 0x01, 0xaa]),
            (&[0x30, 0x80, 0xa0, 0x80, 0x02, 0x01, 0x07, 0x00, 0x00, 0x00, 0x00], &[0x30, 0x05, 0xa0, 0x03, 0x02, 0x01, 0x07]),
            // Indefinite within definite.
            (&[0x30, 0x06, 0x31, 0x80, 0x05, 0x00, 0x00, 0x00], &[0x30, 0x04, 0x31, 0x02, 0x05, 0x00]),
        ] {
            assert_eq!(to_der(ber).as_deref(), Ok(expected), "{ber:02x?}");
        }
        let long = [&[0x30, 0x80, 0x04, 0x81, 0xc8][..], &[7; 200], &[0, 0]].concat();
        assert_eq!(to_der(&long), Ok([&[0x30, 0x81, 0xcb, 0x04, 0x81, 0xc8][..], &[7; 200]].concat()));
    }

    #[test]
    fn strings_in_segments_become_one() {
        for (ber, expected) in [
            (&[0x24, 0x80, 0x04, 0x01, 0xaa, 0x04, 0x02, 0xbb, 0xcc, 0x00, 0x00][..], &[0x04, 0x03, 0xaa, 0xbb, 0xcc][..]),
            (&[0x24, 0x00], &[0x04, 0x00]),
            // Segments of segments.
            (&[0x24, 0x07, 0x24, 0x80, 0x04, 0x01, 0xaa, 0x00, 0x00], &[0x04, 0x01, 0xaa]),
            (&[0x33, 0x04, 0x04, 0x02, b'a', b'b'], &[0x13, 0x02, b'a', b'b']),
            (&[0x23, 0x09, 0x03, 0x03, 0x00, 0xaa, 0xbb, 0x03, 0x02, 0x04, 0xc0], &[0x03, 0x04, 0x04, 0xaa, 0xbb, 0xc0]),
            (&[0x23, 0x00], &[0x03, 0x01, 0x00]),
            // What is tagged by context is left in its segments: whether it is a string is not said here.
            (&[0xa0, 0x80, 0x04, 0x01, 0xaa, 0x00, 0x00], &[0xa0, 0x03, 0x04, 0x01, 0xaa]),
        ] {
            assert_eq!(to_der(ber).as_deref(), Ok(expected), "{ber:02x?}");
        }
    }

    #[test]
    fn what_is_no_ber_is_refused() {
        for (wrong, error) in [
            (&[][..], BerError::Truncated),
            (&[0x30], BerError::Truncated),
            (&[0x30, 0x80], BerError::Truncated),
            (&[0x30, 0x80, 0x00], BerError::Truncated),
            (&[0x04, 0x02, 0xaa], BerError::Truncated),
            (&[0x30, 0x02, 0x04, 0x01], BerError::Truncated),
            // Longer than what it is in, though there is more.
            (&[0x30, 0x02, 0x04, 0x02, 0xaa, 0xbb], BerError::Truncated),
            (&[0x30, 0x03, 0x31, 0x80, 0x05, 0x00, 0x00, 0x00], BerError::Truncated),
            (&[0x05, 0x00, 0x00], BerError::TrailingOctets),
            (&[0x00, 0x00], BerError::Unsupported),
            (&[0x30, 0x02, 0x00, 0x00], BerError::Unsupported),
            (&[0x30, 0x80, 0x00, 0x01, 0x00], BerError::Unsupported),
            (&[0x04, 0x80, 0xaa, 0x00, 0x00], BerError::Unsupported),
            (&[0x1f, 0x20, 0x00], BerError::Unsupported),
            (&[0x22, 0x00], BerError::Unsupported),
            (&[0x20, 0x00], BerError::Unsupported),
            (&[0x04, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00], BerError::Unsupported),
            (&[0x24, 0x03, 0x02, 0x01, 0x00], BerError::Segments),
            (&[0x24, 0x02, 0x30, 0x00], BerError::Segments),
            (&[0x23, 0x02, 0x03, 0x00], BerError::Segments),
            (&[0x23, 0x04, 0x03, 0x02, 0x08, 0x00], BerError::Segments),
            (&[0x23, 0x08, 0x03, 0x02, 0x01, 0x00, 0x03, 0x02, 0x00, 0x00], BerError::Segments),
        ] {
            assert_eq!(to_der(wrong), Err(error), "{wrong:02x?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| [[0x30, 0x80].repeat(levels), [0, 0].repeat(levels)].concat();
        assert!(to_der(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(to_der(&nested(MAX_DEPTH + 1)), Err(BerError::TooDeep));
        assert_eq!(to_der(&[0x24, 0x80].repeat(100_000)), Err(BerError::TooDeep));
    }
}
