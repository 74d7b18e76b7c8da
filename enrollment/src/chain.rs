//! Chains of authorities.

use certgate_pki::{Certificate, KeyUsage, Provider};

/// A chain that makes no authority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// No certificate at all.
    #[error("an authority needs its own certificate")]
    NoCertificate,
    /// A certificate of the chain is no CA's.
    #[error("{0} is not the certificate of a CA")]
    NotACa(String),
    /// Its keyUsage leaves out what an authority does.
    #[error("the certificate of {0} may not sign certificates and CRLs (keyUsage, RFC 5280 §4.2.1.3)")]
    MayNotSign(String),
    /// Fewer CAs may follow than do.
    #[error("below {0} there are more CAs than its certificate allows (pathLenConstraint, RFC 5280 §4.2.1.9)")]
    TooLong(String),
    /// A certificate of the chain is not signed by the next one, or not named as its issuer.
    #[error("the certificate of {0} is not signed by the next one of the chain")]
    BrokenChain(String),
}

/// Is this one: each certificate a CA's that may sign what is below it, signed by the next one and naming it as its issuer, the last one by
/// itself? Of an authority it starts with its own certificate and ends with the root. What time it is does not matter.
///
/// # Errors
/// [`AuthorityError`]: the first fault, from the authority upwards.
pub fn check_chain(chain: &[Certificate], provider: &Provider) -> Result<(), AuthorityError> {
    let issuers = chain.iter().skip(1).chain(chain.last());
    for (below, (certificate, issuer)) in chain.iter().zip(issuers).enumerate() {
        let subject = || certificate.subject().to_string();
        let extensions = certificate.extensions();
        if !extensions.is_ca().unwrap_or(false) {
            return Err(AuthorityError::NotACa(subject()));
        }
        // RFC 5280 §4.2.1.3: without keyUsage nothing is restricted.
        let needed = [KeyUsage::KEY_CERT_SIGN, KeyUsage::CRL_SIGN];
        let may_sign =
            extensions.key_usage().is_ok_and(|usage| usage.is_none_or(|usage| needed.iter().all(|one| usage.intersects(*one))));
        if !may_sign {
            return Err(AuthorityError::MayNotSign(subject()));
        }
        let allows = extensions.path_len().is_ok_and(|length| length.is_none_or(|length| below <= usize::from(length)));
        if !allows {
            return Err(AuthorityError::TooLong(subject()));
        }
        let signed = certificate.verify_signed_by(issuer.public_key(), provider).is_ok();
        if !signed || certificate.issuer().as_der() != issuer.subject().as_der() {
            return Err(AuthorityError::BrokenChain(subject()));
        }
    }
    if chain.is_empty() { Err(AuthorityError::NoCertificate) } else { Ok(()) }
}
