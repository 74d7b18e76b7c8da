//! RSA keys, what policy says of them, and the algorithm that a request is signed by.
//!
//! The first octet chooses how the SubjectPublicKeyInfo comes about, and the next ones the AlgorithmIdentifier.
#![no_main]

use std::sync::LazyLock;

use certgate_fuzz::{Octets, der, profile, unsupported_key, witness};
use certgate_pki::asn1::{oid_tlv, tag};
use certgate_pki::{Csr, CsrError, DigestAlgorithm, KeyType, Name, ObjectIdentifier, PublicKey, SignatureAlgorithm};
use certgate_policy::{Asked, CompromisedKeys, NamePattern, RULES, decide};
use libfuzzer_sys::fuzz_target;
use num_bigint::BigUint;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Reader, SliceReader};

/// rsaEncryption, RFC 8017 §A.1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-RSASSA-PSS, RFC 4055 §3.1.
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// id-mgf1, RFC 4055 §2.2.
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
/// Hash functions: SHA-1, SHA-256, SHA-384, SHA-512, SHA-224.
const HASHES: [&str; 5] =
    ["1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3", "2.16.840.1.101.3.4.2.4"];
/// Octets of the largest modulus that every rule is asked about, whether or not a profile could allow such a key.
const LARGEST: usize = 512;

fuzz_target!(|data: &[u8]| {
    let mut octets = Octets::new(data);
    let way = octets.below(5);
    let (algorithm, expected) = algorithm(&mut octets);
    let (spki, weakness) = if way == 0 { (octets.rest().to_vec(), None) } else { made_key(way, &mut octets) };
    let Ok(key) = PublicKey::from_der(&spki) else { return };
    assert_eq!(key.spki(), spki);
    assert_numbers(&key);
    let subject = Name::from_attributes(Vec::new()).as_der().to_vec();
    let request = der::Request { subject, spki, attributes: Vec::new(), algorithm };
    let Ok(csr) = Csr::from_der(&request.to_der()) else { return };
    assert_eq!(csr.public_key(), &key);
    assert_algorithm(&request, &csr, expected);
    assert_judged(&csr, weakness);
});

/// Modulus and exponent are those that another reader finds.
fn assert_numbers(key: &PublicKey) {
    let KeyType::Rsa { bits } = key.key_type() else {
        return assert_eq!((key.rsa_modulus(), key.rsa_exponent()), (None, None));
    };
    let (Some(modulus), Some(exponent)) = (key.rsa_modulus(), key.rsa_exponent()) else { panic!("it has both") };
    assert_eq!(u64::from(bits), BigUint::from_bytes_be(modulus).bits());
    assert!(bits > 0 && exponent[0] != 0);
    let theirs = SliceReader::new(key.key_bits()).and_then(|mut reader| {
        reader.sequence(|reader: &mut SliceReader<'_>| {
            let (modulus, exponent) = (UintRef::decode(reader)?, UintRef::decode(reader)?);
            Ok::<_, x509_cert::der::Error>((modulus.as_bytes().to_vec(), exponent.as_bytes().to_vec()))
        })
    });
    assert_eq!(theirs, Ok((modulus.to_vec(), exponent.to_vec())));
}

/// A key that is made: of octets (1), of octets of a size that is certified or far too large (2), of two primes that are too close (3),
/// or of two of the form that the chips of ROCA made (4). Returns the rule that must refuse it, if it is of a size that is judged.
fn made_key(way: u8, octets: &mut Octets<'_>) -> (Vec<u8>, Option<&'static str>) {
    let own = octets.piece();
    let exponent = octets.choose(&[&[1, 0, 1][..], &[3], &[1, 0, 0], own]);
    let (modulus, weakness) = match way {
        1 => (octets.piece().to_vec(), None),
        2 => {
            let size = octets.choose(&[256, 384, 512, 128, 8192, 60_000]);
            let mut modulus: Vec<u8> = octets.piece().iter().copied().chain([0xb5]).cycle().take(size).collect();
            modulus[0] |= 0x80;
            modulus[size - 1] |= 1;
            (modulus, None)
        }
        3 => {
            // n = a^2 - b^2, and b^2 is far below 2a: the root of n, rounded up, is a, and the first round finds b.
            let a: BigUint = BigUint::from_bytes_be(octets.piece()) + (BigUint::from(1_u8) << 200) * 2_u8;
            let b: BigUint = BigUint::from(octets.number()) * 2_u8 + 1_u8;
            (((&a + &b) * (a - b)).to_bytes_be(), Some("fermat"))
        }
        _ => ((roca_prime(octets) * roca_prime(octets)).to_bytes_be(), Some("roca")),
    };
    let integer = |octets: &[u8]| {
        let sign: &[u8] = if octets.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
        der::tlv(tag::INTEGER, &[sign, octets].concat())
    };
    let key = der::sequence(&[&integer(&modulus), &integer(exponent)]);
    let algorithm = der::sequence(&[&oid_tlv(&RSA_ENCRYPTION), &[tag::NULL, 0]]);
    (der::sequence(&[&algorithm, &der::tlv(tag::BIT_STRING, &[&[0], key.as_slice()].concat())]), weakness)
}

