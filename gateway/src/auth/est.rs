//! Who asks at an EST endpoint: by password, by certificate, or by either, as the endpoint has it.

use certgate_enrollment::{Operation, Principal, Renewal};
use certgate_policy::Profile;

use super::basic::BasicAuthenticator;
use super::certificate::{CertificateAuthenticator, Holder};
use super::denied::Denied;

/// How clients show who they are at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Methods {
    /// HTTP Basic within TLS (RFC 7030 §3.2.3).
    pub basic: bool,
    /// A TLS client certificate that the endpoint's profile has issued (RFC 7030 §3.3.2).
    pub certificate: bool,
}

/// What a client shows.
#[derive(Clone, Copy, Debug)]
pub struct Proofs<'p> {
    /// The Authorization header.
    pub authorization: Option<&'p [u8]>,
    /// The TLS client certificate, DER, whose key it has.
    pub certificate: Option<&'p [u8]>,
}

/// Who asks, and what with.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// Who.
    pub principal: Principal,
    /// The certificate that is to be renewed; `None` for a new enrollment.
    pub renewal: Option<Renewal>,
}

/// All ways to show who one is.
pub struct EstAuthenticator {
    /// By password.
    pub basic: BasicAuthenticator,
    /// By certificate.
    pub certificate: CertificateAuthenticator,
}

impl EstAuthenticator {
    /// The principal behind what a client shows at an endpoint that issues by `profile`.
    ///
    /// A client that sends a password is judged by it: it may show a certificate besides that is worth nothing here. A certificate is
    /// renewed by its holder alone, who shows it.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn authenticate(
        &self,
        proofs: Proofs<'_>,
        (endpoint, methods): (&str, Methods),
        profile: &Profile,
        operation: Operation,
    ) -> Result<Authenticated, Denied> {
        let certificate = proofs.certificate.filter(|_| methods.certificate);
        match (operation, proofs.authorization.filter(|_| methods.basic), certificate) {
            (Operation::Renew, ..) if !methods.certificate => Err(Denied::PasswordsOnly),
            (Operation::Renew, _, None) => Err(Denied::NoCertificate),
            (Operation::Renew, _, Some(certificate)) => {
                let Holder { principal, renewal } = self.certificate.authenticate(certificate, profile, operation).await??;
                Ok(Authenticated { principal, renewal: Some(renewal) })
            }
            (Operation::Enroll, Some(header), _) => {
                let principal = self.basic.authenticate(header, endpoint).await?;
                Ok(Authenticated { principal, renewal: None })
            }
            (Operation::Enroll, None, Some(certificate)) => {
                let Holder { principal, .. } = self.certificate.authenticate(certificate, profile, operation).await??;
                Ok(Authenticated { principal, renewal: None })
            }
            (Operation::Enroll, None, None) => Err(Denied::Missing),
        }
    }
}
