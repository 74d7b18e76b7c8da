//! RSA keys of a library in Infineon's chips, whose primes had so few forms that they can be factored (CVE-2017-15361, "ROCA").
//!
//! Its primes are `k*M + (65537^a mod M)` where M is the product of the first primes. So the modulus, a product of two of them, is a power
//! of 65537 modulo every one of those primes. M of the smallest keys is the product of the primes up to 167, and larger keys have all of
//! these too: that is the fingerprint, published by the finders (Nemec et al., "The Return of Coppersmith's Attack", CCS 2017).
//! Of other keys, less than one in a hundred million has it by chance.

use crate::small_primes::{odd_primes, remainder};
use crate::{Asked, Rule};

pub(crate) const RULE: Rule = Rule { name: "roca", citation: "CVE-2017-15361, CA/Browser Forum BR §6.1.1.3", check };

/// What the primes of these keys are powers of, modulo M.
const GENERATOR: u32 = 65_537;
/// The largest prime in M of the smallest keys.
const LARGEST_PRIME: u32 = 167;

fn check(asked: &Asked<'_>) -> Result<(), String> {
    let Some(modulus) = asked.csr.public_key().rsa_modulus() else { return Ok(()) };
    // CA/Browser Forum BR §6.1.1.3: "In the case of ROCA vulnerability, the CA SHALL reject keys identified by the tools available at
    // https://github.com/crocs-muni/roca or equivalent."
    if odd_primes(LARGEST_PRIME + 1).all(|prime| is_power_of_generator(remainder(modulus, prime), prime)) {
        return Err(
            "the RSA key was made by a chip whose keys can be factored (CVE-2017-15361, ROCA); make one elsewhere".into()
        );
    }
    Ok(())
}

/// Is it in the subgroup that the generator generates modulo this prime?
fn is_power_of_generator(residue: u32, prime: u32) -> bool {
    let mut powers = std::iter::successors(Some(1), |power| Some(power * GENERATOR % prime).filter(|next| *next != 1));
    powers.any(|power| power == residue)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a key has the fingerprint by chance: the product of the shares of the subgroups.
    #[test]
    fn chance() {
        let share = |prime: u32| {
            (1..prime).filter(|residue| is_power_of_generator(*residue, prime)).count() as f64 / f64::from(prime - 1)
        };
        let bits: f64 = odd_primes(LARGEST_PRIME + 1).map(|prime| -share(prime).log2()).sum();
        assert!((27.0..28.0).contains(&bits), "2^-{bits}");
    }

    /// The residues that the published detector has as bit masks, for its first primes.
    #[test]
    fn subgroups_as_published() {
        for (prime, mask) in [(3, 6_u32), (5, 30), (7, 126), (11, 1026), (13, 5658), (17, 107_286), (19, 199_410)] {
            let ours = (0..prime)
                .filter(|residue| is_power_of_generator(*residue, prime))
                .fold(0, |mask, residue| mask | 1 << residue);
            assert_eq!(ours, mask, "{prime}");
        }
    }
}
