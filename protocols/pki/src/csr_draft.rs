//! Certification requests of certgate's own (RFC 2986), for a CA outside of it.

use const_oid::db::rfc5912::ID_EXTENSION_REQ;

use crate::asn1::{DerWriter, tag};
use crate::template::assemble;
use crate::{Extension, Name, PublicKey, SignatureAlgorithm};

/// All of a request but its signature.
#[derive(Clone, Copy, Debug)]
pub struct CsrDraft<'a> {
    /// Who asks.
    pub subject: &'a Name,
    /// The key to be certified, which signs the request.
    pub public_key: &'a PublicKey,
    /// What the certificate should have (extensionRequest, RFC 2985 §5.4.2).
    pub extensions: &'a [Extension],
}

impl CsrDraft<'_> {
    /// The CertificationRequestInfo, DER.
    ///
    /// ```text
    /// CertificationRequestInfo ::= SEQUENCE {                  RFC 2986 §4.1
    ///     version INTEGER { v1(0) }, subject Name, subjectPKInfo SubjectPublicKeyInfo,
    ///     attributes [0] IMPLICIT SET OF Attribute }
    /// ```
    #[must_use]
    pub fn to_be_signed(&self) -> Vec<u8> {
        let mut writer = DerWriter::with_capacity(512);
        writer.sequence(|w| {
            w.tlv(tag::INTEGER, &[0]).raw(self.subject.as_der()).raw(self.public_key.spki());
            w.nested(tag::context_constructed(0), |w| {
                if !self.extensions.is_empty() {
                    w.sequence(|w| self.write_extension_request(w));
                }
            });
        });
        writer.finish()
    }

    fn write_extension_request(&self, writer: &mut DerWriter) {
        writer.oid(&ID_EXTENSION_REQ).nested(tag::SET, |w| {
            w.sequence(|w| self.extensions.iter().for_each(|extension| extension.write(w)));
        });
    }

    /// The request, DER: what was signed, by which algorithm, and the signature.
    #[must_use]
    pub fn assemble(to_be_signed: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
        assemble(to_be_signed, algorithm, signature)
    }
}
