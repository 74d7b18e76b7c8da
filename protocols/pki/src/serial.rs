//! Serial numbers.

use std::fmt;

use crate::Timestamp;
use crate::asn1::{DerWriter, Tlv, tag};
use crate::limits::MAX_SERIAL;

/// A certificate's serial number: the content octets of a positive INTEGER, at most 20 of them (RFC 5280 §4.1.2.2).
///
/// Its text form is lowercase hex without a prefix, two digits an octet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// How many random octets [`Self::from_parts`] wants: 80 bits, above the 64 that the CA/Browser Forum asks for.
    pub const RANDOM_OCTETS: usize = 10;

    /// 48 bits of milliseconds, then 80 random bits: ordered in the ledger, unguessable, 16 octets. The top bit stays clear until the
    /// year 6429.
    #[must_use]
    pub fn from_parts(now: Timestamp, random: [u8; Self::RANDOM_OCTETS]) -> Self {
        let [_, _, time @ ..] = now.millis().to_be_bytes();
        let mut octets = Vec::with_capacity(16);
        // A minimal INTEGER starts with no zero octet unless the next one has its top bit set; 48 bits of milliseconds start with 0x01
        // since 2004, and the guard is for clocks that are not set.
        octets.extend(time.iter().enumerate().map(|(i, byte)| if i == 0 { (byte & 0x7f).max(1) } else { *byte }));
        octets.extend(random);
        Self(octets)
    }

    /// From content octets of an INTEGER: positive, minimal, at most 20 octets.
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let minimal = match octets {
            [] | [0] => false,
            [0, second, ..] => second & 0x80 != 0,
            [first, ..] => first & 0x80 == 0,
        };
        // 20 octets, and a leading zero octet besides where CAs of old have set the top bit of the first.
        let sign = usize::from(octets.first() == Some(&0));
        (minimal && octets.len() - sign <= MAX_SERIAL).then(|| Self(octets.to_vec()))
    }

    /// From hex, either case, as `cert show` takes it.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() > 2 * (MAX_SERIAL + 1) || !text.len().is_multiple_of(2) || !text.is_ascii() {
            return None;
        }
        let octets = text
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| !p.starts_with('+'))?, 16).ok())
            .collect::<Option<Vec<u8>>>()?;
        Self::from_octets(&octets)
    }

    /// The content octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn read(tlv: Tlv<'_>) -> Option<Self> {
        (tlv.tag == tag::INTEGER).then(|| Self::from_octets(tlv.value)).flatten()
    }

    pub(crate) fn write(&self, writer: &mut DerWriter) {
        writer.tlv(tag::INTEGER, &self.0);
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_octets_positive_and_ordered_by_time() {
        let early = Serial::from_parts(Timestamp::from_millis(1_790_000_000_000), [0xff; 10]);
        let late = Serial::from_parts(Timestamp::from_millis(1_790_000_000_001), [0; 10]);
        assert_eq!(early.as_octets().len(), 16);
        assert_eq!(Serial::from_octets(early.as_octets()).as_ref(), Some(&early));
        assert!(early < late);
        assert!(Serial::from_octets(Serial::from_parts(Timestamp::from_millis(0), [0; 10]).as_octets()).is_some());
    }

    #[test]
    fn only_positive_minimal_integers() {
        for wrong in [&[][..], &[0], &[0, 1], &[0x80], &[1; 21]] {
            assert_eq!(Serial::from_octets(wrong), None, "{wrong:02x?}");
        }
        assert!(Serial::from_octets(&[0, 0x80]).is_some());
    }

    #[test]
    fn hex_round_trip() {
        let serial = Serial::from_hex("0a0BFF").unwrap();
        assert_eq!(serial.to_string(), "0a0bff");
        for wrong in ["", "0", "zz", "+1", "0x01", "é1"] {
            assert_eq!(Serial::from_hex(wrong), None, "{wrong}");
        }
    }
}
