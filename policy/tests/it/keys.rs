//! Rules about the key that is to be certified.

use certgate_pki::{PublicKey, SigningKey};
use certgate_policy::{AllowedKey, Asked, CompromisedKeys, NamePattern, Profile, RULES, decide};
use certgate_testkit::{
    CsrBuilder, device_key, profile, provider, rsa_close_primes_key, rsa_device_key, rsa_exponent_3_key, rsa_public_key,
    rsa3072_device_key, rsa4096_device_key,
};
use num_bigint::BigUint;
use proptest::collection::vec;
use proptest::prelude::*;

const F4: [u8; 3] = [1, 0, 1];

/// What one rule says about a key.
fn check(rule: &str, key: &PublicKey) -> Result<(), String> {
    let csr = CsrBuilder::new(&device_key()).common_name("device-1").public_key(key.clone()).csr();
    let rule = RULES.iter().find(|known| known.name == rule).unwrap();
    let none = CompromisedKeys::default();
    let asked = Asked { csr: &csr, profile: &profile(), grants: &[], renews: None, spki_sha256: [0; 32], compromised: &none };
    (rule.check)(&asked)
}

fn of_modulus(modulus: &BigUint) -> PublicKey {
    rsa_public_key(&modulus.to_bytes_be(), &F4)
}

fn modulus(key: &dyn SigningKey) -> BigUint {
    BigUint::from_bytes_be(key.public_key().rsa_modulus().unwrap())
}

#[test]
fn ordinary_keys() {
    for key in [device_key(), rsa_device_key(), rsa3072_device_key(), rsa4096_device_key()] {
        for rule in ["rsa-exponent", "rsa-modulus", "roca", "fermat", "compromised-key"] {
            assert_eq!(check(rule, key.public_key()), Ok(()), "{rule} {key:?}");
        }
    }
}

/// The whole of policy, with keys that sign.
#[test]
fn weak_keys_are_refused_by_their_rule() {
    let grants: [NamePattern; 1] = ["cn:device-1".parse().unwrap()];
    let profile = Profile { key_types: AllowedKey::ALL.into(), ..profile() };
    let decide = |key, compromised: &CompromisedKeys| {
        let csr = CsrBuilder::new(&key).common_name("device-1").csr();
        assert!(csr.clone().verify(&provider(1)).is_ok(), "the requester has the key");
        let spki_sha256 = [7; 32];
        let asked = Asked { csr: &csr, profile: &profile, grants: &grants, renews: None, spki_sha256, compromised };
        decide(&asked).map(|_| ()).map_err(|refusal| refusal.rule)
    };
    let none = CompromisedKeys::default();
    assert_eq!(decide(rsa_device_key(), &none), Ok(()));
    assert_eq!(decide(rsa_exponent_3_key(), &none), Err("rsa-exponent"));
    assert_eq!(decide(rsa_close_primes_key(), &none), Err("fermat"));
    assert_eq!(decide(device_key(), &[[6; 32], [8; 32]].into_iter().collect()), Ok(()));
    assert_eq!(decide(device_key(), &[[6; 32], [7; 32]].into_iter().collect()), Err("compromised-key"));
}

#[test]
fn rsa_exponent() {
    let check = |exponent: &[u8]| check("rsa-exponent", &rsa_public_key(&[0xc5; 256], exponent));
    for fine in [&F4[..], &[1, 0, 3], &[0xff; 4], &[0xff; 8]] {
        assert_eq!(check(fine), Ok(()), "{fine:02x?}");
    }
    for weak in [&[1][..], &[3], &[17], &[2], &[0xff, 0xff], &[1, 0, 0], &[1, 0, 2], &[0xff, 0xfe, 0xff, 0xfe]] {
        let reason = check(weak).unwrap_err();
        assert!(reason.contains("is weak; make a key with 65537"), "{weak:02x?}: {reason}");
    }
    for long in [&[1, 0, 0, 0, 0, 0, 0, 0, 1][..], &[0xff; 256]] {
        assert!(check(long).unwrap_err().contains("more than 64 bits"), "{long:02x?}");
    }
}

#[test]
fn rsa_modulus() {
    let good = modulus(&*rsa_device_key());
    let check = |modulus: &BigUint| check("rsa-modulus", &of_modulus(modulus));
    for factor in [2, 3, 5, 7, 199, 211, 743, 751_u32] {
        let reason = check(&(&good * factor)).unwrap_err();
        assert!(reason.contains(&format!("divisible by {factor}:")), "{reason}");
    }
    // 757 is the next prime.
    assert_eq!(check(&(&good * 757_u32)), Ok(()));
    assert!(check(&(&good * 751_u32 * 3_u32)).unwrap_err().contains("divisible by 3:"));
}

/// The first 39 primes, for keys of up to 960 bits, and the 71 and 126 for those of 1024 and 2048 bits: Nemec et al., Table 1.
const PRIMES_IN_M: [usize; 3] = [39, 71, 126];

/// The product of the first primes.
fn primorial(count: usize) -> BigUint {
    let is_prime = |number: &u32| (2..*number).all(|divisor| !number.is_multiple_of(divisor));
    (2_u32..).filter(is_prime).take(count).map(BigUint::from).product()
}

proptest! {
    #[test]
    fn roca(which in 0..3_usize, exponents in any::<[u64; 2]>(), factors in any::<[[u8; 16]; 2]>()) {
        let m = primorial(PRIMES_IN_M[which]);
        // k*M + (65537^a mod M), whether or not it is a prime.
        let [p, q] = [0, 1].map(|i| {
            let power = BigUint::from(65_537_u32).modpow(&exponents[i].into(), &m);
            BigUint::from_bytes_be(&factors[i]) * &m + power
        });
        let key = of_modulus(&(&p * &q));
        prop_assert!(check("roca", &key).unwrap_err().contains("ROCA"));
        // 11 has two powers of 65537 only, 1 and -1: twice the modulus is no power of it.
        prop_assert_eq!(check("roca", &of_modulus(&(p * q * 2_u32))), Ok(()));
    }

    #[test]
    fn fermat(p in vec(any::<u8>(), 128), gap in vec(any::<u8>(), 0..64)) {
        let odd = |octets: &[u8]| BigUint::from_bytes_be(octets) | BigUint::from(1_u32) | (BigUint::from(1_u32) << 1023);
        let p = odd(&p);
        // Half a gap below the fourth root of the modulus, about: the first round finds it.
        let q = &p + (BigUint::from_bytes_be(&gap) >> 1 << 1);
        prop_assert!(check("fermat", &of_modulus(&(&p * q))).unwrap_err().contains("close to each other"));
        prop_assert_eq!(check("fermat", &of_modulus(&(p * modulus(&*rsa_device_key())))), Ok(()));
    }

    /// Nothing that can be read is too strange to be judged.
    #[test]
    fn any_rsa_key(first in 1..=u8::MAX, rest in vec(any::<u8>(), 0..600), exponent in 1..=u64::MAX) {
        let exponent: Vec<u8> = exponent.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
        let key = rsa_public_key(&[&[first], &rest[..]].concat(), &exponent);
        for rule in ["rsa-exponent", "rsa-modulus", "roca", "fermat"] {
            let _ = check(rule, &key);
        }
    }
}
