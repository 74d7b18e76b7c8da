//! RSA moduli without small factors: one that has some is no product of two large primes.

use std::sync::LazyLock;

use num_bigint::BigUint;

use crate::small_primes::{odd_primes, remainder};
use crate::{Asked, Rule};

pub(crate) const RULE: Rule =
    Rule { name: "rsa-modulus", citation: "NIST SP 800-89 §5.3.3, CA/Browser Forum BR §6.1.6", check };

/// Primes below this one are looked at.
const BOUND: u32 = 752;

/// The product of all of them: a long modulus is divided by it once, and what that leaves has the same factors among them.
static PRODUCT: LazyLock<BigUint> = LazyLock::new(|| odd_primes(BOUND).map(BigUint::from).product());

/// Primes whose product fits into 32 bits: what was left is divided once for all of them.
struct Batch {
    product: u32,
    primes: Vec<u32>,
}

static BATCHES: LazyLock<Vec<Batch>> = LazyLock::new(|| {
    let mut batches: Vec<Batch> = Vec::new();
    for prime in odd_primes(BOUND) {
        let room = batches.last_mut().and_then(|batch| Some((batch.product.checked_mul(prime)?, batch)));
        match room {
            Some((product, batch)) => {
                batch.product = product;
                batch.primes.push(prime);
            }
            None => batches.push(Batch { product: prime, primes: vec![prime] }),
        }
    }
    batches
});

fn check(asked: &Asked<'_>) -> Result<(), String> {
    let Some(modulus) = asked.csr.public_key().rsa_modulus() else { return Ok(()) };
    // CA/Browser Forum BR §6.1.6: "The modulus SHOULD also have the following characteristics: an odd number, not the power of a prime,
    // and have no factors smaller than 752." The square of a prime is what the rule fermat finds.
    match small_factor(modulus) {
        Some(factor) => Err(format!("the RSA key's modulus is divisible by {factor}: it is no key; make a new one")),
        None => Ok(()),
    }
}

/// The smallest prime below [`BOUND`] that divides the modulus.
fn small_factor(modulus: &[u8]) -> Option<u32> {
    if modulus.last().is_none_or(|last| last % 2 == 0) {
        return Some(2);
    }
    let rest = (BigUint::from_bytes_be(modulus) % &*PRODUCT).to_bytes_be();
    BATCHES.iter().find_map(|batch| {
        let rest = remainder(&rest, batch.product);
        batch.primes.iter().copied().find(|prime| rest.is_multiple_of(*prime))
    })
}
