//! Public keys as JSON Web Keys (RFC 7517), and their thumbprints (RFC 7638).

use std::fmt;

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{Digest, DigestAlgorithm, KeyType, ObjectIdentifier, PublicKey};

use crate::base64url;
use crate::curve::{Curve, P256, P384, P521};
use crate::error::RequestError;
use crate::json::Members;
use crate::verify::integer;

/// Bits of the largest RSA modulus: larger ones cost more to verify than a stranger may ask for.
pub const MAX_RSA_BITS: u32 = 4096;

/// id-ecPublicKey, RFC 5480 §2.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// rsaEncryption, RFC 8017 §A.1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-Ed25519, RFC 8410 §3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Members of private and symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4.1, RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Elliptic curves: the `crv`, octets of a coordinate, the namedCurve (RFC 5480 §2.1.1.1), and its equation.
const CURVES: [(&str, usize, ObjectIdentifier, Curve); 3] = [
    ("P-256", 32, ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), P256),
    ("P-384", 48, ObjectIdentifier::new_unwrap("1.3.132.0.34"), P384),
    ("P-521", 66, ObjectIdentifier::new_unwrap("1.3.132.0.35"), P521),
];

/// A public key that is accepted: EC on P-256, P-384 or P-521, RSA of [`certgate_pki::limits::MIN_RSA_BITS`] to [`MAX_RSA_BITS`] bits, or
/// OKP with Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    public_key: PublicKey,
    canonical: String,
}

impl Jwk {
    /// Reads a JSON Web Key. Members that do not make the key, such as `alg`, `use` and `kid`, are ignored.
    ///
    /// # Errors
    /// [`RequestError::BadPublicKey`] for a key that is not accepted; [`RequestError::Malformed`] and [`RequestError::Member`] for what is
    /// no key.
    pub fn parse(json: &[u8]) -> Result<Self, RequestError> {
        Self::read(Members::parse(json, "the key is not one JSON object without duplicate members")?)
    }

    pub(crate) fn read(mut members: Members) -> Result<Self, RequestError> {
        if members.names().any(|name| PRIVATE.contains(&name)) {
            return Err(RequestError::BadPublicKey("it has private or symmetric parts, which are nobody else's business"));
        }
        match members.string("kty")?.as_str() {
            "EC" => ec(&mut members),
            "RSA" => rsa(&mut members),
            "OKP" => okp(&mut members),
            _ => Err(RequestError::BadPublicKey("`kty` must be EC, RSA or OKP")),
        }
    }

    /// The key as a SubjectPublicKeyInfo.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The members that make the key, in lexicographic order and without white space (RFC 7638 §3.3). The same key has the same text, and
    /// [`Self::parse`] reads it.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Its thumbprint by SHA-256, as RFC 8555 §8.1 has it.
    #[must_use]
    pub fn thumbprint(&self, digests: &dyn Digest) -> Thumbprint {
        Thumbprint(base64url::encode(&digests.digest(DigestAlgorithm::Sha256, self.canonical.as_bytes())))
    }
}

/// The thumbprint of a key (RFC 7638 §3): SHA-256, in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// Reads one that was kept: base64url of 32 octets.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode(text).filter(|octets| octets.len() == 32).map(|_| Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Octets in a member, as base64url.
fn octets(members: &mut Members, name: &'static str) -> Result<Vec<u8>, RequestError> {
    let shape = "base64url without padding";
    base64url::decode(&members.string(name)?).ok_or(RequestError::Member { name, shape })
}

/// `kty` EC, RFC 7518 §6.2.1.
fn ec(members: &mut Members) -> Result<Jwk, RequestError> {
    let crv = members.string("crv")?;
    let known = CURVES.into_iter().find(|(name, ..)| *name == crv);
    let (crv, size, oid, curve) = known.ok_or(RequestError::BadPublicKey("`crv` must be P-256, P-384 or P-521"))?;
    let (x, y) = (octets(members, "x")?, octets(members, "y")?);
    // §6.2.1.2: "The length of this octet string MUST be the full size of a coordinate for the curve".
    if x.len() != size || y.len() != size {
        return Err(RequestError::BadPublicKey("a coordinate is not of the full size for its curve (RFC 7518 §6.2.1.2)"));
    }
    if !curve.has(&x, &y) {
        return Err(RequestError::BadPublicKey("the point is not on its curve"));
    }
    let public_key = spki(&[&[4], x.as_slice(), y.as_slice()].concat(), |w| {
        w.oid(&EC_PUBLIC_KEY).oid(&oid);
    })?;
    let (x, y) = (base64url::encode(&x), base64url::encode(&y));
    Ok(Jwk { public_key, canonical: format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#) })
}

/// `kty` RSA, RFC 7518 §6.3.1.
fn rsa(members: &mut Members) -> Result<Jwk, RequestError> {
    let (n, e) = (octets(members, "n")?, octets(members, "e")?);
    // RFC 8555 §8.1: "any prepended zero octets in the fields of a JWK object MUST be stripped before doing the computation."
    let (n, e) = (stripped(&n), stripped(&e));
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    if !is_odd(n) || !is_odd(e) {
        return Err(RequestError::BadPublicKey("the modulus and the exponent of an RSA key are odd"));
    }
    let exponent = e.iter().fold(0_u64, |exponent, octet| exponent << 8 | u64::from(*octet));
    if e.len() > size_of::<u64>() || exponent < 65537 {
        return Err(RequestError::BadPublicKey("the exponent of an RSA key must be at least 65537 and of at most 64 bits"));
    }
    let mut key = DerWriter::with_capacity(n.len() + 24);
    key.sequence(|w| {
        for number in [n, e] {
            w.tlv(tag::INTEGER, &integer(number).unwrap_or_default());
        }
    });
    let public_key = spki(&key.finish(), |w| {
        w.oid(&RSA_ENCRYPTION).tlv(tag::NULL, &[]);
    })?;
    match public_key.key_type() {
        KeyType::Rsa { bits: certgate_pki::limits::MIN_RSA_BITS..=MAX_RSA_BITS } => {}
        _ => return Err(RequestError::BadPublicKey("an RSA key must have 2048 to 4096 bits")),
    }
    let (n, e) = (base64url::encode(n), base64url::encode(e));
    Ok(Jwk { public_key, canonical: format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#) })
}

/// `kty` OKP, RFC 8037 §2. Its thumbprint has `crv`, `kty` and `x`.
fn okp(members: &mut Members) -> Result<Jwk, RequestError> {
    if members.string("crv")? != "Ed25519" {
        return Err(RequestError::BadPublicKey("`crv` of an OKP key must be Ed25519"));
    }
    let x = octets(members, "x")?;
    if x.len() != 32 {
        return Err(RequestError::BadPublicKey("an Ed25519 key has 32 octets"));
    }
    let public_key = spki(&x, |w| {
        w.oid(&ED25519);
    })?;
    let x = base64url::encode(&x);
    Ok(Jwk { public_key, canonical: format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#) })
}

/// A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
fn spki(key: &[u8], algorithm: impl FnOnce(&mut DerWriter)) -> Result<PublicKey, RequestError> {
    let mut writer = DerWriter::with_capacity(key.len() + 40);
    writer.sequence(|w| {
        w.sequence(algorithm).bit_string(key);
    });
    PublicKey::from_der(&writer.finish()).map_err(|_| RequestError::BadPublicKey("it is not of the form of its type"))
}

fn stripped(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}
