//! Client certificates: whom one of our own certificates vouches for, and where.

use certgate_pki::{Certificate, ExtendedKeyUsage, KeyUsage, Timestamp};
use certgate_policy::Profile;

use crate::ports::certificates::{CertificateRecord, CertificateStatus};
use crate::request::{Operation, Protocol};

/// Why a client certificate vouches for nobody here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateDenied {
    /// Not issued by the authority of this endpoint, as its ledger tells: another CA's, self-signed, or forged.
    #[error("the client certificate was not issued by this endpoint's authority")]
    NotOurs,
    /// Issued by another profile.
    #[error("the client certificate was issued by another profile than this endpoint's")]
    OtherProfile,
    /// Issued for names that its holder has to show control of each time.
    #[error("the client certificate was issued to an account of ACME, which renews it by another order")]
    OfAccount,
    /// notBefore is to come.
    #[error("the client certificate is not valid yet")]
    NotYetValid,
    /// notAfter is past, and so is the profile's grace.
    #[error("the client certificate has expired")]
    Expired,
    /// On hold.
    #[error("the client certificate is on hold")]
    Held,
    /// Revoked.
    #[error("the client certificate is revoked")]
    Revoked,
    /// Its principal was removed after it was issued.
    #[error("the principal of the client certificate was removed")]
    Ended,
    /// Not for client authentication, by its keyUsage or extKeyUsage.
    #[error("the client certificate is not for client authentication")]
    NotForClients,
}

/// Judges a client certificate (RFC 7030 §3.3.2, RFC 5280 §6.1) whose holder has proved in the TLS handshake that it has the key.
///
/// The path needs no walk: the ledger holds every certificate that the authority has issued, to the octet, and nothing but those can be
/// equal to its record. From the ledger, too, comes what it was issued as, and for whom: names in a certificate authorize nothing.
///
/// `record` is that with its serial number, of the authority that `profile` is bound to.
///
/// # Errors
/// [`CertificateDenied`].
pub fn judge(
    presented: &Certificate,
    record: Option<&CertificateRecord>,
    profile: &Profile,
    operation: Operation,
    now: Timestamp,
) -> Result<(), CertificateDenied> {
    let record = record.ok_or(CertificateDenied::NotOurs)?;
    if record.der != presented.as_der() || record.authority != profile.authority {
        return Err(CertificateDenied::NotOurs);
    }
    if record.profile != profile.name {
        return Err(CertificateDenied::OtherProfile);
    }
    // Whoever held a name once must not have certificates for it ever after, by renewing them here.
    if record.protocol == Protocol::Acme {
        return Err(CertificateDenied::OfAccount);
    }
    if !is_for_clients(presented) {
        return Err(CertificateDenied::NotForClients);
    }
    match record.status {
        CertificateStatus::Valid => {}
        CertificateStatus::Held(_) => return Err(CertificateDenied::Held),
        CertificateStatus::Revoked(..) => return Err(CertificateDenied::Revoked),
    }
    if record.is_ended {
        return Err(CertificateDenied::Ended);
    }
    let validity = presented.validity();
    if now < validity.not_before {
        return Err(CertificateDenied::NotYetValid);
    }
    // Grace is for renewal alone: an expired certificate is good for nothing but to be replaced.
    let last = match operation {
        Operation::Renew => validity.not_after.after(profile.renew_grace),
        Operation::Enroll => validity.not_after,
    };
    // RFC 5280 §4.1.2.5: notAfter is the last second of the validity.
    if now.floor_to_second() > last { Err(CertificateDenied::Expired) } else { Ok(()) }
}

/// RFC 5280 §4.2.1.12: "If the extension is present, then the certificate MUST only be used for one of the purposes indicated";
/// anyExtendedKeyUsage is not taken for clientAuth. §4.2.1.3: to sign a handshake takes digitalSignature.
fn is_for_clients(certificate: &Certificate) -> bool {
    let extensions = certificate.extensions();
    let purposes = extensions.extended_key_usage();
    let usage = extensions.key_usage();
    let is_purpose = purposes.is_ok_and(|known| known.is_none_or(|known| known.contains(&ExtendedKeyUsage::ClientAuth)));
    let signs = usage.is_ok_and(|usage| usage.is_none_or(|usage| usage.intersects(KeyUsage::DIGITAL_SIGNATURE)));
    is_purpose && signs && extensions.is_ca().is_ok_and(|is_ca| !is_ca)
}
