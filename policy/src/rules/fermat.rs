//! RSA keys whose two primes are so close that Fermat's method of 1643 finds them (CVE-2022-26320).

use num_bigint::BigUint;

use crate::{Asked, Rule};

pub(crate) const RULE: Rule =
    Rule { name: "fermat", citation: "CVE-2022-26320, CA/Browser Forum BR §6.1.1.3, FIPS 186-5 §A.1.3", check };

/// CA/Browser Forum BR §6.1.1.3: "In the case of Close Primes vulnerability (https://fermatattack.secvuln.info/), the CA SHALL reject weak
/// keys which can be factored within 100 rounds using Fermat's factorization method."
const ROUNDS: usize = 100;

fn check(asked: &Asked<'_>) -> Result<(), String> {
    let Some(modulus) = asked.csr.public_key().rsa_modulus() else { return Ok(()) };
    if is_factored(&BigUint::from_bytes_be(modulus)) {
        return Err(
            "the RSA key's primes are so close to each other that it can be factored; make one with another library".into()
        );
    }
    Ok(())
}

/// Is an odd n = p*q factored in these rounds? With a = (p + q) / 2 and b = (p - q) / 2 it is a^2 - b^2: each round takes the next a from
/// the root of n upwards, and looks whether a^2 - n is a square.
fn is_factored(modulus: &BigUint) -> bool {
    let mut a = modulus.sqrt();
    if &a * &a == *modulus {
        return true;
    }
    a += 1_u32;
    let first = &a * &a - modulus;
    // (a + 1)^2 = a^2 + 2a + 1, and that step grows by 2 from one a to the next.
    let step = (a << 1) + 1_u32;
    let residue = |number: &BigUint| u32::try_from(number % SIEVED).unwrap_or(0);
    let (mut rest, mut rest_of_step) = (residue(&first), residue(&step));
    for round in 0..ROUNDS {
        // What may be a square is computed, one in 110.
        if may_be_square(rest) && is_square(&(&first + &step * round + round * round.saturating_sub(1))) {
            return true;
        }
        rest = (rest + rest_of_step) % SIEVED;
        rest_of_step = (rest_of_step + 2) % SIEVED;
    }
    false
}

/// Moduli without a common factor, and which numbers are squares modulo each: of all numbers, 1 in 110 is a square modulo all of them.
const SIEVE: [(u32, u64); 4] = [(64, squares(64)), (63, squares(63)), (61, squares(61)), (55, squares(55))];
/// Their product: what a number leaves when it is divided by this tells what it leaves for each of them.
const SIEVED: u32 = 64 * 63 * 61 * 55;

/// Bit `x` says whether `x` is a square modulo this number, which is at most 64.
const fn squares(modulus: u64) -> u64 {
    let (mut bits, mut root) = (0, 0);
    while root < modulus {
        bits |= 1 << (root * root % modulus);
        root += 1;
    }
    bits
}

/// Is a number that leaves this a square modulo each of the sieve?
fn may_be_square(rest: u32) -> bool {
    SIEVE.iter().all(|(modulus, squares)| squares >> (rest % modulus) & 1 == 1)
}

fn is_square(number: &BigUint) -> bool {
    let root = number.sqrt();
    &root * &root == *number
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn squares_and_no_others(root in any::<u128>(), off in 1..1000_u32) {
            let root = BigUint::from(root);
            let square = &root * &root;
            prop_assert!(is_square(&square) && may_be_square(u32::try_from(&square % SIEVED).unwrap()));
            // The next square is 2 * root + 1 away.
            prop_assume!(root > BigUint::from(off));
            prop_assert!(!is_square(&(&square + off)) && !is_square(&(&square - off)));
        }

        #[test]
        fn close_factors_are_found(p in (1_u128 << 100)..(1 << 120), gap in 0..1_u128 << 50) {
            let (p, q) = (p | 1, (p | 1) + 2 * gap);
            prop_assert!(is_factored(&(BigUint::from(p) * q)), "b^2 / 2a is below one round");
        }

        /// A product of such numbers has other divisors near its root once in 2^40 times.
        #[test]
        fn far_factors_are_not(p in (1_u128 << 100)..(1 << 101), q in (1_u128 << 102)..(1 << 103)) {
            prop_assert!(!is_factored(&(BigUint::from(p | 1) * (q | 1))));
        }

        /// With b just above the root of 2ak - k^2 the root of a^2 - b^2, rounded up, is a - k: round k + 1 finds it.
        #[test]
        fn a_hundred_rounds(a in (1_u128 << 120)..(1 << 121), k in 0..200_usize) {
            let a = BigUint::from(a);
            let b = (&a * 2_u32 * k - k * k).sqrt() + 1_u32;
            prop_assert_eq!(is_factored(&(&a * &a - &b * &b)), k < ROUNDS);
        }
    }
}
