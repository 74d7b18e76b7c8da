//! Basic responses (RFC 6960 §4.2.1): prepared here, signed by whoever has the key, assembled here.

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{Certificate, Digest, DigestAlgorithm, Name, PublicKey, SignatureAlgorithm, Timestamp};

use crate::cert_id::CertId;
use crate::extensions::Nonce;
use crate::oid;
use crate::status::CertStatus;

/// Who signs (RFC 6960 §4.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponderId {
    /// byKey, which RFC 9919 ("Signed OCSPResponses") demands of new responders: see [`Self::by_key`].
    ByKey([u8; 20]),
    /// byName: the subject of the signer's certificate.
    ByName(Name),
}

impl ResponderId {
    /// By the signer's key: the SHA-1 hash of the subjectPublicKey's bits, "excluding the tag and length fields" (RFC 6960 §4.2.1).
    #[must_use]
    pub fn by_key(key: &PublicKey, digests: &dyn Digest) -> Self {
        let mut hash = [0; 20];
        for (octet, made) in hash.iter_mut().zip(digests.digest(DigestAlgorithm::Sha1, key.key_bits())) {
            *octet = made;
        }
        Self::ByKey(hash)
    }

    fn write(&self, writer: &mut DerWriter) {
        match self {
            Self::ByName(name) => writer.tlv(tag::context_constructed(1), name.as_der()),
            Self::ByKey(hash) => writer.nested(tag::context_constructed(2), |w| {
                w.tlv(tag::OCTET_STRING, hash);
            }),
        };
    }
}

/// What is said about one certificate. Times are written in whole seconds.
///
/// ```text
/// SingleResponse ::= SEQUENCE {                            RFC 6960 §4.2.1
///     certID CertID, certStatus CertStatus, thisUpdate GeneralizedTime,
///     nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL, singleExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SingleResponse<'a> {
    /// Which certificate; written as it was received, since clients compare octets.
    pub cert_id: CertId<'a>,
    /// What is known of it.
    pub status: CertStatus,
    /// When that was known to be right (RFC 6960 §2.4).
    pub this_update: Timestamp,
    /// By when there will be news (RFC 6960 §2.4). RFC 9919 has it always; without it, "newer revocation information is available all the
    /// time" (RFC 6960 §4.2.2.1).
    pub next_update: Option<Timestamp>,
    /// Since when the status of expired certificates is kept (RFC 6960 §4.4.4).
    pub archive_cutoff: Option<Timestamp>,
}

impl SingleResponse<'_> {
    fn write(&self, writer: &mut DerWriter) {
        writer.sequence(|w| {
            w.raw(self.cert_id.as_der());
            self.status.write(w);
            self.this_update.write_generalized_time(w);
            if let Some(next_update) = self.next_update {
                w.nested(tag::context_constructed(0), |w| next_update.write_generalized_time(w));
            }
            if let Some(cutoff) = self.archive_cutoff {
                write_extensions(w, |w| {
                    w.extension(&oid::ARCHIVE_CUTOFF, |w| cutoff.write_generalized_time(w));
                });
            }
        });
    }
}

/// A response to be made.
///
/// ```text
/// ResponseData ::= SEQUENCE {                              RFC 6960 §4.2.1
///     version [0] EXPLICIT INTEGER DEFAULT v1, responderID ResponderID, producedAt GeneralizedTime,
///     responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BasicResponse<'a> {
    /// Who signs.
    pub responder: &'a ResponderId,
    /// When it is signed; written in whole seconds.
    pub produced_at: Timestamp,
    /// One for each certificate that was asked for, and none besides (RFC 6960 §4.2.2.3).
    pub responses: &'a [SingleResponse<'a>],
    /// The nonce of the request, which goes back.
    pub nonce: Option<Nonce<'a>>,
    /// Say in any case that certificates that were never issued are called revoked (RFC 6960 §4.4.8: "MAY be present in other responses").
    /// A response that has [`CertStatus::NotIssued`] in it says so by itself.
    pub extended_revoke: bool,
}

