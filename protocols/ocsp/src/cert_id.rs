//! CertIDs (RFC 6960 §4.1.1): which certificate is asked for.

use certgate_pki::asn1::{DerWriter, Tlv, tag};
use certgate_pki::{Digest, DigestAlgorithm, Name, ObjectIdentifier, PublicKey, Serial};

use crate::request::{MalformedRequest, malformed};

/// What the hashes of a CertID were made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// One with which [`IssuerHashes`] are made. Its parameters are NULL or absent, which is the same (RFC 4055 §2.1).
    Known(DigestAlgorithm),
    /// Another one, or a known one with parameters that it has not: no issuer of ours is meant.
    Other(ObjectIdentifier),
}

/// A CertID, borrowed from the message it came in.
///
/// ```text
/// CertID ::= SEQUENCE {                                    RFC 6960 §4.1.1
///     hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING,
///     serialNumber CertificateSerialNumber }
/// ```
///
/// Hashes may be of any length, and the serial number any INTEGER: a responder has to say that it does not know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertId<'a> {
    der: &'a [u8],
    hash_algorithm: HashAlgorithm,
    issuer_name_hash: &'a [u8],
    issuer_key_hash: &'a [u8],
    serial: &'a [u8],
}

impl<'a> CertId<'a> {
    /// Reads a CertID that stands alone.
    ///
    /// # Errors
    /// [`MalformedRequest`] when this is not exactly one CertID.
    pub fn from_der(der: &'a [u8]) -> Result<Self, MalformedRequest> {
        Tlv::only(der).map_err(malformed("CertID")).and_then(Self::read)
    }

    pub(crate) fn read(tlv: Tlv<'a>) -> Result<Self, MalformedRequest> {
        if tlv.tag != tag::SEQUENCE {
            return Err(MalformedRequest("CertID"));
        }
        let mut fields = tlv.contents().map_err(malformed("CertID"))?;
        let algorithm = fields.expect(tag::SEQUENCE).map_err(malformed("hashAlgorithm"))?;
        let issuer_name_hash = fields.expect(tag::OCTET_STRING).map_err(malformed("issuerNameHash"))?.value;
        let issuer_key_hash = fields.expect(tag::OCTET_STRING).map_err(malformed("issuerKeyHash"))?.value;
        let serial = fields.expect(tag::INTEGER).map_err(malformed("serialNumber"))?.value;
        fields.finish().map_err(malformed("what follows serialNumber"))?;
        if !is_minimal(serial) {
            return Err(MalformedRequest("serialNumber"));
        }
        Ok(Self { der: tlv.raw, hash_algorithm: read_algorithm(algorithm)?, issuer_name_hash, issuer_key_hash, serial })
    }

    /// The CertID in DER, byte for byte as received: what an answer has to repeat, and a key to keep that answer by. Two CertIDs of the same
    /// certificate can differ in it (by their hash, or by NULL parameters that are absent in the other), and then their answers do.
    #[must_use]
    pub const fn as_der(&self) -> &'a [u8] {
        self.der
    }

    /// hashAlgorithm.
    #[must_use]
    pub const fn hash_algorithm(&self) -> HashAlgorithm {
        self.hash_algorithm
    }

    /// issuerNameHash, of whatever length it came in.
    #[must_use]
    pub const fn issuer_name_hash(&self) -> &'a [u8] {
        self.issuer_name_hash
    }

    /// issuerKeyHash, of whatever length it came in.
    #[must_use]
    pub const fn issuer_key_hash(&self) -> &'a [u8] {
        self.issuer_key_hash
    }

    /// Content octets of serialNumber: an INTEGER of at least one octet, in its shortest form. It may be negative, zero or longer than any
    /// that is issued: [`Serial::from_octets`] says so.
    #[must_use]
    pub const fn serial_octets(&self) -> &'a [u8] {
        self.serial
    }
}

/// X.690 §8.3.2: the first nine bits of an INTEGER are not all the same.
const fn is_minimal(integer: &[u8]) -> bool {
    !matches!(integer, [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..])
}

fn read_algorithm(tlv: Tlv<'_>) -> Result<HashAlgorithm, MalformedRequest> {
    if let Some(known) = DigestAlgorithm::read(tlv).map_err(malformed("hashAlgorithm"))? {
        return Ok(HashAlgorithm::Known(known));
    }
    let oid = tlv.contents().and_then(|mut fields| fields.expect(tag::OID)).and_then(|oid| oid.oid());
    oid.map(HashAlgorithm::Other).map_err(malformed("hashAlgorithm"))
}

/// By which an issuer is known in CertIDs of one hash algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerHashes {
    algorithm: DigestAlgorithm,
    name: Vec<u8>,
    key: Vec<u8>,
}

impl IssuerHashes {
    /// The algorithms that clients use: SHA-1 by RFC 5019, SHA-256 by RFC 9919, the others by choice.
    pub const ALGORITHMS: [DigestAlgorithm; 4] =
        [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512];

    /// Those of an issuer: its name as its certificates have it in their issuer field, and its key. RFC 6960 §4.1.1: the hash of the name is
    /// "calculated over the DER encoding", that of the key "over the value (excluding tag and length) of the subject public key field".
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm, name: &Name, key: &PublicKey, digests: &dyn Digest) -> Self {
        let name = digests.digest(algorithm, name.as_der());
        Self { algorithm, name, key: digests.digest(algorithm, key.key_bits()) }
    }

    /// hashAlgorithm.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// Does the CertID ask for a certificate of this issuer? Name and key both count: either may be another CA's as well.
    #[must_use]
    pub fn are_in(&self, id: &CertId<'_>) -> bool {
        id.hash_algorithm == HashAlgorithm::Known(self.algorithm)
            && id.issuer_name_hash == self.name
            && id.issuer_key_hash == self.key
    }

    /// The CertIDs, in DER, of the issuer's certificate with this serial number, for answers that are kept: a CertID for which
    /// [`Self::are_in`] holds is one of these two. The first has NULL parameters of the hash algorithm, as OpenSSL's clients send it, the
    /// other none.
    #[must_use]
    pub fn cert_ids(&self, serial: &Serial) -> [Vec<u8>; 2] {
        [true, false].map(|has_parameters| {
            let mut writer = DerWriter::with_capacity(self.name.len() + self.key.len() + 64);
            writer.sequence(|w| {
                if has_parameters {
                    self.algorithm.write(w);
                } else {
                    w.sequence(|w| {
                        w.oid(&self.algorithm.oid());
                    });
                }
                w.tlv(tag::OCTET_STRING, &self.name).tlv(tag::OCTET_STRING, &self.key).tlv(tag::INTEGER, serial.as_octets());
            });
            writer.finish()
        })
    }
}
