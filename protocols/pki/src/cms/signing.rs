//! SignedData in two steps: what is to be signed, and the message with the signature. The key stays with whoever has it.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_CONTENT_TYPE, ID_DATA, ID_MESSAGE_DIGEST, ID_SIGNED_DATA};
use const_oid::db::rfc5912::RSA_ENCRYPTION;

use super::write_content_info;
use crate::asn1::{DerWriter, tag};
use crate::{Certificate, Digest, DigestAlgorithm, SignatureAlgorithm};

/// A signed attribute with one value, in DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute(Vec<u8>);

impl Attribute {
    /// One whose value `write` writes.
    pub fn new(oid: &ObjectIdentifier, write: impl FnOnce(&mut DerWriter)) -> Self {
        let mut writer = DerWriter::default();
        writer.sequence(|w| {
            w.oid(oid).nested(tag::SET, write);
        });
        Self(writer.finish())
    }
}

/// A SignedData of one signer that lacks its signature only. Its content is id-data.
#[derive(Clone, Debug)]
pub struct Draft {
    content: Option<Vec<u8>>,
    digest: DigestAlgorithm,
    algorithm: SignatureAlgorithm,
    /// SET OF Attribute, in DER: what is signed.
    attributes: Vec<u8>,
    issuer_and_serial: Vec<u8>,
    certificates: Vec<Vec<u8>>,
}

impl Draft {
    /// A message with `content`, or without any, that the holder of `signer` signs by `algorithm`; contentType and messageDigest are added
    /// to `attributes`. `certificates`, in DER, go along.
    #[must_use]
    pub fn new(
        content: Option<Vec<u8>>,
        mut attributes: Vec<Attribute>,
        signer: &Certificate,
        algorithm: SignatureAlgorithm,
        (certificates, digests): (Vec<Vec<u8>>, &dyn Digest),
    ) -> Self {
        let digest = algorithm.digest();
        // RFC 5652 §5.4: where eContent is left out, the digest is that of no octets at all.
        let message_digest = digests.digest(digest, content.as_deref().unwrap_or_default());
        attributes.push(Attribute::new(&ID_CONTENT_TYPE, |w| {
            w.oid(&ID_DATA);
        }));
        attributes.push(Attribute::new(&ID_MESSAGE_DIGEST, |w| {
            w.tlv(tag::OCTET_STRING, &message_digest);
        }));
        let mut set = DerWriter::default();
        set.set_of(tag::SET, attributes.iter().map(|attribute| attribute.0.as_slice()).collect());
        let mut id = DerWriter::default();
        id.sequence(|w| {
            w.raw(signer.issuer().as_der());
            signer.serial().write(w);
        });
        Self { content, digest, algorithm, attributes: set.finish(), issuer_and_serial: id.finish(), certificates }
    }

    /// The octets to be signed.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        &self.attributes
    }

    /// By which algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The ContentInfo with the signature in it: DER, with primitive strings alone.
    #[must_use]
    pub fn assemble(self, signature: &[u8]) -> Vec<u8> {
        let mut signed_attributes = self.attributes;
        // `[0] IMPLICIT` in the message, SET where it is signed.
        if let Some(first) = signed_attributes.first_mut() {
            *first = tag::context_constructed(0);
        }
        let size = self.content.as_ref().map_or(0, Vec::len) + self.certificates.iter().map(Vec::len).sum::<usize>();
        let mut writer = DerWriter::with_capacity(size + signed_attributes.len() + signature.len() + 256);
        write_content_info(&mut writer, &ID_SIGNED_DATA, |w| {
            w.tlv(tag::INTEGER, &[1]);
            w.nested(tag::SET, |w| self.digest.write(w));
            w.sequence(|w| {
                w.oid(&ID_DATA);
                if let Some(content) = &self.content {
                    w.nested(tag::context_constructed(0), |w| {
                        w.tlv(tag::OCTET_STRING, content);
                    });
                }
            });
            if !self.certificates.is_empty() {
                w.set_of(tag::context_constructed(0), self.certificates.iter().map(Vec::as_slice).collect());
            }
            w.nested(tag::SET, |w| {
                w.sequence(|w| {
                    w.tlv(tag::INTEGER, &[1]).raw(&self.issuer_and_serial);
                    self.digest.write(w);
                    w.raw(&signed_attributes);
                    write_signature_algorithm(w, self.algorithm);
                    w.tlv(tag::OCTET_STRING, signature);
                });
            });
        });
        writer.finish()
    }
}

/// RFC 3370 §3.2: rsaEncryption says no digest; some clients know nothing else here.
fn write_signature_algorithm(writer: &mut DerWriter, algorithm: SignatureAlgorithm) {
    if algorithm.is_pkcs1() {
        writer.sequence(|w| {
            w.oid(&RSA_ENCRYPTION).tlv(tag::NULL, &[]);
        });
    } else {
        algorithm.write(writer);
    }
}
