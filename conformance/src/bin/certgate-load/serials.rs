//! The serial numbers of a seeded ledger: one after the other from the first, taken in an order that has no neighbours.

use std::str::FromStr;

/// Octets of a serial number.
pub(crate) const SERIAL_OCTETS: usize = 16;
/// A prime larger than any count: a step by which every number is met once before any is met again.
const STEP: u64 = 2_654_435_761;

/// A range of serial numbers: `FIRST+COUNT`, the first in hexadecimal.
#[derive(Clone, Copy)]
pub(crate) struct Serials {
    first: u128,
    count: u64,
}

impl Serials {
    /// The one that is taken at `index`: all of them once, then all of them again.
    pub(crate) fn nth(self, index: usize) -> [u8; SERIAL_OCTETS] {
        let place = (index as u64 % self.count) * STEP % self.count;
        self.first.wrapping_add(u128::from(place)).to_be_bytes()
    }
}

impl FromStr for Serials {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (first, count) = text.split_once('+')?;
            let first = u128::from_str_radix(first, 16).ok().filter(|_| first.len() == 2 * SERIAL_OCTETS)?;
            let count = count.parse().ok().filter(|count| (1..1 << 31).contains(count))?;
            Some(Self { first, count })
        };
        parse().ok_or_else(|| format!("{text:?} is not {SERIAL_OCTETS} octets in hexadecimal, + and a number"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_is_met_once() {
        let serials: Serials = "400000000000000000000000000000ff+1000".parse().unwrap();
        let met: BTreeSet<_> = (0..1000).map(|index| serials.nth(index)).collect();
        assert_eq!(met.len(), 1000);
        assert_eq!(met.first().map(|first| first[14..].to_vec()), Some(vec![0x00, 0xff]));
        assert_eq!(met.last().map(|last| last[14..].to_vec()), Some(vec![0x04, 0xe6]));
        assert_eq!(serials.nth(1000), serials.nth(0));
    }

    #[test]
    fn a_serial_number_has_its_length() {
        let zeros = "0".repeat(32);
        for text in ["40+1".to_owned(), format!("{zeros}+0"), zeros.clone(), format!("{}+1", "g".repeat(32))] {
            assert!(text.parse::<Serials>().is_err(), "{text}");
        }
    }
}
