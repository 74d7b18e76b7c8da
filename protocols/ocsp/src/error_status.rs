//! Answers that say why there is none (RFC 6960 §2.3).

/// An OCSPResponseStatus other than successful. The number 4 "is not used" (RFC 6960 §4.2.1), and is none here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorStatus {
    /// malformedRequest: the request is none.
    MalformedRequest,
    /// internalError: ours, and asking again later may help.
    InternalError,
    /// tryLater: there will be an answer, but not now.
    TryLater,
    /// sigRequired: the request is to be signed.
    SigRequired,
    /// unauthorized: this responder has nothing authoritative to say (RFC 9919, "OCSPResponseStatus Values").
    Unauthorized,
}

impl ErrorStatus {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::MalformedRequest, Self::InternalError, Self::TryLater, Self::SigRequired, Self::Unauthorized];

    /// The whole OCSPResponse, in DER. RFC 6960 §4.2.1: "If the value of responseStatus is one of the error conditions, the responseBytes
    /// field is not set."
    #[must_use]
    pub const fn as_der(self) -> &'static [u8; 5] {
        // SEQUENCE { ENUMERATED }
        match self {
            Self::MalformedRequest => &[0x30, 3, 0x0a, 1, 1],
            Self::InternalError => &[0x30, 3, 0x0a, 1, 2],
            Self::TryLater => &[0x30, 3, 0x0a, 1, 3],
            Self::SigRequired => &[0x30, 3, 0x0a, 1, 5],
            Self::Unauthorized => &[0x30, 3, 0x0a, 1, 6],
        }
    }

    /// Its name in RFC 6960 §4.2.1, for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }
}