/// k*M + (65537^a mod M), with M the product of the primes up to 167. It need not be prime.
fn roca_prime(octets: &mut Octets<'_>) -> BigUint {
    let m: BigUint = primes(168).map(BigUint::from).product();
    let power = BigUint::from(65_537_u32).modpow(&BigUint::from(octets.number()), &m);
    let k = BigUint::from_bytes_be(octets.piece());
    k * m + power
}

/// The primes below a bound, which is at most 752.
fn primes(below: u32) -> impl Iterator<Item = u32> {
    static PRIMES: LazyLock<Vec<u32>> = LazyLock::new(|| {
        let is_prime = |number: &u32| (2..*number).all(|divisor| !number.is_multiple_of(divisor));
        (2..752).filter(is_prime).collect()
    });
    PRIMES.iter().copied().take_while(move |prime| *prime < below)
}

/// An AlgorithmIdentifier, and what it must be read as if that is known: `Some(None)` is one that is not supported.
fn algorithm(octets: &mut Octets<'_>) -> (Vec<u8>, Option<Option<SignatureAlgorithm>>) {
    match octets.below(4) {
        0 => {
            let algorithm = octets.choose(&SignatureAlgorithm::ALL);
            (der::written(|w| algorithm.write(w)), Some(Some(algorithm)))
        }
        1 => {
            let oid = octets.choose(&SignatureAlgorithm::ALL).oid();
            (der::sequence(&[&oid_tlv(&oid), octets.piece()]), None)
        }
        2 => {
            let parameters = der::sequence(&[octets.piece()]);
            (der::sequence(&[&oid_tlv(&RSASSA_PSS), &parameters]), None)
        }
        _ => {
            let (parameters, expected) = pss_parameters(octets);
            (der::sequence(&[&oid_tlv(&RSASSA_PSS), &parameters]), Some(expected))
        }
    }
}

/// An AlgorithmIdentifier of a hash, and which one if it is well formed.
fn hash(octets: &mut Octets<'_>) -> (Vec<u8>, Option<DigestAlgorithm>) {
    let (which, parameters) = (usize::from(octets.below(5)), octets.below(5));
    let hash = [None, Some(DigestAlgorithm::Sha256), Some(DigestAlgorithm::Sha384), Some(DigestAlgorithm::Sha512), None];
    let parameters_der: &[u8] = match parameters {
        0 => &[tag::OCTET_STRING, 0],
        1 => &[],
        _ => &[tag::NULL, 0],
    };
    let der = der::sequence(&[&oid_tlv(&ObjectIdentifier::new_unwrap(HASHES[which])), parameters_der]);
    (der, hash[which].filter(|_| parameters != 0))
}

/// RSASSA-PSS-params, well formed, and the algorithm they stand for; `None` when it is not one that is supported.
fn pss_parameters(octets: &mut Octets<'_>) -> (Vec<u8>, Option<SignatureAlgorithm>) {
    let has = [octets.below(8) > 0, octets.below(8) > 0, octets.flag(), octets.below(4) == 0];
    let ((hash_der, hash_read), (mask_der, mask_read)) = (hash(octets), hash(octets));
    let is_mgf1 = octets.below(8) > 0;
    let own = u32::from(octets.number());
    let salt = octets.choose(&[20, 32, 48, 64, 222, own, 65_535, 65_536, u32::MAX]);
    let trailer = octets.choose(&[1, 1, 1, 2, 0, 257]);
    let mask = der::sequence(&[&oid_tlv(if is_mgf1 { &MGF1 } else { &RSASSA_PSS }), &mask_der]);
    let unsigned = |number| {
        der::written(|w| {
            w.unsigned(number);
        })
    };
    let fields = [hash_der, mask, unsigned(salt), unsigned(trailer)];
    let fields = (0..).zip(&fields).zip(has).filter(|(_, has)| *has);
    let fields: Vec<_> = fields.map(|((number, field), _)| der::tlv(tag::context_constructed(number), field)).collect();
    let der = der::tlv(tag::SEQUENCE, &fields.concat());
    let salt = if has[2] { u16::try_from(salt).ok() } else { Some(20) };
    let is_known = has[0] && has[1] && is_mgf1 && hash_read == mask_read && (!has[3] || trailer == 1);
    let expected = hash_read.zip(salt).filter(|_| is_known).and_then(|(hash, salt)| match hash {
        DigestAlgorithm::Sha256 => Some(SignatureAlgorithm::RsaPssSha256 { salt }),
        DigestAlgorithm::Sha384 => Some(SignatureAlgorithm::RsaPssSha384 { salt }),
        DigestAlgorithm::Sha512 => Some(SignatureAlgorithm::RsaPssSha512 { salt }),
        DigestAlgorithm::Sha1 => None,
    });
    (der, expected)
}

