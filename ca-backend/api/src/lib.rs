//! What a CA back end is to certgate: it takes an order for one certificate and signs it, or says why not.
//!
//! A back end has one mandatory method; what only some of them can do will be offered by accessors that return `None` by default.

use async_trait::async_trait;
use certgate_pki::Template;

/// One certificate to be signed: everything about it was decided, nothing is left to the back end.
#[derive(Clone, Debug)]
pub struct Order {
    /// All of the certificate but the signature.
    pub template: Template,
}

/// A certificate as the back end made it, DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCertificate(pub Vec<u8>);

/// Why there is no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// The back end will not sign this, now or later.
    #[error("the CA refused: {0}")]
    Rejected(String),
    /// The same order may succeed in a while.
    #[error("the CA is not available: {0}")]
    Retryable(String),
    /// Nothing will succeed until an operator mends the configuration.
    #[error("the CA is misconfigured: {0}")]
    Misconfigured(String),
}

/// Where an order is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locality {
    /// In this process, by code that is part of what is trusted: the certificate is the template.
    InProcess,
    /// Anywhere else: what comes back is verified against the template before anyone sees it.
    Elsewhere,
}

/// Who signs.
#[async_trait]
pub trait CaBackend: Send + Sync {
    /// Where it signs.
    fn locality(&self) -> Locality;

    /// Signs one certificate. Dropping the future must leave nothing half done.
    ///
    /// # Errors
    /// [`BackendError`], by who has to act.
    async fn sign(&self, order: Order) -> Result<SignedCertificate, BackendError>;
}
