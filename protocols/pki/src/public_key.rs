//! Public keys.

use std::fmt;
use std::ops::Range;

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};

use crate::asn1::{Tlv, tag};

/// What kind of key, and how strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// ECDSA on NIST P-256 (secp256r1).
    P256,
    /// ECDSA on NIST P-384.
    P384,
    /// ECDSA on NIST P-521.
    P521,
    /// RSA with a modulus of this many bits.
    Rsa {
        /// Bits of the modulus.
        bits: u32,
    },
    /// Ed25519, RFC 8410.
    Ed25519,
    /// Well formed, and of no use here.
    Unknown(ObjectIdentifier),
}

/// `p256`, `rsa2048`, …: as `key_types` in the configuration spells it.
impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P256 => f.write_str("p256"),
            Self::P384 => f.write_str("p384"),
            Self::P521 => f.write_str("p521"),
            Self::Rsa { bits } => write!(f, "rsa{bits}"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Unknown(oid) => write!(f, "unknown key algorithm {oid}"),
        }
    }
}

/// A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
    key_type: KeyType,
    bits: Range<usize>,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// When it is malformed, or a key of a known algorithm is not of that algorithm's form.
    pub fn from_der(spki: &[u8]) -> der::Result<Self> {
        Self::read(Tlv::only(spki)?)
    }

    pub(crate) fn read(tlv: Tlv<'_>) -> der::Result<Self> {
        if tlv.tag != tag::SEQUENCE {
            return Err(der::ErrorKind::Failed.into());
        }
        let mut reader = tlv.contents()?;
        let algorithm = reader.expect(tag::SEQUENCE)?;
        let bit_string = reader.expect(tag::BIT_STRING)?;
        reader.finish()?;
        // RFC 5280 §4.1.2.7: keys are whole octets, so no unused bits.
        let [0, key @ ..] = bit_string.value else { return Err(der::ErrorKind::Failed.into()) };
        let key_type = read_key_type(algorithm, key)?;
        let end = tlv.raw.len();
        Ok(Self { spki: tlv.raw.to_vec(), key_type, bits: end - key.len()..end })
    }

    /// What kind of key.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The SubjectPublicKeyInfo, DER.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Contents of the subjectPublicKey BIT STRING: an EC point, an RSAPublicKey, an Ed25519 key.
    #[must_use]
    pub fn key_bits(&self) -> &[u8] {
        self.spki.get(self.bits.clone()).unwrap_or_default()
    }

    /// The modulus of an RSA key, big-endian without leading zeros; `None` for other kinds.
    #[must_use]
    pub fn rsa_modulus(&self) -> Option<&[u8]> {
        self.rsa().map(|(modulus, _)| modulus)
    }

    /// The public exponent of an RSA key, big-endian without leading zeros; `None` for other kinds.
    #[must_use]
    pub fn rsa_exponent(&self) -> Option<&[u8]> {
        self.rsa().map(|(_, exponent)| exponent)
    }

    fn rsa(&self) -> Option<(&[u8], &[u8])> {
        match self.key_type {
            KeyType::Rsa { .. } => read_rsa(self.key_bits()).ok(),
            _ => None,
        }
    }
}

fn read_key_type(algorithm: Tlv<'_>, key: &[u8]) -> der::Result<KeyType> {
    let mut reader = algorithm.contents()?;
    let oid = reader.expect(tag::OID)?.oid()?;
    let parameters = if reader.is_finished() { None } else { Some(reader.any()?) };
    reader.finish()?;
    let malformed = || der::Error::from(der::ErrorKind::Failed);
    if oid == rfc5912::ID_EC_PUBLIC_KEY {
        // RFC 5480 §2.1.1: namedCurve only. §2.2: uncompressed points MUST be supported, others MAY.
        let curve = parameters.ok_or_else(malformed)?.oid()?;
        let (key_type, octets) = match curve {
            rfc5912::SECP_256_R_1 => (KeyType::P256, 65),
            rfc5912::SECP_384_R_1 => (KeyType::P384, 97),
            rfc5912::SECP_521_R_1 => (KeyType::P521, 133),
            other => return Ok(KeyType::Unknown(other)),
        };
        if key.len() == octets && key.first() == Some(&4) { Ok(key_type) } else { Err(malformed()) }
    } else if oid == rfc5912::RSA_ENCRYPTION {
        // RFC 3279 §2.3.1: "The parameters field MUST have ASN.1 type NULL for this algorithm identifier."
        match parameters {
            Some(parameters) if parameters.raw == [tag::NULL, 0] => {
                let (modulus, _) = read_rsa(key)?;
                Ok(KeyType::Rsa { bits: bits(modulus)? })
            }
            _ => Err(malformed()),
        }
    } else if oid == rfc8410::ID_ED_25519 && parameters.is_none() {
        if key.len() == 32 { Ok(KeyType::Ed25519) } else { Err(malformed()) }
    } else {
        Ok(KeyType::Unknown(oid))
    }
}

