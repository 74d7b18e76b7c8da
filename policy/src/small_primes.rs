//! Small primes, and what long numbers leave when they are divided by them.

/// The odd primes below a bound, ascending. By trial division: for bounds of a few hundred.
pub(crate) fn odd_primes(below: u32) -> impl Iterator<Item = u32> {
    let is_prime = |candidate: &u32| {
        let mut divisors = (3..).step_by(2).take_while(|divisor| divisor * divisor <= *candidate);
        divisors.all(|divisor: u32| !candidate.is_multiple_of(divisor))
    };
    (3..below).step_by(2).filter(is_prime)
}

/// What a number, given as big-endian octets, leaves when it is divided; the divisor is not 0.
pub(crate) fn remainder(octets: &[u8], divisor: u32) -> u32 {
    let divisor = u64::from(divisor);
    let (head, words) = octets.split_at(octets.len() % 4);
    let digit = |octets: &[u8]| octets.iter().fold(0, |digit, octet| digit << 8 | u64::from(*octet));
    // Below `divisor`, so below 2^32, at every step.
    let remainder = words.chunks_exact(4).fold(digit(head) % divisor, |rest, word| (rest << 32 | digit(word)) % divisor);
    u32::try_from(remainder).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn primes() {
        assert_eq!(odd_primes(30).collect::<Vec<_>>(), [3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert_eq!(odd_primes(752).count(), 132, "133 primes are below 752, with 2");
        assert_eq!(odd_primes(752).last(), Some(751));
    }

    proptest! {
        #[test]
        fn remainders_are_those_of_a_bigint(octets in vec(any::<u8>(), 0..600), divisor in 1..=u32::MAX) {
            let expected = num_bigint::BigUint::from_bytes_be(&octets) % divisor;
            prop_assert_eq!(num_bigint::BigUint::from(remainder(&octets, divisor)), expected);
        }
    }
}
