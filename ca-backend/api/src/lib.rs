//! What a CA back end is to certgate: it takes an order for one certificate and signs it, or says why not.
//!
//! Every back end signs; what only some of them can do is offered by accessors that return `None` by default.

use async_trait::async_trait;
use certgate_pki::asn1::{Tlv, tag};
use certgate_pki::{SignatureAlgorithm, Template, Timestamp};

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
    /// Its kind, as the configuration has it.
    fn name(&self) -> &'static str;

    /// Where it signs.
    fn locality(&self) -> Locality;

    /// Signs one certificate. Dropping the future must leave nothing half done.
    ///
    /// # Errors
    /// [`BackendError`], by who has to act.
    async fn sign(&self, order: Order) -> Result<SignedCertificate, BackendError>;

    /// Itself as a signer of CRLs, where it is one: a CA elsewhere publishes its own.
    fn crl_signing(&self) -> Option<&dyn CrlSigning> {
        None
    }

    /// Since when its key is kept elsewhere, where people sign with it: it signs nothing here. `None` of one that signs.
    fn offline_since(&self) -> Option<Timestamp> {
        None
    }
}

/// A CRL to be signed: a TBSCertList of version 2, DER.
#[derive(Clone, Copy, Debug)]
pub struct CrlOrder<'a>(&'a [u8]);

impl<'a> CrlOrder<'a> {
    /// `None` unless this begins as a TBSCertList does (RFC 5280 §5.1): the key that signs CRLs signs certificates too, and a TBSCertificate
    /// has a Validity where a TBSCertList has its thisUpdate.
    #[must_use]
    pub fn new(to_be_signed: &'a [u8]) -> Option<Self> {
        let outer = Tlv::only(to_be_signed).ok().filter(|outer| outer.tag == tag::SEQUENCE)?;
        let mut fields = outer.contents().ok()?;
        let version = fields.expect(tag::INTEGER).ok()?;
        fields.expect(tag::SEQUENCE).ok()?;
        fields.expect(tag::SEQUENCE).ok()?;
        let this_update = fields.any().ok()?;
        (version.value == [1] && matches!(this_update.tag, tag::UTC_TIME | tag::GENERALIZED_TIME)).then_some(Self(to_be_signed))
    }

    /// The octets to be signed.
    #[must_use]
    pub const fn to_be_signed(self) -> &'a [u8] {
        self.0
    }
}

/// Who signs CRLs with the key of the CA.
#[async_trait]
pub trait CrlSigning: Send + Sync {
    /// The algorithm of what [`Self::sign_crl`] makes.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// The signature over one CRL.
    ///
    /// # Errors
    /// [`BackendError`], by who has to act.
    async fn sign_crl(&self, order: CrlOrder<'_>) -> Result<Vec<u8>, BackendError>;
}
