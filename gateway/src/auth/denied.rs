//! Why nobody was authenticated.

use certgate_enrollment::{CertificateDenied, LedgerError};
use certgate_est::InvalidBasic;

use super::passwords::PasswordsBusy;

/// Why nobody was authenticated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nothing that this endpoint takes was shown.
    #[error("no credentials")]
    Missing,
    /// An Authorization header of another scheme, or malformed.
    #[error(transparent)]
    Invalid(#[from] InvalidBasic),
    /// No such user at this endpoint, or another password.
    #[error("unknown user or wrong password")]
    Wrong {
        /// The user that was named.
        user: String,
    },
    /// The credential is over.
    #[error("the credential has expired")]
    Expired {
        /// Its user.
        user: String,
    },
    /// The client certificate vouches for nobody here.
    #[error(transparent)]
    Certificate(#[from] CertificateDenied),
    /// A re-enrollment without the certificate that it is to renew.
    #[error("a re-enrollment shows the certificate that it renews as its TLS client certificate (RFC 7030 §4.2.2)")]
    NoCertificate,
    /// A re-enrollment where certificates authenticate nobody.
    #[error("this endpoint takes passwords only and renews nothing: enroll anew by /simpleenroll")]
    PasswordsOnly,
    /// The password could not be verified now.
    #[error(transparent)]
    Busy(#[from] PasswordsBusy),
    /// It could not be looked up.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
