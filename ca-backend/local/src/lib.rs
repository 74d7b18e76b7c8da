//! Signs in process, with a key it was given: from a file, or any other [`SigningKey`]. Who computes is
//! the key's business: the provider, or [`rustcrypto`].

mod offline;
pub mod rustcrypto;

pub use offline::OfflineBackend;

use std::sync::Arc;

use async_trait::async_trait;
use certgate_ca_backend_api::{BackendError, CaBackend, CrlOrder, CrlSigning, Locality, Order, SignedCertificate};
use certgate_pki::{KeyType, SignatureAlgorithm, SigningKey, Template};

/// A CA key in this process.
#[derive(Debug)]
pub struct LocalBackend {
    key: Arc<dyn SigningKey>,
}

impl LocalBackend {
    /// Signs with `key`.
    #[must_use]
    pub fn new(key: Arc<dyn SigningKey>) -> Self {
        Self { key }
    }
}

#[async_trait]
impl CaBackend for LocalBackend {
    fn name(&self) -> &'static str {
        "local"
    }

    fn locality(&self) -> Locality {
        Locality::InProcess
    }

    async fn sign(&self, order: Order) -> Result<SignedCertificate, BackendError> {
        // RSA takes from half a millisecond to several: not on a thread that serves others.
        if matches!(self.key.public_key().key_type(), KeyType::Rsa { .. }) {
            let key = Arc::clone(&self.key);
            let signing = tokio::task::spawn_blocking(move || sign(&*key, &order.template));
            return signing.await.unwrap_or_else(|error| Err(BackendError::Retryable(error.to_string())));
        }
        sign(&*self.key, &order.template)
    }

    fn crl_signing(&self) -> Option<&dyn CrlSigning> {
        Some(self)
    }
}

#[async_trait]
impl CrlSigning for LocalBackend {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    /// Signs where it is called: whoever makes a list does so on a thread of its own.
    async fn sign_crl(&self, order: CrlOrder<'_>) -> Result<Vec<u8>, BackendError> {
        self.key.sign(order.to_be_signed()).map_err(|error| BackendError::Retryable(error.to_string()))
    }
}

fn sign(key: &dyn SigningKey, template: &Template) -> Result<SignedCertificate, BackendError> {
    let algorithm = key.algorithm();
    let to_be_signed = template.to_be_signed(algorithm);
    let signature = key.sign(&to_be_signed).map_err(|error| BackendError::Retryable(error.to_string()))?;
    Ok(SignedCertificate(Template::assemble(&to_be_signed, algorithm, &signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passes_the_contract_with_every_kind_of_key() {
        let provider = certgate_crypto::provider();
        let rsa = [2048, 3072, 4096].map(|bits| KeyType::Rsa { bits });
        for key_type in [KeyType::P256, KeyType::P384, KeyType::P521, KeyType::Ed25519].into_iter().chain(rsa) {
            let key = provider.sign.generate(key_type).unwrap().key;
            let issuer = key.public_key().clone();
            certgate_ca_backend_contract::run(&LocalBackend::new(key), &issuer, &provider).await;
        }
    }
}
