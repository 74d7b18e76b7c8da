//! The serial numbers of a seeded ledger: one after the other from the first, taken in an order that has no neighbours.

/// Octets of a serial number.
pub(crate) const SERIAL_OCTETS: usize = 16;
/// A prime larger than any count: a step by which every number is met once before any is met again.
const STEP: u64 = 2_654_435_761;

/// A range of serial numbers.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Serials {
    /// The first serial number: 16 octets, lower-case hexadecimal
    #[arg(long, value_parser = octets)]
    first_serial: [u8; SERIAL_OCTETS],
    /// How many there are, one after the other
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..1 << 31))]
    serials: u64,
    /// How many of them are left out at the beginning, in the order in which they are taken
    #[arg(long, default_value_t = 0)]
    skip: usize,
}

impl Serials {
    /// So many, from the first.
    #[cfg(test)]
    pub(crate) const fn new(first_serial: [u8; SERIAL_OCTETS], serials: u64) -> Self {
        Self { first_serial, serials, skip: 0 }
    }

    /// The one that is taken at `index`: all of them once, then all of them again.
    pub(crate) fn nth(self, index: usize) -> [u8; SERIAL_OCTETS] {
        let place = ((index + self.skip) as u64 % self.serials) * STEP % self.serials;
        u128::from_be_bytes(self.first_serial).wrapping_add(u128::from(place)).to_be_bytes()
    }
}

fn octets(text: &str) -> Result<[u8; SERIAL_OCTETS], String> {
    let number = (text.len() == 2 * SERIAL_OCTETS).then(|| u128::from_str_radix(text, 16).ok()).flatten();
    number.map(u128::to_be_bytes).ok_or_else(|| format!("{text:?} is not {SERIAL_OCTETS} octets"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_is_met_once() {
        let first = octets("400000000000000000000000000000ff").unwrap();
        let serials = Serials::new(first, 1000);
        let met: BTreeSet<_> = (0..1000).map(|index| serials.nth(index)).collect();
        assert_eq!(met.len(), 1000);
        assert_eq!(met.first(), Some(&first));
        assert_eq!(met.last().map(|last| last[14..].to_vec()), Some(vec![0x04, 0xe6]));
        assert_eq!(serials.nth(1000), serials.nth(0));
    }

    #[test]
    fn a_serial_number_has_its_length() {
        assert!(octets("40").is_err() && octets(&"g".repeat(32)).is_err());
    }
}
