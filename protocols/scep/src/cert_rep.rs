//! CertReps (RFC 8894 §3.3.2): prepared here, signed by whoever has the key, assembled here.

use certgate_pki::asn1::tag;
use certgate_pki::cms::{Attribute, Draft};
use certgate_pki::{Certificate, Digest, SignatureAlgorithm};

use crate::attributes::{
    FAIL_INFO, FAIL_INFO_TEXT, FailInfo, MESSAGE_TYPE, MessageType, PKI_STATUS, PkiStatus, RECIPIENT_NONCE, SENDER_NONCE,
    TRANSACTION_ID, TransactionId,
};

/// Longest failInfoText, in octets.
const MAX_TEXT: usize = 512;

/// What a CertRep says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Granted: an EnvelopedData of a certs-only message, for the one who has asked.
    Success(Vec<u8>),
    /// Rejected, and why, for machines and for people.
    Failure(FailInfo, String),
    /// A person has to say yes.
    Pending,
}

impl Answer {
    const fn status(&self) -> PkiStatus {
        match self {
            Self::Success(_) => PkiStatus::Success,
            Self::Failure(..) => PkiStatus::Failure,
            Self::Pending => PkiStatus::Pending,
        }
    }
}

/// A CertRep to be made.
#[derive(Clone, Debug)]
pub struct CertRep<'r> {
    /// What it says.
    pub answer: Answer,
    /// transactionID of the request.
    pub transaction: &'r TransactionId,
    /// senderNonce of the request, which goes back as recipientNonce.
    pub recipient_nonce: Option<&'r [u8]>,
    /// 16 random octets.
    pub sender_nonce: [u8; 16],
}

impl CertRep<'_> {
    /// The message without its signature; `signer` is the certificate of whoever will sign it, and goes along.
    #[must_use]
    pub fn prepare(self, signer: &Certificate, algorithm: SignatureAlgorithm, digests: &dyn Digest) -> Draft {
        let printable = |oid, text: &str| {
            Attribute::new(oid, |w| {
                w.tlv(tag::PRINTABLE_STRING, text.as_bytes());
            })
        };
        let octets = |oid, value: &[u8]| {
            Attribute::new(oid, |w| {
                w.tlv(tag::OCTET_STRING, value);
            })
        };
        let mut attributes = vec![
            printable(&MESSAGE_TYPE, MessageType::CertRep.code()),
            printable(&PKI_STATUS, self.answer.status().code()),
            Attribute::new(&TRANSACTION_ID, |w| {
                w.tlv(self.transaction.tag(), self.transaction.as_str().as_bytes());
            }),
            octets(&SENDER_NONCE, &self.sender_nonce),
        ];
        attributes.extend(self.recipient_nonce.map(|nonce| octets(&RECIPIENT_NONCE, nonce)));
        let content = match self.answer {
            Answer::Success(envelope) => Some(envelope),
            Answer::Pending => None,
            Answer::Failure(info, text) => {
                attributes.push(printable(&FAIL_INFO, info.code()));
                if !text.is_empty() {
                    attributes.push(Attribute::new(&FAIL_INFO_TEXT, |w| {
                        w.tlv(tag::UTF8_STRING, shortened(&text).as_bytes());
                    }));
                }
                None
            }
        };
        Draft::new(content, attributes, signer, algorithm, (vec![signer.as_der().to_vec()], digests))
    }
}

/// The beginning of a text, up to the bound.
fn shortened(text: &str) -> &str {
    let end = text.char_indices().map(|(at, character)| at + character.len_utf8()).take_while(|end| *end <= MAX_TEXT).last();
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}
