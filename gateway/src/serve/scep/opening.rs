//! From the octets of a pkiMessage to what it asks. RSA: not for the threads that serve connections.

use certgate_pki::cms::{CmsError, EnvelopedData, SignatureFault};
use certgate_pki::{ContentCipher, CryptoError, Csr, DigestAlgorithm, KeyType, Provider, PublicKey, sha256};
use certgate_scep::{MessageError, MessageType, PkiMessage, TransactionId, to_der};
use zeroize::Zeroizing;

use super::endpoint::ScepRa;
use crate::serve::failure::ScepFailure;

/// A message that was read, and what its answer needs of it.
pub(super) struct Opened {
    pub(super) transaction: TransactionId,
    pub(super) sender_nonce: Option<Vec<u8>>,
    /// By which its answer is signed too.
    pub(super) digest: DigestAlgorithm,
    /// By which it was encrypted.
    pub(super) cipher: ContentCipher,
    /// The certificate of who has signed it, DER: to its key the answer is encrypted.
    pub(super) signer: Vec<u8>,
    /// SHA-256 of that key.
    pub(super) signer_key: [u8; 32],
    /// What it asks, or why it asks nothing.
    pub(super) content: Result<Content, ScepFailure>,
}

/// What a message asks.
pub(super) enum Content {
    /// PKCSReq: a certificate.
    Enroll(Box<Csr>),
    /// CertPoll: what became of it.
    Poll,
}

/// Opens a message.
///
/// # Errors
/// [`MessageError`] where so little is known that there can be no CertRep.
pub(super) fn open(octets: &[u8], ra: &ScepRa, provider: &Provider) -> Result<Opened, MessageError> {
    let der = to_der(octets)?;
    let message = PkiMessage::from_der(&der)?;
    let sealed = message.envelope();
    let envelope = sealed.as_deref().map_err(|error| *error).and_then(EnvelopedData::from_der);
    let cipher = envelope.as_ref().ok().and_then(|envelope| envelope.cipher).map(|(cipher, _)| cipher);
    Ok(Opened {
        content: content(&message, envelope, ra, provider),
        transaction: message.transaction.clone(),
        sender_nonce: message.sender_nonce.map(<[u8]>::to_vec),
        digest: message.digest().unwrap_or(DigestAlgorithm::Sha256),
        cipher: cipher.unwrap_or(ContentCipher::Aes128Cbc),
        signer: message.signer.der.to_vec(),
        signer_key: sha256(&*provider.digest, message.signer.public_key),
    })
}

fn content(
    message: &PkiMessage<'_>,
    envelope: Result<EnvelopedData<'_>, CmsError>,
    ra: &ScepRa,
    provider: &Provider,
) -> Result<Content, ScepFailure> {
    message.verify(provider).map_err(|fault| match fault {
        SignatureFault::Algorithm => ScepFailure::SignatureAlgorithm,
        SignatureFault::Broken => ScepFailure::Signature,
    })?;
    let key = PublicKey::from_der(message.signer.public_key).map_err(|_| ScepFailure::SignatureAlgorithm)?;
    if !matches!(key.key_type(), KeyType::Rsa { .. }) {
        return Err(ScepFailure::NoKeyTransport);
    }
    match message.message_type {
        // What is enclosed names the issuer and the subject, and clients get them wrong: the transaction counts (RFC 8894 §3.3.3).
        Some(MessageType::CertPoll) => Ok(Content::Poll),
        Some(MessageType::PkcsReq) => {
            let csr = decrypt(&envelope.map_err(|_| ScepFailure::Envelope)?, ra, provider)?;
            // RFC 8894 §2.3. It is no failure of its own: whoever has altered another's message would learn from it what still makes a
            // request, and so what the message says.
            if *csr.public_key() != key {
                return Err(ScepFailure::Envelope);
            }
            if csr.subject().is_empty() {
                return Err(ScepFailure::NoSubject);
            }
            Ok(Content::Enroll(Box::new(csr)))
        }
        _ => Err(ScepFailure::NotOffered),
    }
}

/// The request in an envelope. Whether that could not be opened, or holds something else, cannot be told from the answer: whoever could
/// would decrypt by asking (RFC 3218 §2.3.2).
fn decrypt(envelope: &EnvelopedData<'_>, ra: &ScepRa, provider: &Provider) -> Result<Csr, ScepFailure> {
    // RFC 8894 §3.2.2: "contentType in encryptedContentInfo MUST be data ({pkcs-7 1})."
    if !envelope.holds_data() {
        return Err(ScepFailure::Envelope);
    }
    let (cipher, _) = envelope.cipher.ok_or(ScepFailure::Encryption)?;
    let mut substitute = Zeroizing::new(vec![0; cipher.key_octets()]);
    provider.random.fill(&mut substitute).map_err(ScepFailure::Crypto)?;
    let opened = envelope.open(&*ra.decryption, &substitute, &*provider.decrypt);
    let contents = opened.map_err(|error| match error {
        CryptoError::Unsupported(_) => ScepFailure::Encryption,
        _ => ScepFailure::Envelope,
    })?;
    Csr::from_der(&contents).map_err(|_| ScepFailure::Envelope)
}
