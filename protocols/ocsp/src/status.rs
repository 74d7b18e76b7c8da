//! What a response says of a certificate (RFC 6960 §2.2, §4.2.1).

use certgate_pki::Timestamp;
use certgate_pki::asn1::{DerWriter, tag};

/// ENUMERATED (X.690 §8.4).
pub(crate) const ENUMERATED: u8 = 0x0a;

/// Why a certificate was revoked: CRLReason (RFC 5280 §5.3.1). unspecified(0) is said by leaving the reason out; removeFromCRL(8) is for
/// delta CRLs only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// keyCompromise.
    KeyCompromise,
    /// cACompromise.
    CaCompromise,
    /// affiliationChanged.
    AffiliationChanged,
    /// superseded.
    Superseded,
    /// cessationOfOperation.
    CessationOfOperation,
    /// certificateHold: for a while, or for good.
    CertificateHold,
    /// privilegeWithdrawn.
    PrivilegeWithdrawn,
    /// aACompromise.
    AaCompromise,
}

impl Reason {
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

    /// The number of the CRLReason.
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
}

/// What is known of a certificate (RFC 6960 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertStatus {
    /// Issued, and not revoked.
    Good,
    /// Revoked or on hold.
    Revoked {
        /// Since when; milliseconds are left out.
        at: Timestamp,
        /// Why, if that is to be said.
        reason: Option<Reason>,
    },
    /// Never issued, and said to be revoked: "on hold" since 1970 (RFC 6960 §2.2), in a response that has extended-revoke (§4.4.8).
    NotIssued,
    /// The responder does not know the certificate, its issuer for instance.
    Unknown,
}

impl CertStatus {
    /// RFC 6960 §2.2: "MUST specify the revocation reason certificateHold (6), MUST specify the revocationTime January 1, 1970".
    const NOT_ISSUED: (Timestamp, Option<Reason>) = (Timestamp::from_seconds(0), Some(Reason::CertificateHold));

    /// IMPLICIT tags: NULL, RevokedInfo, NULL.
    pub(crate) fn write(self, writer: &mut DerWriter) {
        let (at, reason) = match self {
            Self::Good => return write_null(writer, 0),
            Self::Unknown => return write_null(writer, 2),
            Self::Revoked { at, reason } => (at, reason),
            Self::NotIssued => Self::NOT_ISSUED,
        };
        writer.nested(tag::context_constructed(1), |w| {
            at.write_generalized_time(w);
            if let Some(reason) = reason {
                w.nested(tag::context_constructed(0), |w| {
                    w.tlv(ENUMERATED, &[reason.code()]);
                });
            }
        });
    }
}

/// `[number] IMPLICIT NULL`.
fn write_null(writer: &mut DerWriter, number: u8) {
    writer.tlv(tag::context(number), &[]);
}