/// Modulus and public exponent of an RSAPublicKey (RFC 8017 §A.1.1), without leading zeros.
fn read_rsa(key: &[u8]) -> der::Result<(&[u8], &[u8])> {
    let sequence = Tlv::only(key)?;
    if sequence.tag != tag::SEQUENCE {
        return Err(der::ErrorKind::Failed.into());
    }
    let mut reader = sequence.contents()?;
    let modulus = read_positive(reader.expect(tag::INTEGER)?)?;
    let exponent = read_positive(reader.expect(tag::INTEGER)?)?;
    reader.finish().map(|()| (modulus, exponent))
}

/// The octets of a positive INTEGER, without leading zeros. It is minimal (X.690 §8.3.2).
pub(crate) fn read_positive(integer: Tlv<'_>) -> der::Result<&[u8]> {
    match integer.value {
        [0, rest @ ..] if rest.first().is_some_and(|first| first & 0x80 != 0) => Ok(rest),
        all @ [0x01..=0x7f, ..] => Ok(all),
        _ => Err(der::ErrorKind::Failed.into()),
    }
}

/// How many bits these octets have; the first is not zero.
fn bits(octets: &[u8]) -> der::Result<u32> {
    let first = octets.first().ok_or(der::ErrorKind::Failed)?;
    let bits = octets.len().checked_mul(8).ok_or(der::ErrorKind::Overflow)?;
    u32::try_from(bits).map(|bits| bits - first.leading_zeros()).map_err(|_| der::ErrorKind::Overflow.into())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::asn1::DerWriter;

    const NULL: [u8; 2] = [tag::NULL, 0];
    const MODULUS: [u8; 256] = [0xc5; 256];

    /// An RSA key whose AlgorithmIdentifier has these parameters; modulus and exponent are contents of INTEGERs.
    fn rsa(parameters: &[u8], outer: u8, modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let mut key = DerWriter::default();
        key.nested(outer, |w| {
            w.tlv(tag::INTEGER, modulus).tlv(tag::INTEGER, exponent);
        });
        let mut spki = DerWriter::default();
        spki.sequence(|w| {
            w.sequence(|w| {
                w.oid(&rfc5912::RSA_ENCRYPTION).raw(parameters);
            });
            w.bit_string(&key.finish());
        });
        spki.finish()
    }

    fn with_zero(octets: &[u8]) -> Vec<u8> {
        [&[0], octets].concat()
    }

    #[test]
    fn an_rsa_key_has_null_parameters_and_no_others() {
        let key = |parameters| rsa(parameters, tag::SEQUENCE, &with_zero(&MODULUS), &[1, 0, 1]);
        assert_eq!(PublicKey::from_der(&key(&NULL)).unwrap().key_type(), KeyType::Rsa { bits: 2048 });
        for wrong in [&[][..], &[tag::INTEGER, 1, 1], &[tag::OCTET_STRING, 2, 1, 2], &[tag::NULL, 0, tag::NULL, 0]] {
            assert!(PublicKey::from_der(&key(wrong)).is_err(), "{wrong:02x?}");
        }
        assert!(PublicKey::from_der(&rsa(&NULL, tag::SET, &with_zero(&MODULUS), &[1, 0, 1])).is_err());
    }

    #[test]
    fn both_numbers_of_an_rsa_key_are_positive_and_minimal() {
        for wrong in [&[][..], &[0], &[0, 0], &[0x80], &[0xff, 0xff], &[0, 1], &[0, 0x7f, 1], &[0, 0, 0x80]] {
            let exponent = rsa(&NULL, tag::SEQUENCE, &with_zero(&MODULUS), wrong);
            let modulus = rsa(&NULL, tag::SEQUENCE, wrong, &[1, 0, 1]);
            assert!(PublicKey::from_der(&exponent).is_err() && PublicKey::from_der(&modulus).is_err(), "{wrong:02x?}");
        }
        let key = PublicKey::from_der(&rsa(&NULL, tag::SEQUENCE, &with_zero(&MODULUS), &[0, 0x80])).unwrap();
        assert_eq!((key.rsa_modulus(), key.rsa_exponent()), (Some(&MODULUS[..]), Some(&[0x80][..])));
    }

    proptest! {
        #[test]
        fn modulus_and_exponent_are_read_as_they_were_written(
            first in 1..=u8::MAX,
            rest in vec(any::<u8>(), 0..600),
            exponent in 1..u64::MAX,
        ) {
            let modulus = [&[first], &rest[..]].concat();
            let exponent: Vec<u8> = exponent.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
            let integer = |octets: &[u8]| if octets[0] < 0x80 { octets.to_vec() } else { with_zero(octets) };
            let key = PublicKey::from_der(&rsa(&NULL, tag::SEQUENCE, &integer(&modulus), &integer(&exponent))).unwrap();
            prop_assert_eq!(key.rsa_modulus(), Some(modulus.as_slice()));
            prop_assert_eq!(key.rsa_exponent(), Some(exponent.as_slice()));
            let bits = u32::try_from(8 * modulus.len()).unwrap() - first.leading_zeros();
            prop_assert_eq!(key.key_type(), KeyType::Rsa { bits });
        }

        #[test]
        fn any_octets_in_place_of_an_rsa_key(octets in vec(any::<u8>(), 0..40)) {
            if let Ok((modulus, exponent)) = read_rsa(&octets) {
                prop_assert!(modulus[0] != 0 && exponent[0] != 0);
            }
        }
    }
}
