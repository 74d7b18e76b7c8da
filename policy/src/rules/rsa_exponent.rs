//! RSA public exponents that are no danger, and that everybody's library takes.

use crate::{Asked, Rule};

pub(crate) const RULE: Rule = Rule {
    name: "rsa-exponent",
    citation: "FIPS 186-5 §A.1.1, NIST SP 800-56B Rev. 2 §6.2, CA/Browser Forum BR §6.1.6",
    check,
};

/// The smallest: 2^16 + 1.
const SMALLEST: u64 = 65_537;

fn check(asked: &Asked<'_>) -> Result<(), String> {
    let Some(exponent) = asked.csr.public_key().rsa_exponent() else { return Ok(()) };
    // FIPS 186-5 §A.1.1 has 2^16 < e < 2^256. Few libraries verify with more than 64 bits, and it costs them time.
    if exponent.len() > size_of::<u64>() {
        return Err(format!("the RSA key's public exponent has more than 64 bits; make a key with {SMALLEST}"));
    }
    let exponent = exponent.iter().fold(0_u64, |value, octet| value << 8 | u64::from(*octet));
    // CA/Browser Forum BR §6.1.6: "The CA SHALL confirm that the value of the public exponent is an odd number equal to 3 or more.
    // Additionally, the public exponent SHOULD be in the range between 2^16 + 1 and 2^256 - 1."
    if exponent < SMALLEST || exponent % 2 == 0 {
        return Err(format!("the RSA key's public exponent is {exponent}, which is weak; make a key with {SMALLEST}"));
    }
    Ok(())
}
