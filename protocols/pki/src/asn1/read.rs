//! Reading DER without losing the bytes.

use der::{Decode, ErrorKind, Header, Reader, SliceReader};

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
    reader: SliceReader<'a>,
    bytes: &'a [u8],
}

impl<'a> DerReader<'a> {
    /// A reader over `bytes`.
    ///
    /// # Errors
    /// When `bytes` is longer than 256 MiB, the most that [`der::Length`] holds.
    pub fn new(bytes: &'a [u8]) -> der::Result<Self> {
        SliceReader::new(bytes).map(|reader| Self { reader, bytes })
    }

    /// The next value, whatever it is.
    ///
    /// # Errors
    /// When there is none, or its length is not definite and minimal.
    pub fn any(&mut self) -> der::Result<Tlv<'a>> {
        let mut ahead = self.reader.clone();
        let header = Header::decode(&mut ahead)?;
        let value = ahead.read_slice(header.length())?;
        let (start, end) = (usize::try_from(self.reader.position())?, usize::try_from(ahead.position())?);
        let raw = self.bytes.get(start..end).ok_or(ErrorKind::Failed)?;
        let (&tag, _) = raw.split_first().ok_or(ErrorKind::Failed)?;
        // X.690 §8.1.2.4: all ones announce a number above 30, in further octets.
        if tag & 0x1f == 0x1f {
            return Err(ErrorKind::TagNumberInvalid.into());
        }
        self.reader = ahead;
        Ok(Tlv { tag, value, raw })
    }

    /// The next value, which must have this tag.
    ///
    /// # Errors
    /// When there is none or it has another tag.
    pub fn expect(&mut self, tag: u8) -> der::Result<Tlv<'a>> {
        if self.peek() != Some(tag) {
            return Err(self.reader.error(ErrorKind::Failed));
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

    /// The tag octet of the next value.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.reader.peek_byte()
    }

    /// Nothing left?
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.reader.is_finished()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// When something is left.
    pub fn finish(self) -> der::Result<()> {
        self.reader.finish()
    }
}
