//! pkiMessages (RFC 8894 §3.2), as clients send them.

use certgate_pki::asn1::{Tlv, ber, tag};
use certgate_pki::cms::{CmsError, SignatureFault, SignedData, SignerId};
use certgate_pki::{CertificateOutline, DigestAlgorithm, Provider, PublicKey};

use crate::attributes::{MESSAGE_TYPE, MessageType, SENDER_NONCE, TRANSACTION_ID, TransactionId};

/// Largest message, in octets.
pub const MAX_MESSAGE: usize = certgate_pki::limits::MAX_CMS;

/// Longest senderNonce that is sent back, in octets. RFC 8894 §3.2.1.5 has 16.
const MAX_NONCE: usize = 64;

/// Octets are no pkiMessage: not enough is known of them for a CertRep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// More than [`MAX_MESSAGE`] octets.
    #[error("the message is larger than {MAX_MESSAGE} octets")]
    TooLarge,
    /// Not BER.
    #[error("the message is not BER: {0}")]
    Ber(#[from] ber::BerError),
    /// Not a SignedData.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// No certificate of its signer is in it.
    #[error("the message has no certificate of its signer (RFC 8894 §3)")]
    NoSigner,
    /// No transactionID, or none that can be sent back.
    #[error("the message has no transactionID (RFC 8894 §3.2.1.1)")]
    NoTransactionId,
}

/// The DER of a message that came in BER.
///
/// # Errors
/// [`MessageError::TooLarge`], [`MessageError::Ber`].
pub fn to_der(message: &[u8]) -> Result<Vec<u8>, MessageError> {
    if message.len() > MAX_MESSAGE { Err(MessageError::TooLarge) } else { Ok(ber::to_der(message)?) }
}

/// A pkiMessage as it was received. Nothing in it is verified: see [`Self::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PkiMessage<'a> {
    signed: SignedData<'a>,
    /// The certificate of whoever has signed it, self-signed or issued.
    pub signer: CertificateOutline<'a>,
    /// transactionID.
    pub transaction: TransactionId,
    /// messageType; `None` is one that RFC 8894 does not know, or none at all.
    pub message_type: Option<MessageType>,
    /// senderNonce, if there is one of a length that is sent back.
    pub sender_nonce: Option<&'a [u8]>,
}

impl<'a> PkiMessage<'a> {
    /// Reads a message in DER: see [`to_der`].
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn from_der(der: &'a [u8]) -> Result<Self, MessageError> {
        let signed = SignedData::from_der(der)?;
        let info = signed.signer()?;
        let attribute = |oid| info.attributes.get(oid).ok().flatten();
        let transaction = attribute(&TRANSACTION_ID).and_then(TransactionId::read).ok_or(MessageError::NoTransactionId)?;
        let message_type = attribute(&MESSAGE_TYPE).filter(is_string).and_then(|tlv| MessageType::from_code(tlv.value));
        let is_nonce = |tlv: &Tlv<'_>| tlv.tag == tag::OCTET_STRING && (1..=MAX_NONCE).contains(&tlv.value.len());
        let sender_nonce = attribute(&SENDER_NONCE).filter(is_nonce).map(|tlv| tlv.value);
        let signer = signer_of(&signed, info.id).ok_or(MessageError::NoSigner)?;
        Ok(Self { signer, transaction, message_type, sender_nonce, signed })
    }

    /// The digest of its signature, by which the answer is signed too; `None` is one that is not known here.
    #[must_use]
    pub fn digest(&self) -> Option<DigestAlgorithm> {
        self.signed.signers.first().and_then(|signer| signer.digest).filter(|digest| *digest != DigestAlgorithm::Sha1)
    }

    /// Verifies that whoever has the key in [`Self::signer`] has signed the message.
    ///
    /// # Errors
    /// [`SignatureFault`].
    pub fn verify(&self, provider: &Provider) -> Result<(), SignatureFault> {
        let signer = self.signed.signers.first().ok_or(SignatureFault::Broken)?;
        let key = PublicKey::from_der(self.signer.public_key).map_err(|_| SignatureFault::Algorithm)?;
        signer.verify(&key, &self.signed.content_type, self.signed.content.unwrap_or_default(), provider)
    }

    /// The pkcsPKIEnvelope (RFC 8894 §3.2.2), in DER for `EnvelopedData::from_der`. What is signed is its octets as they were sent: where
    /// the message came in BER they often are BER too, within a string that [`to_der`] leaves as it is.
    ///
    /// # Errors
    /// [`CmsError`] when there is none.
    pub fn envelope(&self) -> Result<Vec<u8>, CmsError> {
        let sent = self.signed.content.ok_or(CmsError::Malformed("pkcsPKIEnvelope"))?;
        ber::to_der(sent).map_err(|_| CmsError::Malformed("pkcsPKIEnvelope"))
    }
}

/// A string type, of those that clients use for numbers.
fn is_string(tlv: &Tlv<'_>) -> bool {
    matches!(tlv.tag, tag::PRINTABLE_STRING | tag::UTF8_STRING | tag::IA5_STRING | tag::TELETEX_STRING)
}

/// The certificate that a SignerInfo names; the only one that there is where the name is written in another way.
fn signer_of<'a>(signed: &SignedData<'a>, id: SignerId<'_>) -> Option<CertificateOutline<'a>> {
    let mut outlines = signed.certificates.iter().copied().filter_map(CertificateOutline::from_der);
    let named = match id {
        SignerId::IssuerAndSerial { issuer, serial } => {
            outlines.clone().find(|outline| outline.issuer == issuer && outline.serial == serial)
        }
        SignerId::SubjectKeyIdentifier(_) => None,
    };
    named.or_else(|| outlines.next().filter(|_| signed.certificates.len() == 1))
}
