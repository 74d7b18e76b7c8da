//! CRL numbers.

use std::cmp::Ordering;
use std::fmt;

use certgate_pki::asn1::{DerWriter, Tlv, tag};

/// Most content octets of a CRL number: "Conforming CRL issuers MUST NOT use CRLNumber values longer than 20 octets" (RFC 5280 §5.2.3).
const MAX_OCTETS: usize = 20;

/// A CRLNumber or BaseCRLNumber, `INTEGER (0..MAX)` of at most 20 content octets (RFC 5280 §5.2.3, §5.2.4). Ordered as numbers are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CrlNumber(Vec<u8>);

impl CrlNumber {
    /// From the content octets of an INTEGER: not negative, minimal, 1 to 20 octets.
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let is_minimal = match octets {
            [] => false,
            [0, second, ..] => second & 0x80 != 0,
            [first, ..] => first & 0x80 == 0,
        };
        (is_minimal && octets.len() <= MAX_OCTETS).then(|| Self(octets.to_vec()))
    }

    /// The content octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }

    /// The number, if it has no more than 64 bits.
    #[must_use]
    pub fn to_u64(&self) -> Option<u64> {
        self.0.iter().try_fold(0_u64, |number, octet| Some(number.checked_mul(256)? | u64::from(*octet)))
    }

    /// The next number; `None` after the last one that 20 octets hold.
    #[must_use]
    pub fn successor(&self) -> Option<Self> {
        // A leading zero octet is where the carry comes to.
        let mut octets = [&[0], self.0.as_slice()].concat();
        for octet in octets.iter_mut().rev() {
            *octet = octet.wrapping_add(1);
            if *octet != 0 {
                break;
            }
        }
        Self::from_octets(minimal(&octets))
    }

    /// 0? No list of ours has it: a number that is lost or not set reads so.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0 == [0]
    }

    pub(crate) fn read(tlv: Tlv<'_>) -> Option<Self> {
        (tlv.tag == tag::INTEGER).then(|| Self::from_octets(tlv.value)).flatten()
    }

    pub(crate) fn write(&self, writer: &mut DerWriter) {
        writer.tlv(tag::INTEGER, &self.0);
    }
}

impl From<u64> for CrlNumber {
    fn from(number: u64) -> Self {
        let mut octets = [0; 9];
        for (slot, octet) in octets.iter_mut().skip(1).zip(number.to_be_bytes()) {
            *slot = octet;
        }
        Self(minimal(&octets).to_vec())
    }
}

/// Without the leading zero octets that an INTEGER of this number does not need (X.690 §8.3.2).
fn minimal(octets: &[u8]) -> &[u8] {
    match octets {
        [0, rest @ ..] if rest.first().is_some_and(|first| first & 0x80 == 0) => minimal(rest),
        _ => octets,
    }
}

impl Ord for CrlNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        // Neither is negative and both are minimal: the longer one is the greater one.
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for CrlNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Lowercase hex, two digits an octet, as other tools show it.
impl fmt::Display for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CrlNumber({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn integers_that_are_minimal_and_not_negative() {
        for (number, octets) in [
            (0, &[0][..]),
            (1, &[1]),
            (127, &[127]),
            (128, &[0, 128]),
            (256, &[1, 0]),
            (0x8000_0000, &[0, 0x80, 0, 0, 0]),
            (u64::MAX, &[0, 255, 255, 255, 255, 255, 255, 255, 255]),
        ] {
            assert_eq!(CrlNumber::from(number).as_octets(), octets, "{number}");
        }
        for wrong in [&[][..], &[0, 0], &[0, 0x7f], &[0x80], &[0xff], &[1; 21], &[&[0, 0x80][..], &[0; 19]].concat()] {
            assert_eq!(CrlNumber::from_octets(wrong), None, "{wrong:02x?}");
        }
        assert!(CrlNumber::from_octets(&[0x7f; 20]).is_some());
    }

    #[test]
    fn the_last_number_has_no_successor() {
        let last = CrlNumber::from_octets(&[&[0x7f][..], &[0xff; 19]].concat()).unwrap();
        assert_eq!(last.successor(), None);
        assert_eq!((last.to_u64(), last > CrlNumber::from(u64::MAX)), (None, true));
        let beyond = CrlNumber::from(u64::MAX).successor().unwrap();
        assert_eq!((beyond.as_octets(), beyond.to_u64()), (&[1, 0, 0, 0, 0, 0, 0, 0, 0][..], None));
    }

    proptest! {
        #[test]
        fn ordered_as_numbers_are(one in any::<u64>(), shift in 0..64_u32, other in any::<u64>()) {
            let (small, large) = (CrlNumber::from(one >> shift), CrlNumber::from(other));
            prop_assert_eq!(small.cmp(&large), (one >> shift).cmp(&other));
            prop_assert_eq!(small.to_u64(), Some(one >> shift));
            prop_assert_eq!(CrlNumber::from_octets(small.as_octets()), Some(small.clone()));
            if let Some(next) = (one >> shift).checked_add(1) {
                prop_assert_eq!(small.successor(), Some(CrlNumber::from(next)));
            }
        }
    }
}
