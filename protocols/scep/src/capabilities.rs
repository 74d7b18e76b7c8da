//! CA capabilities (RFC 8894 §3.5).

/// A keyword of RFC 8894 §3.5.2, or one that a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// AES-128-CBC.
    Aes,
    /// PKIOperation by POST.
    PostPkiOperation,
    /// RenewalReq.
    Renewal,
    /// SHA-256.
    Sha256,
    /// SHA-384: no keyword of RFC 8894, which allows others; strongSwan takes AES only where it finds this one.
    Sha384,
    /// SHA-512.
    Sha512,
    /// All that RFC 8894 has as mandatory.
    ScepStandard,
}

impl Capability {
    /// Its keyword, in this letter case.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Aes => "AES",
            Self::PostPkiOperation => "POSTPKIOperation",
            Self::Renewal => "Renewal",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::ScepStandard => "SCEPStandard",
        }
    }
}

/// The answer to GetCACaps: a keyword a line.
#[must_use]
pub fn capabilities(supported: &[Capability]) -> String {
    supported.iter().map(|capability| format!("{}\n", capability.keyword())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_a_line() {
        assert_eq!(capabilities(&[Capability::Aes, Capability::ScepStandard]), "AES\nSCEPStandard\n");
    }
}
