//! Back ends that do what a test wants.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use certgate_ca_backend_api::{BackendError, CaBackend, CrlOrder, CrlSigning, Locality, Order, SignedCertificate};
use certgate_pki::{SignatureAlgorithm, SigningKey, Template};

type Alter<T> = Box<dyn Fn(T) -> T + Send + Sync>;

/// Signs with a key, in this process; or plays a remote CA, honest or not.
pub struct KeyBackend {
    key: Arc<dyn SigningKey>,
    locality: Locality,
    alter_template: Alter<Template>,
    alter_der: Alter<Vec<u8>>,
}

impl KeyBackend {
    /// Signs exactly what is ordered.
    #[must_use]
    pub fn new(key: Arc<dyn SigningKey>) -> Self {
        let (alter_template, alter_der) = (Box::new(|template| template), Box::new(|der| der));
        Self { key, locality: Locality::InProcess, alter_template, alter_der }
    }

    /// The same, said to be elsewhere: its work is verified.
    #[must_use]
    pub fn elsewhere(key: Arc<dyn SigningKey>) -> Self {
        Self { locality: Locality::Elsewhere, ..Self::new(key) }
    }

    /// Alters every order before it signs.
    #[must_use]
    pub fn altering(self, alter: impl Fn(Template) -> Template + Send + Sync + 'static) -> Self {
        Self { alter_template: Box::new(alter), ..self }
    }

    /// Alters every certificate after it was signed.
    #[must_use]
    pub fn spoiling(self, alter: impl Fn(Vec<u8>) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { alter_der: Box::new(alter), ..self }
    }
}

impl fmt::Debug for KeyBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBackend").field("key", &self.key).field("locality", &self.locality).finish_non_exhaustive()
    }
}

#[async_trait]
impl CaBackend for KeyBackend {
    fn name(&self) -> &'static str {
        "test"
    }

    fn locality(&self) -> Locality {
        self.locality
    }

    async fn sign(&self, order: Order) -> Result<SignedCertificate, BackendError> {
        let algorithm = self.key.algorithm();
        let to_be_signed = (self.alter_template)(order.template).to_be_signed(algorithm);
        let signature = self.key.sign(&to_be_signed).expect("a key in memory signs");
        Ok(SignedCertificate((self.alter_der)(Template::assemble(&to_be_signed, algorithm, &signature))))
    }

    fn crl_signing(&self) -> Option<&dyn CrlSigning> {
        Some(self)
    }
}

#[async_trait]
impl CrlSigning for KeyBackend {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    async fn sign_crl(&self, order: CrlOrder<'_>) -> Result<Vec<u8>, BackendError> {
        Ok(self.key.sign(order.to_be_signed()).expect("a key in memory signs"))
    }
}

/// Signs nothing.
#[derive(Clone, Debug)]
pub struct FailingBackend(
    /// Its only answer.
    pub BackendError,
);

#[async_trait]
impl CaBackend for FailingBackend {
    fn name(&self) -> &'static str {
        "test"
    }

    fn locality(&self) -> Locality {
        Locality::InProcess
    }

    async fn sign(&self, _: Order) -> Result<SignedCertificate, BackendError> {
        Err(self.0.clone())
    }
}
