//! A list that lacks its signature only.

use std::fmt;

use certgate_pki::SignatureAlgorithm;
use certgate_pki::asn1::{DerWriter, header_octets, tag};

/// Octets of what comes after the TBSCertList, as far as can be said before it is signed: AlgorithmIdentifier and signature of a key that
/// is not extraordinary.
const LIKELY_TAIL: usize = 300;
/// Room for the same, so that nothing is moved for RSA keys of up to 8192 bits either.
const TAIL_ROOM: usize = 1200;

/// A CRL without its signature.
///
/// ```text
/// CertificateList ::= SEQUENCE {                               RFC 5280 §5.1
///     tbsCertList TBSCertList, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }
/// ```
///
/// It is one buffer, in which the list is built where it will stay. Its first octets are kept for the header of the whole, whose length is
/// known with the signature only: how many octets that header has is known before, unless the length is within a few hundred octets of
/// where it gets another one (128, 256, 65,536, 2^24). Then, and only then, the list is moved once, by an octet.
#[derive(Clone)]
pub struct Draft {
    octets: Vec<u8>,
    header: usize,
    algorithm: SignatureAlgorithm,
}

impl Draft {
    /// A draft whose TBSCertList, which `write` writes, has `length` octets.
    pub(crate) fn new(algorithm: SignatureAlgorithm, length: usize, write: impl FnOnce(&mut DerWriter)) -> Self {
        let header = header_octets(length.saturating_add(LIKELY_TAIL));
        let mut octets = Vec::with_capacity(length.saturating_add(header + TAIL_ROOM));
        octets.resize(header, 0);
        let mut writer = DerWriter::from(octets);
        write(&mut writer);
        Self { octets: writer.finish(), header, algorithm }
    }

    /// The TBSCertList, DER: what is to be signed, as it is (not its digest).
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        self.octets.get(self.header..).unwrap_or_default()
    }

    /// By which algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The CRL, DER, with the signature in it: the octets that are served.
    #[must_use]
    pub fn assemble(self, signature: &[u8]) -> Vec<u8> {
        let mut writer = DerWriter::from(self.octets);
        self.algorithm.write(&mut writer);
        writer.bit_string(signature);
        let mut octets = writer.finish();
        let mut header = DerWriter::default();
        header.header(tag::SEQUENCE, octets.len().saturating_sub(self.header));
        // Nothing is moved when both have the same length.
        octets.splice(..self.header, header.finish());
        octets
    }
}

/// Says how large it is, not what is in it.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("algorithm", &self.algorithm)
            .field("octets", &self.to_be_signed().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A draft whose TBSCertList is one OCTET STRING of `length` octets, header included.
    fn draft(length: usize) -> Draft {
        let contents = (0..length).rev().find(|contents| header_octets(*contents) + contents == length).unwrap();
        Draft::new(SignatureAlgorithm::Ed25519, length, |w| {
            w.header(tag::OCTET_STRING, contents).raw(&vec![0xaa; contents]);
        })
    }

    /// Whatever was guessed of the header, it is the header of what follows.
    #[test]
    fn the_header_is_right_on_both_sides_of_each_boundary() {
        // Ed25519: 7 octets of AlgorithmIdentifier, then the BIT STRING.
        for boundary in [128, 256, 65_536, 1 << 24] {
            for before in [1, 2, 80, 299, 300, 301, 302, 500] {
                for signature in [vec![7; 64], vec![7; 256], vec![7; 2048]] {
                    let Some(length) = usize::checked_sub(boundary, before).filter(|length| *length > 2) else { continue };
                    let tail = 7 + header_octets(signature.len() + 1) + 1 + signature.len();
                    let made = draft(length).assemble(&signature);
                    let header = header_octets(length + tail);
                    assert_eq!(made.len(), header + length + tail, "{boundary} {before}");
                    let mut expected = DerWriter::default();
                    expected.header(tag::SEQUENCE, length + tail);
                    assert_eq!(made[..header], expected.finish());
                    assert_eq!(&made[header..header + length], draft(length).to_be_signed());
                    assert_eq!(made[made.len() - signature.len()..], signature);
                }
            }
        }
    }

    #[test]
    fn the_octets_stay_where_they_are() {
        let draft = draft(1_000_000);
        let at = draft.to_be_signed().as_ptr();
        let made = draft.assemble(&[7; 1024]);
        assert_eq!(made[5..].as_ptr(), at);
    }
}
