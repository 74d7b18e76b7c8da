//! Why a certificate was revoked, as CRLs and OCSP say it.

/// CRLReason (RFC 5280 §5.3.1) without `unspecified` (0), which is said by saying nothing ("SHOULD be absent instead of using the
/// unspecified (0) reasonCode value"), and without `removeFromCRL` (8), which is no reason. 7 is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CrlReason {
    /// keyCompromise (1)
    KeyCompromise,
    /// cACompromise (2)
    CaCompromise,
    /// affiliationChanged (3)
    AffiliationChanged,
    /// superseded (4)
    Superseded,
    /// cessationOfOperation (5)
    CessationOfOperation,
    /// certificateHold (6): not revoked for good, the one state from which there is a way back.
    CertificateHold,
    /// privilegeWithdrawn (9)
    PrivilegeWithdrawn,
    /// aACompromise (10)
    AaCompromise,
}

impl CrlReason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// Its number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// The reason with this number; `None` for 0, 7, 8 and what is above 10.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_its_reason() {
        let numbers: Vec<u8> = (0..=255).filter(|code| CrlReason::from_code(*code).is_some()).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 9, 10]);
        assert!(CrlReason::ALL.into_iter().all(|reason| CrlReason::from_code(reason.code()) == Some(reason)));
    }
}
