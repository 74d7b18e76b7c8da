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

    /// From the hex digits of a positive number, either case, with or without leading zeros: as people copy it from other tools.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.trim_start_matches('0');
        if digits.is_empty() || digits.len() > 2 * MAX_SERIAL || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        // An INTEGER is signed: a first digit of 8 or more needs a zero octet before it.
        let has_top_bit = digits.len().is_multiple_of(2) && digits.starts_with(|digit: char| digit > '7');
        let zeros = if has_top_bit { 2 } else { digits.len() % 2 };
        base16ct::mixed::decode_vec(format!("{}{digits}", "0".repeat(zeros))).ok().map(Self)
    }

    /// The content octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }

    /// Reads an INTEGER, as [`Self::from_octets`] does.
    #[must_use]
    pub fn read(tlv: Tlv<'_>) -> Option<Self> {
        (tlv.tag == tag::INTEGER).then(|| Self::from_octets(tlv.value)).flatten()
    }

    /// Writes the INTEGER.
    pub fn write(&self, writer: &mut DerWriter) {
        writer.tlv(tag::INTEGER, &self.0);
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
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
        for (text, octets) in [("abcd", &[0, 0xab, 0xcd][..]), ("00abcd", &[0, 0xab, 0xcd]), ("1", &[1]), ("0102", &[1, 2])] {
            assert_eq!(Serial::from_hex(text).unwrap().as_octets(), octets, "{text}");
            assert!(Serial::from_octets(octets).is_some());
        }
        for wrong in ["", "0", "zz", "+1", "0x01", "é1", &"1".repeat(41)] {
            assert_eq!(Serial::from_hex(wrong), None, "{wrong}");
        }
    }
}
