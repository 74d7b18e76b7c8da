//! What a response says of a certificate (RFC 6960 §2.2, §4.2.1).

use certgate_pki::asn1::{DerWriter, tag};
use certgate_pki::{CrlReason, Timestamp};

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
        reason: Option<CrlReason>,
    },
    /// Never issued, and said to be revoked: "on hold" since 1970 (RFC 6960 §2.2), in a response that has extended-revoke (§4.4.8).
    NotIssued,
    /// The responder does not know the certificate, its issuer for instance.
    Unknown,
}

impl CertStatus {
    /// RFC 6960 §2.2: "MUST specify the revocation reason certificateHold (6), MUST specify the revocationTime January 1, 1970".
    const NOT_ISSUED: (Timestamp, Option<CrlReason>) = (Timestamp::from_seconds(0), Some(CrlReason::CertificateHold));

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
                    w.tlv(tag::ENUMERATED, &[reason.code()]);
                });
            }
        });
    }
}

/// `[number] IMPLICIT NULL`.
fn write_null(writer: &mut DerWriter, number: u8) {
    writer.tlv(tag::context(number), &[]);
}
