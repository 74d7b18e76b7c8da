//! Transaction attributes (RFC 8894 §3.2.1).

use std::fmt;

use certgate_pki::ObjectIdentifier;
use certgate_pki::asn1::{Tlv, tag};

/// id-messageType.
pub(crate) const MESSAGE_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.2");
/// id-pkiStatus.
pub(crate) const PKI_STATUS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.3");
/// id-failInfo.
pub(crate) const FAIL_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.4");
/// id-senderNonce.
pub(crate) const SENDER_NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.5");
/// id-recipientNonce.
pub(crate) const RECIPIENT_NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.6");
/// id-transactionID.
pub(crate) const TRANSACTION_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.7");
/// id-scep-failInfoText.
pub(crate) const FAIL_INFO_TEXT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.24.1");

/// Longest transactionID, in octets.
const MAX_TRANSACTION_ID: usize = 256;

/// What a message is (RFC 8894 §3.2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// The answer to any other.
    CertRep,
    /// A request that an existing certificate authenticates.
    RenewalReq,
    /// A request that a shared secret authenticates.
    PkcsReq,
    /// Asks what became of a request.
    CertPoll,
    /// Asks for a certificate.
    GetCert,
    /// Asks for a CRL.
    GetCrl,
}

impl MessageType {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::CertRep, Self::RenewalReq, Self::PkcsReq, Self::CertPoll, Self::GetCert, Self::GetCrl];

    /// Its number, as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CertRep => "3",
            Self::RenewalReq => "17",
            Self::PkcsReq => "19",
            Self::CertPoll => "20",
            Self::GetCert => "21",
            Self::GetCrl => "22",
        }
    }

    pub(crate) fn from_code(code: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code().as_bytes() == code)
    }
}

/// How an answer ends a request, or does not (RFC 8894 §3.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PkiStatus {
    /// Granted.
    Success,
    /// Rejected.
    Failure,
    /// A person has to say yes.
    Pending,
}

impl PkiStatus {
    /// Its number, as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Success => "0",
            Self::Failure => "2",
            Self::Pending => "3",
        }
    }
}

/// Why a request was rejected (RFC 8894 §3.2.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailInfo {
    /// An algorithm that is not supported.
    BadAlg,
    /// The signature of the message is wrong.
    BadMessageCheck,
    /// What was asked is not permitted or not supported.
    BadRequest,
    /// signingTime is too far from ours.
    BadTime,
    /// There is no such certificate.
    BadCertId,
}

impl FailInfo {
    /// Its number, as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadAlg => "0",
            Self::BadMessageCheck => "1",
            Self::BadRequest => "2",
            Self::BadTime => "3",
            Self::BadCertId => "4",
        }
    }
}

/// Names a transaction: the client's choice (RFC 8894 §3.2.1.1). It goes back in the string type that it came in.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TransactionId {
    tag: u8,
    value: Vec<u8>,
}

impl TransactionId {
    /// Reads a PrintableString, or one of the other string types that clients send, of ASCII characters that can be seen.
    pub(crate) fn read(tlv: Tlv<'_>) -> Option<Self> {
        let is_string = matches!(tlv.tag, tag::PRINTABLE_STRING | tag::UTF8_STRING | tag::IA5_STRING | tag::TELETEX_STRING);
        let is_good = is_string
            && (1..=MAX_TRANSACTION_ID).contains(&tlv.value.len())
            && tlv.value.iter().all(|octet| (0x20..0x7f).contains(octet));
        is_good.then(|| Self { tag: tlv.tag, value: tlv.value.to_vec() })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // It is ASCII.
        std::str::from_utf8(&self.value).unwrap_or_default()
    }

    /// The tag of the string type.
    pub(crate) const fn tag(&self) -> u8 {
        self.tag
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionId({})", self.as_str())
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
