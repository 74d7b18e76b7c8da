//! Is a point on its curve? RFC 8555 §6.2 has a server tell that a `jwk` "does not contain a valid P-256 public key", and a provider only
//! tells that a signature does not verify. Nothing here is secret, so it need not take the same time for all numbers.

/// A number below 2^576, the most significant limb first, so that numbers compare as arrays do.
type Number = [u64; LIMBS];

const LIMBS: usize = 9;
const ONES: u64 = u64::MAX;

/// A curve y² = x³ - 3x + b modulo p, of cofactor 1: whatever is on it is a public key (FIPS 186-5, SP 800-186 §3.2.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curve {
    p: Number,
    b: Number,
}

/// P-256, SP 800-186 §3.2.1.3.
pub(crate) const P256: Curve = Curve {
    p: [0, 0, 0, 0, 0, 0xffff_ffff_0000_0001, 0, 0x0000_0000_ffff_ffff, ONES],
    b: [0, 0, 0, 0, 0, 0x5ac6_35d8_aa3a_93e7, 0xb3eb_bd55_7698_86bc, 0x651d_06b0_cc53_b0f6, 0x3bce_3c3e_27d2_604b],
};

/// P-384, SP 800-186 §3.2.1.4.
pub(crate) const P384: Curve = Curve {
    p: [0, 0, 0, ONES, ONES, ONES, 0xffff_ffff_ffff_fffe, 0xffff_ffff_0000_0000, 0x0000_0000_ffff_ffff],
    b: [
        0,
        0,
        0,
        0xb331_2fa7_e23e_e7e4,
        0x988e_056b_e3f8_2d19,
        0x181d_9c6e_fe81_4112,
        0x0314_088f_5013_875a,
        0xc656_398d_8a2e_d19d,
        0x2a85_c8ed_d3ec_2aef,
    ],
};

/// P-521, SP 800-186 §3.2.1.5.
pub(crate) const P521: Curve = Curve {
    p: [0x1ff, ONES, ONES, ONES, ONES, ONES, ONES, ONES, ONES],
    b: [
        0x51,
        0x953e_b961_8e1c_9a1f,
        0x929a_21a0_b685_40ee,
        0xa2da_725b_99b3_15f3,
        0xb8b4_8991_8ef1_09e1,
        0x5619_3951_ec7e_937b,
        0x1652_c0bd_3bb1_bf07,
        0x3573_df88_3d2c_34f1,
        0xef45_1fd4_6b50_3f00,
    ],
};

impl Curve {
    /// Is the point of these coordinates, big-endian, on the curve?
    pub(crate) fn has(&self, x: &[u8], y: &[u8]) -> bool {
        let (x, y) = (number(x), number(y));
        if x >= self.p || y >= self.p {
            return false;
        }
        let cube = self.times(&self.times(&x, &x), &x);
        let left = self.plus(&self.times(&y, &y), &self.plus(&x, &self.plus(&x, &x)));
        left == self.plus(&cube, &self.b)
    }

    /// a + b modulo p, both below p.
    fn plus(&self, a: &Number, b: &Number) -> Number {
        let sum = carry(a, b, carrying);
        if sum >= self.p { carry(&sum, &self.p, borrowing) } else { sum }
    }

    /// a × b modulo p, both below p: bit by bit.
    fn times(&self, a: &Number, b: &Number) -> Number {
        let mut product = [0; LIMBS];
        for bit in b.iter().flat_map(|limb| (0..u64::BITS).rev().map(move |place| limb >> place & 1)) {
            product = self.plus(&product, &product);
            if bit == 1 {
                product = self.plus(&product, a);
            }
        }
        product
    }
}

/// A limb of a sum.
fn carrying(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(carry.into());
    (sum, first | second)
}

/// A limb of a difference.
fn borrowing(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(borrow.into());
    (difference, first | second)
}

/// Goes through the limbs of two numbers from the least significant one.
fn carry(a: &Number, b: &Number, step: impl Fn(u64, u64, bool) -> (u64, bool)) -> Number {
    let (mut result, mut carried) = ([0; LIMBS], false);
    for ((slot, a), b) in result.iter_mut().zip(a).zip(b).rev() {
        (*slot, carried) = step(*a, *b, carried);
    }
    result
}

/// The number of at most 72 octets.
fn number(octets: &[u8]) -> Number {
    let mut number = [0; LIMBS];
    for (slot, limb) in number.iter_mut().rev().zip(octets.rchunks(8)) {
        *slot = limb.iter().fold(0, |limb, octet| limb << 8 | u64::from(*octet));
    }
    number
}

#[cfg(test)]
mod tests {
    use certgate_pki::KeyType;

    use super::*;

    #[test]
    fn public_keys_are_on_their_curve_and_their_neighbours_are_not() {
        for (key_type, curve) in [(KeyType::P256, P256), (KeyType::P384, P384), (KeyType::P521, P521)] {
            for _ in 0..8 {
                let made = certgate_crypto::provider().sign.generate(key_type).unwrap();
                let (x, y) = made.key.public_key().key_bits()[1..].split_at(made.key.public_key().key_bits().len() / 2);
                assert!(curve.has(x, y), "{key_type}");
                let mut other = y.to_vec();
                *other.last_mut().unwrap() ^= 1;
                assert!(!curve.has(x, &other) && !curve.has(&other, x), "{key_type}");
            }
        }
    }

    #[test]
    fn coordinates_are_below_the_prime() {
        let mut p = vec![0xff; 66];
        p[0] = 1;
        assert!(!P521.has(&p, &p) && !P521.has(&[0xff; 66], &[0; 66]) && !P256.has(&[0; 32], &[0; 32]));
    }
}