impl BasicResponse<'_> {
    /// The response without its signature, which will be one by `algorithm`.
    #[must_use]
    pub fn prepare(&self, algorithm: SignatureAlgorithm) -> Draft {
        let ids: usize = self.responses.iter().map(|single| single.cert_id.as_der().len()).sum();
        let mut writer = DerWriter::with_capacity(ids + 128 * self.responses.len() + 256);
        writer.sequence(|w| {
            self.responder.write(w);
            self.produced_at.write_generalized_time(w);
            w.sequence(|w| self.responses.iter().for_each(|single| single.write(w)));
            self.write_extensions(w);
        });
        Draft { response_data: writer.finish(), algorithm }
    }

    fn write_extensions(&self, writer: &mut DerWriter) {
        // RFC 6960 §4.4.8: "MUST be included in the OCSP response when that response contains a "revoked" status for a non-issued
        // certificate."
        let extended_revoke =
            self.extended_revoke || self.responses.iter().any(|single| single.status == CertStatus::NotIssued);
        if self.nonce.is_none() && !extended_revoke {
            return;
        }
        write_extensions(writer, |w| {
            if let Some(nonce) = self.nonce {
                w.extension(&oid::NONCE, |w| {
                    w.tlv(tag::OCTET_STRING, nonce.as_octets());
                });
            }
            if extended_revoke {
                w.extension(&oid::EXTENDED_REVOKE, |w| {
                    w.tlv(tag::NULL, &[]);
                });
            }
        });
    }
}

/// `[1] EXPLICIT Extensions`, as both places for them have it.
fn write_extensions(writer: &mut DerWriter, write: impl FnOnce(&mut DerWriter)) {
    writer.nested(tag::context_constructed(1), |w| {
        w.sequence(write);
    });
}

/// A response that lacks its signature only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    response_data: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl Draft {
    /// The octets to be signed: ResponseData in DER.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        &self.response_data
    }

    /// By which algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The OCSPResponse with the signature in it. A delegated responder's own certificate is to be among the certificates; with none of them
    /// "certs SHOULD be absent" (RFC 6960 §4.2.1), as where the CA signs itself.
    ///
    /// ```text
    /// OCSPResponse ::= SEQUENCE {                          RFC 6960 §4.2.1
    ///     responseStatus ENUMERATED { successful(0) },
    ///     responseBytes  [0] EXPLICIT SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING } }
    /// BasicOCSPResponse ::= SEQUENCE {
    ///     tbsResponseData ResponseData, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING,
    ///     certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
    /// ```
    #[must_use]
    pub fn assemble(&self, signature: &[u8], certificates: &[&Certificate]) -> Vec<u8> {
        let certs: usize = certificates.iter().map(|certificate| certificate.as_der().len()).sum();
        let mut writer = DerWriter::with_capacity(self.response_data.len() + signature.len() + certs + 128);
        writer.sequence(|w| {
            w.tlv(tag::ENUMERATED, &[0]).nested(tag::context_constructed(0), |w| {
                w.sequence(|w| {
                    w.oid(&oid::BASIC).nested(tag::OCTET_STRING, |w| self.write(w, signature, certificates));
                });
            });
        });
        writer.finish()
    }

    /// BasicOCSPResponse.
    fn write(&self, writer: &mut DerWriter, signature: &[u8], certificates: &[&Certificate]) {
        writer.sequence(|w| {
            w.raw(&self.response_data);
            self.algorithm.write(w);
            w.bit_string(signature);
            if !certificates.is_empty() {
                w.nested(tag::context_constructed(0), |w| {
                    w.sequence(|w| {
                        for certificate in certificates {
                            w.raw(certificate.as_der());
                        }
                    });
                });
            }
        });
    }
}
