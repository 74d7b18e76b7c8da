//! From what came of a message to the octets of its CertRep. RSA: not for the threads that serve connections.

use certgate_pki::cms::{Seal, certs_only};
use certgate_pki::{CertificateOutline, CryptoError, DigestAlgorithm, Provider, SignatureAlgorithm};
use certgate_scep::{Answer, CertRep};
use zeroize::Zeroizing;

use super::endpoint::{ScepOptions, ScepRa};
use super::opening::Opened;

/// What a CertRep is to say.
pub(super) enum Reply {
    /// The certificate, DER.
    Granted(Vec<u8>),
    /// Anything that needs no encryption.
    Said(Answer),
}

/// Makes a CertRep: sealed if it holds a certificate, prepared, signed, assembled.
///
/// # Errors
/// [`CryptoError`].
pub(super) fn make(
    reply: Reply,
    opened: &Opened,
    (ra, options): (&ScepRa, ScepOptions),
    provider: &Provider,
) -> Result<Vec<u8>, CryptoError> {
    let answer = match reply {
        Reply::Said(answer) => answer,
        Reply::Granted(certificate) => Answer::Success(seal(&certificate, opened, options, provider)?),
    };
    let mut sender_nonce = [0; 16];
    provider.random.fill(&mut sender_nonce)?;
    let recipient_nonce = opened.sender_nonce.as_deref();
    let reply = CertRep { answer, transaction: &opened.transaction, recipient_nonce, sender_nonce };
    let algorithm = match opened.digest {
        DigestAlgorithm::Sha384 => SignatureAlgorithm::RsaSha384,
        DigestAlgorithm::Sha512 => SignatureAlgorithm::RsaSha512,
        DigestAlgorithm::Sha1 | DigestAlgorithm::Sha256 => SignatureAlgorithm::RsaSha256,
    };
    let draft = reply.prepare(&ra.certificate, algorithm, &*provider.digest);
    let signature = ra.signing.sign_as(algorithm, draft.to_be_signed())?;
    Ok(draft.assemble(&signature))
}

/// The certificate in a certs-only message, to the key that has signed the request (RFC 8894 §3.3.2.1).
fn seal(certificate: &[u8], opened: &Opened, options: ScepOptions, provider: &Provider) -> Result<Vec<u8>, CryptoError> {
    let recipient = CertificateOutline::from_der(&opened.signer).ok_or(CryptoError::UnusableKey("malformed"))?;
    let cipher = options.content_encryption.cipher(opened.cipher);
    let mut content_key = Zeroizing::new(vec![0; cipher.key_octets()]);
    let mut iv = [0; 16];
    provider.random.fill(&mut content_key)?;
    provider.random.fill(&mut iv)?;
    let seal = Seal { cipher, content_key: &content_key, iv };
    seal.envelop(&certs_only(&[certificate]), &recipient, &*provider.encrypt)
}
