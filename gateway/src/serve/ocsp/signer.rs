//! Who signs responses, and in whose name.

use std::sync::Arc;

use certgate_ocsp::{BasicResponse, Nonce, OcspRequest, ResponderId, SingleResponse};
use certgate_pki::{Certificate, CryptoError, Digest, SignatureAlgorithm, SigningKey, Timestamp};

/// An OCSPResponse.
pub(super) struct SignedResponse {
    /// In DER.
    pub(super) der: Vec<u8>,
    /// The end of its signature: no other response has it.
    pub(super) tag: [u8; 16],
}

/// A key that may sign responses, with the certificate that says so.
pub struct OcspSigner {
    certificate: Certificate,
    key: Arc<dyn SigningKey>,
    id: ResponderId,
}

impl OcspSigner {
    /// A delegated responder (RFC 6960 §4.2.2.2), known by its key.
    #[must_use]
    pub fn new(certificate: Certificate, key: Arc<dyn SigningKey>, digests: &dyn Digest) -> Self {
        let id = ResponderId::by_key(key.public_key(), digests);
        Self { certificate, key, id }
    }

    /// Is this its certificate?
    pub(super) fn is_of(&self, certificate: &Certificate) -> bool {
        self.certificate.as_der() == certificate.as_der()
    }

    /// Do its signatures verify now?
    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        let validity = self.certificate.validity();
        validity.not_before <= now && now.floor_to_second() < validity.not_after
    }

    /// The last second at which its signatures verify.
    pub(super) fn not_after(&self) -> Timestamp {
        self.certificate.validity().not_after
    }

    /// By which algorithm it signs for this client: the first that the client prefers and the key makes, else the key's own (RFC 6960
    /// §4.4.7.2). No key makes a weaker one than SHA-256 has.
    pub(super) fn algorithm_for(&self, request: &OcspRequest<'_>) -> SignatureAlgorithm {
        let preferred = request.preferred_signature_algorithms().and_then(|preferred| {
            preferred.iter().filter_map(|one| one.algorithm).find(|algorithm| self.key.makes(*algorithm))
        });
        preferred.unwrap_or_else(|| self.key.algorithm())
    }

    /// The key's own algorithm.
    pub(super) fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    /// The whole OCSPResponse, signed.
    pub(super) fn sign(
        &self,
        responses: &[SingleResponse<'_>],
        nonce: Option<Nonce<'_>>,
        (produced_at, algorithm): (Timestamp, SignatureAlgorithm),
    ) -> Result<SignedResponse, CryptoError> {
        let response = BasicResponse { responder: &self.id, produced_at, responses, nonce, extended_revoke: false };
        let draft = response.prepare(algorithm);
        let signature = self.key.sign_as(algorithm, draft.to_be_signed())?;
        let tag = *signature.last_chunk().ok_or(CryptoError::Failed("signing"))?;
        Ok(SignedResponse { der: draft.assemble(&signature, &[&self.certificate]), tag })
    }
}
