//! Mistakes of requests.

/// Something that is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The signature's last octet is another.
    BadSignature,
    /// version is v2(1), which does not exist.
    Version,
    /// The attributes are absent, with all extensions; RFC 2986 §4.1 has them mandatory, living clients leave them out.
    MissingAttributes,
    /// The SET OF attributes is in descending order, which is BER.
    UnsortedAttributes,
    /// A second extensionRequest asks for `dns:smuggled.example`.
    TwoExtensionRequests,
    /// The first extension comes twice.
    RepeatedExtension,
    /// critical FALSE is written out, which is BER.
    ExplicitCriticalFalse,
    /// An octet follows.
    TrailingBytes,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::BadSignature,
        Self::Version,
        Self::MissingAttributes,
        Self::UnsortedAttributes,
        Self::TwoExtensionRequests,
        Self::RepeatedExtension,
        Self::ExplicitCriticalFalse,
        Self::TrailingBytes,
    ];
}