/// The algorithm is the one that was written, and written again it is the same. A key that nothing is verified with is told first; the
/// algorithm is then that of the same request with another key.
fn assert_algorithm(request: &der::Request, csr: &Csr, expected: Option<Option<SignatureAlgorithm>>) {
    let (provider, witness) = witness();
    if let Some(refused) = unsupported_key(csr) {
        assert_eq!(csr.clone().verify(&provider).err(), Some(refused));
        assert_eq!(witness.take(), None);
        let other = der::Request { spki: der::spki(&mut Octets::new(&[])), ..request.clone() };
        let Ok(read) = Csr::from_der(&other.to_der()) else { panic!("only its key is another") };
        return assert_algorithm(&other, &read, expected);
    }
    let verified = csr.clone().verify(&provider);
    let read = witness.take();
    assert_eq!(verified.err(), read.is_none().then_some(CsrError::UnsupportedSignature));
    assert!(expected.is_none_or(|expected| expected == read), "{read:?} instead of {expected:?}");
    let Some(algorithm) = read else { return };
    let again = der::Request { algorithm: der::written(|w| algorithm.write(w)), ..der::Request::of(csr) };
    let again = Csr::from_der(&again.to_der()).and_then(|again| again.verify(&provider));
    assert!(again.is_ok());
    assert_eq!(witness.take(), Some(algorithm));
}

/// Policy judges every key that is read, and refuses weak ones for the right reason.
fn assert_judged(csr: &Csr, weakness: Option<&str>) {
    let grants: [NamePattern; 0] = [];
    let compromised = CompromisedKeys::default();
    let profile = profile();
    let asked =
        Asked { csr, profile: &profile, grants: &grants, renews: None, spki_sha256: [0; 32], compromised: &compromised };
    // It has no names, so something refuses it: quickly, whatever the size of its key.
    let Err(refusal) = decide(&asked) else { panic!("nobody is certified") };
    let Some(modulus) = csr.public_key().rsa_modulus().filter(|modulus| modulus.len() <= LARGEST) else { return };
    let refuses = |name: &str| RULES.iter().find(|rule| rule.name == name).is_some_and(|rule| (rule.check)(&asked).is_err());
    assert!(refuses(refusal.rule) && weakness.is_none_or(refuses), "{weakness:?}");
    let (n, zero) = (BigUint::from_bytes_be(modulus), BigUint::default());
    assert_eq!(refuses("rsa-modulus"), primes(752).any(|prime| &n % prime == zero));
    let exponent = BigUint::from_bytes_be(csr.public_key().rsa_exponent().unwrap_or_default());
    let is_odd = exponent.bit(0);
    assert_eq!(refuses("rsa-exponent"), exponent < BigUint::from(65_537_u32) || !is_odd || exponent.bits() > 64);
    let is_power = |prime: u32| {
        let residue = u64::try_from(&n % prime).unwrap_or_default();
        let powers = std::iter::successors(Some(1), |power| Some(power * 65_537 % u64::from(prime)));
        powers.take(prime as usize).any(|power| power == residue)
    };
    assert_eq!(refuses("roca"), primes(168).skip(1).all(is_power));
    if modulus.len() <= 128 {
        assert_eq!(refuses("fermat"), is_factored(&n));
    }
}

/// Fermat's method, by its book: the next a from the root upwards, until a^2 - n is a square. For odd n.
fn is_factored(n: &BigUint) -> bool {
    let root = n.sqrt();
    let first = if &root * &root == *n { root } else { root + 1_u8 };
    (0..100_u8).any(|round| {
        let a = &first + round;
        let rest = &a * &a - n;
        let b = rest.sqrt();
        &b * &b == rest
    })
}
